"""What a chart speaks of besides ImagingStudy: read entry by entry, another patient's withheld, what was not done left out."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.archives.dicom_json import is_uid
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirClient, FhirRefused
from smart_app.fhir.evidence import Piece, Spoken, evidence_of, pieces_of
from tests.unit.archives.scripted import Asked, Say, fhir, outbound_to, scripted
from tests.unit.fhir.test_client import Tokens, bundle

IMAGING = [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}]
ACSN = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}
UID = {"system": "urn:dicom:uid", "value": "urn:oid:2.25.9"}
LETTER = {"coding": [{"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}]}


def resource(kind: str, **fields: Any) -> dict[str, Any]:
    base = {"resourceType": kind, "id": "x", "status": "completed", "subject": {"reference": "Patient/p1"}, "code": {"text": "CT head"}}
    return {name: value for name, value in (base | fields).items() if value is not None}


def piece(found: dict[str, Any]) -> Piece | None:
    pieces = pieces_of(found, "http://ehr/fhir", is_uid)
    return pieces[0] if pieces else None


def read(kind: str, *resources: Any, ended: Any = None) -> Spoken:
    entries = [{"resource": one} if isinstance(one, dict) else one for one in resources]
    with scripted(lambda asked: ended if ended is not None and "page" in asked.query else bundle(*entries, following=ended and f"{server.base}/fhir/{kind}?page=2")) as server:
        return evidence_of(FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens()), kind, "p1", is_uid=is_uid, deadline=5)


IS = [
    ("an order", resource("ServiceRequest", category=IMAGING, authoredOn="2026-05-01T10:00:00Z"), ("order", "CT head", "2026-05-01", "ordered", ("CT",))),
    ("an order with its day", resource("ServiceRequest", category=IMAGING, occurrencePeriod={"start": "2026-05-02"}), ("order", "CT head", "2026-05-02", "done", ("CT",))),
    ("an order told by its words alone", resource("ServiceRequest", code={"text": "MRI knee"}), ("order", "MRI knee", None, "ordered", ("MR",))),
    ("an order of an EHR's own category", resource("ServiceRequest", category=[{"text": "Imaging"}], code={"text": "Chest, 1 view"}), ("order", "Chest, 1 view", None, "ordered", ("XR",))),
    ("a report of radiology", resource("DiagnosticReport", status="final", category=[{"coding": [{"code": "RUS"}]}], code={"text": "Liver"}, effectiveDateTime="2026-05-01"), ("report", "Liver", "2026-05-01", "done", ("US",))),
    ("a report without its study's day", resource("DiagnosticReport", status="final", code={"text": "Echocardiogram"}, issued="2026-05-03T08:00:00Z"), ("report", "Echocardiogram", "2026-05-03", "written", ("US",))),
    ("a report that names a study", resource("DiagnosticReport", status="final", category=[{"coding": [{"code": "X9"}]}], code={"text": "Study report"}, identifier=[UID]), ("report", "", None, "written", ())),
    ("a procedure", resource("Procedure", category=IMAGING[0], performedDateTime="2019"), ("procedure", "CT head", "2019", "done", ("CT",))),
    ("a procedure, R5", resource("Procedure", occurrencePeriod={"start": "2019-02-03T10:00:00Z"}), ("procedure", "CT head", "2019-02-03", "done", ("CT",))),
    ("a visit for imaging", resource("Encounter", status="finished", code=None, type=[{"text": "Outpatient MRI shoulder"}], period={"start": "2025-04-03T10:00:00Z"}), ("encounter", "Outpatient MRI shoulder", "2025-04-03", "done", ("MR",))),
    ("a document of a study", resource("DocumentReference", status="current", code=None, type=LETTER | {"text": "CT perfusion, head"}, date="2026-05-21T09:10:00Z"), ("document", "CT perfusion, head", "2026-05-21", "written", ("CT",))),
    ("a letter that names a number", resource("DocumentReference", status="current", code=None, type={"text": "Letter"}, description="CT abdomen", context={"period": {"start": "2026-05-20"}, "related": [{"identifier": ACSN}]}), ("document", "CT abdomen", "2026-05-20", "done", ("CT",))),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), [case[1:] for case in IS], ids=[case[0] for case in IS])
def test_what_speaks_of_imaging(found: dict[str, Any], expected: tuple[Any, ...]) -> None:
    told = piece(found)
    assert told is not None
    assert (told.kind, told.title, told.date, told.dated, told.modalities) == expected


IS_NOT = [
    ("a laboratory's number", resource("DiagnosticReport", status="final", category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "HM"}]}], code={"text": "Full blood count"}, identifier=[ACSN])),
    ("a laboratory order", resource("ServiceRequest", category=[{"coding": [{"code": "108252007"}]}], code={"text": "CT of platelets"})),
    ("a cancelled report", resource("DiagnosticReport", status="cancelled")),
    ("an order taken back", resource("ServiceRequest", status="revoked", category=IMAGING)),
    ("an order entered in error", resource("ServiceRequest", status="entered-in-error", category=IMAGING)),
    ("an order nobody knows about", resource("ServiceRequest", status="unknown", category=IMAGING)),
    ("a draft", resource("ServiceRequest", status="draft", category=IMAGING)),
    ("a plan", resource("ServiceRequest", intent="plan", category=IMAGING)),
    ("an order not to", resource("ServiceRequest", doNotPerform=True, category=IMAGING)),
    ("a procedure not done", resource("Procedure", status="not-done", category=IMAGING[0])),
    ("an operation", resource("Procedure", code={"text": "Appendicectomy"})),
    ("a visit because of a scan", resource("Encounter", status="finished", code=None, type=[{"text": "Clinic"}], reasonCode=[{"text": "Abnormal CT"}])),
    ("a visit to come", resource("Encounter", status="planned", code=None, type=[{"text": "MRI shoulder"}])),
    ("a superseded document", resource("DocumentReference", status="superseded", type=LETTER)),
    ("a document in error", resource("DocumentReference", status="current", docStatus="entered-in-error", type=LETTER)),
    ("a letter that names no number", resource("DocumentReference", status="current", type={"text": "Transfer letter"}, description="CT was done")),
    ("a report of Mr Us", resource("DiagnosticReport", status="final", code={"text": "Letter to Mr Us"})),
]  # fmt: skip


@pytest.mark.parametrize("found", [case[1] for case in IS_NOT], ids=[case[0] for case in IS_NOT])
def test_what_does_not(found: dict[str, Any]) -> None:
    assert piece(found) is None


def test_numbers_orders_and_places() -> None:
    told = piece(resource(
        "DiagnosticReport", status="final", category=IMAGING, imagingStudy=[{"reference": "ImagingStudy/s1"}], identifier=[ACSN, {"value": "other"}],
        basedOn=[{"reference": "ServiceRequest/o1"}], performer=[{"reference": "Practitioner/p", "display": "Dr Nobody"}, {"reference": "#h"}],
        contained=[{"resourceType": "Organization", "id": "h", "name": "Harrow Vale"}], bodySite=[{"coding": [{"code": "69536005", "display": "Head"}]}],
    ))  # fmt: skip
    assert told is not None
    assert (told.accessions, told.studies, told.orders, told.organization) == (("A1",), ("ImagingStudy/s1",), ("ServiceRequest/o1",), "Harrow Vale")
    assert piece(resource("ServiceRequest", category=IMAGING, performer=[{"display": "Dr Nobody"}], priority="stat")).organization is None  # type: ignore[union-attr]


def test_a_letter_that_names_several_studies_is_a_piece_for_each() -> None:
    letter = resource("DocumentReference", status="current", type={"text": "Transfer letter"}, author=[{"type": "Organization", "display": "St Brannoc"}],
                      context={"related": [{"identifier": {"system": "urn:x:accession", "value": number}} for number in ("A1", "A2")]})  # fmt: skip
    found = pieces_of(letter, "http://ehr/fhir", is_uid)
    assert [(one.accessions, one.wording, one.organization) for one in found] == [(("A1",), "transfer letter", "St Brannoc"), (("A2",), "transfer letter", "St Brannoc")]
    both = letter | {"context": {"related": [{"identifier": ACSN}, {"identifier": UID}]}}
    assert [(one.accessions, one.studies) for one in pieces_of(both, "http://ehr/fhir", is_uid)] == [(("A1",), ("2.25.9",))]


def test_another_patient_is_withheld_and_odd_entries_hide_nothing() -> None:
    good = resource("ServiceRequest", category=IMAGING)
    found = read(
        "ServiceRequest", good, good | {"subject": {"reference": "Patient/p2"}}, good | {"subject": None}, good | {"patient": {"reference": "Patient/p2"}}, "odd",
        {"resource": 7}, good | {"status": 9, "id": "y"}, good | {"status": None}, good | {"code": "odd", "category": 3, "identifier": "x", "basedOn": 4, "occurrencePeriod": 5},
        {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]},
    )  # fmt: skip
    assert (len(found.pieces), found.withheld, found.unreadable, found.complete) == (1, 3, 3, True)


def test_a_later_page_that_fails_keeps_the_earlier_ones_and_says_so() -> None:
    good = resource("ServiceRequest", category=IMAGING)
    found = read("ServiceRequest", good, ended=Say(500))
    assert (len(found.pieces), found.complete, found.failure is not None) == (1, False, True)
    assert read("ServiceRequest", good, {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}).complete is False


def test_nothing_read_is_raised_and_a_refused_parameter_is_left_out() -> None:
    def answer(asked: Asked) -> Say:
        return Say(400) if "_count" in asked.query else bundle({"resource": resource("Procedure")})

    with scripted(answer) as server:
        client = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
        assert len(evidence_of(client, "Procedure", "p1", is_uid=is_uid, deadline=5).pieces) == 1
    for status, raised in ((403, FhirRefused), (500, OutboundError)):
        with scripted(lambda asked, status=status: fhir({}, status)) as server:
            client = FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens())
            with pytest.raises(raised):
                evidence_of(client, "Procedure", "p1", is_uid=is_uid, deadline=5)


@pytest.mark.parametrize(("fields", "labels"), [
    ({"meta": {"security": [{"code": "psy"}, {"code": "R"}]}}, ("PSY", "R")), ({"securityLabel": [{"coding": [{"code": "V"}]}]}, ("V",)), ({"meta": 7}, ()),
])  # fmt: skip
def test_labels(fields: dict[str, Any], labels: tuple[str, ...]) -> None:
    told = piece(resource("DocumentReference", status="current", code=None, type={"text": "Letter"}, description="CT abdomen", context={"related": [{"identifier": ACSN}]}, **fields))
    assert told is not None
    assert told.confidentiality == labels
