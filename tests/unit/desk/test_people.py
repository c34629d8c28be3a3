"""Who works at the desk, and what they saved: on both engines, sealed, and each person's own (`people`, `saved`)."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import text

from smart_app.db import Database
from smart_app.desk.people import REMEMBERED, People, Person
from smart_app.desk.saved import MOST, SavedViews, TooManyViews
from smart_app.desk.selection import Selection
from smart_app.image_requests.queries import View
from smart_app.image_requests.types import State
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

AMSEL, RUIZ = Person("http://ehr.example/fhir", "amsel", "T. Amsel"), Person("http://ehr.example/fhir", "ruiz", "J. Ruiz")


def test_people_are_remembered_by_what_they_are_called_now_and_forgotten_in_time(database: Database, keyring: Keyring) -> None:
    clock = MovingClock()
    people = People(database, keyring, clock, tenant="t")
    id = people.seen(AMSEL)
    people.seen(RUIZ)
    assert list(people.all().values()) == [RUIZ, AMSEL]
    married = Person(AMSEL.issuer, AMSEL.subject, "T. Brandt")
    assert people.seen(married) == id, "another name is the same person"
    assert people.all()[id] == married
    assert People(database, keyring, clock, tenant="other").all() == {}
    clock.forward(seconds=REMEMBERED.total_seconds() + 1)
    people.seen(RUIZ)
    assert list(people.all().values()) == [RUIZ]
    with database.engine.connect() as connection:
        assert b"Ruiz" not in repr(connection.execute(text("SELECT * FROM desk_people")).all()).encode()


def test_a_new_key_in_the_ring_makes_nobody_another_person(database: Database) -> None:
    clock, old = MovingClock(), secrets.token_bytes(32)
    id = People(database, Keyring({"a": old}), clock, tenant="t").seen(AMSEL)
    rotated = People(database, Keyring({"b": secrets.token_bytes(32), "a": old}), clock, tenant="t")
    assert rotated.seen(AMSEL) == id
    assert rotated.all() == {id: AMSEL}


def test_saved_views_are_their_owners_and_have_an_end(database: Database, keyring: Keyring) -> None:
    saved = SavedViews(database, keyring, MovingClock(), tenant="t")
    selection = Selection(View.ALL, (State.SENT,), words="grunwald", page=7)
    made = saved.save("p1", "  Oncology   board ", selection)
    assert made.title == "Oncology board"
    assert [(one.id, one.selection.words, one.selection.page) for one in saved.of("p1")] == [(made.id, "grunwald", 1)]
    assert saved.of("p2") == ()
    assert not saved.remove("p2", made.id)
    assert SavedViews(database, keyring, MovingClock(), tenant="other").of("p1") == ()
    for number in range(MOST - 1):
        saved.save("p1", f"View {number}", Selection())
    with pytest.raises(TooManyViews):
        saved.save("p1", "One more", Selection())
    with pytest.raises(ValueError, match="title"):
        saved.save("p2", " ", Selection())
    assert saved.remove("p1", made.id)
    assert len(saved.of("p1")) == MOST - 1
