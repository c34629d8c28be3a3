"""The list says why a prior matters: for what the chart is open for, or for the study that is being read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, study, world
from tests.functional.test_listing import listed, strip

TODAY = datetime.now(UTC).astimezone().date()


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).strftime("%Y%m%d")


def order(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "id": "o1", "status": "active", "priority": "stat", "subject": {"reference": "Patient/p1"}, "code": {"text": "CT perfusion, head"},
            "authoredOn": f"{TODAY.isoformat()}T07:40:00+00:00"} | fields  # fmt: skip


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        yield made


def with_priors(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, day=ago(125), text="CT head"), study("2.25.2", SAME_NUMBER, day=ago(30), text="CT abdomen"))
    hospital.archives["kestrel"] = once(study("2.25.3", "K-9", day=ago(10), text="CT abdomen and pelvis"))


def told(hospital: World, query: str = "") -> dict[str, Any]:
    answer = hospital.get(f"/studies/relevance{query}")
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_an_order_of_today_says_what_is_relevant_and_to_what(hospital: World) -> None:
    with_priors(hospital)
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(order())
    events = list(hospital.stream())
    rows = listed(events)
    assert "Same region, CT, 4 months before" in rows["2.25.1"]["html"]
    assert "before" not in rows["2.25.2"]["html"]
    assert strip(events)["relevant_to"] == "CT perfusion, head, ordered today"
    page = hospital.get("/studies").text
    assert "Relevant to: <bdi>CT perfusion, head, ordered today</bdi>" in page
    assert told(hospital)["rows"].keys() == {"2.25.1"}


def test_a_study_that_is_read_brings_its_own_priors(hospital: World) -> None:
    with_priors(hospital)
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(order())
    list(hospital.stream())
    found = told(hospital, "?to=2.25.3")
    assert found["to"] == "2.25.3"
    assert found["words"].startswith("CT abdomen and pelvis, ")
    assert {uid: sentence for uid, (_, sentence) in found["rows"].items()} == {"2.25.2": "Same region, CT, 20 days before"}
    assert hospital.audited("SourceAnswered")[-1] == {"source": "relevance", "state": "shown", "count": 1, "withheld": 0, "unreadable": 0, "patient": "p1"}


def test_a_study_that_this_launch_does_not_list_is_not_there(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.66", "somebody-else"))
    list(hospital.stream())
    for uid in ("2.25.66", "2.25.9", "", "x"):
        assert hospital.get(f"/studies/relevance?to={uid}").status_code == 404


def test_an_order_for_another_patient_ranks_nothing_and_is_audited(hospital: World) -> None:
    with_priors(hospital)
    hospital.ehr["ServiceRequest"] = lambda asked: bundle(order(subject={"reference": "Patient/p2"}, code={"text": "CANARY CT head"}))
    events = list(hospital.stream())
    assert "CANARY" not in json.dumps(events)
    assert strip(events)["relevant_to"] == ""
    assert strip(events)["tone"] == "all"
    assert "ehr:northgate/purpose" in {one["source"] for one in hospital.audited("RowWithheld")}


def test_without_the_right_to_read_orders_they_are_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, scopes="patient/Patient.rs patient/ImagingStudy.rs patient/DiagnosticReport.rs") as hospital:
        with_priors(hospital)
        events = list(hospital.stream())
        assert {asked.path.split("/")[2] for asked in hospital.servers["ehr"].asked} == {"Patient", "ImagingStudy", "DiagnosticReport"}
    assert strip(events)["tone"] == "all"


def test_an_emergency_visit_makes_todays_study_urgent(hospital: World) -> None:
    hospital.archives["kestrel"] = once(study("2.25.1", "K-9", day=ago(0)), study("2.25.2", "K-9", day=ago(9)))
    hospital.ehr["Encounter"] = lambda asked: bundle(
        {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "EMER"}, "subject": {"reference": "Patient/p1"}, "reasonCode": [{"text": "Headache"}]}
    )
    rows = listed(list(hospital.stream()))
    assert ["Urgent" in rows[uid]["html"] for uid in ("2.25.1", "2.25.2")] == [True, False]
    assert "Same exam, 9 days before" in rows["2.25.2"]["html"]
