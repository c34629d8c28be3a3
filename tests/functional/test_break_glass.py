"""Restricted studies: counted, never silently absent, never opened by any path; and opened with a reason, for a while, on the record."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.context import LaunchContext, User
from launch.session import TokenSet
from smart_app import cli
from smart_app.audit.models import AuditRecord
from smart_app.breakglass.models import BreakGlassRow
from tests.functional.listing_world import World, bundle, once, study, world
from tests.functional.test_listing import imaging_study, listed, strip
from tests.functional.test_remembered_rows import held, on_page, row
from tests.unit.archives.scripted import Say

GLASS = {"confidentiality": ["PSY"], "effect": "break-glass"}
REASON = {"reason": "emergency", "text": "CANARY-TEXT unconscious after a fall"}


class Clock:
    """Time as it is, and moved on by hand."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return getattr(request, "param", [GLASS])


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, policy: list[dict[str, Any]]) -> Iterator[World]:
    """Kestrel holds 2.25.1, which only the chart labels PSY, and 2.25.2, which is plain."""
    sessions = {"idle_minutes": 120, "absolute_hours": 8}
    with world(tmp_path, monkeypatch, clock=clock, policy=policy, sessions=sessions) as made:
        made.archives["kestrel"] = once(study("2.25.1", "K-9", text="CANARY-TITLE"), study("2.25.2", "K-9", text="CT head"))
        made.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, description="CANARY-CHART", meta={"security": [{"code": "R"}, {"code": "PSY"}]}))
        yield launch(made, clock, 1)  # for longer than the hour


def launch(hospital: World, clock: Clock, number: int = 2, **fields: Any) -> World:
    issuer, now = f"{hospital.servers['ehr'].base}/fhir", clock()
    context = LaunchContext(
        f"L{number}" + "b" * 30, "northgate", issuer, User(issuer, "dr-halloran", name="Dr Halloran"), "p1", None, frozenset({"patient/*.rs"}), now,
        now + timedelta(hours=8),
    )  # fmt: skip
    context = replace(context, **fields)
    return replace(hospital, handle=context.handle, cookie=hospital.parts.store.open_launch(None, context, TokenSet("T", now + timedelta(hours=1))))


PATHS = [
    "/outline/kestrel/2.25.1", "/dicomweb/kestrel/studies/2.25.1", "/dicomweb/kestrel/studies/2.25.1/metadata", "/dicomweb/kestrel/studies/2.25.1/series",
    "/dicomweb/kestrel/studies/2.25.1/series/2.25.11/metadata", "/dicomweb/kestrel/studies/2.25.1/series/2.25.11/instances/2.25.111/frames/1",
    "/dicomweb/kestrel/studies/2.25.1/series/2.25.11/thumbnail", "/dicomweb/kestrel/studies/2.25.1/series/2.25.11/instances/2.25.111/rendered",
]  # fmt: skip


def wado(hospital: World) -> int:
    return sum("/studies/2.25.1" in asked.path for asked in hospital.servers["kestrel"].asked)


def test_a_restricted_study_is_counted_and_nothing_else(hospital: World) -> None:
    events = list(hospital.stream())
    assert set(listed(events)) == {"2.25.2"}
    said = strip(events)
    assert "1 study is restricted here" in said["notes_html"]
    assert "Open with a reason" in said["notes_html"]
    page = hospital.get("/studies").text
    assert "1 study is restricted here" in page
    last = [json.dumps(data) for event, data in events if event != "rows" or "2.25.1" not in json.dumps(data)]
    assert "CANARY" not in page + last[-1] + last[-2]
    assert "2.25.1" not in page.replace("2.25.11", "")


@pytest.mark.parametrize("path", PATHS)
def test_no_path_opens_it(hospital: World, path: str) -> None:
    list(hospital.stream())
    assert hospital.get(path).status_code == 404
    assert wado(hospital) == 0, "the archive was not even asked"
    found = json.loads(hospital.get("/dicomweb/kestrel/studies").text)
    assert [one["0020000D"]["Value"] for one in found] == [["2.25.2"]]


