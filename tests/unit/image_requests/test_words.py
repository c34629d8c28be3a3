"""What people read of a request: every state, party and event has its words, and times are said as a person would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from smart_app.image_requests import words
from smart_app.image_requests.types import Facility, Happened, ImageRequest, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act, Deed

NOW = datetime(2026, 5, 21, 9, 44).astimezone()
PATIENT = Patient("northgate", "p1", "MARCHETTI, Rosalind Jane", "MARCHETTI", "Rosalind Jane")
HARROW = Facility("harrow", "Harrow Vale Clinic", routes=(Route(RouteKind.EMAIL, "a@b.example"),))
ASKED = NewRequest(PATIENT, Wanted("Carotid duplex", "US", "Neck", "2025-11-03"), HARROW.routes[0], HARROW.id)


def request(state: State = State.SENT, asked: NewRequest = ASKED, facility: Facility | None = HARROW) -> ImageRequest:
    return ImageRequest("RQ-1", "t", state, 1, asked, facility, "", "Dr S. Halloran", NOW, NOW, "")


def event(action: str, before: State, after: State, party: Party = Party.SENDER, name: str = "", note: str = "", minutes: int = 0) -> Happened:
    return Happened(1, NOW + timedelta(minutes=minutes), party, name, action, before, after, note)


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_word_a_mark_and_steps(state: State) -> None:
    assert words.STATES[state]
    assert words.MARKS[state]
    assert words.steps(request(state), [], NOW)


@pytest.mark.parametrize("action", [*Act, *Deed])
@pytest.mark.parametrize("party", list(Party))
def test_every_event_is_a_sentence_that_names_somebody_or_nobody(action: str, party: Party) -> None:
    said = words.sentence(event(action.value, State.SENT, State.SENT, party, note="x"), "Harrow Vale")
    assert said
    assert "{" not in said
    assert words.sentence(event(action.value, State.SENT, State.SENT, party, "D. Whitcombe", "x"), "Harrow Vale")


def test_the_steps_of_one_that_is_on_its_way() -> None:
    history = [event("send", State.DRAFT, State.SENT), event("open", State.SENT, State.OPENED, minutes=4), event("receive", State.OPENED, State.RECEIVING, minutes=14)]
    told = words.steps(request(State.RECEIVING), history, NOW)
    assert [(one.word, one.state, one.detail) for one in told] == [
        ("Sent", "done", "09:44"), ("Opened", "done", "09:48"), ("Accepted", "done", ""), ("Receiving", "now", "09:58"), ("In review", "to-come", ""),
        ("In the chart", "to-come", "not yet"),
    ]  # fmt: skip


def test_one_that_ended_otherwise_does_not_promise_what_will_not_come() -> None:
    history = [event("send", State.DRAFT, State.SENT), event("decline", State.SENT, State.DECLINED, minutes=9)]
    assert [(one.word, one.state) for one in words.steps(request(State.DECLINED), history, NOW)] == [("Sent", "done"), ("Declined", "off")]
    assert [one.state for one in words.steps(request(State.STORED), [], NOW)] == ["done"] * 6
    assert [(one.word, one.state) for one in words.steps(request(State.STORED_IN_PART), [], NOW)][4:] == [("Stored in part", "now"), ("In the chart", "to-come")]
    assert [one.state for one in words.steps(request(State.DRAFT), [], NOW)] == ["to-come"] * 6


@pytest.mark.parametrize(
    ("minutes", "state", "told"),
    [
        (46, State.SENT, ("Today 10:30", "in 46 min", "warn")), (121, State.SENT, ("Today 11:45", "in 2 h 1 min", "")), (-74, State.OPENED, ("Today 08:30", "Overdue 1 h 14 min", "bad")),
        (-1060, State.SENT, ("Yesterday 16:04", "Overdue 17 h", "bad")), (1440, State.SENT, ("Tomorrow 09:44", "in 24 h", "")),
        (-74, State.STORED, ("Today 08:30", "", "")), (20160, State.SENT, ("4 Jun 09:44", "in 14 days", "")),
    ],
)  # fmt: skip
def test_when_it_is_needed(minutes: int, state: State, told: tuple[str, str, str]) -> None:
    due = words.due(NOW + timedelta(minutes=minutes), state, NOW)
    assert (due.when, due.left, due.tone) == told
    assert words.due(None, state, NOW) == words.Due()


def test_who_and_what() -> None:
    assert words.title(request()) == "Carotid duplex, 3 Nov 2025"
    assert words.whom(request()) == "Harrow Vale Clinic"
    assert words.whom(request(asked=replace(ASKED, facility=None, route=Route(RouteKind.PATIENT)), facility=None)) == "The patient or family"
    assert words.whom(request(asked=replace(ASKED, facility=None, hospital="Someplace"), facility=None)) == "Someplace"
    assert words.window("2025-01-01", "2025-12-31") == "1 Jan to 31 Dec 2025"
    assert words.window("2024-02-01", "2025-03-01") == "1 Feb 2024 to 1 Mar 2025"
    everything = replace(ASKED, wanted=replace(ASKED.wanted, thin=True, others=True))
    assert words.wanted(request(asked=everything)) == "US, Neck. Images and report. Thin slices (1 mm or less). All other neck studies too."
