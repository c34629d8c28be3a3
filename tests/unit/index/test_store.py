"""The index in SQL, on both engines: per patient, tenant, EHR and asker; sealed; bounded in time; deleted on request."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from launch.context import LaunchContext, User
from smart_app.archives.types import SourceState
from smart_app.db import Database
from smart_app.index.store import Index
from smart_app.sealing import Keyring
from tests.unit.index.test_entry import FACTS, ID, LATER, NOW, study, told, uids

ISSUER = "https://ehr.example/CANARY-fhir"
CTX = LaunchContext("L1", "northgate", ISSUER, User(ISSUER, "CANARY-halloran"), "CANARY-p1", None, frozenset(), NOW, NOW + timedelta(hours=8))


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def index(db: Database, keyring: Keyring, clock: Clock, days: int = 30) -> Index:
    return Index(db, keyring, clock, days=days, shared=frozenset({"kestrel"}))


def test_what_was_told_is_told_again_to_any_launch_of_this_patient(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1, 2), FACTS, (ID,))
    (entry,) = kept.recall(replace(CTX, handle="L2", user=User(ISSUER, "dr-two"), issuer=f"{ISSUER}/"))
    assert (entry.source, uids(entry), entry.answered_at, entry.ids) == ("kestrel", {"1", "2"}, NOW, (ID,))


@pytest.mark.parametrize("other", [{"patient_id": "CANARY-p2"}, {"patient_id": None}, {"tenant": "elsewhere"}, {"issuer": "https://other.example/fhir"}])
def test_and_to_nobody_else(database: Database, keyring: Keyring, clock: Clock, other: dict[str, str]) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1), FACTS, (ID,))
    assert kept.recall(replace(CTX, **other)) == ()  # type: ignore[arg-type]


def test_what_a_users_own_token_was_told_is_theirs_alone(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, replace(told(1), source="ehr:n"), FACTS, ())
    kept.remember(replace(CTX, user=User(ISSUER, "dr-two")), replace(told(2), source="ehr:n"), FACTS, ())
    assert [uids(entry) for entry in kept.recall(CTX)] == [{"1"}]
    assert [uids(entry) for entry in kept.recall(replace(CTX, user=User(ISSUER, "dr-two")))] == [{"2"}]
    assert kept.recall(replace(CTX, user=User("https://other", "CANARY-halloran"))) == ()


def test_a_source_that_is_asked_with_the_users_token_from_now_on_is_not_told_from_then(database: Database, keyring: Keyring, clock: Clock) -> None:
    index(database, keyring, clock).remember(CTX, told(1), FACTS, (ID,))
    assert Index(database, keyring, clock, days=30, shared=frozenset()).recall(CTX) == ()


def test_a_stolen_database_tells_nothing(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, replace(told(1), studies=(study(1, description="CANARY brain"),)), FACTS, (ID,))
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT patient, source, asker, sealed FROM index_entries")).all()
    assert len(rows) == 1
    assert b"CANARY" not in repr(rows).encode()
    assert b"2.25.1" not in bytes(rows[0].sealed)
    assert index(database, Keyring({"test": secrets.token_bytes(32)}), clock).recall(CTX) == (), "another key finds nobody"


def test_a_rotated_key_still_finds_and_a_moved_row_does_not_open(database: Database, clock: Clock) -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    index(database, Keyring({"old": old}), clock).remember(CTX, told(1), FACTS, (ID,))
    both = index(database, Keyring({"new": new, "old": old}), clock)
    assert [uids(entry) for entry in both.recall(CTX)] == [{"1"}]
    both.remember(CTX, told(2, at=LATER), FACTS, (ID,))
    assert [uids(entry) for entry in both.recall(CTX)] == [{"2"}], "the newer of two"
    both.forget("default", ISSUER, "CANARY-p1")
    both.remember(CTX, told(2, at=LATER), FACTS, (ID,))
    with database.transaction() as session:
        session.execute(text("UPDATE index_entries SET source = 'brannoc'"))
    assert Index(database, Keyring({"new": new}), clock, days=30, shared=frozenset({"brannoc"})).recall(CTX) == ()


def test_a_failure_and_an_older_answer_change_nothing(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1, at=LATER), FACTS, (ID,))
    kept.remember(CTX, told(state=SourceState.FAILED, at=LATER + timedelta(hours=1)), FACTS, (ID,))
    kept.remember(CTX, told(2, at=NOW), FACTS, (ID,))
    assert [uids(entry) for entry in kept.recall(CTX)] == [{"1"}]


def test_it_is_forgotten_after_its_days_and_at_once_when_off(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1), FACTS, (ID,))
    clock.now = NOW + timedelta(days=30) - timedelta(seconds=1)
    assert kept.purge() == 0
    assert len(kept.recall(CTX)) == 1
    clock.now = NOW + timedelta(days=30)
    assert kept.recall(CTX) == (), "also before the worker has come"
    assert kept.purge() == 1
    off = index(database, keyring, clock, days=0)
    kept.remember(CTX, told(1, at=clock.now), FACTS, (ID,))
    off.remember(CTX, told(2, at=clock.now), FACTS, (ID,))
    assert off.recall(CTX) == ()
    assert off.purge() == 1


def test_one_patient_is_forgotten_on_request_whoever_asked(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1), FACTS, (ID,))
    kept.remember(CTX, replace(told(1), source="ehr:n"), FACTS, ())
    kept.remember(replace(CTX, patient_id="p2"), told(1), FACTS, (ID,))
    assert kept.forget("default", ISSUER, "CANARY-p1") == 2
    assert kept.recall(CTX) == ()
    assert len(kept.recall(replace(CTX, patient_id="p2"))) == 1


def test_a_source_whose_patient_is_doubtful_is_dropped_alone(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1), FACTS, (ID,))
    kept.remember(CTX, replace(told(1), source="ehr:n"), FACTS, ())
    kept.drop(CTX, "kestrel")
    assert [entry.source for entry in kept.recall(CTX)] == ["ehr:n"]


def test_answers_in_part_of_several_launches_at_once_add_up(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(), FACTS, (ID,))
    parts = [told(number, state=SourceState.PARTIAL, more_exist=True) for number in range(8)]
    threads = [threading.Thread(target=kept.remember, args=(CTX, part, FACTS, (ID,))) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [uids(entry) for entry in kept.recall(CTX)] == [set("01234567")]


def test_a_patient_merged_away_is_not_remembered(database: Database, keyring: Keyring, clock: Clock) -> None:
    kept = index(database, keyring, clock)
    kept.remember(CTX, told(1), replace(FACTS, replaced_by="p9"), (ID,))
    assert kept.recall(CTX) == ()
