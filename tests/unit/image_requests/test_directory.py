"""A directory of organizations is taken in: once, with what staff changed kept, what vanished marked, and nothing of a hostile file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.image_requests import directory as directory_module
from smart_app.image_requests.directory import NotADirectory, told
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.importing import DirectoryImport, Imported, merged
from smart_app.image_requests.types import Facility, Route, RouteKind
from smart_app.sealing import Keyring


def organization(number: str, name: str = "Harrow Vale Clinic", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Organization", "id": f"o{number}", "identifier": [{"system": "urn:site", "value": number}], "name": name, "address": [{"city": "Harrow Vale"}],
        "telecom": [{"system": "phone", "value": "555 0180"}, {"system": "fax", "value": "555 0181"}, {"system": "email", "value": "images@harrow.example"}],
    } | more  # fmt: skip


def bundle(*resources: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


class Office:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.facilities = Facilities(database, keyring, utc_now, tenant="t")
        self._import = DirectoryImport(database, keyring, self.facilities, utc_now, tenant="t")

    def take(self, *resources: Any, may_shrink: bool = False) -> Imported:
        return self._import.take("region", told(bundle(*resources), "region").facilities, may_shrink=may_shrink)


@pytest.fixture
def office(database: Database, keyring: Keyring) -> Office:
    return Office(database, keyring)


def test_an_organization_becomes_a_facility_with_the_routes_that_can_be_used() -> None:
    endpoint = {"resourceType": "Endpoint", "id": "e", "status": "active", "connectionType": {"code": "hl7-fhir-rest"}, "address": "https://evil.example/fhir"}
    found = told(bundle(organization("1", endpoint=[{"reference": "Endpoint/e"}]), endpoint), "region")
    (one,) = found.facilities
    assert (one.name, one.place, one.phone) == ("Harrow Vale Clinic", "Harrow Vale", "555 0180")
    assert one.routes == (Route(RouteKind.EMAIL, "images@harrow.example"), Route(RouteKind.FAX, "555 0181")), "no address of a directory is ever called"
    assert one.note == "Has a FHIR server, says the directory."


@pytest.mark.parametrize(
    "hostile",
    [
        {"name": None}, {"name": ["Harrow"]}, {"name": "\u202e\x00 "}, {"identifier": None, "id": None}, {"identifier": [{"system": {}, "value": 7}], "id": 7},
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_skipped(hostile: dict[str, Any]) -> None:
    found = told(bundle(organization("1", **hostile), organization("2"), "text", None, {"resourceType": "Patient", "name": "X"}), "region")
    assert ([one.id for one in found.facilities], found.skipped) == ([one.id for one in told(bundle(organization("2")), "region").facilities], 1)


@pytest.mark.parametrize(
    "point",
    [
        {"system": "email", "value": "a@b.example\r\nBcc: all@evil.example"}, {"system": "email", "value": "a@b.example, c@d.example"}, {"system": "fax", "value": "call me"},
        {"system": "email", "value": {"x": 1}}, {"system": ["email"], "value": "x"}, 7,
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_no_route(point: Any) -> None:
    (one,) = told(bundle(organization("1", telecom=[point])), "region").facilities
    assert all("\n" not in way.address and "," not in way.address for way in one.routes)
    assert len(one.routes) == 0


def test_two_under_one_number_are_neither() -> None:
    found = told(bundle(organization("1"), organization("1", "Another place"), organization("1", "A third"), organization("2")), "region")
    assert (len(found.facilities), found.skipped) == (1, 3)


@pytest.mark.parametrize("content", [None, [], "x", {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": {}}, bundle(), bundle({"resourceType": "Patient"})])
def test_what_is_no_directory_is_refused(content: Any) -> None:
    with pytest.raises(NotADirectory):
        told(content, "region")


def test_a_directory_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_module, "MOST", 2)
    with pytest.raises(NotADirectory, match="more than 2"):
        told(bundle(*(organization(str(n)) for n in range(3))), "region")


def test_the_same_again_changes_nothing(office: Office) -> None:
    assert office.take(organization("1"), organization("2", "Ferrybank")) == Imported(added=2)
    assert office.take(organization("2", "Ferrybank"), organization("1")) == Imported(same=2)
    assert [one.name for one in office.facilities.all()] == ["Ferrybank", "Harrow Vale Clinic"]


def test_what_staff_changed_stays_and_what_the_directory_changed_comes(office: Office) -> None:
    office.take(organization("1"))
    (one,) = office.facilities.all()
    office.facilities.save(replace(one, phone="555 9999", note="Ask for Ines."))
    assert office.take(organization("1", "Harrow Vale Hospital")) == Imported(changed=1)
    (now,) = office.facilities.all()
    assert (now.name, now.phone, now.note) == ("Harrow Vale Hospital", "555 9999", "Ask for Ines.")


def test_what_vanished_is_not_offered_and_comes_back(office: Office) -> None:
    office.take(organization("1"), organization("2", "Ferrybank"))
    assert office.take(organization("1")) == Imported(gone=1, same=1)
    assert [one.name for one in office.facilities.all()] == ["Harrow Vale Clinic"]
    assert len(office.facilities.all(retired=True)) == 2, "requests point to it"
    assert office.take(organization("1")) == Imported(same=1), "it vanishes once"
    assert office.take(organization("1"), organization("2", "Ferrybank")) == Imported(changed=1, same=1)
    assert len(office.facilities.all()) == 2


def test_what_staff_switched_off_stays_off(office: Office) -> None:
    office.take(organization("1"))
    office.facilities.save(replace(office.facilities.all()[0], is_active=False))
    office.take(organization("1", "Harrow Vale Hospital"))
    assert office.facilities.all() == ()


def test_a_directory_that_was_cut_is_refused_whole(office: Office) -> None:
    office.take(*(organization(str(n), f"Place {n}") for n in range(12)))
    with pytest.raises(NotADirectory, match="11 of 12 organizations are gone"):
        office.take(organization("0", "Renamed"))
    assert len(office.facilities.all()) == 12
    assert office.take(organization("0", "Place 0"), may_shrink=True) == Imported(gone=11, same=1)


def test_merging_is_field_by_field() -> None:
    before, now = Facility("d-1", "Harrow", phone="1"), Facility("d-1", "Harrow Vale", phone="2")
    assert merged(before, now, replace(before, phone="9")) == Facility("d-1", "Harrow Vale", phone="9")


def test_another_process_sees_an_edit_at_once(office: Office, database: Database, keyring: Keyring) -> None:
    """What was opened once is not opened again, and never hides a change."""
    office.take(organization("1"))
    elsewhere = Facilities(database, keyring, utc_now, tenant="t")
    (one,) = elsewhere.all()
    office.facilities.save(replace(one, name="Renamed"))
    assert [each.name for each in elsewhere.search("renamed")] == ["Renamed"]
