"""DiagnosticReport: joined by ImagingStudy, Study UID or accession; another patient's never."""

from __future__ import annotations

from typing import Any

from smart_app.archives.dicom_json import is_uid
from smart_app.fhir.client import FhirClient
from smart_app.fhir.reports import ChartReports, reports_of
from tests.unit.archives.scripted import outbound_to, scripted
from tests.unit.fhir.test_client import Tokens, bundle


def report(**fields: Any) -> dict[str, Any]:
    return {"resource": {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": {"reference": "Patient/p1"}} | fields}


def read(*entries: Any) -> ChartReports:
    with scripted(lambda asked: bundle(*entries)) as server:
        return reports_of(FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", Tokens()), "p1", is_uid=is_uid, deadline=5)


def test_joins_by_reference_uid_and_accession() -> None:
    acsn = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}
    uid = {"identifier": {"system": "urn:dicom:uid", "value": "urn:oid:2.25.9"}}
    (found,) = read(report(imagingStudy=[{"reference": "ImagingStudy/s1"}, uid, "x"], study=[{"reference": "ImagingStudy/s2"}], basedOn=[{"identifier": acsn}])).reports
    assert (found.status, found.studies, found.accessions) == ("final", ("ImagingStudy/s1", "2.25.9", "ImagingStudy/s2"), ("A1",))


def test_a_report_of_another_patient_or_about_nothing_joins_nothing() -> None:
    named = {"imagingStudy": [{"reference": "ImagingStudy/s1"}]}
    found = read(report(subject={"reference": "Patient/p2"}, **named), report(subject=None, **named), report(), "odd", {"resource": {"resourceType": "OperationOutcome"}})
    assert (found.reports, found.withheld, found.unreadable) == ((), 2, 1)


def test_a_report_that_bears_the_study_uid_itself_joins_that_study() -> None:
    """As an EHR without ImagingStudy sends the report of an outside study."""
    (found,) = read(report(status="preliminary", identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:2.25.7"}, {"system": "urn:dicom:uid", "value": "x"}])).reports
    assert (found.status, found.studies) == ("preliminary", ("2.25.7",))
