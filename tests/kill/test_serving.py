"""`priors serve` alone does the work it takes in; with a queue, web workers leave it to `priors worker`, and what is taken in waits safely."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from smart_app.jobs.models import WorkRow
from smart_app.parts import Parts
from tests import peers
from tests.kill.driver import Setup, configure, opened
from tests.kill.story import ASKED, ask
from tests.peers import wait_until


@contextmanager
def priors(config: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with config.with_name(f"{arguments[0]}.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "smart_app.cli", *arguments], env={**os.environ, "PRIORS_CONFIG": str(config)}, stdout=log, stderr=log, cwd=config.parent
        )
    try:
        yield running
    finally:
        running.terminate()
        assert running.wait(40) == 0, config.with_name(f"{arguments[0]}.log").read_text()


@contextmanager
def serving(config: Path) -> Iterator[None]:
    port = peers.free_port()
    with priors(config, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"):
        wait_until(lambda: peers.answers(f"http://127.0.0.1:{port}/healthz"), "the web workers", 60)
        yield


def states(parts: Parts) -> set[str]:
    with parts.database.reading() as session:
        return set(session.scalars(select(WorkRow.state).where(WorkRow.kind == "dispatch")))


def test_web_workers_do_the_work_by_themselves(tmp_path: Path, on_sqlite: Setup) -> None:
    config = configure(tmp_path, on_sqlite)
    with opened(config) as parts, serving(config):
        ask(parts)  # in another process: no bell of theirs rings
        wait_until(lambda: len(on_sqlite.mail.inbox.all()) == len(ASKED), "the letters", 60)
        wait_until(lambda: states(parts) == {"done"}, "the work")
    assert [one.copies for one in on_sqlite.mail.inbox.all()] == [1] * len(ASKED), "two web workers, each letter once"


@pytest.mark.campaign
def test_with_a_queue_a_worker_does_it_also_while_redis_is_away(tmp_path: Path, on_sqlite: Setup) -> None:
    port = peers.free_port()
    setup = replace(on_sqlite, queue_url=f"redis://127.0.0.1:{port}/0")
    config = configure(tmp_path, setup)
    with opened(config) as parts, serving(config):
        ask(parts)
        assert states(parts) == {"waiting"}
        with priors(config, "worker"):
            wait_until(lambda: len(setup.mail.inbox.all()) == len(ASKED), "the letters, without Redis", 60)
            wait_until(lambda: states(parts) == {"done"}, "the work")
