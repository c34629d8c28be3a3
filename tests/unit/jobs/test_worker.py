"""A worker does what is due when the bell rings, and also when it does not; it ends cleanly, and what it lost it does not settle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.jobs import worker as worker_module
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.models import WorkRow
from smart_app.jobs.types import Handler, Job, LeaseLost
from smart_app.jobs.worker import Worker
from tests.peers import wait_until


@contextmanager
def working(ledger: Ledger, handlers: Mapping[str, Handler], **more: object) -> Iterator[Worker]:
    worker = Worker(ledger, handlers, **more)  # type: ignore[arg-type]
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(5)


def add(ledger: Ledger, database: Database, kind: str, *keys: str) -> None:
    with database.transaction() as session:
        for key in keys:
            ledger.add(session, kind, key)


def state(database: Database, kind: str, key: str) -> str:
    with database.reading() as session:
        row = session.get(WorkRow, (kind, key))
        return row.state if row else "absent"


def test_what_is_committed_is_done_by_the_bell(database: Database) -> None:
    ledger, done = Ledger(database, utc_now), []
    with working(ledger, {"tell": lambda job: done.append(job.key)}):
        add(ledger, database, "tell", *(str(n) for n in range(20)))
        wait_until(lambda: len(done) == 20, "the work")
    assert sorted(done, key=int) == [str(n) for n in range(20)]
    assert state(database, "tell", "19") == "done"


def test_what_the_bell_forgot_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.1)
    done: list[str] = []
    elsewhere = Ledger(database, utc_now)  # another process: its bell is not heard here
    with working(Ledger(database, utc_now), {"tell": lambda job: done.append(job.key)}):
        add(elsewhere, database, "tell", "a")
        wait_until(lambda: done == ["a"], "the work")


def test_stopping_waits_for_what_runs_and_takes_nothing_new(database: Database) -> None:
    ledger, began, go = Ledger(database, utc_now), threading.Event(), threading.Event()

    def slow(job: Job) -> None:
        began.set()
        go.wait(20)

    worker = Worker(ledger, {"slow": slow}, threads=1)
    worker.start()
    add(ledger, database, "slow", "a", "b")
    assert began.wait(20)
    ended: list[bool] = []
    stopping = threading.Thread(target=lambda: ended.append(worker.stop(20)))
    stopping.start()
    go.set()
    stopping.join(30)
    assert ended == [True]
    assert [state(database, "slow", key) for key in ("a", "b")] == ["done", "waiting"]


def test_long_work_keeps_its_row_by_heartbeats(database: Database) -> None:
    """Two workers with a short lease: the one that looks does not take what the other is alive with."""
    runs: list[str] = []
    go = threading.Event()

    def long(job: Job) -> None:
        runs.append(job.key)
        go.wait(20)

    ledger = Ledger(database, utc_now, lease=0.6)
    with working(ledger, {"long": long}), working(Ledger(database, utc_now, lease=0.6), {"long": long}):
        add(ledger, database, "long", "a")
        wait_until(lambda: bool(runs), "the work")
        started = beats(database)
        wait_until(lambda: beats(database) >= started + 8, "eight heartbeats, several leases long")
        go.set()
        wait_until(lambda: state(database, "long", "a") == "done", "the end")
    assert runs == ["a"]


def beats(database: Database) -> int:
    with database.reading() as session:
        return session.get_one(WorkRow, ("long", "a")).beat


def test_who_lost_the_row_is_told_and_settles_nothing(database: Database) -> None:
    told: list[type[Exception]] = []
    release = threading.Event()
    ledger = Ledger(database, utc_now, lease=0.3)

    def robbed(job: Job) -> None:
        with database.transaction() as session:  # somebody takes the row away, as after too long a silence
            session.get_one(WorkRow, ("long", "a")).claims += 1
        wait_until(lambda: lost(job.heartbeat), "the loss")
        told.append(LeaseLost)
        release.set()

    with working(ledger, {"long": robbed}):
        add(ledger, database, "long", "a")
        assert release.wait(20)
    assert told == [LeaseLost]
    assert state(database, "long", "a") == "running", "it is for the one who holds it to settle"


def lost(heartbeat: Callable[[], None]) -> bool:
    try:
        heartbeat()
    except LeaseLost:
        return True
    return False


def test_two_workers_plan_each_period_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.05)
    done: list[str] = []
    handlers = {"remind": lambda job: done.append(job.key)}
    periods = {"remind": 1}
    with working(Ledger(database, utc_now), handlers, periods=periods), working(Ledger(database, utc_now), handlers, periods=periods):
        wait_until(lambda: len(done) >= 3, "three periods")
    assert len(done) == len(set(done))
