"""Gunicorn settings of a demo run: the command line says the rest. Read by `gunicorn -c python:sandbox.demo.gunicorn_settings`."""

from __future__ import annotations

from typing import Any

from sandbox.demo.parent import end_with_parent

worker_class = "gthread"
threads = 24
keepalive = 30
timeout = 60
graceful_timeout = 2
accesslog = None


def when_ready(server: Any) -> None:
    """After the first workers are forked: a thread before a fork is a trap."""
    end_with_parent()
