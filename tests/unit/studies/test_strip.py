"""Earned words: 'No imaging found' and 'All n answered' only when every source answered in full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import Answer, SourceState, StudyRecord
from smart_app.sources.base import Named
from smart_app.studies.strip import strip_of

NOW = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)
NAMES = ("ehr:n", "kestrel", "brannoc")
SOURCES = tuple(Named(key, key.title(), key) for key in NAMES)
ASKED = [state for state in SourceState if state is not SourceState.ASKING]


def told(key: str = "kestrel", state: SourceState = SourceState.EMPTY, studies: int = 0, **fields: Any) -> Answer:
    records = tuple(StudyRecord(f"2.25.{number}", key, key, key) for number in range(studies))
    return Answer(key, key.title(), key, state, records, NOW, NOW + timedelta(seconds=15), **fields)


def strip(*answers: Answer, waiting: frozenset[str] = frozenset(), rows: int = 0) -> Any:
    return strip_of(SOURCES, {answer.source: answer for answer in answers}, waiting, rows)


def chip(answer: Answer) -> Any:
    return next(chip for chip in strip(answer).chips if chip.key == answer.source)


FULL = tuple(told(key) for key in NAMES)


def test_none_found_is_earned() -> None:
    found = strip(*FULL)
    assert (found.none_found, found.tone, found.headline) == (True, "all", "All 3 sources answered")
    assert found.detail.startswith("at ")


@pytest.mark.parametrize("state", [state for state in ASKED if not state.answered_in_full])
def test_one_source_less_and_it_may_be_incomplete(state: SourceState) -> None:
    found = strip(FULL[0], FULL[1], told("brannoc", state))
    assert (found.none_found, found.tone, found.headline) == (False, "partial", "May be incomplete.")
    assert found.detail == f"{3 if state is SourceState.PARTIAL else 2} of 3 sources answered."


def test_asking_streaming_and_failing() -> None:
    assert strip(waiting=frozenset(NAMES)).headline == "Asking 3 sources…"
    assert (strip(FULL[0]).tone, strip(FULL[0]).headline) == ("some", "1 of 3 answered")
    assert strip(*FULL, waiting=frozenset({"kestrel"})).none_found is False
    failed = strip(*(told(key, SourceState.TIMEOUT) for key in NAMES))
    assert (failed.tone, failed.headline, failed.detail) == ("failed", "We could not look.", "0 of 3 sources answered.")


def test_no_source_at_all_earns_nothing() -> None:
    assert strip_of((), {}, frozenset(), 0).none_found is False


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (told(), "none"), (told(state=SourceState.OK, studies=4), "4"), (told(state=SourceState.PARTIAL, studies=100, more_exist=True), "100, more exist"),
        (told(state=SourceState.PARTIAL, studies=8, unreadable=1), "8, 1 unreadable"), (told(state=SourceState.PARTIAL, withheld=2), "none so far, 2 withheld"),
        (told(state=SourceState.TIMEOUT), "no answer"), (told(state=SourceState.FAILED, fault_code="unreachable"), "no answer"), (told(state=SourceState.FAILED), "failed"),
        (told(state=SourceState.REFUSED), "refused"), (told(state=SourceState.TOO_LARGE), "too large"), (told(state=SourceState.NOT_APPROVED), "not approved"),
        (told(state=SourceState.NO_IDENTIFIER), "no identifier for this archive"), (told(state=SourceState.TIMEOUT, studies=2), "no answer, 2 from earlier"),
        (told("ehr:n", state=SourceState.PARTIAL, studies=1, not_approved=("https://x.org",)), "1, not approved"),
    ],
)  # fmt: skip
def test_chip_words(answer: Answer, word: str) -> None:
    assert chip(answer).word == word


def test_every_fault_says_what_happened_whose_side_and_what_next() -> None:
    late = chip(told(state=SourceState.TIMEOUT, reference="KE-7Q2M"))
    assert late.title == "Kestrel did not answer in 15 seconds."
    assert late.action.startswith("Their side. Studies kept only there are not in this list.")
    assert (late.retryable, late.reference) == (True, "KE-7Q2M")
    for state in ASKED:
        for code in (None, "unreachable", "busy", "scope", "redirected", "patient-unread", "missing"):
            one = chip(told(state=state, fault_code=code))
            assert bool(one.title) == (not state.answered_in_full or code is not None)
            assert "{" not in one.title


def test_only_what_may_come_right_is_offered_again() -> None:
    assert chip(told(state=SourceState.PARTIAL, more_exist=True)).retryable
    assert not chip(told(state=SourceState.PARTIAL, withheld=1)).retryable
    assert not chip(told(state=SourceState.NO_IDENTIFIER)).retryable


def test_trouble_comes_first() -> None:
    states = [chip.state for chip in strip(told("ehr:n", SourceState.OK, 1), told("brannoc", SourceState.FAILED)).chips]
    assert states == ["failed", "asking", "ok"]


answers = st.builds(
    told, st.sampled_from(NAMES), st.sampled_from(ASKED), st.integers(0, 2), withheld=st.integers(0, 1), unreadable=st.integers(0, 1),
    more_exist=st.booleans(), not_approved=st.sampled_from([(), ("https://x.org",)]), fault_code=st.sampled_from([None, "failed", "cut"]),
)  # fmt: skip


@given(st.lists(answers, max_size=4), st.frozensets(st.sampled_from(NAMES)), st.integers(0, 3))
def test_earned_words_for_any_answers(told_answers: list[Answer], waiting: frozenset[str], rows: int) -> None:
    latest = {answer.source: answer for answer in told_answers}
    found = strip_of(SOURCES, latest, waiting, rows)
    everyone = set(latest) == set(NAMES) and not waiting
    in_full = everyone and all(
        answer.state in (SourceState.OK, SourceState.EMPTY)
        and not (answer.withheld or answer.unreadable or answer.more_exist or answer.not_approved or answer.fault_code)
        for answer in latest.values()
    )
    assert found.none_found == (in_full and rows == 0)
    assert (found.tone == "all") == in_full
    assert ("All" in found.headline) == in_full
    if not in_full:
        assert all(chip.word != "none" or latest[chip.key].state in (SourceState.OK, SourceState.EMPTY) for chip in found.chips)
    assert [chip.key for chip in found.chips if chip.state == "asking"] == [key for key in NAMES if key in waiting or key not in latest]