def test_alone_it_still_takes_none_found_away(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.1", "K-9"))
    events = list(hospital.stream())
    assert (listed(events), strip(events)["none_found"], strip(events)["tone"]) == ({}, False, "all")
    assert "1 study is restricted here" in strip(events)["notes_html"]
    assert "No imaging found" not in strip(events)["notes_html"]


def why(hospital: World, kind: str) -> None:
    """Something that says what the chart is open for, and whose words are secret."""
    psy = {"security": [{"code": "PSY"}]}
    order = {"resourceType": "ServiceRequest", "id": "o1", "status": "active", "subject": {"reference": "Patient/p1"}, "code": {"text": "CT head CANARY-ORDER"},
             "authoredOn": hospital.parts.clock().isoformat()}  # fmt: skip
    if kind == "labelled order":
        hospital.ehr["ServiceRequest"] = lambda asked: bundle(order | {"meta": psy})
    elif kind == "order of the restricted study":
        number = {"type": {"coding": [{"code": "ACSN"}]}, "value": "NG-1"}
        hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:2.25.1"}, number], meta=psy))
        hospital.ehr["ServiceRequest"] = lambda asked: bundle(order | {"identifier": [number]})
    else:
        visit = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": {"reference": "Patient/p1"}, "meta": psy,
                 "reasonCode": [{"text": "headache, CANARY-VISIT"}], "period": {"start": hospital.parts.clock().isoformat()}}  # fmt: skip
        hospital.ehr["Encounter"] = lambda asked: bundle(visit)


@pytest.mark.parametrize("kind", ["labelled order", "order of the restricted study", "labelled visit"])
def test_what_the_list_is_relevant_to_does_not_tell_a_restricted_reason(hospital: World, kind: str) -> None:
    """The glass opens it, and shows that the words were there."""
    why(hospital, kind)
    told = json.dumps([data for event, data in hospital.stream() if event == "strip"][-1])
    for text in (told, hospital.get("/studies").text, hospital.get("/studies/relevance").text):
        assert "CANARY-ORDER" not in text
        assert "CANARY-VISIT" not in text
    assert hospital.post("/break-glass", **REASON).status_code < 400
    assert "CANARY" in hospital.get("/studies/relevance").text


def test_a_labelled_report_is_no_way_round(hospital: World) -> None:
    """The chart speaks of a study that nobody holds, under a label; and an order speaks of the restricted one."""
    said = {"resourceType": "DiagnosticReport", "status": "final", "subject": {"reference": "Patient/p1"}, "code": {"text": "CANARY-REPORT MRI brain"},
            "category": [{"coding": [{"code": "RAD"}]}], "effectiveDateTime": "2025-03-01"}  # fmt: skip
    hospital.ehr["DiagnosticReport"] = lambda asked: bundle(
        {**said, "id": "r1", "meta": {"security": [{"code": "PSY"}]}}, {**said, "id": "r2", "imagingStudy": [{"reference": "ImagingStudy/s1"}], "effectiveDateTime": "2020-01-01"}
    )
    events = list(hospital.stream())
    assert set(listed(events)) == {"2.25.2"}
    assert "2 studies are restricted here" in strip(events)["notes_html"]
    assert "CANARY" not in hospital.get("/studies").text
    assert "CANARY" not in json.dumps(events[-3:])
    hospital.post("/break-glass", **REASON)
    assert "CANARY-REPORT" in hospital.get("/studies").text


def test_a_label_that_comes_late_takes_the_row_back(hospital: World) -> None:
    """Kestrel names it before the chart has said what it is."""
    labelled = hospital.ehr["ImagingStudy"]
    hospital.ehr["ImagingStudy"] = lambda asked: replace(labelled(asked), hang=0.6)
    events = list(hospital.stream())
    assert any("2.25.1" in data.get("gone", []) for event, data in events if event == "rows")
    assert set(listed(events)) == {"2.25.2"}


