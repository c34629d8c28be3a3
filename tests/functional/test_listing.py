"""The Images tab lists a patient's studies: honest about every source, blind to every other patient."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, patient, study, world
from tests.unit.archives.scripted import Say, fhir


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        yield made


def listed(events: list[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Rows on screen at the end."""
    shown: dict[str, dict[str, Any]] = {}
    for event, data in events:
        if event == "rows":
            shown.update({row["uid"]: row for row in data["rows"]})
            for uid in data.get("gone", []):
                shown.pop(uid)
    return shown


def strip(events: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return [data for event, data in events if event == "strip"][-1]


def imaging_study(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy", "id": f"s{number}", "status": "available", "subject": {"reference": "Patient/p1"}, "started": "2024-09-18",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{number}"}], "modality": [{"code": "MR"}], "description": "From the chart",
    } | fields  # fmt: skip


def test_studies_of_chart_and_archives_become_one_list(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    hospital.archives["kestrel"] = once(study("2.25.2", "K-9", day="20260521", text="CT chest"))
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1), imaging_study(3))
    hospital.ehr["DiagnosticReport"] = lambda asked: bundle(
        {"resourceType": "DiagnosticReport", "status": "amended", "subject": {"reference": "Patient/p1"}, "imagingStudy": [{"reference": "ImagingStudy/s1"}]}
    )
    events = list(hospital.stream())
    assert events[0][0] == "strip"
    assert events[0][1]["tone"] == "asking"
    assert events[-1][0] == "done"
    rows = listed(events)
    assert set(rows) == {"2.25.1", "2.25.2", "2.25.3"}
    assert "Final, amended" in rows["2.25.1"]["html"]
    assert rows["2.25.1"]["hospitals"] == ["Northgate"]
    assert "does not say where its images are" in rows["2.25.3"]["html"]
    assert (strip(events)["tone"], strip(events)["answered"], strip(events)["asked"]) == ("all", 4, 4)


def test_every_event_names_its_launch_and_patient(hospital: World) -> None:
    keys = {(data["launch"], data["patient"]) for _, data in hospital.stream()}
    assert len(keys) == 1
    assert next(iter(keys))[0] == hospital.handle


def test_no_imaging_found_only_when_everyone_answered(hospital: World) -> None:
    events = list(hospital.stream())
    assert strip(events)["none_found"] is True
    assert "No imaging found" in strip(events)["notes_html"]


@pytest.mark.parametrize(
    "say",
    [
        Say(500), Say(401), Say(403), Say(302, headers={"Location": "https://evil.example/"}), Say(200, b"<html>login", {"Content-Type": "text/html"}), Say(429),
        Say(200, b"[", {"Content-Type": "application/dicom+json"}, announce=10), Say(206, b"[]"), Say(204, headers={"Warning": "299 x y"}), Say(413), Say(hang=9),
    ],
)  # fmt: skip
def test_one_source_that_fails_takes_the_word_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> None:
    with world(tmp_path, monkeypatch, deadline=2 if say.hang else 8) as hospital:
        hospital.archives["kestrel"] = lambda asked: say
        events = list(hospital.stream())
    assert all(data["none_found"] is False for event, data in events if event == "strip")
    assert "No imaging found" not in json.dumps(events)
    assert strip(events)["tone"] == "partial"
    assert "May be incomplete." in strip(events)["html"]


def test_rows_are_there_before_a_held_archive_answers(hospital: World) -> None:
    seen = threading.Event()
    waited: list[bool] = []
    hospital.archives["brannoc"] = lambda asked: (waited.append(seen.wait(4)), Say(204))[1]
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    for event, _ in hospital.stream():
        if event == "rows":
            seen.set()
    assert waited
    assert all(waited), "the archive that is held waited for the rows of the other"


def test_what_another_stream_still_asks_earns_no_word_from_its_earlier_answer(hospital: World) -> None:
    assert strip(list(hospital.stream()))["none_found"] is True
    alone = strip(list(hospital.stream("?source=kestrel")))
    assert alone["none_found"] is True
    beside = strip(list(hospital.stream("?source=kestrel&asking=brannoc&asking=nowhere&asking=kestrel")))
    assert (beside["none_found"], beside["tone"], beside["answered"], beside["asked"]) == (False, "some", 3, 4)


def test_a_launch_that_ends_while_sources_are_asked_tells_and_keeps_nothing_more(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    hospital.archives["kestrel"] = lambda asked: (hospital.parts.store.end(hospital.handle), once(study("2.25.9", "K-9"))(asked))[1]
    hospital.archives["brannoc"] = lambda asked: Say(204, hang=1)
    events = list(hospital.stream())
    assert events[-1][0] == "ended"
    assert "2.25.9" not in json.dumps(events)
    assert hospital.parts.holdings.answers(hospital.handle) == ()
    assert hospital.get("/studies").status_code == 401


def test_a_hung_archive_does_not_hold_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, deadline=1) as hospital:
        hospital.archives["brannoc"] = lambda asked: Say(204, hang=30)
        begun = time.monotonic()
        events = list(hospital.stream())
        assert time.monotonic() - begun < 3
    assert events[-1][0] == "done"
    assert "St Brannoc did not answer in 1 second." in strip(events)["notes_html"]


