"""Possible matches as rows of the list: number and years, and no detail of what may be another patient's (design.md section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smart_app.archives.types import Candidate
from smart_app.sources.base import Named
from smart_app.studies.rows import MatchRow

SECOND = "second-person"
"""`Candidate.why` of a record that one person confirmed although the birth date differs."""


def rows_of(waiting: Iterable[tuple[Named, Candidate]], match_id: Callable[[str, Candidate], str]) -> tuple[MatchRow, ...]:
    """:param match_id: the name of the comparison of a source's candidate."""
    return tuple(_row(source, candidate, match_id(source.key, candidate)) for source, candidate in waiting)


def _row(source: Named, candidate: Candidate, name: str) -> MatchRow:
    count = candidate.study_count
    studies = "" if count is None else f"{count:,} stud{'y' if count == 1 else 'ies'}"
    more = f"{count:,} more stud{'y' if count == 1 else 'ies'}" if count is not None else "more studies"
    hidden = "It stays hidden, and is not counted" if count == 1 else "They stay hidden, and are not counted"
    before = "Confirmed before the chart changed. " if candidate.why == "changed" else ""
    return MatchRow(
        id=name,
        title=f"Possible match, {source.name}",
        count=studies or "Count unknown",
        years=years(candidate.years),
        sentence=f"{before}{source.name} may hold {more} of this patient. {hidden}, until someone compares the two records.",
        state="Waits for a second person" if candidate.why == SECOND else "Not confirmed",
    )


def years(known: tuple[str, ...]) -> str:
    if not known:
        return ""
    return known[0] if len(known) == 1 else f"{known[0]} to {known[-1]}"