@pytest.mark.parametrize("policy", [[{**GLASS, "effect": "hide-details"}]], indirect=True)
def test_where_a_rule_hides_details_a_row_says_that_much(hospital: World) -> None:
    rows = listed(list(hospital.stream()))
    assert set(rows) == {"2.25.2", "restricted-kestrel"}
    page = hospital.get("/studies").text
    shown = row(page, next(uid for uid in on_page(page) if uid.startswith("restricted")))
    assert "1 study is restricted" in shown
    assert "2026" not in shown
    assert "CANARY" not in page
    assert "Open with a reason" not in page
    assert hospital.post("/break-glass", **REASON).status_code == 404
    assert not held(hospital, "kestrel", "2.25.1")


@pytest.mark.parametrize("policy", [[{**GLASS, "effect": "deny"}]], indirect=True)
def test_what_is_denied_is_only_counted_and_cannot_be_opened(hospital: World) -> None:
    rows = listed(list(hospital.stream()))
    assert set(rows) == {"2.25.2"}
    assert "1 study is restricted here" in hospital.get("/studies").text
    assert hospital.post("/break-glass", **REASON).status_code == 404


@pytest.mark.parametrize("policy", [[{**GLASS, "roles": ["reviewer"], "effect": "show"}, {**GLASS, "roles": ["reviewer"]}, {**GLASS, "effect": "deny"}]], indirect=True)
def test_who_may_not_by_role_may_not_with_a_reason_either(hospital: World) -> None:
    list(hospital.stream())
    assert hospital.post("/break-glass", **REASON).status_code == 404
    assert not held(hospital, "kestrel", "2.25.1")


@pytest.mark.parametrize("form", [
    {}, {"reason": "emergency"}, {"reason": "emergency", "text": " short   "}, {"reason": "curious", "text": "I would like to know"}, {"text": "no reason code at all"},
    {"reason": "emergency", "text": "x" * 501}, {"reason": "emergency", "text": "\x00" * 50},
])  # fmt: skip
def test_without_a_reason_nothing_opens(hospital: World, form: dict[str, str]) -> None:
    list(hospital.stream())
    answer = hospital.post("/break-glass", **form)
    assert answer.status_code == 400
    assert "a reason is needed" in answer.text
    assert hospital.audited("BreakGlassOpened") == []
    assert not held(hospital, "kestrel", "2.25.1")


def test_a_forged_request_and_a_get_open_nothing(hospital: World) -> None:
    list(hospital.stream())
    assert hospital.post("/break-glass", "forged", **REASON).status_code == 403
    assert hospital.get("/break-glass", query_string=REASON).status_code == 405
    assert hospital.audited("BreakGlassOpened") == []


def opened(hospital: World) -> World:
    list(hospital.stream())
    answer = hospital.post("/break-glass", **REASON)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/l/{hospital.handle}/studies")
    return hospital


def test_with_a_reason_it_opens_for_this_launch_alone(hospital: World, clock: Clock) -> None:
    other = launch(hospital, clock)
    list(other.stream())
    opened(hospital)
    page = hospital.get("/studies").text
    assert on_page(page) == {"2.25.1", "2.25.2"}
    assert "Restricted studies are open." in page
    assert "60 minutes left" in page
    assert "with the reason you gave" in row(page, "2.25.1")
    assert "with the reason you gave" not in row(page, "2.25.2")
    assert "CANARY-TITLE" in page
    rows = listed(list(hospital.stream()))
    assert set(rows) == {"2.25.1", "2.25.2"}
    assert hospital.get("/outline/kestrel/2.25.1").status_code != 404
    assert wado(hospital) > 0
    assert on_page(other.get("/studies").text) == {"2.25.2"}
    assert other.get("/outline/kestrel/2.25.1").status_code == 404
    assert "Restricted studies are open." not in other.get("/studies").text


