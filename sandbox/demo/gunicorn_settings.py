"""Gunicorn settings of a demo run: the command line says the rest. Read by `gunicorn -c python:sandbox.demo.gunicorn_settings`."""

from __future__ import annotations

from typing import Any

from sandbox.demo.parent import end_with_parent

worker_class = "smart_app.serving.worker.Worker"
threads = 24
keepalive = 30
timeout = 60
graceful_timeout = 2
accesslog = None


def when_ready(server: Any) -> None:
    """In the master, which takes its workers with it. The thread only waits in read(), so it holds no lock when workers fork."""
    end_with_parent()