def test_one_number_of_two_people_at_two_hospitals(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.66", SAME_NUMBER, text="CANARY of somebody else"), study("2.25.2", "K-9"))
    events = list(hospital.stream())
    assert set(hospital.asked("kestrel")) == {"K-9"}
    assert set(hospital.asked("northgate")) == {SAME_NUMBER}
    assert set(listed(events)) == {"2.25.2"}
    assert "CANARY" not in json.dumps(events)
    assert "2.25.66" not in json.dumps(events)
    assert strip(events)["tone"] == "partial"
    (withheld,) = hospital.audited("RowWithheld")
    assert (withheld["source"], withheld["count"], withheld["patient"]) == ("kestrel", 1, "p1")
    assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.66") is None
    assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.2") is not None


def test_a_row_of_another_issuer_is_withheld(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.2", "K-9", issuer="NORTHGATE"))
    events = list(hospital.stream())
    assert listed(events) == {}
    assert strip(events)["none_found"] is False


def test_a_chart_entry_of_another_patient_is_withheld_and_audited(hospital: World) -> None:
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1), imaging_study(2, subject={"reference": "Patient/p2"}, description="CANARY"))
    events = list(hospital.stream())
    assert set(listed(events)) == {"2.25.1"}
    assert "CANARY" not in json.dumps(events)
    assert hospital.audited("RowWithheld")[0]["source"] == "ehr:northgate"


def test_without_an_identifier_an_archive_is_not_asked(hospital: World) -> None:
    hospital.ehr["Patient"] = lambda asked: fhir(patient(identifier=[{"system": "urn:northgate", "value": SAME_NUMBER}]))
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(
        imaging_study(1, endpoint=[{"reference": "#e"}], contained=[{"resourceType": "Endpoint", "id": "e", "address": f"{hospital.servers['kestrel'].base}/rs"}])
    )
    events = list(hospital.stream())
    assert hospital.servers["kestrel"].asked == []
    assert "no identifier for this archive" in strip(events)["html"]
    assert strip(events)["none_found"] is False
    assert "holds no identifier for that archive" in listed(events)["2.25.1"]["html"]
    assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.1") is None


def test_an_endpoint_at_a_configured_archive_can_be_opened_and_another_is_named(hospital: World) -> None:
    def at(number: int, address: str) -> dict[str, Any]:
        return imaging_study(number, endpoint=[{"reference": "#e"}], contained=[{"resourceType": "Endpoint", "id": "e", "address": address}])

    own = hospital.servers["kestrel"].base
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(at(1, f"{own}/rs/studies/2.25.1"), at(2, f"{own}/other"), at(3, "https://pacs.evil.example/rs?key=CANARY"))
    events = list(hospital.stream())
    rows = listed(events)
    held = hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.1")
    assert held is not None
    assert held.patient_id.value == "K-9"
    assert "data-archive=\"kestrel\"" in rows["2.25.1"]["html"]
    for uid in ("2.25.2", "2.25.3"):
        assert "not approved here" in rows[uid]["html"]
    assert rows["2.25.3"]["hospitals"] == ["pacs.evil.example"], "not the hospital of the chart, which says that it is elsewhere"
    assert "https://pacs.evil.example" in strip(events)["notes_html"]
    assert "CANARY" not in json.dumps(events)
    assert {asked.path for asked in hospital.servers["kestrel"].asked} == {"/rs/studies"}


def test_a_study_elsewhere_bears_the_name_that_the_chart_gives_the_place(hospital: World) -> None:
    place = {"resourceType": "Endpoint", "id": "e", "address": "https://harrow.example/rs", "name": "Harrow archive", "managingOrganization": {"display": "Harrow Vale"}}
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, endpoint=[{"reference": "#e"}], contained=[place]))
    assert listed(list(hospital.stream()))["2.25.1"]["hospitals"] == ["Harrow Vale"]


def test_the_ehr_token_goes_nowhere_but_to_the_ehr(hospital: World) -> None:
    list(hospital.stream())
    for key in ("northgate", "kestrel", "brannoc"):
        assert hospital.servers[key].asked
        assert all("CANARY-TOKEN" not in str(asked.headers) for asked in hospital.servers[key].asked)
    assert all(asked.headers["authorization"] == "Bearer CANARY-TOKEN" for asked in hospital.servers["ehr"].asked)