def test_each_read_while_it_is_open_says_so_and_the_end_too(hospital: World) -> None:
    hospital.get("/studies")
    opened(hospital)
    (start,) = hospital.audited("BreakGlassOpened")
    assert {name: start[name] for name in ("reason", "minutes", "count", "purpose", "patient")} == {
        "reason": "emergency", "minutes": 60, "count": 1, "purpose": "ETREAT", "patient": "p1"}  # fmt: skip
    hospital.get("/studies")
    list(hospital.stream())
    hospital.get("/outline/kestrel/2.25.1")
    hospital.get("/dicomweb/kestrel/studies/2.25.1/series")
    shown = [record for record in hospital.audited("SourceAnswered") if record["source"] == "page"]
    assert [record.get("opening") for record in (shown[0], shown[-1])] == [None, start["opening"]]
    assert {record.get("opening") for record in hospital.audited("StudyOpened")} == {start["opening"]}
    assert {record.get("purpose") for record in hospital.audited("SourceAnswered")[-4:]} == {"ETREAT"}
    assert hospital.post("/break-glass/end").status_code == 303
    (end,) = hospital.audited("BreakGlassEnded")
    assert (end["by"], end["opening"]) == ("person", start["opening"])
    hospital.get("/dicomweb/kestrel/studies/2.25.2/series")
    assert hospital.audited("SeriesRead")[-1].get("opening") is None
    assert "CANARY" not in json.dumps([start, end]), "the words stay out of the audit: they are sealed elsewhere"


def test_no_record_no_opening(hospital: World, monkeypatch: pytest.MonkeyPatch) -> None:
    list(hospital.stream())
    with hospital.parts.database.transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE audit_heads RENAME TO audit_heads_gone")
    assert hospital.post("/break-glass", **REASON).status_code == 503
    with hospital.parts.database.transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE audit_heads_gone RENAME TO audit_heads")
        assert session.query(BreakGlassRow).count() == 0
    assert not held(hospital, "kestrel", "2.25.1")


def test_time_ends_it_on_the_next_request(hospital: World, clock: Clock) -> None:
    opened(hospital)
    hospital.get("/outline/kestrel/2.25.1")  # what the gateway may remember of this must not outlive the hour
    clock.ahead = timedelta(minutes=59, seconds=50)
    assert hospital.get("/outline/kestrel/2.25.1").status_code != 404
    assert "1 minute left" in hospital.get("/studies").text
    clock.ahead = timedelta(minutes=60, seconds=1)
    assert [hospital.get(path).status_code for path in PATHS] == [404] * len(PATHS)
    page = hospital.get("/studies").text
    assert on_page(page) == {"2.25.2"}
    assert "Restricted studies are open." not in page
    (end,) = hospital.audited("BreakGlassEnded")
    assert end["by"] == "time"


def test_the_worker_ends_what_nobody_looks_at(hospital: World, clock: Clock) -> None:
    opened(hospital)
    hospital.parts.glass.sweep()
    assert hospital.audited("BreakGlassEnded") == []
    clock.ahead = timedelta(minutes=61)
    hospital.parts.glass.sweep()
    hospital.parts.glass.sweep()
    assert [record["by"] for record in hospital.audited("BreakGlassEnded")] == ["time"]


def test_a_person_ends_it_at_once(hospital: World) -> None:
    opened(hospital)
    assert hospital.get("/outline/kestrel/2.25.1").status_code != 404
    hospital.post("/break-glass/end")
    assert hospital.get("/outline/kestrel/2.25.1").status_code == 404
    assert on_page(hospital.get("/studies").text) == {"2.25.2"}
    assert hospital.post("/break-glass/end").status_code == 404


