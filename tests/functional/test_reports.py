"""Reports beside images, over real sockets: which belong, in which state, what could not be read, and nothing of another patient."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smart_app.audit.reports_events import ReportRead, ReportsShown
from smart_app.fhir.written import OtherPatient, written_in
from smart_app.sources.chart import NO_REPORTS, NO_REPORTS_RIGHT
from smart_app.studies.reported import MAY
from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, study, world
from tests.unit.archives.scripted import Say, fhir

UID, OTHER_UID = "1.2.3.4.1", "1.2.3.4.2"


def report(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": name, "status": "final", "subject": {"reference": "Patient/p1"}, "code": {"text": "CT head"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
        "effectiveDateTime": "2026-01-12T10:00:00Z", "issued": "2026-01-12T12:00:00Z", "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{UID}"}],
        "conclusion": "No bleed.", "resultsInterpreter": [{"display": "I. Brandvold"}],
    } | fields  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        made.archives["northgate"] = once(study(UID, SAME_NUMBER))
        yield made



def beside(here: World, *reports: dict[str, Any], answer: Any = None) -> dict[str, Any]:
    here.ehr["DiagnosticReport"] = (lambda asked: answer) if answer is not None else (lambda asked: bundle(*reports))
    list(here.stream())
    found = here.get(f"/reports/northgate/{UID}")
    assert found.status_code == 200, found.text
    return dict(found.get_json())


def test_a_report_is_told_with_its_mark_its_author_and_why_it_belongs(here: World) -> None:
    told = beside(here, report("r1"))
    (one,) = told["reports"]
    assert (told["state"], told["mark"], one["mark"], one["sure"]) == ("whole", "Final", "Final", True)
    assert one["signed"] == "Signed I. Brandvold, 12 Jan 2026 12:00."
    assert one["why"] == "Belongs to this study: it names it."
    assert one["blocks"] == [{"kind": "text", "text": "No bleed."}]
    assert here.audited(ReportsShown.__name__) == [{"archive": "northgate", "study": UID, "state": "whole", "count": 1, "unsure": 0, "withheld": 0, "patient": "p1"}]


@pytest.mark.parametrize(
    ("status", "mark"),
    [("registered", "No report yet"), ("preliminary", "Preliminary"), ("amended", "Final, amended"), ("corrected", "Final, amended"), ("appended", "Final, amended"),
     ("entered-in-error", "Retracted"), ("cancelled", "Retracted"), ("unknown", "Report")],
)  # fmt: skip
def test_every_status_has_its_mark_and_what_was_taken_back_is_not_told(here: World, status: str, mark: str) -> None:
    told = beside(here, report("r1", status=status))
    assert told["mark"] == told["reports"][0]["mark"] == mark
    assert (told["reports"][0]["blocks"] == []) == (mark == "Retracted")


def test_list_and_panel_say_the_same_word(here: World) -> None:
    here.ehr["DiagnosticReport"] = lambda asked: bundle(report("r1", status="amended"))
    page = "".join(str(data) for _, data in here.stream())
    assert "Final, amended" in page
    assert here.get(f"/reports/northgate/{UID}").get_json()["mark"] == "Final, amended"


def test_versions_come_newest_first_and_the_early_one_is_superseded(here: World) -> None:
    told = beside(here, report("r1", status="preliminary", issued="2026-01-12T11:00:00Z"), report("r2", issued="2026-01-13T09:00:00Z"))
    assert [(one["mark"], one["superseded"]) for one in told["reports"]] == [("Final", ""), ("Preliminary", "Superseded by the final report of 13 Jan 2026 09:00.")]


def test_a_report_that_names_no_study_only_may_belong(here: World) -> None:
    told = beside(here, report("r1", identifier=[]))
    assert (told["mark"], told["sentence"]) == ("No report", "No report names this study. The chart answered in full.")
    assert [(one["sure"], one["why"]) for one in told["reports"]] == [(False, MAY)]


def test_a_report_of_another_study_is_not_told(here: World) -> None:
    here.archives["northgate"] = once(study(UID, SAME_NUMBER), study(OTHER_UID, SAME_NUMBER))
    told = beside(here, report("r1", identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:{OTHER_UID}"}]))
    assert told["reports"] == []
    assert told["sentence"] == "No report. The chart answered in full and has none for this study."


def test_a_report_of_another_patient_is_withheld_and_then_none_is_said_to_be_missing(here: World) -> None:
    told = beside(here, report("r1", subject={"reference": "Patient/p2"}, conclusion="SECRET"))
    assert told["reports"] == []
    assert (told["state"], told["mark"], told["sentence"]) == ("part", "", "")
    assert told["notes"] == ["1 report was withheld: it names another patient. The image desk was told."]
    assert "SECRET" not in str(told)
    assert any(one["source"].endswith("/reports") for one in here.audited("RowWithheld"))
    with pytest.raises(OtherPatient):
        written_in(report("r1", subject={"reference": "Patient/p2"}), "http://e/fhir", "p1", lambda value: True)


@pytest.mark.parametrize(("status", "sentence"), [(403, NO_REPORTS_RIGHT), (500, NO_REPORTS), (404, NO_REPORTS)])
def test_what_could_not_be_read_is_said_and_never_called_none(here: World, status: int, sentence: str) -> None:
    told = beside(here, answer=Say(status))
    assert (told["state"], told["mark"], told["sentence"], told["reports"]) == ("unread", "", sentence, [])


def test_a_right_that_was_not_granted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, scopes="patient/Patient.r patient/ImagingStudy.rs") as made:
        made.archives["northgate"] = once(study(UID, SAME_NUMBER))
        assert beside(made)["sentence"] == NO_REPORTS_RIGHT


def test_a_document_is_read_by_its_opaque_name_and_by_no_other(here: World) -> None:
    form = {"contentType": "application/pdf", "title": "Report", "url": "Binary/b1"}
    page = {"contentType": "text/html", "data": base64.b64encode(b"<p>Hi<script>stolen()</script></p>").decode()}
    whole = report("r1", presentedForm=[form, page])
    here.ehr["Binary"] = lambda asked: Say(200, b"%PDF-1.7 body", {"Content-Type": "application/pdf"})
    told = beside(here, whole)
    here.ehr["DiagnosticReport"] = lambda asked: fhir(whole) if asked.path.endswith("/r1") else bundle(whole)
    pdf, html = told["reports"][0]["papers"]
    root = f"/reports/northgate/{UID}"
    assert here.get(f"{root}/{html['id']}").get_json()["blocks"] == [{"kind": "text", "text": "Hi"}]
    assert here.get(f"{root}/{pdf['id']}").get_json()["kind"] == "file"
    file = here.get(f"{root}/{pdf['id']}/file")
    assert (file.data, file.mimetype) == (b"%PDF-1.7 body", "application/pdf")
    assert "attachment" in file.headers["Content-Disposition"]
    assert here.get(f"{root}/{html['id']}/file").status_code == 404
    assert here.get(f"{root}/{pdf['id'][:-6]}AAAAAA").status_code == 404
    assert here.get(f"/reports/northgate/{OTHER_UID}/{pdf['id']}").status_code == 404
    assert here.get(f"/reports/northgate/{OTHER_UID}").status_code == 404
    assert [one["what"] for one in here.audited(ReportRead.__name__)] == ["read", "file", "file", "read"]
    # The report has become another patient's since: nothing of it is told any more.
    here.ehr["DiagnosticReport"] = lambda asked: fhir(whole | {"subject": {"reference": "Patient/p2"}})
    assert here.get(f"{root}/{html['id']}").get_json()["blocks"] == []
