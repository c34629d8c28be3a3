"""A clock that jumps a day ends no lease, doubles nothing and forgets nothing (safety.md J7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.jobs import ledger as ledger_module
from smart_app.jobs.ledger import LEASE, Ledger
from smart_app.jobs.models import WorkRow
from smart_app.jobs.types import Job, Later
from tests.peers import wait_until
from tests.unit.jobs.steady import SteadyClock


class JumpingClock:
    """This machine's clock, wrong by as much as the test says."""

    def __init__(self) -> None:
        self.wrong = timedelta()

    def __call__(self):  # type: ignore[no-untyped-def]
        return utc_now() + self.wrong


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> JumpingClock:
    clock = JumpingClock()
    monkeypatch.setattr(ledger_module, "utc_now", clock)  # all that reads this machine's clock
    return clock


def add(ledger: Ledger, database: Database, kind: str, key: str, **more: object) -> None:
    with database.transaction() as session:
        ledger.add(session, kind, key, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [1, -1])
def test_a_lease_is_not_ended_by_a_clock(database: Database, clock: JumpingClock, days: int) -> None:
    steady = SteadyClock()
    ledger = Ledger(database, clock, steady=steady)
    add(ledger, database, "store", "a")
    assert ledger.claim(["store"], "alive") is not None
    ledger.release_silent()
    clock.wrong = timedelta(days=days)
    steady.seconds += LEASE / 2
    assert ledger.run_due({"store": lambda job: None}) == 0
    steady.seconds += LEASE
    assert ledger.run_due({"store": lambda job: None}) == 1, "and no clock keeps it for ever"


def test_work_taken_in_under_a_wrong_clock_is_done_at_once(database: Database, clock: JumpingClock) -> None:
    ledger = Ledger(database, clock)
    clock.wrong = timedelta(days=1)
    add(ledger, database, "tell", "a")
    clock.wrong = timedelta()
    assert ledger.run_due({"tell": lambda job: None}) == 1


def test_a_wait_that_began_under_a_wrong_clock_does_not_last_a_day(database: Database, clock: JumpingClock) -> None:
    ledger, tries = Ledger(database, clock), []

    def not_yet(job: Job) -> None:
        tries.append(job.attempt)
        if len(tries) == 1:
            raise Later(1)

    add(ledger, database, "tell", "a")
    clock.wrong = timedelta(days=1)
    assert ledger.run_due({"tell": not_yet}) == 1
    clock.wrong = timedelta()
    wait_until(lambda: ledger.run_due({"tell": not_yet}) == 1, "the second try, today")
    assert tries == [1, 1]


def test_one_machine_that_is_a_day_ahead_does_nothing_early(database: Database, clock: JumpingClock) -> None:
    """The database's clock decides. With SQLite there is one machine, and its clock is the only one."""
    ledger = Ledger(database, clock)
    add(ledger, database, "expire", "a", due=utc_now() + timedelta(hours=6))
    clock.wrong = timedelta(days=1)
    assert ledger.run_due({"expire": lambda job: None}) == (1 if database.is_sqlite else 0)


def test_periods_are_not_doubled_by_a_clock_that_comes_back(database: Database, clock: JumpingClock) -> None:
    one, two = Ledger(database, clock), Ledger(database, utc_now)
    runs: list[str] = []
    for days in (0, 1, 0, -1, 0):
        clock.wrong = timedelta(days=days)
        for ledger in (one, two):
            ledger.every("remind", 7 * 86400)
            ledger.run_due({"remind": lambda job: runs.append(job.key)})
    assert len(runs) == len(set(runs))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(WorkRow)) == len(runs) <= 2, "this week, and on SQLite perhaps another for a while"
