"""Decisions are found again: by patient and source, after a key rotation, by two people at once, on both engines."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smart_app.archives.types import Candidate, PatientId
from smart_app.db import Database
from smart_app.identity.rulings import RecordKey, Ruling, State
from smart_app.matching.store import RulingStore, Subject
from smart_app.sealing import Keyring

NOW = datetime(2026, 5, 21, tzinfo=UTC)
ONE = Subject("t", "https://e.org", "p1")
KEY = RecordKey("kestrel", PatientId("K-9", "K"), "1951-09-08", "F")


def made(store: RulingStore, subject: Subject = ONE, key: RecordKey = KEY, state: State = State.CONFIRMED) -> Ruling:
    new = Ruling(store.name(subject, key), key, state, "s", Candidate(key.patient_id, "CANARY^NAME"), "CANARY reason", (("i", "dr", "Dr"),), NOW)
    return store.decide(subject, key, lambda before: new, lambda after, session: None)


def test_a_decision_belongs_to_tenant_issuer_patient_and_record(database: Database, keyring: Keyring) -> None:
    store = RulingStore(database, keyring, lambda: NOW)
    ruling = made(store)
    assert store.of(ONE) == (ruling,)
    for other in (replace(ONE, tenant="u"), replace(ONE, issuer="https://f.org"), replace(ONE, patient="p2")):
        assert store.of(other) == ()
        assert store.name(other, KEY) != ruling.id
    names = {store.name(ONE, replace(KEY, **change)) for change in ({"source": "x"}, {"patient_id": PatientId("K-9", "L")}, {"patient_id": PatientId("K-8", "K")}, {"birth_date": None}, {"sex": "M"})}
    assert len(names) == 5
    assert ruling.id not in names
    assert store.stand(frozenset({ruling.id, "x"})) == {ruling.id}


def test_only_a_confirmed_one_stands(database: Database, keyring: Keyring) -> None:
    store = RulingStore(database, keyring, lambda: NOW)
    for state in (State.PROPOSED, State.REJECTED, State.UNDONE):
        assert store.stand(frozenset({made(store, state=state).id})) == frozenset()
    assert [one.state for one in store.of(ONE)] == [State.UNDONE]


def test_a_rotated_key_loses_no_link(database: Database) -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    ruling = made(RulingStore(database, Keyring({"a": old}), lambda: NOW))
    after = RulingStore(database, Keyring({"b": new, "a": old}), lambda: NOW)
    assert after.of(ONE) == (ruling,)
    assert after.name(ONE, KEY) == ruling.id
    again = after.decide(ONE, KEY, lambda before: replace(before, state=State.UNDONE) if before else pytest.fail("lost"), lambda *_: None)
    assert RulingStore(database, Keyring({"b": new}), lambda: NOW).of(ONE) == (again,)


def test_what_cannot_be_audited_is_not_decided(database: Database, keyring: Keyring) -> None:
    store = RulingStore(database, keyring, lambda: NOW)

    def full(after: Ruling, session: object) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        store.decide(ONE, KEY, lambda before: Ruling("x" * 32, KEY, State.CONFIRMED, "s", Candidate(KEY.patient_id)), full)
    assert store.of(ONE) == ()


def test_of_two_at_once_the_second_sees_the_first(database: Database, keyring: Keyring) -> None:
    store = RulingStore(database, keyring, lambda: NOW)
    name = store.name(ONE, KEY)
    seen: list[int] = []
    barrier = threading.Barrier(8)

    def decide(number: int) -> None:
        def change(before: Ruling | None) -> Ruling:
            by = before.by if before else ()
            seen.append(len(by))
            return Ruling(name, KEY, State.PROPOSED, "s", Candidate(KEY.patient_id), "", (*by, ("i", str(number), "")), NOW)

        barrier.wait()
        store.decide(ONE, KEY, change, lambda *_: None)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(8))
    (ruling,) = store.of(ONE)
    assert len(ruling.by) == 8
