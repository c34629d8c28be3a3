"""A second look adds studies and doubt; it takes neither time nor state from what a person was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smart_app.archives.types import Answer, Candidate, PatientId, PurposeRecord, SourceState, StudyRecord
from smart_app.studies.renewal import arrivals, renewed
from smart_app.studies.strip import is_whole

THEN = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)
LATER = THEN + timedelta(minutes=28)


def study(uid: str, **fields: Any) -> StudyRecord:
    return StudyRecord(uid, "northgate", "Northgate", "northgate", **fields)


def answer(*studies: StudyRecord, at: datetime = THEN, **fields: Any) -> Answer:
    state = fields.pop("state", SourceState.OK if studies else SourceState.EMPTY)
    return Answer("northgate", "Northgate", "Northgate", state, studies, asked_at=at, answered_at=at, **fields)


def test_a_new_study_is_added_and_the_time_stays() -> None:
    kept = renewed(answer(), answer(study("1"), at=LATER))
    assert (kept.state, [one.uid for one in kept.studies], kept.answered_at) == (SourceState.OK, ["1"], THEN)


def test_more_images_of_a_known_study_are_told() -> None:
    kept = renewed(answer(study("1", image_count=10)), answer(study("1", image_count=40), at=LATER))
    assert kept.studies[0].image_count == 40


def test_a_whole_answer_without_a_study_takes_it_away_and_one_in_part_does_not() -> None:
    before = answer(study("1"), study("2"))
    assert [one.uid for one in renewed(before, answer(study("2"), at=LATER)).studies] == ["2"]
    in_part = answer(study("2"), at=LATER, state=SourceState.PARTIAL, more_exist=True)
    assert [one.uid for one in renewed(before, in_part).studies] == ["1", "2"]


def test_a_study_that_is_now_anothers_goes_at_once_and_stays_gone() -> None:
    fresh = answer(study("2"), at=LATER, state=SourceState.PARTIAL, withheld=1, withheld_studies=("1",))
    kept = renewed(answer(study("1"), study("2")), fresh)
    assert ([one.uid for one in kept.studies], kept.withheld, kept.withheld_studies) == (["2"], 1, ("1",))
    assert [one.uid for one in renewed(kept, answer(study("1"), study("2"))).studies] == ["2"]


@pytest.mark.parametrize(
    "doubt", [{"more_exist": True}, {"unreadable": 2}, {"withheld": 1}, {"not_approved": ("https://x.example",)}, {"fault_code": "cut", "state": SourceState.PARTIAL}]
)
def test_doubt_is_never_taken_back(doubt: dict[str, Any]) -> None:
    before = answer(study("1"), **doubt)
    kept = renewed(before, answer(study("1"), at=LATER))
    assert all(getattr(kept, name) == value for name, value in doubt.items())


def test_why_the_chart_is_open_is_renewed_and_nothing_else() -> None:
    before = Answer("ehr:n/purpose", "Chart", "N", SourceState.OK, answered_at=THEN, purpose=())
    kept = renewed(before, replace(before, answered_at=LATER, purpose=(PurposeRecord("order", "1", "CT head"),)))
    assert (len(kept.purpose or ()), kept.answered_at) == (1, THEN)


def test_an_arrival_is_what_nobody_named_before_and_says_at_most_how_long() -> None:
    after = answer(study("1"), study("2", date="2026-05-21", time="10:40", offset="+00:00"), study("3", date="2026-05-21", time="10:40"), study("4", date="2027-01-01", time="10:40", offset="+00:00"))
    found = arrivals(["1"], after, LATER - timedelta(seconds=30), LATER)
    assert [(one.uid, one.within_seconds, one.study_seconds) for one in found] == [("2", 30, 120), ("3", 30, None), ("4", 30, None)]
    assert arrivals([], answer(study("1")), None, LATER)[0].within_seconds is None


def test_a_study_whose_record_is_no_longer_certain_waits_for_a_person() -> None:
    """It may not just vanish from an open list that says 'all answered'."""
    doubtful = Candidate(PatientId("1", "N"), "X", "1990-02-03", "M", study_count=1, why="birth-date")
    fresh = answer(at=LATER, state=SourceState.EMPTY, withheld_studies=("1",), candidates=(doubtful,))
    kept = renewed(answer(study("1")), fresh)
    assert (kept.studies, kept.candidates) == ((), (doubtful,))
    assert not is_whole(kept)
    again = renewed(kept, answer(at=LATER, candidates=(replace(doubtful, study_count=2),)))
    assert [one.study_count for one in again.candidates] == [2]
    assert renewed(again, answer(at=LATER)).candidates == again.candidates, "a person settles it, or a question that a person asks"
