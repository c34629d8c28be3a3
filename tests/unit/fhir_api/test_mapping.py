"""Requests in every state as FHIR: valid by an independent validator and by fhirclient's models, and saying no more than is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import fhirkit
import pytest
from fhirclient.models import communication, organization, patient, servicerequest, task
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import PatientId
from smart_app.fhir_api import mapping
from smart_app.fhir_api.answers import capabilities, outcome, searchset
from smart_app.fhir_api.mapping import Place
from smart_app.image_requests.types import Anchor, Basis, ImageRequest, NewRequest, Patient, Route, RouteKind, State, Urgency, Wanted
from tests.unit.fhir_api.world import KESTREL, PATIENT

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLACE = Place("https://priors.example/fhir/request", {"reference": "Patient/x"}, "ServiceRequest/RQ-1", {"display": "Kestrel Valley"}, "Northgate")
EVERYTHING = Wanted("CT head", "CT", "head", "2024-01-01", "2024-12-31", "KV-1", "1.2.3", "thin slices", True, True, True)
STATUS = {
    State.DRAFT: ("draft", "draft"), State.SENT: ("requested", "active"), State.OPENED: ("received", "active"), State.ACCEPTED: ("accepted", "active"),
    State.RECEIVING: ("in-progress", "active"), State.IN_REVIEW: ("on-hold", "active"), State.STORED: ("completed", "completed"),
    State.STORED_IN_PART: ("in-progress", "active"), State.DECLINED: ("rejected", "revoked"), State.CANCELLED: ("cancelled", "revoked"), State.EXPIRED: ("failed", "revoked"),
}  # fmt: skip


def a_request(state: State = State.SENT, wanted: Wanted = EVERYTHING, patient: Patient = PATIENT, **asked: Any) -> ImageRequest:
    new = NewRequest(patient, wanted, KESTREL.routes[0], "kestrel", **asked)
    reason = "No such patient" if state in mapping.SAYS_WHY else ""
    return ImageRequest("RQ-7Q2M4TKX", "t", state, 3, new, KESTREL, "", "T. Amsel", NOW - timedelta(days=1), NOW - timedelta(hours=1), "", reason)


def resources(request: ImageRequest, place: Place = PLACE) -> list[dict[str, Any]]:
    return [mapping.order(request, place), mapping.task(request, place, NOW, asking=1, studies=("1.2.3",)), mapping.communication(request, place, NOW),
            mapping.person(request.asked.patient)]  # fmt: skip


def check(resource: dict[str, Any]) -> None:
    assert fhirkit.validate(resource) == [], resource
    models = {"ServiceRequest": servicerequest.ServiceRequest, "Task": task.Task, "Communication": communication.Communication, "Patient": patient.Patient, "Organization": organization.Organization}
    assert models[resource["resourceType"]](resource, strict=True).as_json() == resource


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_status(state: State) -> None:
    request = a_request(state, why="Headache", basis=Basis.CONSENT, needed_by=NOW + timedelta(hours=2), urgency=Urgency.EMERGENCY, anchor=Anchor("Appointment/1", "Surgery", NOW))
    for resource in resources(request):
        check(resource)
    made, order = mapping.task(request, PLACE, NOW, asking=2), mapping.order(request, PLACE)
    assert (made["status"], order["status"]) == STATUS[state]
    assert (made["priority"], made["restriction"]["period"]["end"], made["identifier"][0]["value"]) == ("stat", "2026-11-24T14:00:00.000Z", "RQ-7Q2M4TKX.2")
    assert made.get("statusReason") == ({"text": "No such patient"} if state in mapping.SAYS_WHY else None)
    assert made["businessStatus"]["coding"][0] == {"system": "urn:priors:request-state", "code": state.value}
    assert "output" not in made


def test_only_what_is_stored_is_called_stored_or_completed() -> None:
    """Rule 2: a word of completeness stands for its own state alone."""
    for state in State:
        request = a_request(state)
        said = mapping.task(request, PLACE, NOW, asking=1)
        words = said["businessStatus"]["text"] + mapping.communication(request, PLACE, NOW)["payload"][0]["contentString"]
        assert (said["status"] == "completed") == (state is State.STORED)
        assert ({"system": mapping.BSER, "code": "7.0", "display": "Service Request Fulfillment Completed"} in said["businessStatus"]["coding"]) == (state is State.STORED)
        assert ("Stored, and in" in words) == (state is State.STORED)
        assert "received" not in words.lower()


def test_overdue_is_said_while_somebody_waits_and_not_after() -> None:
    for state in State:
        coding = mapping.business_status(a_request(state, needed_by=NOW - timedelta(minutes=1)), NOW)["coding"]
        waits = state in (State.SENT, State.OPENED, State.ACCEPTED, State.RECEIVING, State.IN_REVIEW, State.STORED_IN_PART)
        assert ({"system": mapping.STATES, "code": "overdue"} in coding) == waits, state
    assert {"system": mapping.STATES, "code": "overdue"} not in mapping.business_status(a_request(needed_by=NOW + timedelta(minutes=1)), NOW)["coding"]


def test_criteria_output_and_identifiers() -> None:
    made = mapping.task(a_request(), PLACE, NOW, asking=1, studies=("1.2.3", "1.2.4"))
    values = {one["type"]["coding"][0]["code"]: next(value for name, value in one.items() if name != "type") for one in made["input"]}
    assert values == {
        "study-uid": "1.2.3", "accession": "KV-1", "modality": "CT", "region": "head", "missing": "thin slices", "basis": "treatment",
        "study-date": {"start": "2024-01-01", "end": "2024-12-31"}, "report": True, "thin-slices": True, "others-of-region": True,
    }  # fmt: skip
    assert [one["valueReference"]["identifier"] for one in made["output"]] == [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"} for uid in ("1.2.3", "1.2.4")]
    order = mapping.order(a_request(), PLACE)
    assert order["identifier"][0] | {"type": order["identifier"][0]["type"]["coding"][0]["code"]} == {"type": "PLAC", "system": PLACE.numbers, "value": "RQ-7Q2M4TKX"}
    assert order["occurrencePeriod"] == {"start": "2024-01-01", "end": "2024-12-31"}


def test_a_contained_patient_and_a_facility() -> None:
    person = mapping.person(replace(PATIENT, identifiers=(PatientId("40771953", "urn:northgate"), PatientId("K-9", "urn:kestrel"))), id="patient")
    assert [one["value"] for one in person["identifier"]] == ["40771953", "K-9"], "the MRN stands there once"
    place = replace(PLACE, patient={"reference": "#patient"}, contained=(person,))
    for resource in resources(a_request(), place)[:2]:
        check(resource)
        assert resource["contained"] == [person]
    check(mapping.organization(KESTREL, id="kestrel"))
    assert mapping.owner(replace(a_request(), facility=None)) == {"display": "The patient"}


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=40).filter(lambda one: one.strip() == one), min_size=6, max_size=6),
    dates=st.tuples(*[st.sampled_from(["", "2024", "2024-05", "2024-05-06", "2023-12-31"])] * 2), state=st.sampled_from(list(State)), bare=st.booleans(),
)  # fmt: skip
def test_whatever_a_person_types_is_valid(texts: list[str], dates: tuple[str, str], state: State, bare: bool) -> None:
    title, region, why, family, given_name, missing = texts
    wanted = Wanted(title) if bare else Wanted(title, "CT", region, *dates, accession=missing, missing=missing)
    patient = Patient("northgate", "p1", f"{family}, {given_name}", family, given_name)
    request = a_request(state, wanted, patient, why="" if bare else why)
    for resource in resources(request):
        assert fhirkit.validate(resource) == [], resource


def test_what_stands_around_is_valid() -> None:
    made = {"id": "RQ-1", **mapping.task(a_request(), PLACE, NOW, asking=1)}
    for resource in (capabilities("https://priors.example/fhir", "2026-11-24"), outcome("login", "A token is needed."), searchset("https://p.example/fhir", [made], [], 1, "https://p.example/fhir/Task", ""),
                     searchset("https://p.example/fhir", [], [], 0, "https://p.example/fhir/Task", "")):  # fmt: skip
        assert fhirkit.validate(resource) == [], resource
    assert Route(RouteKind.FHIR, "kestrel") == KESTREL.routes[0]