def test_one_source_can_be_asked_again_and_the_others_are_left_alone(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    hospital.archives["kestrel"] = lambda asked: Say(500)
    list(hospital.stream())
    before = {key: len(server.asked) for key, server in hospital.servers.items()}
    hospital.archives["kestrel"] = once(study("2.25.2", "K-9"))
    events = list(hospital.stream("?source=kestrel"))
    assert set(listed(events)) == {"2.25.1", "2.25.2"}
    assert strip(events)["tone"] == "all"
    assert {key for key, server in hospital.servers.items() if len(server.asked) != before[key]} == {"kestrel"}


def test_a_source_that_fails_later_keeps_what_it_told(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.2", "K-9"))
    list(hospital.stream())
    hospital.archives["kestrel"] = lambda asked: Say(500)
    events = list(hospital.stream("?source=kestrel"))
    assert set(listed(events)) == {"2.25.2"}
    assert "failed, 1 from earlier" in strip(events)["html"]
    assert strip(events)["tone"] == "partial"
    hospital.archives["kestrel"] = lambda asked: Say(204)
    assert listed(list(hospital.stream("?source=kestrel"))) == {}
    assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.2") is None


def test_an_unknown_source_is_not_here(hospital: World) -> None:
    assert hospital.get("/studies/stream?source=nobody").status_code == 404
    assert hospital.servers["kestrel"].asked == []


def test_reports_that_may_not_be_read_are_said_and_studies_shown(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    hospital.ehr["DiagnosticReport"] = lambda asked: Say(403)
    events = list(hospital.stream())
    assert "The EHR did not allow Priors to read reports, so none are shown. The EHR team can allow it." in strip(events)["notes_html"]
    assert "No report" not in listed(events)["2.25.1"]["html"]
    assert strip(events)["tone"] == "all"


def test_a_right_that_was_not_granted_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, scopes="patient/Patient.r") as hospital:
        events = list(hospital.stream())
        assert {asked.path for asked in hospital.servers["ehr"].asked} == {"/fhir/Patient/p1"}
    assert "did not allow Priors to read its list of studies" in strip(events)["notes_html"]
    assert strip(events)["none_found"] is False


def test_an_unreadable_patient_asks_no_archive(hospital: World) -> None:
    hospital.ehr["Patient"] = lambda asked: Say(500)
    events = list(hospital.stream())
    assert all(not hospital.servers[key].asked for key in ("northgate", "kestrel", "brannoc"))
    assert strip(events)["tone"] == "failed"
    assert "No imaging found" not in json.dumps(events)


def test_the_wrong_patient_record_asks_no_archive(hospital: World) -> None:
    hospital.ehr["Patient"] = lambda asked: fhir(patient(id="p2"))
    list(hospital.stream())
    assert all(not hospital.servers[key].asked for key in ("northgate", "kestrel", "brannoc"))
    assert hospital.get("/studies").status_code == 502


def test_each_answer_is_audited_before_it_is_sent(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    for event, data in hospital.stream():
        if event == "strip":
            told = {record["source"] for record in hospital.audited("SourceAnswered")} - {"ehr:northgate/reports"}
            assert len(told) >= data["answered"]
    by_source = {record["source"]: record for record in hospital.audited("SourceAnswered")}
    assert by_source["northgate"]["count"] == 1
    assert by_source["northgate"]["patient"] == "p1"


def test_what_cannot_be_audited_is_not_sent(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    with hospital.parts.database.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE audit_records")
    events = list(hospital.stream())
    assert [event for event, _ in events] == ["strip"]


def test_the_page_is_there_at_once_and_asks_nobody(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    list(hospital.stream())
    before = {key: len(server.asked) for key, server in hospital.servers.items()}
    page = hospital.get("/studies/2.25.1")
    assert page.status_code == 200
    for word in ("MARCHETTI, Rosalind", "9 Aug 1951", SAME_NUMBER, "CT head", "Female"):
        assert word in page.text
    assert {key: len(server.asked) for key, server in hospital.servers.items()} == before
    assert hospital.audited("SourceAnswered")[-1]["source"] == "page"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_head_names_a_study_to_open_only_if_this_list_can_open_it(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(3))
    before = hospital.get("/studies/2.25.1").text
    events = list(hospital.stream())
    named = re.search(r'<meta name="opening" content="([^"]*)">', hospital.get("/studies/2.25.1").text)
    assert named
    told = json.loads(html.unescape(named[1]))
    assert told == {"launch": hospital.handle, "patient": events[0][1]["patient"], "archive": "northgate", "study": "2.25.1"}
    nothing_to_open = [before, *(hospital.get(f"/studies{path}").text for path in ("", "/2.25.3", "/2.25.9"))]
    assert not [page for page in nothing_to_open if 'name="opening"' in page]


def test_a_merged_patient_record_is_said(hospital: World) -> None:
    hospital.ehr["Patient"] = lambda asked: fhir(patient(link=[{"type": "replaced-by", "other": {"reference": "Patient/p7"}}]))
    events = list(hospital.stream())
    assert "replaced by another one" in strip(events)["notes_html"]
    assert strip(events)["none_found"] is False


def test_a_script_in_a_description_is_text(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, text="<script>alert(1)</script>"))
    html = listed(list(hospital.stream()))["2.25.1"]["html"]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