def test_it_ends_with_its_launch(hospital: World, clock: Clock) -> None:
    opened(hospital)
    hospital.parts.store.end(hospital.handle)
    assert [record["by"] for record in hospital.audited("BreakGlassEnded")] == ["launch"]
    assert on_page(launch(hospital, clock).get("/studies").text) <= {"2.25.2"}


def test_asked_twice_it_is_open_once(hospital: World, clock: Clock) -> None:
    opened(hospital)
    clock.ahead = timedelta(minutes=30)
    assert hospital.post("/break-glass", **REASON).status_code == 303
    assert len(hospital.audited("BreakGlassOpened")) == 1
    assert "30 minutes left" in hospital.get("/studies").text, "asking again is no way to more time"


def test_remembered_rows_are_under_the_same_rules(hospital: World, clock: Clock) -> None:
    list(hospital.stream())
    again = launch(hospital, clock)
    page = again.get("/studies").text
    assert on_page(page) == {"2.25.2"}
    assert "1 study is restricted here" in page
    assert not held(again, "kestrel", "2.25.1")
    hospital.archives["kestrel"] = lambda asked: Say(500)
    hospital.ehr["ImagingStudy"] = lambda asked: Say(500)
    assert set(listed(list(again.stream()))) == {"2.25.2"}
    assert again.post("/break-glass", **REASON).status_code == 303
    assert on_page(again.get("/studies").text) == {"2.25.1", "2.25.2"}


def test_another_users_launch_does_not_learn_a_label_that_the_chart_tells_only_some(hospital: World, clock: Clock) -> None:
    """What one user's chart tells is not told to another. That a study is labelled holds for everybody."""
    list(hospital.stream())
    other = launch(hospital, clock, user=User(f"{hospital.servers['ehr'].base}/fhir", "dr-other"))
    assert "2.25.1" not in on_page(other.get("/studies").text), "the archive's remembered row stays closed"
    assert other.get("/outline/kestrel/2.25.1").status_code == 404
    hospital.ehr["ImagingStudy"] = lambda asked: Say(500)
    assert set(listed(list(other.stream()))) == {"2.25.2"}, "also when their chart does not answer"
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1))
    assert set(listed(list(other.stream()))) == {"2.25.1", "2.25.2"}, "a chart that names it without the label has taken the label off"
    third = launch(hospital, clock, 3, user=User(f"{hospital.servers['ehr'].base}/fhir", "dr-third"))
    assert "2.25.1" in on_page(third.get("/studies").text)


def test_the_privacy_officer_reads_who_why_and_how_much(hospital: World, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    opened(hospital)
    hospital.get("/outline/kestrel/2.25.1")
    hospital.get("/dicomweb/kestrel/studies/2.25.1/series")
    hospital.get("/dicomweb/kestrel/studies/2.25.1/series")
    hospital.post("/break-glass/end")
    config = hospital.parts.settings
    assert cli._audit(config, Namespace(verify=False, break_glass=True, json=True, patient=None)) == 0
    (case,) = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (case["who"], case["patient"], case["reason"], case["restricted"], case["how"]) == (
        "Dr Halloran", "p1", "Emergency treatment now", 1, "ended by the person")  # fmt: skip
    assert case["text"] == REASON["text"]
    assert case["reads"] == 1 + len(hospital.audited("SeriesRead"))
    assert cli._audit(config, Namespace(verify=False, break_glass=True, json=False, patient=None)) == 0
    assert "CANARY-TEXT" in capsys.readouterr().out
    assert hospital.audited("AuditRead")[-1]["about"] == "break-glass"


def test_who_and_why_cannot_be_read_in_a_stolen_database(hospital: World) -> None:
    opened(hospital)
    with hospital.parts.database.reading() as session:
        (stored,) = session.query(BreakGlassRow).all()
        assert b"CANARY" not in stored.sealed
        assert "halloran" not in repr(vars(stored))
        assert not session.query(AuditRecord).filter(AuditRecord.details.contains("CANARY")).all()
