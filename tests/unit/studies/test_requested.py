"""Requests beside their rows: which row one is of, what the row then says, and what is a row of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smart_app.image_requests.types import State, Wanted
from smart_app.studies.requested import with_requests
from smart_app.studies.rows import StudyRow
from tests.unit.image_requests.test_words import ASKED, NOW, request
from tests.unit.studies.test_request_sheet import ROW

KNOWN = replace(ROW, request="request?of=x")
PART = replace(KNOWN, uid="1.2.3", kind="study", count_state="part", archive="kestrel")
ABOUT = replace(ASKED, about="known-1", wanted=Wanted("CT perfusion, head"))


def rows(*given: StudyRow, asked: object = (), now: object = NOW) -> tuple[StudyRow, ...]:
    return with_requests(given, asked, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "is_of"),
    [
        (ABOUT, True), (replace(ABOUT, about="known-2"), False), (replace(ASKED, wanted=Wanted("CT", accession="SB-1", date_from="2026-05-21")), True),
        (replace(ASKED, wanted=Wanted("CT", accession="SB-1")), True), (replace(ASKED, wanted=Wanted("CT", accession="SB-1", date_from="2020-01-01", date_to="2020-12-31")), False),
        (replace(ASKED, wanted=Wanted("CT", accession="SB-1", date_from="2026-01-01", date_to="2026-12-31")), True), (replace(ASKED, wanted=Wanted("CT", accession="OTHER")), False),
        (replace(ASKED, wanted=Wanted("CT", study_uid="known-1")), True),
    ],
)  # fmt: skip
def test_which_row_a_request_is_of(asked: object, is_of: bool) -> None:
    found = rows(KNOWN, asked=[request(asked=asked)])  # type: ignore[arg-type]
    assert (len(found), any(row.uid == "known-1" and row.asked for row in found)) == (1 if is_of else 2, is_of)


def test_a_known_row_that_is_asked_for_is_requested_and_offers_no_second_request() -> None:
    needed = replace(ABOUT, needed_by=NOW + timedelta(minutes=46))
    (row,) = rows(KNOWN, asked=[request(State.OPENED, needed)])
    assert (row.kind, row.request, row.note) == ("requested", "", "")
    (told,) = row.asked
    assert (told.state, told.last, told.needed, told.done, told.steps) == ("Opened", "Opened by Harrow Vale Clinic 09:44", "Needed 10:30", 2, 6)


@pytest.mark.parametrize(("state", "kind", "offers"), [(State.DECLINED, "known", True), (State.EXPIRED, "known", True), (State.STORED, "requested", False), (State.DRAFT, "requested", False)])
def test_what_came_to_nothing_may_be_asked_again(state: State, kind: str, offers: bool) -> None:
    (row,) = rows(KNOWN, asked=[request(state, ABOUT)])
    assert (row.kind, bool(row.request)) == (kind, offers)
    assert row.asked


def test_cancelled_and_long_past_ones_are_not_told() -> None:
    assert rows(KNOWN, asked=[request(State.CANCELLED, ABOUT)]) == (KNOWN,)
    assert rows(KNOWN, asked=[request(State.DECLINED, ABOUT)], now=NOW + timedelta(days=15)) == (KNOWN,)


def test_a_study_in_part_stays_a_study_and_one_in_full_shows_no_request() -> None:
    asked = replace(ASKED, wanted=Wanted("CT", study_uid="1.2.3", missing="Series 4"))
    (row,) = rows(PART, asked=[request(State.SENT, asked)])
    assert (row.kind, row.request, len(row.asked)) == ("study", "", 1)
    whole = replace(PART, count_state="whole")
    assert rows(whole, asked=[request(State.SENT, asked)]) == (whole,)


def test_live_ones_hide_those_that_came_to_nothing() -> None:
    declined, sent = request(State.DECLINED, ABOUT), replace(request(State.SENT, ABOUT), id="RQ-2")
    (row,) = rows(KNOWN, asked=[declined, sent])
    assert [one.id for one in row.asked] == ["RQ-2"]


def test_what_is_of_no_row_is_one_row_a_case_and_gone_once_stored() -> None:
    case = replace(ASKED, case="CS-1")
    first, second = request(State.SENT, case), replace(request(State.DECLINED, replace(case, hospital="Ferrybank"), None), id="RQ-2")
    found = rows(KNOWN, asked=[first, second])
    (own,) = [row for row in found if row.uid == "request-CS-1"]
    assert (own.kind, own.title, own.date, own.modality, own.hospital) == ("requested", "Carotid duplex", "3 Nov 2025", "US", "Harrow Vale Clinic, Ferrybank")
    assert [one.id for one in own.asked] == ["RQ-1"]
    assert [row.uid for row in found] == ["known-1", "request-CS-1"], "newest first"
    assert rows(KNOWN, asked=[request(State.STORED, case)]) == (KNOWN,)
