"""Words of a remembered row: since when, and what its source says now."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from smart_app.archives.types import Answer, SourceState, StudyRecord
from smart_app.studies.as_of import earliest, marked, moment_in_words
from smart_app.studies.merge import Houses, fold

TODAY = date(2026, 5, 21)
AT = datetime(2026, 5, 21, 10, 42).astimezone()
HOUSES = Houses({"kestrel": 0, "brannoc": 1}, frozenset())


def record(source: str, as_of: datetime | None) -> StudyRecord:
    return StudyRecord("2.25.1", source, source.title(), source, as_of=as_of)


def answer(key: str, state: SourceState, *records: StudyRecord) -> Answer:
    return Answer(key, key.partition("/")[0].title(), "", state, records)


def mark(*answers: Answer, waiting: tuple[str, ...] = ()) -> str:
    told = {one.source: one for one in answers}
    (row,) = marked(fold(told.values(), HOUSES, TODAY), told, waiting, TODAY)
    return row.as_of


BEFORE = answer("kestrel/earlier", SourceState.ASKING, record("kestrel", AT))


@pytest.mark.parametrize(("moment", "words"), [
    (AT, "10:42"), (AT - timedelta(days=1), "20 May"), (AT - timedelta(days=200), "2 Nov 2025"),
])  # fmt: skip
def test_the_moment(moment: datetime, words: str) -> None:
    assert moment_in_words(moment, TODAY) == words


@pytest.mark.parametrize(("state", "words"), [
    (SourceState.TIMEOUT, "as of 10:42; Kestrel did not answer now"), (SourceState.FAILED, "as of 10:42; Kestrel did not answer now"),
    (SourceState.REFUSED, "as of 10:42; Kestrel refused our question now"),
    (SourceState.PARTIAL, "as of 10:42; not in Kestrel’s answer now, which may be incomplete"),
])  # fmt: skip
def test_what_the_source_says_now(state: SourceState, words: str) -> None:
    assert mark(BEFORE) == "as of 10:42"
    assert mark(BEFORE, answer("kestrel", state)) == words
    assert mark(BEFORE, answer("kestrel", state), waiting=("kestrel",)) == "as of 10:42", "it is being asked again"


def test_a_row_that_another_source_names_now_says_which_part_is_old() -> None:
    assert mark(BEFORE, answer("brannoc", SourceState.OK, record("brannoc", None))) == "Kestrel as of 10:42"
    assert mark(BEFORE, answer("kestrel", SourceState.TIMEOUT), answer("brannoc", SourceState.OK, record("brannoc", None))) == "Kestrel as of 10:42; it did not answer now"
    assert "not in its answer" in mark(BEFORE, answer("kestrel", SourceState.PARTIAL), answer("brannoc", SourceState.OK, record("brannoc", None)))


def test_a_row_of_this_launch_has_no_mark() -> None:
    assert mark(answer("brannoc", SourceState.OK, record("brannoc", None))) == ""
    assert earliest([answer("brannoc", SourceState.OK, record("brannoc", None))], TODAY) == ""


def test_the_oldest_speaks_for_all() -> None:
    old = answer("brannoc/earlier", SourceState.ASKING, record("brannoc", AT - timedelta(days=9)))
    assert earliest([BEFORE, old], TODAY) == "From earlier: as of 12 May."
