"""Two sites with one database: each does, sees and frees its own work only. A handler of the wrong site finds nothing and calls it done."""

from __future__ import annotations

import pytest

from smart_app.db import Database
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job, NeedsAttention
from tests.unit.jobs.steady import SteadyClock
from tests.unit.launch.ehr_sim import MovingClock


@pytest.fixture
def ledgers(database: Database) -> tuple[Ledger, Ledger]:
    clock, steady = MovingClock(), SteadyClock()
    return Ledger(database, clock, steady=steady, tenant="northgate"), Ledger(database, clock, steady=steady, tenant="kestrel")


def add(database: Database, ledger: Ledger, key: str) -> None:
    with database.transaction() as session:
        ledger.add(session, "screen", key)


def test_each_site_does_its_own_work(database: Database, ledgers: tuple[Ledger, Ledger]) -> None:
    ours, theirs = ledgers
    add(database, ours, "upload-of-ours")
    done: list[str] = []
    assert theirs.run_due({"screen": lambda job: done.append(job.key)}) == 0
    assert theirs.unhandled(()) == {}
    assert ours.run_due({"screen": lambda job: done.append(job.key)}) == 1
    assert done == ["upload-of-ours"]


def test_what_waits_for_a_person_waits_for_one_of_this_site(database: Database, ledgers: tuple[Ledger, Ledger]) -> None:
    def stuck(job: Job) -> None:
        raise NeedsAttention("no-identifier")

    ours, theirs = ledgers
    add(database, ours, "upload-of-ours")
    ours.run_due({"screen": stuck})
    assert [one.key for one in ours.attention()] == ["upload-of-ours"]
    assert theirs.attention() == ()
    assert not theirs.again("screen", "upload-of-ours")
    assert ours.again("screen", "upload-of-ours")


def test_periodic_work_is_done_at_each_site(ledgers: tuple[Ledger, Ledger]) -> None:
    done: list[str] = []
    for ledger in ledgers:
        ledger.every("purge", 3600)
        ledger.every("purge", 3600)
    for ledger in ledgers:
        ledger.run_due({"purge": lambda job: done.append(job.key.partition(".")[0])})
    assert done == ["northgate", "kestrel"]
