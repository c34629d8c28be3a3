"""The Images tab shows at once what it knew of this patient before, says since when, and takes back what is no longer so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.context import LaunchContext, User
from launch.session import TokenSet
from smart_app.audit.models import AuditRecord
from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, patient, study, world
from tests.functional.test_listing import imaging_study, listed, strip
from tests.unit.archives.scripted import Say, fhir


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        made.archives["kestrel"] = once(study("2.25.1", "K-9", text="CT chest"), study("2.25.2", "K-9", text="CT head"))
        made.archives["brannoc"] = once(study("2.25.3", "B-5", text="XR hand"))
        yield made


def launch(hospital: World, number: int = 2, **fields: Any) -> World:
    """A further launch, by default of the same patient and user."""
    issuer, now = f"{hospital.servers['ehr'].base}/fhir", datetime.now(UTC)
    context = LaunchContext(
        f"L{number}" + "b" * 30, "northgate", issuer, User(issuer, "dr-halloran", name="Dr Halloran"), "p1", None, frozenset({"patient/*.rs"}), now,
        now + timedelta(hours=1),
    )  # fmt: skip
    context = replace(context, **fields)
    cookie = hospital.parts.store.open_launch(None, context, TokenSet("CANARY-TOKEN", now + timedelta(hours=1)))
    return replace(hospital, handle=context.handle, cookie=cookie)


def on_page(page: str) -> set[str]:
    return set(re.findall(r'data-uid="([^"]+)"', page.partition('id="rows"')[2]))


def row(page: str, uid: str) -> str:
    return page.partition(f'data-uid="{uid}"')[2].partition("</li>")[0]


def held(hospital: World, archive: str, uid: str) -> bool:
    return hospital.parts.holdings.held(hospital.handle, archive, uid) is not None


def test_the_next_launch_shows_them_before_anybody_is_asked(hospital: World) -> None:
    list(hospital.stream())
    again = launch(hospital)
    asked = len(hospital.asked("kestrel"))
    page = again.get("/studies").text
    assert on_page(page) == {"2.25.1", "2.25.2", "2.25.3"}
    assert re.search(r"as of \d\d:\d\d<", row(page, "2.25.1"))
    assert re.search(r"From earlier: as of \d\d:\d\d\.</span> <strong>Asking 4 sources…", page)
    assert "t-asking" in page
    assert "No imaging found" not in page
    assert len(hospital.asked("kestrel")) == asked, "the page asks nobody"
    assert held(again, "kestrel", "2.25.1")
    shown = [record for record in hospital.audited("SourceAnswered") if record["source"] == "page"]
    assert shown[-1]["count"] == 3


def test_the_mark_goes_or_the_row_goes_when_its_source_answers(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["kestrel"] = once(study("2.25.1", "K-9", text="CT chest"))
    again = launch(hospital)
    again.get("/studies")
    events = list(again.stream())
    rows = listed(events)
    assert set(rows) == {"2.25.1", "2.25.3"}
    assert "asof" not in rows["2.25.1"]["html"]
    assert not held(again, "kestrel", "2.25.2")
    assert any("2.25.2" in data.get("gone", []) for event, data in events if event == "rows"), "it goes as its source answers, not at the end"
    assert strip(events)["tone"] == "all"
    assert on_page(launch(hospital, 3).get("/studies").text) == {"2.25.1", "2.25.3"}


def test_none_found_is_still_earned_by_this_launch_alone(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives.update(kestrel=lambda asked: Say(204), brannoc=lambda asked: Say(204))
    again = launch(hospital)
    assert on_page(again.get("/studies").text)
    events = list(again.stream())
    assert (listed(events), strip(events)["none_found"]) == ({}, True)
    said = [data for event, data in events if event == "strip"]
    assert {data["tone"] for data in said if data["none_found"]} == {"all"}
    assert not any(data["none_found"] for data in said if data["answered"] < data["asked"]), "not before all four have answered"


def test_a_source_that_fails_now_leaves_its_rows_marked(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["kestrel"] = lambda asked: Say(500)
    again = launch(hospital)
    again.get("/studies")
    events = list(again.stream())
    rows = listed(events)
    assert set(rows) == {"2.25.1", "2.25.2", "2.25.3"}
    assert re.search(r"as of \d\d:\d\d; Kestrel Cancer Centre did not answer now", rows["2.25.1"]["html"])
    assert "asof" not in rows["2.25.3"]["html"]
    assert strip(events)["tone"] == "partial"
    assert "3 of 4 sources answered." in strip(events)["html"]
    assert held(again, "kestrel", "2.25.1"), "it may be tried; every image is still checked"
    assert on_page(launch(hospital, 3).get("/studies").text) == {"2.25.1", "2.25.2", "2.25.3"}, "a failure erases nothing"


def test_all_fail_and_nothing_is_claimed(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives.update(dict.fromkeys(hospital.archives, lambda asked: Say(500)))
    hospital.ehr["ImagingStudy"] = lambda asked: Say(500)
    again = launch(hospital)
    again.get("/studies")
    events = list(again.stream())
    assert len(listed(events)) == 3
    assert strip(events)["tone"] == "failed"
    assert "We could not look again" in strip(events)["notes_html"]


def test_a_row_that_names_another_patient_now_is_gone_at_once(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["kestrel"] = once(study("2.25.1", "SOMEBODY-ELSE"), study("2.25.2", "K-9"))
    again = launch(hospital)
    again.get("/studies")
    assert set(listed(list(again.stream()))) == {"2.25.2", "2.25.3"}
    assert not held(again, "kestrel", "2.25.1")
    third = launch(hospital, 3)
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(1, endpoint=[{"reference": "#e"}], contained=[
        {"resourceType": "Endpoint", "id": "e", "address": f"{hospital.servers['kestrel'].base}/rs", "connectionType": {"code": "dicom-wado-rs"}}]))  # fmt: skip
    hospital.archives["kestrel"] = lambda asked: Say(500)
    assert "2.25.1" not in on_page(third.get("/studies").text)
    rows = listed(list(third.stream()))
    assert "gives this study to another patient" in rows["2.25.1"]["html"], "the chart names it; what Kestrel said of it is remembered"
    assert not held(third, "kestrel", "2.25.1")


CHANGES: dict[str, dict[str, Any]] = {
    "the identifier is gone": {"identifier": [{"system": "urn:northgate", "value": SAME_NUMBER}, {"system": "urn:brannoc", "value": "B-5"}]},
    "the identifier is another": {"identifier": [{"system": "urn:kestrel", "value": "K-10"}, {"system": "urn:brannoc", "value": "B-5"}]},
    "the identifier is retired": {"identifier": [{"system": "urn:kestrel", "value": "K-9", "use": "old"}, {"system": "urn:brannoc", "value": "B-5"}]},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_identity_that_changed_drops_the_rows_of_that_source(hospital: World, change: dict[str, Any]) -> None:
    list(hospital.stream())
    hospital.ehr["Patient"] = lambda asked: fhir(patient(**change))
    again = launch(hospital)
    assert on_page(again.get("/studies").text) == {"2.25.3"}
    assert not held(again, "kestrel", "2.25.1")
    hospital.ehr["Patient"] = lambda asked: fhir(patient())
    assert on_page(launch(hospital, 3).get("/studies").text) == {"2.25.3"}, "dropped, not only hidden"


@pytest.mark.parametrize("change", [{"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}, {"birthDate": "1951-08-08"}])
def test_a_patient_who_is_merged_or_corrected_starts_anew(hospital: World, change: dict[str, Any]) -> None:
    list(hospital.stream())
    hospital.ehr["Patient"] = lambda asked: fhir(patient(**change))
    assert on_page(launch(hospital).get("/studies").text) == set()


def test_another_patient_another_tenant_and_another_ehr_get_nothing(hospital: World) -> None:
    list(hospital.stream())
    hospital.ehr["Patient"] = lambda asked: fhir(patient(id="p2"))
    other = launch(hospital, 2, patient_id="p2")
    assert on_page(other.get("/studies").text) == set()
    assert not held(other, "kestrel", "2.25.1")


def test_what_the_chart_told_one_user_is_not_shown_to_another(hospital: World) -> None:
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(7))
    list(hospital.stream())
    issuer = f"{hospital.servers['ehr'].base}/fhir"
    assert "2.25.7" in on_page(launch(hospital).get("/studies").text)
    assert on_page(launch(hospital, 3, user=User(issuer, "dr-other")).get("/studies").text) == {"2.25.1", "2.25.2", "2.25.3"}
    narrow = launch(hospital, 4, scopes=frozenset({"patient/Patient.rs"}))
    assert "2.25.7" not in on_page(narrow.get("/studies").text), "a launch that may not ask the chart is not told what it said"


def test_an_answer_in_part_keeps_the_rest_and_says_so(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["kestrel"] = lambda asked: Say(206, once(study("2.25.1", "K-9"))(asked).body, {"Content-Type": "application/dicom+json"})
    again = launch(hospital)
    again.get("/studies")
    rows = listed(list(again.stream()))
    assert "asof" not in rows["2.25.1"]["html"]
    assert "not in Kestrel Cancer Centre’s answer now, which may be incomplete" in rows["2.25.2"]["html"]


def test_the_worker_and_the_command_forget(hospital: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from argparse import Namespace

    from smart_app import cli

    list(hospital.stream())
    assert cli._index(hospital.parts.settings, Namespace(patient="p1", ehr="nobody")) == 2
    assert cli._index(hospital.parts.settings, Namespace(patient="p1", ehr=None)) == 0
    assert "4 entries were forgotten" in capsys.readouterr().out
    assert on_page(launch(hospital).get("/studies").text) == set()
    with hospital.parts.database.reading() as session:
        (record,) = session.query(AuditRecord).filter(AuditRecord.event == "IndexForgotten").all()
        assert (record.patient, record.verb) == ("p1", "D")


def test_a_page_that_goes_away_has_still_told_what_it_was_told(hospital: World) -> None:
    hospital.archives["brannoc"] = lambda asked: Say(204, hang=1.5)
    stream = hospital.stream()
    seen: set[str] = set()
    while "2.25.1" not in seen:
        _, data = next(stream)
        seen |= {one["uid"] for one in data.get("rows", [])}
    stream.close()
    assert "2.25.1" in on_page(launch(hospital).get("/studies").text)
