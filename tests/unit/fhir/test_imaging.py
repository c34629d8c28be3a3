"""ImagingStudy in all the shapes it comes in: the good entries always survive, another patient's never do."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.archives.dicom_json import is_uid
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirClient, FhirRefused
from smart_app.fhir.imaging import ChartImaging, imaging_of
from tests.unit.archives.scripted import Asked, Say, fhir, outbound_to, scripted
from tests.unit.fhir.test_client import Tokens, bundle

WADO = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}


def study(number: int = 1, **changes: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "ImagingStudy", "id": f"s{number}", "status": "available", "subject": {"reference": "Patient/p1"},
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{number}"}], "started": "2026-01-12T08:52:00+01:00",
        "modality": [{"code": "MR"}], "description": "MRI brain", "numberOfSeries": 4, "numberOfInstances": 318,
    }  # fmt: skip
    resource |= changes
    return {"resource": {name: value for name, value in resource.items() if value is not None}}


def read(*entries: Any, more: dict[str, Any] | None = None) -> ChartImaging:
    def answer(asked: Asked) -> Say:
        if asked.path == "/fhir/ImagingStudy":
            return bundle(*entries)
        found = (more or {}).get(asked.path.removeprefix("/fhir/"))
        return fhir(found) if found else Say(404)

    with scripted(answer) as server:
        made = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        return imaging_of(made, "p1", is_uid=is_uid, deadline=5)


def test_reads_all_facts() -> None:
    (found,) = read(study()).studies
    assert (found.uid, found.fhir_id, found.date, found.time, found.offset) == ("2.25.1", "ImagingStudy/s1", "2026-01-12", "08:52", "+01:00")
    assert (found.modalities, found.description, found.series_count, found.image_count) == (("MR",), "MRI brain", 4, 318)


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("modality", [{"coding": [{"code": "ct"}]}], "modalities", ("CT",)),
        ("modality", {"code": "CT"}, "modalities", ("CT",)),
        ("modality", [None, 7, {"x": 1}, {"code": "ZZ"}], "modalities", ("ZZ",)),
        ("started", "2026-01-12T08:52", "time", "08:52"),
        ("started", "2026-01-12T08:52", "offset", None),
        ("started", "2026-01", "date", "2026-01"),
        ("started", "2026-01-12T08:52:00Z", "offset", "+00:00"),
        ("started", "yesterday", "faults", ("date",)),
        ("started", {"x": 1}, "date", None),
        ("started", None, "faults", ()),
        ("description", ["x"], "description", None),
        ("numberOfInstances", "318", "image_count", 318),
        ("numberOfInstances", -4, "image_count", None),
        ("identifier", {"system": "urn:dicom:uid", "value": "urn:oid:2.25.1"}, "uid", "2.25.1"),
        ("identifier", [{"system": "urn:dicom:uid", "value": "2.25.1"}], "uid", "2.25.1"),
        ("subject", {"reference": "Patient/p1/_history/3"}, "uid", "2.25.1"),
        ("meta", {"security": [{"code": "r"}, {"code": "PSY"}, {"code": "R"}, {"display": "x"}, 7]}, "confidentiality", ("R", "PSY")),
        ("meta", {"security": {"code": "V"}}, "confidentiality", ("V",)),
        ("meta", ["security"], "confidentiality", ()),
    ],
)
def test_field_shapes(field: str, value: Any, attribute: str, expected: Any) -> None:
    (found,) = read(study(**{field: value})).studies
    assert getattr(found, attribute) == expected


def test_series_fill_what_the_study_leaves_out() -> None:
    series = [
        {"uid": "1", "modality": {"code": "CT"}, "numberOfInstances": 3, "bodySite": {"code": "69536005", "display": "Head"}, "title": "odd"},
        {"modality": {"concept": {"coding": [{"code": "SR"}]}}, "numberOfInstances": 1},
        "text",
    ]
    (found,) = read(study(series=series, modality=None, numberOfInstances=None, numberOfSeries=None)).studies
    assert (found.modalities, found.image_count, found.series_count, found.body_parts) == (("CT", "SR"), 4, 2, ("69536005", "Head"))


def test_accession_from_identifier_or_order() -> None:
    acsn = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}
    uid = {"system": "urn:dicom:uid", "value": "urn:oid:2.25.1"}
    found = read(study(1, identifier=[uid, acsn]), study(2, basedOn=[{"identifier": acsn | {"value": "A2"}}])).studies
    assert [one.accession for one in found] == ["A1", "A2"]


@pytest.mark.parametrize("odd", [["available"], {"x": 1}, 7])
def test_a_field_of_the_wrong_kind_never_ends_the_answer(odd: Any) -> None:
    uid = {"system": "urn:dicom:uid", "value": "urn:oid:2.25.2"}
    place = {"resourceType": "Endpoint", "id": "e1", "address": "https://x.example/rs", "connectionType": {"code": odd}}
    strange = study(2, status=odd, identifier=[{"type": {"coding": [{"code": odd}]}}, uid], endpoint=[{"reference": "Endpoint/e1"}])
    assert [one.uid for one in read(study(1), strange, {"resource": place}).studies] == ["2.25.1", "2.25.2"]


@pytest.mark.parametrize("bad", [None, "text", {}, {"resource": None}, {"resource": []}, {"resource": {"x": 1}}, study(9, identifier=None), study(9, identifier=[{"system": "urn:dicom:uid", "value": "../x"}])])
def test_one_bad_entry_never_hides_the_good_ones(bad: Any) -> None:
    found = read(study(1), bad, study(2))
    assert [one.uid for one in found.studies] == ["2.25.1", "2.25.2"]
    assert found.unreadable == 1


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/p2"}, {"reference": "Device/p1"}, {"reference": "https://evil.example/fhir/Patient/p1"}, {"reference": "Patient/p1x"}, {},
        {"display": "p1"}, None, "Patient/p2", {"reference": "Group/p1"}, {"reference": "Patient/P1"}, {"reference": "../Patient/p1"},
    ],
)  # fmt: skip
def test_an_entry_of_another_subject_is_withheld(subject: Any) -> None:
    found = read(study(1), study(2, subject=subject))
    assert [one.uid for one in found.studies] == ["2.25.1"]
    assert (found.withheld, found.withheld_studies) == (1, ("2.25.2",))


def test_subject_and_patient_must_agree() -> None:
    found = read(study(1, subject=None, patient={"reference": "Patient/p1"}), study(2, patient={"reference": "Patient/p2"}))
    assert [one.uid for one in found.studies] == ["2.25.1"]
    assert found.withheld == 1


def test_a_study_named_under_two_patients_is_nobodys() -> None:
    assert read(study(1), study(1, subject={"reference": "Patient/p2"}), study(1)).studies == ()


def test_entered_in_error_is_not_listed() -> None:
    assert read(study(1, status="entered-in-error"), study(2, status="cancelled"), study(3, status=None)).studies[0].uid == "2.25.3"


def test_contained_included_local_and_referenced_endpoints() -> None:
    def endpoint(name: str, address: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "Endpoint", "id": name, "address": address, "connectionType": WADO} | more

    entries = [
        study(1, endpoint=[{"reference": "#e"}], contained=[{"resourceType": "Endpoint", "id": "e", "address": "https://a.org/1"}]),
        study(2, endpoint=[{"reference": "Endpoint/e2"}]),
        {"resource": endpoint("e2", "https://a.org/2"), "search": {"mode": "include"}},
        study(3, endpoint=[{"reference": "urn:uuid:e3"}]),
        {"fullUrl": "urn:uuid:e3", "resource": endpoint("x", "https://a.org/3", connectionType=[{"coding": [WADO]}])},
        study(4, endpoint=[{"reference": "Endpoint/e4"}]),
        study(5, endpoint=[{"reference": "Endpoint/missing"}, {"reference": "https://evil.example/fhir/Endpoint/e4"}]),
        study(6, endpoint=[{"reference": "#no"}], series=[{"endpoint": [{"reference": "Endpoint/e2"}]}]),
        study(7, endpoint=[{"reference": "Endpoint/e7"}]),
        {"resource": endpoint("e7", "https://a.org/7", connectionType={"code": "hl7-fhir-rest"})},
        study(8, endpoint=[{"reference": "Endpoint/e8"}]),
        {"resource": endpoint("e8", "https://a.org/8", status="off")},
    ]
    found = read(*entries, more={"Endpoint/e4": endpoint("e4", "https://a.org/4")})
    addresses = [[endpoint.address for endpoint in one.endpoints] for one in found.studies]
    assert addresses == [["https://a.org/1"], ["https://a.org/2"], ["https://a.org/3"], ["https://a.org/4"], [], ["https://a.org/2"], [], []]


@pytest.mark.parametrize("url", ["http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token", "http://hl7.org/fhir/smart-app-launch/StructureDefinition/requires-access-token"])
def test_a_capability_address_is_marked_and_not_in_any_repr(url: str) -> None:
    inner = {"resourceType": "Endpoint", "id": "e", "address": "https://a.org/secret", "extension": [{"url": url, "valueBoolean": False}]}
    found = read(study(1, endpoint=[{"reference": "#e"}], contained=[inner]))
    assert found.studies[0].endpoints[0].capability
    assert "secret" not in repr(found)


def test_outcome_entries_make_the_answer_less_than_all() -> None:
    outcome = {"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}}
    information = {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}}
    assert read(study(1), outcome, information).outcomes == 1


def test_a_later_page_that_fails_keeps_the_first() -> None:
    pages = iter([bundle(study(1), following="ImagingStudy?page=2"), Say(500)])
    with scripted(lambda asked: next(pages)) as server:
        made = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        found = imaging_of(made, "p1", is_uid=is_uid, deadline=5)
    assert len(found.studies) == 1
    assert isinstance(found.failure, OutboundError)


def test_wrong_patient_on_a_later_page_is_withheld_too() -> None:
    pages = iter([bundle(study(1), following="ImagingStudy?page=2"), bundle(study(2, subject={"reference": "Patient/p2"}))])
    with scripted(lambda asked: next(pages)) as server:
        made = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        assert imaging_of(made, "p1", is_uid=is_uid, deadline=5).withheld == 1


def test_a_server_that_refuses_include_is_asked_without() -> None:
    with scripted(lambda asked: Say(400) if "_include" in asked.query else bundle(study(1))) as server:
        made = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        assert len(imaging_of(made, "p1", is_uid=is_uid, deadline=5).studies) == 1


def test_a_refusal_is_raised() -> None:
    with scripted(lambda asked: Say(403)) as server, pytest.raises(FhirRefused):
        imaging_of(FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens()), "p1", is_uid=is_uid, deadline=5)
