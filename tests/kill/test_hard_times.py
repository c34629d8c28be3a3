"""The database is restarted under a worker, Redis is flushed and goes, the disk is full: the worker lives, waits, and does all of it once (safety.md J, U7)."""

from __future__ import annotations

import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from smart_app.image_requests.workflow import Act
from smart_app.jobs.models import WorkRow
from smart_app.parts import Parts
from tests import peers
from tests.kill.conftest import fresh
from tests.kill.driver import Setup, configure, opened, process
from tests.kill.effects import Outside
from tests.kill.story import STAFF, ask
from tests.peers import wait_until
from tests.unit.intake.hospital import PATIENT

WORK = 6
"""Three requests, each told and mirrored."""


@contextmanager
def working(config: Path, role: str = "plain") -> Iterator[subprocess.Popen[bytes]]:
    """`priors worker`; it must be alive at the end, and stop when it is asked to."""
    up = config.with_name("up")
    living = process(role, config)
    try:
        wait_until(lambda: up.exists() or living.poll() is not None, "the worker")
        yield living
        assert living.poll() is None, config.with_name(f"{role}-lives.log").read_text()
    finally:
        living.send_signal(signal.SIGTERM)
        status = living.wait(30)
    assert status == 0


def count(parts: Parts, *states: str) -> int:
    with parts.database.reading() as session:
        return session.scalar(select(func.count()).select_from(WorkRow).where(WorkRow.state.in_(states))) or 0


def until(parts: Parts, ready: Callable[[Parts], bool], what: str) -> None:
    wait_until(lambda: ready(parts), what, 60)


def test_the_database_is_restarted_under_the_worker(tmp_path: Path, on_sqlite: Setup) -> None:
    with peers.postgres_server() as server:
        config = configure(tmp_path, replace(on_sqlite, name="postgresql", database_url=server.url))
        with opened(config) as parts, working(config, "long"):
            ask(parts)
            until(parts, lambda parts: count(parts, "running") == 2, "work under way")
            server.stop()
            with pytest.raises(SQLAlchemyError):
                ask(parts)
            server.start()
            until(parts, lambda parts: count(parts, "done") == WORK, "all of it")
            assert count(parts, "waiting", "running", "attention") == 0
            assert not parts.audit.verify().faults
        assert len(Outside(tmp_path).effects()) == WORK


def test_redis_is_flushed_and_started_anew_under_the_worker(tmp_path: Path, on_sqlite: Setup, postgres_url: str) -> None:
    port = peers.free_port()
    config = configure(tmp_path, replace(on_sqlite, name="postgresql+redis", database_url=fresh(postgres_url), queue_url=f"redis://127.0.0.1:{port}/0"))
    with peers.redis(port) as (url, _), opened(config) as parts, working(config, "long"):
        ask(parts)
        until(parts, lambda parts: count(parts, "running") == 2, "work under way")
        client = Redis.from_url(url)
        client.flushall()
        client.close()
        until(parts, lambda parts: count(parts, "done") == WORK, "all of it, though no bell rings any more")
    with opened(config) as parts, working(config, "plain"):
        change = [parts.requests.of_patient(PATIENT.issuer, PATIENT.id)[at].id for at in range(3)]
        for id in change:
            parts.requests.act(id, Act.CANCEL, STAFF, reason="not needed")
        until(parts, lambda parts: count(parts, "done") == 2 * WORK, "what is taken in without Redis")
        with peers.redis(port):
            parts.requests.act(change[0], Act.REOPEN, STAFF, reason="needed after all")
            until(parts, lambda parts: count(parts, "done") == 2 * WORK + 2, "what is taken in with a new one")
        assert count(parts, "waiting", "running", "attention") == 0
        assert not parts.audit.verify().faults
    assert len(Outside(tmp_path).effects()) == 2 * WORK + 2


def limit_files(process: subprocess.Popen[bytes], most: int) -> None:
    """No file of this process may grow beyond `most` bytes: to a database, that is a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def test_the_disk_is_full_for_a_while(tmp_path: Path, on_sqlite: Setup) -> None:
    config = configure(tmp_path, on_sqlite)
    with opened(config) as parts, working(config) as worker:
        limit_files(worker, 0)
        ask(parts)
        log = config.with_name("plain-lives.log")
        wait_until(lambda: "work_database_away" in log.read_text(), "the worker to notice")
        assert count(parts, "done") == 0
        limit_files(worker, resource.RLIM_INFINITY)
        until(parts, lambda parts: count(parts, "done") == WORK, "all of it")
        assert not parts.audit.verify().faults
    assert len(Outside(tmp_path).effects()) == WORK


def test_what_finds_the_disk_full_is_refused_whole(tmp_path: Path, on_sqlite: Setup) -> None:
    """A request that cannot be written is not half there; the same again, with room, is one."""
    config = configure(tmp_path, on_sqlite)
    with opened(config) as parts:
        asker = process("ask-when-told", config)
        wait_until(lambda: config.with_name("up").exists(), "the web worker")
        limit_files(asker, 0)
        config.with_name("go").touch()
        assert asker.wait(60) != 0, "it is told that it was not kept"
        assert count(parts, "waiting") == 0
        assert parts.requests.of_patient(PATIENT.issuer, PATIENT.id) == ()
        ask(parts)
        assert len(parts.requests.of_patient(PATIENT.issuer, PATIENT.id)) == 3
        assert count(parts, "waiting") == WORK
        assert not parts.audit.verify().faults
