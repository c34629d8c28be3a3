"""Work is added once, stands or falls with its transaction, and is tried again until it is done or a person must look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from smart_app.db import Database
from smart_app.jobs.ledger import LEASE, Ledger
from smart_app.jobs.outcome import TRIES, Outcome
from smart_app.jobs.types import Job, Later, LeaseLost, NeedsAttention
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


def test_work_that_kills_five_workers_is_given_to_a_person_who_may_try_again(database: Database) -> None:
    steady = SteadyClock()
    ledger = Ledger(database, MovingClock(), steady=steady)
    with database.transaction() as session:
        ledger.add(session, "screen", "bad")
    for _ in range(TRIES):
        assert ledger.claim(["screen"], "dies") is not None
        ledger.release_silent()
        steady.seconds += LEASE + 1
        assert ledger.release_silent() == 1
    assert ledger.claim(["screen"], "next") is None
    (stuck,) = ledger.attention()
    assert (stuck.kind, stuck.key, stuck.reason, stuck.attempt) == ("screen", "bad", "worker-died", TRIES)
    assert ledger.again("screen", "bad")
    assert not ledger.again("screen", "bad"), "it does not wait for a person any more"
    done: list[int] = []
    ledger.run_due({"screen": lambda job: done.append(job.attempt)})
    assert done == [1]
    assert ledger.attention() == ()


def test_who_lost_the_row_settles_nothing(database: Database) -> None:
    steady = SteadyClock()
    ledger = Ledger(database, MovingClock(), steady=steady)
    with database.transaction() as session:
        ledger.add(session, "store", "a")
    late = ledger.claim(["store"], "late")
    assert late is not None
    ledger.release_silent()
    steady.seconds += LEASE + 1
    ledger.release_silent()
    now = ledger.claim(["store"], "now")
    assert now is not None
    with pytest.raises(LeaseLost):
        ledger.beat(late)
    ledger.settle(late, Outcome("attention", 1, "wrong"))
    ledger.beat(now)
    ledger.settle(now, Outcome("done", 2))
    assert ledger.attention() == ()
    assert ledger.run_due({"store": lambda job: None}) == 0


def test_a_kind_that_nobody_knows_waits_and_is_seen(database: Database) -> None:
    ledger, done = Ledger(database, MovingClock()), []
    with database.transaction() as session:
        for key in "ab":
            ledger.add(session, "new", key)
        ledger.add(session, "known", "c")
    assert ledger.run_due({"known": lambda job: None}) == 1
    assert ledger.unhandled(["known"]) == {"new": 2}
    assert ledger.run_due({"new": lambda job: done.append(job.key)}) == 2
    assert done == ["a", "b"]


def test_many_workers_do_each_piece_once(database: Database) -> None:
    """safety.md J4: one claim a piece, whoever runs for it."""
    ledger, done = Ledger(database, MovingClock()), []
    with database.transaction() as session:
        for n in range(40):
            ledger.add(session, "store", str(n))
    others = [Ledger(database, MovingClock()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(lambda other: other.run_due({"store": lambda job: done.append(job.key)}), others))
    assert sum(tried) == 40
    assert sorted(done, key=int) == [str(n) for n in range(40)]
