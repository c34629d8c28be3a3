"""The story of a request: every state has its own sentence, and none says more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smart_app.image_requests.queries import Usual
from smart_app.image_requests.telling import Progress, story
from smart_app.image_requests.types import Party, State
from tests.unit.image_requests.test_words import NOW, event, request

SENT = event("send", State.DRAFT, State.SENT, Party.CLINICIAN, "Dr S. Halloran", minutes=-24)
USUAL = Usual(timedelta(minutes=31), 20, 18, 20)


@pytest.mark.parametrize("state", list(State))
def test_only_what_was_read_back_is_in_the_chart_and_only_bytes_are_received(state: State) -> None:
    told = story(request(state), [SENT], None, None, NOW)
    assert told.box.title
    assert told.is_open == (state not in (State.STORED, State.DECLINED, State.CANCELLED, State.EXPIRED))
    said = f"{told.box.title} {told.box.text}"
    assert ("In the chart" in said) == (state is State.STORED)
    assert ("safely received" in said) == (state is State.IN_REVIEW)
    for never in ("uccessfully", "complete", "uploaded", "rror"):
        assert never not in said


def test_one_that_is_receiving() -> None:
    needed = NOW + timedelta(minutes=46)
    asked = replace(request().asked, needed_by=needed, why="Stroke alert")
    history = [SENT, event("open", State.SENT, State.OPENED, minutes=-20), event("accept", State.OPENED, State.ACCEPTED, name="D. Whitcombe", note="Sending now"),
               event("receive", State.ACCEPTED, State.RECEIVING)]  # fmt: skip
    told = story(replace(request(State.RECEIVING, asked), owner="T. Amsel"), history, USUAL, Progress(38_000_000, 52_000_000), NOW)
    assert told.heading == "Carotid duplex, 3 Nov 2025, from Harrow Vale Clinic"
    assert told.box.title == "38 of 52 MB safely received"
    assert "Needed by today 10:30, in 46 min." in told.box.text
    assert told.progress is not None
    assert told.progress.percent == 73
    assert [line.text for line in told.lines] == ["The first file is safely received", "Accepted by D. Whitcombe", "Link opened and proof given", "Requested by Dr S. Halloran from this chart"]
    assert told.lines[1].quote == "Sending now"
    details = dict(told.details)
    assert (details["Owner"], details["Wanted"], details["Route"]) == ("Image desk, T. Amsel", "US, Neck. Images and report.", "E-mail link")
    assert details["Harrow Vale Clinic"] == "Usually 31 min, 18 of 20 on time"


def test_without_a_known_size_no_share_is_claimed() -> None:
    told = story(request(State.RECEIVING), [SENT], None, Progress(1_500_000), NOW)
    assert told.progress is not None
    assert (told.box.title, told.progress.percent) == ("1.5 MB safely received", None)
    assert story(request(State.IN_REVIEW), [SENT], None, Progress(1, 1), NOW).progress is None


def test_a_reason_is_told_in_its_own_words() -> None:
    told = story(replace(request(State.DECLINED), reason="No such patient here"), [SENT], None, None, NOW)
    assert (told.box.title, told.box.text) == ("Declined by Harrow Vale Clinic: “No such patient here”", "Ask another hospital, or check the birth date.")
