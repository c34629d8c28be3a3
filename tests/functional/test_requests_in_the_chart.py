"""From a known row to a request, over HTTP: filled in, sent once, shown in the list and in its timeline, of this patient only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.context import LaunchContext, User
from launch.session import TokenSet
from smart_app.audit.request_events import RequestSeen
from smart_app.clock import utc_now
from smart_app.fhir.patient import patient_from
from smart_app.image_requests.types import Actor, Anchor, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act
from tests.functional.listing_world import World, bundle, once, patient, study, world
from tests.functional.test_known_missing import asked_for, letter
from tests.functional.test_listing import listed, strip

FACILITIES = [
    {"id": "brannoc", "name": "St Brannoc District", "place": "Wye", "routes": [{"kind": "email", "address": "images@brannoc.example"}, {"kind": "fax", "address": "0555"}]},
    {"id": "harrow", "name": "Harrow Vale Clinic", "routes": [{"kind": "fax", "address": "0555 0100"}]},
    {"id": "zurich", "name": "Universitätsspital Zürich", "routes": [{"kind": "email", "address": "x@zurich.example"}]},
]
SENDER, SYSTEM, STAFF = Actor(Party.SENDER, name="D. Whitcombe"), Actor(Party.SYSTEM), Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
FORM = {"title": "CT perfusion, head", "accession": "SB-CANARY-88122", "date_from": "2026-05-21", "urgency": "routine", "report": "yes", "case": "CS-23456789", "why": "Stroke", "do": "send"}


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch, facilities=FACILITIES) as made:
        made.ehr["DocumentReference"] = lambda asked: bundle(letter())
        yield made


def known(hospital: World) -> dict[str, Any]:
    (row,) = [row for row in listed(list(hospital.stream())).values() if 'data-kind="known"' in row["html"] or 'data-kind="requested"' in row["html"]]
    return row


def token(row: dict[str, Any]) -> str:
    return asked_for(row).partition("of=")[2]


def send(at: World, row: dict[str, Any], **more: Any) -> Any:
    form = FORM | {"of": token(row), "to": "brannoc"} | more
    return at.post("/requests", **{name: value for name, value in form.items() if value is not None})


def ids(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"RQ-[0-9A-Z]{8}", page)))


def test_two_clicks_from_the_row_to_the_state_in_the_list(hospital: World) -> None:
    row = known(hospital)
    form = hospital.get(f"{asked_for(row)}&bare=1").text
    assert "<html" not in form
    for value in ("Request: CT perfusion, head, 21 May 2026", "Filled in from the transfer letter.", "St Brannoc District", "e-mail link", "The patient or family", "2026-05-21"):
        assert value in form
    assert re.search(r'value="brannoc"[^>]* checked', form), "the hospital that the letter names is chosen"
    assert not re.search(r'value="harrow"[^>]* checked', form)
    sent = send(hospital, row, bare="yes")
    assert sent.status_code == 200
    assert "Request sent" in sent.text
    (id,) = ids(sent.text)
    found = hospital.parts.requests.get(id)
    assert (found.state, found.asked_by, found.facility.id if found.facility else "") == (State.SENT, "Dr Halloran", "brannoc")
    assert (found.asked.patient.name, found.asked.patient.mrn, found.asked.wanted.accession) == ("MARCHETTI, Rosalind", "40771953", "SB-CANARY-88122")
    after = known(hospital)
    assert after["uid"] == row["uid"]
    for words in ("Requested", "Sent to St Brannoc District", f"/requests/{id}", 'data-kind="requested"'):
        assert words in after["html"]
    assert "/request?of=" not in after["html"], "nobody is led to ask twice"


def test_an_identical_request_is_refused_and_shown_and_a_repeated_form_asks_nobody_twice(hospital: World) -> None:
    row = known(hospital)
    (first,) = ids(send(hospital, row).text)
    again = send(hospital, row)
    assert ("Request sent" in again.text, ids(again.text)) == (True, [first]), "the same form, its answer was lost"
    other = send(hospital, row, case="CS-98765432")
    assert "Already open" in other.text
    assert "The same request is already open since" in other.text
    assert ids(other.text) == [first]
    assert len(hospital.parts.requests.of_patient("northgate", "p1")) == 1


def test_several_are_asked_at_once_and_the_patient_with_one_case(hospital: World) -> None:
    row = known(hospital)
    page = send(hospital, row, to=["brannoc", "harrow", "patient"], thin="yes").text
    made = [hospital.parts.requests.get(id) for id in ids(page)]
    assert [(one.facility.id if one.facility else "", one.asked.route.kind, one.asked.basis) for one in made] == [
        ("brannoc", RouteKind.EMAIL, "treatment"), ("harrow", RouteKind.FAX, "treatment"), ("", RouteKind.PATIENT, "patient"),
    ]  # fmt: skip
    assert {one.asked.case for one in made} == {"CS-23456789"}
    assert all(one.asked.wanted.thin for one in made)
    html = known(hospital)["html"]
    assert html.count('class="ask"') == 3
    timeline = hospital.get(f"/requests/{made[0].id}").text
    assert "Asked together with it" in timeline
    assert f"/requests/{made[2].id}" in timeline


def test_a_case_of_another_patient_is_not_joined(hospital: World) -> None:
    foreign = NewRequest(Patient("northgate", "p2", "OTHER, One", "OTHER", "One"), Wanted("MR knee"), Route(RouteKind.PATIENT), None, case="CS-23456789")
    hospital.parts.requests.create(foreign, STAFF)
    (id,) = ids(send(hospital, known(hospital)).text)
    assert hospital.parts.requests.get(id).asked.case != "CS-23456789"


def test_saved_for_the_desk_is_not_sent_and_an_unknown_hospital_is_saved_whatever_was_pressed(hospital: World) -> None:
    row = known(hospital)
    saved = send(hospital, row, do="save").text
    assert "Saved. The image desk sends it." in saved
    other = send(hospital, row, to="other", hospital="Someplace General", case="CS-22222222").text
    assert "Saved for the desk" in other
    for page, whom in ((saved, None), (other, "Someplace General")):
        (id,) = ids(page)
        found = hospital.parts.requests.get(id)
        assert (found.state, found.asked.hospital or None) == (State.DRAFT, whom)
    assert "Not sent yet; the desk has it" in known(hospital)["html"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"to": None}, "Choose at least one place to ask."), ({"title": " "}, "Say what is wanted."), ({"date_from": "yesterday"}, "That is no date."),
     ({"date_to": "2026-05-20"}, "The last day is before the first."), ({"to": "nowhere"}, "no longer in the directory"), ({"needed_by": "soon"}, "That is no date and time."),
     ({"to": "other", "hospital": ""}, "Write the name of the hospital."), ({"anchor": "Appointment/9"}, "no longer in the chart"), ({"modality": "?!"}, "That is no modality.")],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_it_and_what_was_typed_stays(hospital: World, wrong: dict[str, Any], words: str) -> None:
    page = send(hospital, known(hospital), why="Typed <b>before</b>", **wrong)
    assert page.status_code == 400
    for said in (words, "Nothing was sent", "Typed &lt;b&gt;before&lt;/b&gt;"):
        assert said in page.text
    assert hospital.parts.requests.of_patient("northgate", "p1") == ()


def test_the_timeline_tells_each_step_and_the_list_changes_without_a_reload(hospital: World) -> None:
    row = known(hospital)
    (id,) = ids(send(hospital, row).text)
    first = hospital.get("/studies/watch?known=").json
    page = hospital.get(f"/requests/{id}").text
    for words in ("has not opened it yet", "Requested by Dr Halloran from this chart", "Sent", "In the chart", "E-mail link"):
        assert words in page
    requests, known_mark = hospital.parts.requests, re.search(r'data-known="([^"]+)"', page)
    assert known_mark
    assert "main" not in hospital.get(f"/requests/{id}/now?known={known_mark[1]}").json
    requests.act(id, Act.OPEN, SENDER)
    requests.act(id, Act.ACCEPT, SENDER, reason="Sending now, report included.")
    told = hospital.get(f"/requests/{id}/now?known={known_mark[1]}").json
    assert (told["word"], "Accepted by D. Whitcombe" in told["main"], "“<bdi>Sending now, report included.</bdi>”" in told["main"]) == ("Accepted", True, True)
    again = hospital.get(f"/studies/watch?known={first['known']}").json
    (changed,) = [one for one in again["rows"] if one["uid"] == row["uid"]]
    assert "St Brannoc District will send it" in changed["html"]
    for act, actor, reason in ((Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, ""), (Act.STORE_PART, SYSTEM, "412 of 418 files; 6 asked for again")):
        requests.act(id, act, actor, reason=reason)
    part = hospital.get(f"/requests/{id}").text
    assert "Stored in part" in part
    assert "Some of it is in the chart, and some is still missing. “412 of 418 files" in part
    assert "In the chart since" not in part
    requests.act(id, Act.STORE, SYSTEM)
    assert "Every image that was kept was read back from the archive." in hospital.get(f"/requests/{id}").text
    assert {one["page"] for one in hospital.audited(RequestSeen.__name__)} == {"sent", "timeline"}


def test_a_declined_request_says_so_and_the_row_can_be_asked_for_again(hospital: World) -> None:
    (id,) = ids(send(hospital, known(hospital)).text)
    hospital.parts.requests.act(id, Act.DECLINE, SENDER, reason="No such patient here")
    row = known(hospital)
    assert "Declined by St Brannoc District: “No such patient here”" in row["html"]
    assert asked_for(row)
    assert "Ask another hospital, or check the birth date." in hospital.get(f"/requests/{id}").text
    assert len(ids(send(hospital, row, case="CS-33333333").text)) == 1
    assert len(hospital.parts.requests.of_patient("northgate", "p1")) == 2


def test_when_the_study_is_here_in_full_its_row_is_a_study_again(hospital: World) -> None:
    row = known(hospital)
    (id,) = ids(send(hospital, row).text)
    hospital.archives["brannoc"] = once(study("2.25.1", "B-5", day="20260521", text="CT perfusion, head") | {"00080050": {"vr": "SH", "Value": ["SB-CANARY-88122"]}})
    found = listed(list(hospital.stream()))
    assert 'data-kind="study"' in found["2.25.1"]["html"]
    assert f"/requests/{id}" not in found["2.25.1"]["html"]


def test_cancelling_needs_a_reason_and_a_note_reaches_the_desk(hospital: World) -> None:
    (id,) = ids(send(hospital, known(hospital)).text)
    assert hospital.post(f"/requests/{id}/note", words="Ask for Dr Lee there").status_code == 303
    assert hospital.post(f"/requests/{id}/cancel", words=" ").status_code == 400
    assert hospital.parts.requests.get(id).state is State.SENT
    assert hospital.post(f"/requests/{id}/cancel", words="Found on the ward").status_code == 303
    assert hospital.post(f"/requests/{id}/cancel", words="again").status_code == 409
    assert hospital.post(f"/requests/{id}/cancel", token="forged", words="x").status_code == 403
    page = hospital.get(f"/requests/{id}").text
    for words in ("This request was cancelled", "Found on the ward", "Ask for Dr Lee there"):
        assert words in page
    assert asked_for(known(hospital))


def test_requests_of_another_patient_do_not_exist_here(hospital: World) -> None:
    list(hospital.stream())
    mine = hospital.parts.requests.create(NewRequest(Patient("northgate", "p1", "X", "X", ""), Wanted("CT"), Route(RouteKind.PATIENT), None), STAFF)
    theirs = hospital.parts.requests.create(NewRequest(Patient("northgate", "p2", "CANARY, Other", "CANARY", "Other"), Wanted("CT CANARY"), Route(RouteKind.PATIENT), None), STAFF)
    elsewhere = hospital.parts.requests.create(NewRequest(Patient("ferrybank", "p1", "CANARY, Far", "CANARY", "Far"), Wanted("CT CANARY"), Route(RouteKind.PATIENT), None), STAFF)
    assert hospital.get(f"/requests/{mine.id}").status_code == 200
    for other in (theirs.id, elsewhere.id, "RQ-NOTTHERE"):
        for path in (f"/requests/{other}", f"/requests/{other}/now", f"/request?like={other}"):
            answer = hospital.get(path)
            assert (answer.status_code, "CANARY" in answer.text) == (404, False)
        for path in ("cancel", "note"):
            assert hospital.post(f"/requests/{other}/{path}", words="x").status_code == 404
    assert hospital.parts.requests.get(theirs.id).state is State.SENT
    assert not any("CT CANARY" in row["html"] for row in listed(list(hospital.stream())).values())


def test_what_nobody_else_names_is_a_row_of_its_own_and_none_found_is_not_said(hospital: World) -> None:
    hospital.ehr["DocumentReference"] = lambda asked: bundle()
    assert strip(list(hospital.stream()))["none_found"] is True
    page = hospital.post("/requests", **(FORM | {"title": "Mammography", "accession": "", "date_from": "", "to": "zurich", "of": ""}))
    (id,) = ids(page.text)
    events = list(hospital.stream())
    (row,) = listed(events).values()
    for words in ("Mammography", "Universitätsspital Zürich", 'data-kind="requested"', f"/requests/{id}"):
        assert words in row["html"]
    assert strip(events)["none_found"] is False
    like = hospital.get(f"/request?like={id}").text
    assert "Mammography" in like
    assert f"Filled in from request {id}." in like


def test_hospitals_are_looked_up_without_accents(hospital: World) -> None:
    found = hospital.get("/requests/places?find=zurich").text
    assert ("Universitätsspital Zürich" in found, "Harrow" in found) == (True, False)
    assert hospital.get("/requests/places?find=<script>").text.strip() == ""


def test_a_request_that_hangs_on_an_appointment_moves_with_it(hospital: World) -> None:
    start = (utc_now() + timedelta(days=2)).replace(microsecond=0)
    planned = {"resourceType": "Appointment", "id": "a1", "status": "booked", "description": "Surgery, carotid", "start": start.isoformat(),
               "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]}  # fmt: skip
    hospital.ehr["Appointment"] = lambda asked: bundle(planned)
    row = known(hospital)
    assert "Surgery, carotid" in hospital.get(asked_for(row)).text
    (id,) = ids(send(hospital, row, anchor="Appointment/a1", needed_by="2030-01-01T10:00").text)
    assert hospital.parts.requests.get(id).asked.needed_by == start - timedelta(hours=2)
    planned["start"] = (start + timedelta(days=1)).isoformat()
    for _ in range(2):
        list(hospital.stream())
    assert hospital.parts.requests.get(id).asked.needed_by == start + timedelta(hours=22)
    assert [one.action for one in hospital.parts.requests.history(id)] == ["send", "follow"]
    planned["status"] = "cancelled"
    list(hospital.stream())
    assert "was called off. Is it still needed?" in hospital.get(f"/requests/{id}").text


def test_another_patients_appointment_moves_nothing(hospital: World) -> None:
    anchor = Anchor("Appointment/a1", "Surgery", datetime(2030, 1, 1, tzinfo=UTC))
    new = NewRequest(Patient("elsewhere", "p1", "X", "X", ""), Wanted("CT"), Route(RouteKind.PATIENT), None, anchor=anchor, needed_by=anchor.needed_by)
    made = hospital.parts.requests.create(new, STAFF)
    hospital.ehr["Appointment"] = lambda asked: bundle(
        {"resourceType": "Appointment", "id": "a1", "status": "booked", "start": "2031-01-01T10:00:00Z", "participant": [{"actor": {"reference": "Patient/p1"}}]}
    )
    list(hospital.stream())
    assert hospital.parts.requests.get(made.id) == made


def test_another_clinician_of_the_same_chart_sees_it_and_their_name_stands_on_what_they_do(hospital: World) -> None:
    (id,) = ids(send(hospital, known(hospital)).text)
    store, now = hospital.parts.store, utc_now()
    first = store.context(hospital.handle)
    assert first is not None
    context: LaunchContext = replace(first, handle="L" + "b" * 31, user=User(first.issuer, "dr-lee", name="Dr Lee"), opened_at=now)
    hospital.cookie = store.open_launch(None, context, TokenSet("token", now + timedelta(hours=1)))
    hospital.handle = context.handle
    facts = hospital.parts.holdings.patient("L" + "a" * 31)
    assert facts is not None
    hospital.parts.holdings.save_patient(context.handle, facts)
    assert hospital.post(f"/requests/{id}/cancel", words="Transferred").status_code == 303
    assert "Cancelled by Dr Lee" in hospital.get(f"/requests/{id}").text


def test_a_request_tells_nothing_of_a_study_that_a_rule_hides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, facilities=FACILITIES, policy=[{"archives": ["brannoc"], "effect": "deny"}]) as hospital:
        hospital.archives["brannoc"] = once(study("2.25.1", "B-5", text="CT CANARY"))
        new = NewRequest(Patient("northgate", "p1", "X", "X", ""), Wanted("CT CANARY", study_uid="2.25.1"), Route(RouteKind.PATIENT), None, about="2.25.1")
        hospital.parts.requests.create(new, STAFF)
        shown = listed(list(hospital.stream()))
    assert not any("CANARY" in row["html"] for row in shown.values())


def test_what_was_asked_from_a_chart_that_was_merged_into_this_one_is_seen_here_and_nothing_of_any_other(hospital: World) -> None:
    """Else it would come back to a chart that nobody opens any more."""
    asked = NewRequest(Patient("northgate", "p0", "MARCHETTI, Rosa", "MARCHETTI", "Rosa", "1951-08-09"), Wanted("MR knee", "MR"), Route(RouteKind.FAX), "harrow")
    id = hospital.parts.requests.create(asked, STAFF).id
    replaces = [{"type": "replaces", "other": {"reference": "Patient/p0"}}]
    for links, seen in (([], False), ([{"type": "seealso", "other": {"reference": "Patient/p0"}}], False), ([{"type": "replaces", "other": {"reference": "Patient/p00"}}], False), (replaces, True)):
        facts = patient_from(patient(link=links), (), base=hospital.parts.settings.ehrs[0].issuer, today=date(2026, 5, 21))
        hospital.parts.holdings.save_patient(hospital.handle, facts)
        assert (hospital.get(f"/requests/{id}").status_code == 200) is seen, links
        assert (id in str(list(hospital.stream()))) is seen, links
