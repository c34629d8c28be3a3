"""An open list learns of new studies by itself: gently, honestly, and without keeping anybody signed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from smart_app.factory import create_app
from smart_app.session_store import LaunchRow
from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, study, world
from tests.functional.test_listing import strip
from tests.functional.test_relevance import ago
from tests.unit.archives.scripted import Say, rows


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        yield made


def look(hospital: World, known: str = "") -> dict[str, Any]:
    answer = hospital.get(f"/studies/watch?known={known}")
    assert answer.status_code == 200
    return dict(answer.get_json())


def anew(hospital: World) -> None:
    """An answer is shared for half an interval. The next look is another worker's, which holds none."""
    app = create_app(hospital.parts.settings)
    app.jinja_env.globals["asset"] = hospital.client.application.jinja_env.globals["asset"]
    hospital.client = app.test_client(use_cookies=False)


def shown(told: dict[str, Any]) -> set[str]:
    return {row["uid"] for row in told["rows"]}


def test_a_study_that_arrives_is_told_once_with_how_long_it_can_have_been_there(hospital: World) -> None:
    events = list(hospital.stream())
    first = look(hospital)
    assert first["rows"] == []
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, day=ago(0)))
    hospital.ehr["Encounter"] = lambda asked: bundle()
    anew(hospital)
    told = look(hospital, first["known"])
    assert shown(told) == {"2.25.1"}
    assert told["arrived"]["2.25.1"].startswith("Found ")
    assert " s of arriving" in told["arrived"]["2.25.1"]
    assert told["strip"]["none_found"] is False
    assert strip(events)["none_found"] is True
    (arrived,) = hospital.audited("StudyArrived")
    assert (arrived["source"], arrived["study"], arrived["patient"]) == ("northgate", "2.25.1", "p1")
    assert 0 <= arrived["within_seconds"] < 60
    assert "rows" not in look(hospital, told["known"])
    assert hospital.parts.holdings.held(hospital.handle, "northgate", "2.25.1") is not None


def test_only_the_chart_and_watched_archives_are_asked(hospital: World) -> None:
    list(hospital.stream())
    before = {key: len(server.asked) for key, server in hospital.servers.items()}
    look(hospital)
    after = {key: len(server.asked) - before[key] for key, server in hospital.servers.items()}
    assert (after["kestrel"], after["brannoc"]) == (0, 0)
    assert [asked.one("offset") for asked in hospital.servers["northgate"].asked[before["northgate"] :] if asked.one("offset") != "1"] == ["0"]
    assert {asked.path.split("/")[2] for asked in hospital.servers["ehr"].asked[before["ehr"] :]} == {"ImagingStudy", "ServiceRequest", "Encounter", "Appointment"}


def test_nobody_is_asked_before_the_list_was(hospital: World) -> None:
    told = look(hospital)
    assert told["missed"] == []
    assert all(server.asked == [] for server in hospital.servers.values())


@pytest.mark.parametrize("say", [Say(500), Say(401), Say(204, hang=30), Say(200, b"[")])
def test_a_look_that_fails_is_said_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> None:
    with world(tmp_path, monkeypatch, deadline=1) as hospital:
        hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
        list(hospital.stream())
        known = look(hospital)
        hospital.archives["northgate"] = lambda asked: say
        anew(hospital)
        again = look(hospital, known["known"])
        assert again["missed"] == ["Northgate"]
        assert "rows" not in again
        assert hospital.parts.holdings.held(hospital.handle, "northgate", "2.25.1") is not None


def test_a_source_that_failed_when_asked_is_left_in_peace(hospital: World) -> None:
    hospital.archives["northgate"] = lambda asked: Say(500)
    list(hospital.stream())
    before = len(hospital.servers["northgate"].asked)
    look(hospital)
    assert len(hospital.servers["northgate"].asked) == before


def test_a_row_of_another_patient_is_withheld_audited_and_takes_the_word(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["northgate"] = once(study("2.25.66", "somebody-else", text="CANARY"))
    told = look(hospital)
    assert "CANARY" not in json.dumps(told)
    assert "2.25.66" not in json.dumps(told)
    assert hospital.audited("RowWithheld") == [{"source": "northgate", "reason": "another-patient", "count": 1, "patient": "p1"}]
    assert look(hospital, "x")["strip"]["none_found"] is False


def test_looking_does_not_keep_the_launch_alive(hospital: World) -> None:
    list(hospital.stream())
    with hospital.parts.database.transaction() as session:
        used = session.scalars(select(LaunchRow.used_at).where(LaunchRow.handle == hospital.handle)).one()
        earlier = used - timedelta(minutes=5)
        session.execute(update(LaunchRow).where(LaunchRow.handle == hospital.handle).values(used_at=earlier))
    look(hospital)
    assert _used(hospital) == earlier
    hospital.get("/studies")
    assert _used(hospital) > earlier
    with hospital.parts.database.transaction() as session:
        session.execute(update(LaunchRow).where(LaunchRow.handle == hospital.handle).values(used_at=earlier - timedelta(minutes=15)))
    assert hospital.get("/studies/watch").status_code == 401
    assert hospital.parts.holdings.answers(hospital.handle) == ()


def _used(hospital: World) -> datetime:
    with hospital.parts.database.reading() as session:
        return session.scalars(select(LaunchRow.used_at).where(LaunchRow.handle == hospital.handle)).one()


def test_a_launch_that_ends_while_it_looks_keeps_nothing(hospital: World) -> None:
    list(hospital.stream())
    hospital.archives["northgate"] = lambda asked: (hospital.parts.store.end(hospital.handle), once(study("2.25.9", SAME_NUMBER))(asked))[1]
    told = look(hospital)
    assert (told["ended"], told.keys()) == (True, {"launch", "patient", "ended"})
    assert hospital.parts.holdings.answers(hospital.handle) == ()


def test_new_doubt_reaches_an_open_tab_also_when_no_row_changes(hospital: World) -> None:
    """'All answered' on the screen is a claim about now: a row that must be withheld takes it away at the next look."""
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, day=ago(9)))
    assert strip(list(hospital.stream()))["tone"] == "all"
    first = look(hospital)
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, day=ago(9)), study("2.25.2", "SOMEBODY-ELSE", day=ago(0)))
    anew(hospital)
    told = look(hospital, first["known"])
    assert shown(told) == {"2.25.1"}
    assert told["strip"]["tone"] == "partial"
    assert "withheld" in told["strip"]["html"]
    anew(hospital)
    assert "strip" not in look(hospital, told["known"]), "told once"


def test_a_look_that_broke_off_is_no_check(hospital: World) -> None:
    """Else the page says that it has looked, while the second half of the list was never read."""
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER, day=ago(9)))
    list(hospital.stream())

    def breaks_off(asked: Any) -> Say:
        full = [study(f"2.25.1{n}", SAME_NUMBER, day=ago(9)) for n in range(int(asked.one("limit") or 100))]
        return rows(*full) if asked.one("offset") == "0" else Say(500)

    hospital.archives["northgate"] = breaks_off
    anew(hospital)
    assert look(hospital)["missed"] == ["Northgate"]
