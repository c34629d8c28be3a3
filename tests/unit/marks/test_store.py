"""Marks in SQL, on both engines: one person's, one patient's, one study's; sealed; one saving after the other; bounded in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from launch.context import LaunchContext, User
from smart_app.db import Database
from smart_app.marks.store import Marks, Newer
from smart_app.marks.types import Kept, Mark, Value
from smart_app.sealing import Keyring

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
ISSUER = "https://ehr.example/fhir"
CTX = LaunchContext("L1", "northgate", ISSUER, User(ISSUER, "CANARY-halloran"), "CANARY-p1", None, frozenset(), NOW, NOW + timedelta(hours=8))
MARK = Mark("0" * 32, "length", "CANARY-nodule", "1.2.3", "1.2.3.4", 1, ((1.5, 2.5), (4.5, 6.5)), (Value("length", 5.0, "mm"),))


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def nothing(_: object) -> None:
    """No audit here."""


def test_what_was_saved_is_there_again_in_another_launch(database: Database, keyring: Keyring) -> None:
    marks = Marks(database, keyring, Clock(), days=30)
    assert marks.of(CTX, "1.2") == Kept(0)
    assert marks.save(CTX, "1.2", Kept(0, (MARK,)), nothing) == 1
    assert marks.of(replace(CTX, handle="L2", issuer=f"{ISSUER}/"), "1.2") == Kept(1, (MARK,))


@pytest.mark.parametrize("other", [{"patient_id": "CANARY-p2"}, {"patient_id": None}, {"tenant": "elsewhere"}, {"issuer": "https://other.example"}, {"user": User(ISSUER, "dr-two")},
                                   {"user": User("https://other.example", "CANARY-halloran")}])  # fmt: skip
def test_and_to_nobody_else(database: Database, keyring: Keyring, other: dict[str, str]) -> None:
    marks = Marks(database, keyring, Clock(), days=30)
    marks.save(CTX, "1.2", Kept(0, (MARK,)), nothing)
    assert marks.of(replace(CTX, **other), "1.2") == Kept(0)  # type: ignore[arg-type]
    assert marks.of(CTX, "1.20") == Kept(0)


def test_two_windows_do_not_overwrite_each_other(database: Database, keyring: Keyring) -> None:
    marks = Marks(database, keyring, Clock(), days=30)
    marks.save(CTX, "1.2", Kept(0, (MARK,)), nothing)
    with pytest.raises(Newer) as refused:
        marks.save(CTX, "1.2", Kept(0, ()), nothing)
    assert refused.value.kept == Kept(1, (MARK,))
    assert marks.save(CTX, "1.2", Kept(1, ()), nothing) == 2
    assert marks.of(CTX, "1.2") == Kept(2, ())


def test_without_its_record_nothing_is_saved(database: Database, keyring: Keyring) -> None:
    marks = Marks(database, keyring, Clock(), days=30)

    def fails(_: object) -> None:
        raise RuntimeError("audit")

    with pytest.raises(RuntimeError):
        marks.save(CTX, "1.2", Kept(0, (MARK,)), fails)
    assert marks.of(CTX, "1.2") == Kept(0)


def test_they_are_forgotten_in_time_and_on_request(database: Database, keyring: Keyring) -> None:
    clock = Clock()
    marks = Marks(database, keyring, clock, days=30)
    marks.save(CTX, "1.2", Kept(0, (MARK,)), nothing)
    marks.save(replace(CTX, patient_id="p2"), "1.3", Kept(0, (MARK,)), nothing)
    assert marks.forget("default", ISSUER, "CANARY-p1") == 1
    assert marks.of(CTX, "1.2") == Kept(0)
    clock.now = NOW + timedelta(days=31)
    assert marks.of(replace(CTX, patient_id="p2"), "1.3") == Kept(0)
    assert marks.purge() == 1


def test_a_key_that_was_replaced_still_opens_them(database: Database) -> None:
    old = Keyring({"old": b"o" * 32})
    both = Keyring({"new": b"n" * 32, "old": b"o" * 32})
    Marks(database, old, Clock(), days=30).save(CTX, "1.2", Kept(0, (MARK,)), nothing)
    marks = Marks(database, both, Clock(), days=30)
    assert marks.of(CTX, "1.2") == Kept(1, (MARK,))
    assert marks.save(CTX, "1.2", Kept(1, (MARK, replace(MARK, id="1" * 32))), nothing) == 2
    assert len(marks.of(CTX, "1.2").marks) == 2
    assert marks.forget("default", ISSUER, "CANARY-p1") == 1


def test_nobody_is_named_in_the_table(database: Database, keyring: Keyring) -> None:
    Marks(database, keyring, Clock(), days=30).save(CTX, "1.2.840.99", Kept(0, (MARK,)), nothing)
    with database.engine.connect() as connection:
        row = str(connection.execute(text("select * from marks")).one())
    assert "CANARY" not in row
    assert "1.2.840.99" not in row
