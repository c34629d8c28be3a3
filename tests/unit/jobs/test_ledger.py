"""Work is added once, stands or falls with its transaction, and is tried again until it is done or a person must look."""

from __future__ import annotations

from contextlib import suppress

from smart_app.db import Database
from smart_app.jobs.ledger import LEASE, Ledger
from smart_app.jobs.types import Job, Later, NeedsAttention
from tests.unit.jobs.steady import SteadyClock
from tests.unit.launch.ehr_sim import MovingClock


def test_the_same_work_is_added_once_and_falls_with_its_transaction(database: Database) -> None:
    ledger, done = Ledger(database, clock := MovingClock()), []
    with database.transaction() as session:
        ledger.add(session, "tell", "RQ-1")
        ledger.add(session, "tell", "RQ-1")
    with suppress(ZeroDivisionError), database.transaction() as session:
        ledger.add(session, "tell", "RQ-2")
        raise ZeroDivisionError
    assert ledger.run_due({"tell": lambda job: done.append(job.key)}) == 1
    with database.transaction() as session:
        ledger.add(session, "tell", "RQ-1")
    clock.forward(days=1)
    assert ledger.run_due({"tell": lambda job: done.append(job.key)}) == 0
    assert done == ["RQ-1"]


def test_what_fails_is_tried_five_times_and_then_shown(database: Database) -> None:
    ledger = Ledger(database, clock := MovingClock())
    tries: list[int] = []

    def broken(job: Job) -> None:
        tries.append(job.attempt)
        raise OSError

    with database.transaction() as session:
        ledger.add(session, "mail", "one")
    for _ in range(8):
        ledger.run_due({"mail": broken})
        clock.forward(minutes=5)
    assert tries == [1, 2, 3, 4, 5]


def test_later_is_no_failure_and_attention_is_final(database: Database) -> None:
    ledger = Ledger(database, clock := MovingClock())
    seen: list[str] = []

    def wait(job: Job) -> None:
        seen.append("wait")
        raise Later(60)

    def stop(job: Job) -> None:
        seen.append("stop")
        raise NeedsAttention("no-address")

    with database.transaction() as session:
        ledger.add(session, "wait", "a")
        ledger.add(session, "stop", "a")
    for _ in range(7):
        ledger.run_due({"wait": wait, "stop": stop})
        clock.forward(seconds=61)
    assert (seen.count("wait"), seen.count("stop")) == (7, 1)


def test_work_of_a_worker_that_died_is_taken_up(database: Database) -> None:
    steady = SteadyClock()
    ledger = Ledger(database, MovingClock(), steady=steady)
    with database.transaction() as session:
        ledger.add(session, "store", "a")
    assert ledger.claim(("store",), "dead") is not None
    done: list[int] = []
    handlers = {"store": lambda job: done.append(job.attempt)}
    assert ledger.run_due(handlers) == 0
    steady.seconds += LEASE + 1
    assert ledger.run_due(handlers) == 1
    assert done == [2]
