"""A possible match in the list: number and years, in words, and nothing of what may be another patient's."""

from __future__ import annotations

import pytest

from smart_app.archives.types import Answer, Candidate, PatientId, SourceState
from smart_app.sources.base import Named
from smart_app.studies.strip import strip_of
from smart_app.studies.waiting import rows_of

LAKESIDE = Named("lakeside", "Lakeside", "Lakeside HIE")
THEIRS = Candidate(PatientId("CANARY-7", "L"), "CANARY^NAME", "19510908", "F", study_count=2, years=("2023", "2025"))


@pytest.mark.parametrize(("count", "years", "expected"), [
    (2, ("2023", "2025"), ("2 studies", "2023 to 2025", "Lakeside may hold 2 more studies of this patient. They stay hidden, and are not counted, until someone compares the two records.")),
    (1, ("2023",), ("1 study", "2023", "Lakeside may hold 1 more study of this patient. It stays hidden, and is not counted, until someone compares the two records.")),
    (None, (), ("Count unknown", "", "Lakeside may hold more studies of this patient. They stay hidden, and are not counted, until someone compares the two records.")),
])  # fmt: skip
def test_words(count: int | None, years: tuple[str, ...], expected: tuple[str, str, str]) -> None:
    (row,) = rows_of([(LAKESIDE, Candidate(PatientId("CANARY-7", "L"), "CANARY^NAME", study_count=count, years=years))], lambda source, candidate: "m" * 32)
    assert (row.count, row.years, row.sentence) == expected
    assert "CANARY" not in repr(row)


def test_who_was_first_and_what_changed() -> None:
    (second,) = rows_of([(LAKESIDE, Candidate(THEIRS.patient_id, why="second-person"))], lambda *_: "")
    (changed,) = rows_of([(LAKESIDE, Candidate(THEIRS.patient_id, why="changed"))], lambda *_: "")
    assert second.state == "Waits for a second person"
    assert changed.sentence.startswith("Confirmed before the chart changed.")


def strip(*answers: Answer) -> tuple[str, str, str, bool]:
    found = strip_of([Named(one.source, one.name, one.organization) for one in answers], {one.source: one for one in answers}, frozenset(), 0)
    return found.tone, found.headline, found.detail, found.none_found


def test_the_strip_asks_for_a_person_and_earns_no_word() -> None:
    whole = Answer("a", "A", "A", SourceState.EMPTY)
    waits = Answer("lakeside", "Lakeside", "L", SourceState.EMPTY, candidates=(THEIRS, THEIRS))
    assert strip(whole, waits) == ("ask", "2 to confirm", "2 of 2 sources answered.", False)
    silent = Answer("b", "B", "B", SourceState.TIMEOUT)
    assert strip(silent, waits) == ("partial", "May be incomplete.", "1 of 2 sources answered. 2 to confirm.", False)
    assert strip(whole, Answer("lakeside", "L", "L", SourceState.EMPTY, candidates=(THEIRS,), withheld=1))[0] == "partial"
