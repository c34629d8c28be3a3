"""Why a chart is open: orders, the visit, appointments, what the launch names; another patient's never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from smart_app.fhir.client import FhirClient
from smart_app.fhir.purpose import ChartPurposes, Opened, purposes_of
from tests.unit.archives.scripted import Asked, Say, fhir, outbound_to, scripted
from tests.unit.fhir.test_client import Tokens, bundle

TODAY = date(2026, 5, 21)
OURS = {"reference": "Patient/p1"}
ACSN = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}
Answers = dict[str, Callable[[Asked], Say]]


def order(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "id": "o1", "status": "active", "subject": OURS, "authoredOn": "2026-05-21T07:40:00+00:00", "code": {"text": "CT head"}} | fields


def visit(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": OURS, "class": {"code": "EMER"}, "reasonCode": [{"text": "Stroke"}]} | fields


def appointment(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": "a1", "status": "booked", "start": "2026-05-22T07:30:00+00:00", "participant": [{"actor": OURS}, {"actor": {"display": "OR 4"}}],
            "serviceType": [{"text": "Aortic valve replacement"}]} | fields  # fmt: skip


def many(*resources: Any) -> Callable[[Asked], Say]:
    return lambda asked: bundle(*({"resource": one} for one in resources))


def read(opened: Opened | None = None, allowed: tuple[str, ...] = ("ServiceRequest", "Encounter", "Appointment"), **answers: Callable[[Asked], Say]) -> ChartPurposes:
    def answer(asked: Asked) -> Say:
        return answers.get(asked.path.split("/")[2], many())(asked)

    with scripted(answer) as server:
        client = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        found = purposes_of(client, opened or Opened("p1"), allowed.__contains__, today=TODAY, deadline=5)
        assert {asked.path.split("/")[2] for asked in server.asked} <= set(allowed)
        return found


def test_an_order_with_its_code_priority_and_accession() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "24725-4", "display": "CT Head"}]}
    (one,) = read(ServiceRequest=many(order(code=code, bodySite=[{"coding": [{"code": "69536005"}]}], priority="stat", identifier=[ACSN]))).purposes
    assert (one.kind, one.title, one.date, one.active, one.urgent, one.accessions, one.named) == ("order", "CT Head", "2026-05-21", True, True, ("A1",), False)
    assert one.codes == ("24725-4", "CT Head", "69536005")


def test_an_order_that_is_done_is_kept_for_its_priority_and_one_of_another_kind_is_not() -> None:
    lab = {"coding": [{"code": "108252007", "display": "Laboratory procedure"}]}
    imaging = [{"coding": [{"code": "363679005"}]}]
    found = read(ServiceRequest=many(order(status="completed", category=imaging), order(id="o2", category=[lab]), order(id="o3", status="entered-in-error"))).purposes
    assert [(one.reference, one.active) for one in found] == [("ServiceRequest/o1", False)]


def test_the_visit_of_the_launch_is_read_by_its_id() -> None:
    (one,) = read(Opened("p1", "e1"), Encounter=lambda asked: fhir(visit()) if asked.path.endswith("/Encounter/e1") else Say(404)).purposes
    assert (one.kind, one.title, one.urgent, one.active, one.named) == ("visit", "Stroke", True, True, True)


def test_without_a_visit_of_the_launch_the_one_under_way_is_looked_for() -> None:
    def answer(asked: Asked) -> Say:
        assert asked.one("status") == "in-progress"
        return many(visit(**{"class": [{"coding": [{"code": "AMB"}]}], "reasonCode": None, "reason": [{"value": [{"concept": {"text": "Headache"}}]}]}))(asked)

    (one,) = read(Encounter=answer).purposes
    assert (one.title, one.urgent, one.named) == ("Headache", False, False)


def test_an_appointment_to_come() -> None:
    (one,) = read(Appointment=many(appointment(), appointment(id="a2", start="2020-01-01T10:00:00Z"), appointment(id="a3", start="soon"))).purposes
    assert (one.kind, one.title, one.date, one.active) == ("appointment", "Aortic valve replacement", "2026-05-22", True)


def test_an_appointment_that_is_off_is_not_to_come() -> None:
    (one,) = read(Appointment=many(appointment(status="cancelled"))).purposes
    assert one.active is False


def test_what_names_another_patient_is_withheld() -> None:
    other = {"reference": "Patient/p2"}
    found = read(
        Opened("p1", "e1"), ServiceRequest=many(order(subject=other), order(id="o2", subject=None)), Encounter=lambda asked: fhir(visit(subject=other)),
        Appointment=many(appointment(participant=[{"actor": other}]), appointment(id="a2", participant=[])),
    )  # fmt: skip
    assert (found.purposes, found.withheld) == ((), 5)


def test_what_the_launch_names_is_read_if_the_search_did_not_give_it() -> None:
    def orders(asked: Asked) -> Say:
        return fhir(order(id="o9", category=[{"coding": [{"code": "other"}]}])) if asked.path.endswith("/o9") else bundle()

    found = read(Opened("p1", None, ("ServiceRequest/o9", "ImagingStudy/s1", "https://elsewhere.example/fhir/ServiceRequest/o8")), ServiceRequest=orders).purposes
    assert [(one.kind, one.reference, one.named) for one in found] == [("order", "ServiceRequest/o9", True), ("study", "ImagingStudy/s1", True)]


def test_a_kind_that_fails_costs_itself_alone() -> None:
    found = read(ServiceRequest=lambda asked: Say(500), Encounter=many(visit()), Appointment=lambda asked: Say(403))
    assert [one.kind for one in found.purposes] == ["visit"]
    assert found.failed == ("ServiceRequest", "Appointment")


def test_a_server_that_does_not_know_a_parameter_is_asked_without_it() -> None:
    found = read(Appointment=lambda asked: many(appointment())(asked) if asked.one("date") is None else Say(400)).purposes
    assert len(found) == 1


def test_what_was_not_granted_is_not_asked() -> None:
    assert read(allowed=("Encounter",), Encounter=many(visit()), ServiceRequest=many(order())).purposes[0].kind == "visit"


def test_odd_content_makes_no_purpose_and_no_noise() -> None:
    odd = [order(code="CT", priority=7, identifier="x", category="imaging", bodySite=3), {"resourceType": "OperationOutcome"}, "x", order(id="o2", code=None)]
    found = read(ServiceRequest=many(*odd), Encounter=many(visit(period=[], reasonCode="x", **{"class": 4})))
    assert [(one.title, one.urgent) for one in found.purposes] == [("not described", False), ("not described", False), ("not described", False)]
