"""What is said of studies that are not shown: their number, and never anything of their own."""

from __future__ import annotations

import pytest

from smart_app.archives.types import Answer, SourceState, StudyRecord
from smart_app.policy.restriction import Hidden
from smart_app.policy.rules import Effect
from smart_app.studies.merge import Houses, fold
from smart_app.studies.restricted import OPENED, restriction, rows_of, told
from tests.unit.studies.test_as_of import TODAY

ANSWERS = {"kestrel": Answer("kestrel", "Kestrel", "Kestrel Cancer Centre", SourceState.OK), "ehr:n/reports": Answer("ehr:n/reports", "Chart", "Northgate", SourceState.OK)}


def hidden(*effects: Effect, source: str = "kestrel") -> list[Hidden]:
    return [Hidden(f"2.25.{number}", effect, (source, "ehr:n")) for number, effect in enumerate(effects)]


@pytest.mark.parametrize(("effects", "title", "sentence"), [
    ([], "", ""),
    ([Effect.DENY], "1 study is restricted here", "The rules of this hospital do not show more of it. The image desk can say who may see it."),
    ([Effect.BREAK_GLASS], "1 study is restricted here", "It can be opened with a reason. That is recorded, and reviewed."),
    ([Effect.BREAK_GLASS] * 2, "2 studies are restricted here", "They can be opened with a reason. That is recorded, and reviewed."),
    ([Effect.BREAK_GLASS, Effect.DENY, Effect.HIDE_DETAILS], "3 studies are restricted here", "1 of them can be opened with a reason. That is recorded, and reviewed."),
])  # fmt: skip
def test_the_sentence(effects: list[Effect], title: str, sentence: str) -> None:
    said = restriction(hidden(*effects))
    assert (said.title, said.sentence) == (title, sentence)


def test_one_row_a_source_and_only_where_a_rule_allows_it() -> None:
    several = [*hidden(Effect.HIDE_DETAILS, Effect.HIDE_DETAILS, Effect.DENY, Effect.BREAK_GLASS), *hidden(Effect.HIDE_DETAILS, source="ehr:n"), *hidden(Effect.HIDE_DETAILS, source="gone")]
    rows = rows_of(several, ANSWERS)
    assert [(row.title, row.hospital, row.kind, row.archive) for row in rows] == [
        ("1 study is restricted", "Northgate", "restricted", None), ("1 study is restricted", "gone", "restricted", None),
        ("2 studies are restricted", "Kestrel Cancer Centre", "restricted", None),
    ]  # fmt: skip
    assert "2.25." not in repr(rows)
    (both,) = rows_of([Hidden("2.25.1", Effect.HIDE_DETAILS, ("ehr:n", "kestrel"))], ANSWERS)
    assert both.hospital == "Kestrel Cancer Centre", "who holds it, not who speaks of it"


def test_a_row_behind_broken_glass_says_so() -> None:
    (row,) = fold([Answer("kestrel", "Kestrel", "K", SourceState.OK, (StudyRecord("2.25.1", "kestrel", "K", "kestrel", faults=("time",)),))], Houses({}, frozenset()), TODAY)
    (open_,), (plain,) = told([row], {"2.25.1"}), told([row], set())
    assert open_.note == f"{OPENED} {row.note}"
    assert plain == row
