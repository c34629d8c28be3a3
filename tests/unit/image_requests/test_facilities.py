"""The directory: found by any spelling, guessed only when it can be one place, seeded without undoing what staff wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smart_app.db import Database
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.types import Facility, Route, RouteKind
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

PLACES = (
    Facility("brannoc", "St Brannoc District", "Wye", (Route(RouteKind.EMAIL, "images@brannoc.example"),)),
    Facility("harrow", "Harrow Vale Clinic", "Harrow"), Facility("harrow-east", "Harrow East Hospital", "Harrow"),
    Facility("zurich", "Universitätsspital Zürich", "Zürich"), Facility("gone", "Closed Hospital", is_active=False),
)  # fmt: skip


@pytest.fixture
def facilities(database: Database, keyring: Keyring) -> Facilities:
    made = Facilities(database, keyring, MovingClock(), tenant="t")
    made.seed(PLACES)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [("zurich", ["zurich"]), ("HARROW", ["harrow-east", "harrow"]), ("vale", ["harrow"]), ("clinic harrow", ["harrow"]), ("closed", []), ("", ["harrow-east", "harrow", "brannoc", "zurich"])],
)
def test_search(facilities: Facilities, text: str, found: list[str]) -> None:
    assert [one.id for one in facilities.search(text)] == found


@pytest.mark.parametrize(
    ("name", "found"),
    [("St Brannoc", "brannoc"), ("st. brannoc district hospital", "brannoc"), ("Harrow Vale", "harrow"), ("Harrow", None), ("Closed Hospital", None), ("Hospital", None), ("", None)],
)
def test_a_name_in_a_chart_means_one_place_or_none(facilities: Facilities, name: str, found: str | None) -> None:
    place = facilities.called(name)
    assert (place.id if place else None) == found


def test_seeding_again_keeps_what_staff_wrote_until_the_configuration_changes(facilities: Facilities) -> None:
    edited = replace(PLACES[0], phone="555 0100")
    facilities.save(edited)
    assert facilities.seed(PLACES) == 0
    assert facilities.get("brannoc") == edited
    assert facilities.seed((replace(PLACES[0], note="ask for the night desk"),)) == 1
    assert facilities.get("brannoc") == replace(PLACES[0], note="ask for the night desk")


def test_a_retired_one_is_still_named_and_another_tenants_is_not(facilities: Facilities, database: Database, keyring: Keyring) -> None:
    assert [one.id for one in facilities.all(retired=True) if not one.is_active] == ["gone"]
    other = Facilities(database, keyring, MovingClock(), tenant="other")
    assert (other.all(), other.get("harrow"), other.called("Harrow Vale")) == ((), None, None)
    theirs = replace(PLACES[1], phone="555 0999")
    other.save(theirs)
    assert (other.get(theirs.id), facilities.get(theirs.id)) == (theirs, PLACES[1])
