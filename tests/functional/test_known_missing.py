"""What the chart speaks of and nobody holds: listed, never claimed too early, asked for with one click; copies and gaps beside it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, study, world
from tests.functional.test_listing import imaging_study, listed, strip
from tests.unit.archives.scripted import Asked, Say, rows

IMAGING = [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}]
SIDES = ("DiagnosticReport", "ServiceRequest", "Procedure", "Encounter", "DocumentReference")


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        yield made


def resource(kind: str, number: int, text: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind[0]}{number}", "status": "completed", "subject": {"reference": "Patient/p1"}, "category": IMAGING, "code": {"text": text}} | fields


def letter(text: str = "CT perfusion, head", **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference", "id": "d1", "status": "current", "subject": {"reference": "Patient/p1"}, "date": "2026-05-21T09:10:00Z",
        "type": {"coding": [{"code": "18748-4"}], "text": text}, "author": [{"type": "Organization", "display": "St Brannoc"}], "description": "Transfer letter",
        "context": {"related": [{"identifier": {"system": "urn:brannoc:accession", "value": "SB-CANARY-88122"}}]},
    } | fields  # fmt: skip


def asked_for(row: dict[str, Any]) -> str:
    found = re.search(r'href="/l/[^/"]+(/request\?of=[0-9a-f]{32})"', row["html"])
    assert found, row["html"]
    return found[1]


def test_a_letter_that_names_a_study_nobody_has_is_a_row_with_a_request_filled_in(hospital: World) -> None:
    hospital.ehr["DocumentReference"] = lambda asked: bundle(letter())
    hospital.archives["brannoc"] = once(study("2.25.1", "B-5", day="20260521", text="CT head without contrast"))
    events = list(hospital.stream())
    found = listed(events)
    (known,) = [row for uid, row in found.items() if uid != "2.25.1"]
    assert "Named in the transfer letter; no source that answered has it." in known["html"]
    assert "Known, not here" in known["html"]
    assert known["hospitals"] == ["St Brannoc"]
    assert strip(events)["none_found"] is False
    path = asked_for(known)
    page = hospital.get(path)
    assert page.status_code == 200
    for value in ("CT perfusion, head", "St Brannoc", "SB-CANARY-88122", "21 May 2026", "Filled in from the transfer letter.", "Send request"):
        assert value in page.text
    assert "CANARY" not in path
    (audited,) = hospital.audited("RequestPrepared")
    assert (audited["about"], audited["patient"]) == ("known", "p1")
    assert hospital.get("/request?of=" + "0" * 32).status_code == 404
    assert hospital.get("/request").status_code == 200


def test_while_an_archive_is_silent_the_row_does_not_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, deadline=1.5) as hospital:
        hospital.ehr["DocumentReference"] = lambda asked: bundle(letter(author=[{"type": "Organization", "display": "Harrow Vale"}]))
        hospital.archives["kestrel"] = lambda asked: Say(204, hang=9)
        seen = [row["html"] for event, data in hospital.stream() if event == "rows" for row in data["rows"]]
    assert any("Kestrel Cancer Centre has not answered yet." in html and "Known, still looking" in html for html in seen)
    assert "Kestrel Cancer Centre gave no answer." in seen[-1]
    assert "Known, not found yet" in seen[-1]
    assert not any("Known, not here" in html for html in seen)


def test_a_study_found_late_takes_the_place_of_its_evidence(hospital: World) -> None:
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(resource("ServiceRequest", 1, "CT head", occurrenceDateTime="2026-01-12"))
    hospital.archives["brannoc"] = lambda asked: (time.sleep(0.5), once(study("2.25.1", "B-5"))(asked))[1]
    events = list(hospital.stream())
    assert set(listed(events)) == {"2.25.1"}, "the same day, modality and region, and nothing against it"


def test_one_study_in_five_kinds_of_evidence_is_one_row(hospital: World) -> None:
    accession = {"identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}]}
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(resource("ServiceRequest", 1, "MRI knee", authoredOn="2025-03-01", **accession))
    hospital.ehr["DiagnosticReport"] = lambda asked: bundle(resource("DiagnosticReport", 1, "MRI knee", status="final", effectiveDateTime="2025-03-04", **accession))
    hospital.ehr["Procedure"] = lambda asked: bundle(resource("Procedure", 1, "MRI knee", performedDateTime="2025-03-04", basedOn=[{"reference": "ServiceRequest/S1"}]))
    hospital.ehr["Encounter"] = lambda asked: bundle(resource("Encounter", 1, "", status="finished", type=[{"text": "MRI knee"}], period={"start": "2025-03-04T08:00:00Z"}))
    (row,) = listed(list(hospital.stream())).values()
    assert "Named in a report, a procedure in the chart, a visit and an order marked done; no source that answered has it." in row["html"]
    assert row["date"] == "2025-03-04"
    assert "Final" in row["html"]


def test_open_and_cancelled_orders(hospital: World) -> None:
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(
        resource("ServiceRequest", 1, "CT chest", status="active", authoredOn="2026-05-20"), resource("ServiceRequest", 2, "CT neck", status="revoked"),
        resource("ServiceRequest", 3, "CT foot", status="entered-in-error"), resource("ServiceRequest", 4, "CT hand", status="active", occurrenceDateTime="2999-01-01"),
    )  # fmt: skip
    (row,) = listed(list(hospital.stream())).values()
    assert "Ordered, not done" in row["html"]
    assert "/request?of=" not in row["html"]


def test_all_kinds_are_asked_at_once(hospital: World) -> None:
    for kind in (*SIDES, "ImagingStudy"):
        hospital.ehr[kind] = lambda asked: (time.sleep(0.6), bundle())[1]
    begun = time.monotonic()
    list(hospital.stream())
    assert time.monotonic() - begun < 0.6 * 3, "one after another would take six times as long"
    assert {asked.path.rpartition("/")[2] for asked in hospital.servers["ehr"].asked} >= {*SIDES, "ImagingStudy"}


def test_no_imaging_found_needs_a_chart_that_was_read(hospital: World) -> None:
    assert strip(list(hospital.stream()))["none_found"] is True
    for kind, named in (("ServiceRequest", "orders"), ("Procedure", "procedures"), ("Encounter", "past visits"), ("DocumentReference", "letters and outside documents")):
        hospital.ehr[kind] = lambda asked: Say(403)
        events = list(hospital.stream())
        assert strip(events)["none_found"] is False
        assert "No imaging found" not in json.dumps(events)
        assert f"The EHR did not allow Priors to read {named}" in strip(events)["notes_html"]
        assert "but the chart could not all be read" in strip(events)["notes_html"]
        hospital.ehr[kind] = lambda asked: bundle()
    hospital.ehr["Procedure"] = lambda asked: Say(500)
    assert "The EHR did not answer about procedures" in strip(list(hospital.stream()))["notes_html"]


def test_a_right_not_granted_is_said_and_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, scopes="patient/Patient.rs patient/ImagingStudy.rs patient/DiagnosticReport.rs patient/ServiceRequest.rs") as hospital:
        events = list(hospital.stream())
        asked = {one.path.rpartition("/")[2] for one in hospital.servers["ehr"].asked}
    assert not asked & {"Procedure", "Encounter", "DocumentReference"}
    assert "did not allow Priors to read procedures" in strip(events)["notes_html"]
    assert strip(events)["none_found"] is False


def test_evidence_of_another_patient_is_withheld_and_audited(hospital: World) -> None:
    hospital.ehr["DocumentReference"] = lambda asked: bundle(letter(), letter("CT CANARY", id="d2", subject={"reference": "Patient/p2"}))
    events = list(hospital.stream())
    assert "CT CANARY" not in json.dumps(events)
    assert len(listed(events)) == 1
    assert [(one["source"], one["count"]) for one in hospital.audited("RowWithheld")] == [("ehr:northgate/documents", 1)]


def test_a_study_that_the_named_archive_does_not_list_can_be_opened_and_asked_for(hospital: World) -> None:
    place = {"resourceType": "Endpoint", "id": "e", "address": f"{hospital.servers['kestrel'].base}/rs"}
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, endpoint=[{"reference": "#e"}], contained=[place]))
    (row,) = listed(list(hospital.stream())).values()
    assert "which answered and does not list it." in row["html"]
    assert 'data-archive="kestrel"' in row["html"]
    page = hospital.get(asked_for(row))
    assert (page.status_code, "From the chart" in page.text) == (200, True)


def test_another_launch_cannot_open_the_request(hospital: World) -> None:
    hospital.ehr["DocumentReference"] = lambda asked: bundle(letter())
    (known,) = listed(list(hospital.stream())).values()
    path = asked_for(known)
    hospital.parts.holdings.forget(hospital.handle)
    assert hospital.get(path).status_code == 404, "what this launch no longer holds cannot be asked for"


def test_a_study_in_part_names_its_missing_series(hospital: World) -> None:
    def northgate(asked: Asked) -> Say:
        if asked.path.endswith("/series"):
            return rows({"0020000D": {"vr": "UI", "Value": ["2.25.1"]}, "0020000E": {"vr": "UI", "Value": ["2.25.11"]}, "00201209": {"vr": "IS", "Value": [63]}})
        return once(study("2.25.1", SAME_NUMBER, images=63) | {"00201206": {"vr": "IS", "Value": [1]}})(asked)

    hospital.archives["northgate"] = northgate
    series = [{"uid": "2.25.11", "number": 3, "numberOfInstances": 63}, {"uid": "2.25.12", "number": 4, "description": "Lung 1.0 mm", "numberOfInstances": 57}]
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, series=series, numberOfInstances=120, started="2026-01-12"))
    row = listed(list(hospital.stream()))["2.25.1"]
    assert "63 of 120 images" in row["html"]
    assert "Thin slices (1 mm) are missing. Series 4, Lung 1.0 mm: not here." in row["html"]
    assert "Series 4, Lung 1.0 mm: not here." in hospital.get(asked_for(row)).text
    assert any(asked.path == "/rs/studies/2.25.1/series" for asked in hospital.servers["northgate"].asked)
    assert not any(asked.path.endswith("/series") for asked in hospital.servers["kestrel"].asked)


def test_a_series_list_that_fails_leaves_the_counts(hospital: World) -> None:
    hospital.archives["northgate"] = lambda asked: Say(500) if asked.path.endswith("/series") else once(study("2.25.1", SAME_NUMBER, images=63))(asked)
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, numberOfInstances=120, started="2026-01-12"))
    events = list(hospital.stream())
    assert events[-1][0] == "done"
    assert "63 of 120 images" in listed(events)["2.25.1"]["html"]
    assert strip(events)["tone"] == "all"


def test_a_sent_copy_is_one_row_and_either_copy_can_be_opened(hospital: World) -> None:
    clock = {"00080030": {"vr": "TM", "Value": ["143000"]}}
    hospital.archives["kestrel"] = once(study("2.25.1", "K-9") | clock)
    hospital.archives["northgate"] = once(study("2.25.2", SAME_NUMBER) | clock, study("2.25.3", SAME_NUMBER, images=3) | clock)
    found = listed(list(hospital.stream()))
    assert set(found) == {"2.25.2", "2.25.3"}
    assert "The same study as at Kestrel Cancer Centre, sent under a new number." in found["2.25.2"]["html"]
    assert 'data-copy="2.25.1" data-archive="kestrel"' in found["2.25.2"]["html"]
    assert set(found["2.25.2"]["hospitals"]) == {"Northgate", "Kestrel Cancer Centre"}
    assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.1") is not None
    assert hospital.parts.holdings.held(hospital.handle, "northgate", "2.25.2") is not None
