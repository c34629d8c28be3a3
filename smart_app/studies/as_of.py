"""The quiet mark of a remembered row: since when it is known, and whether its source has been heard since. Pure.

A row from before this launch is never told as one of today: it says 'as of' until its own source names it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from smart_app.archives.types import Answer, SourceState, StudyRecord
from smart_app.sources.base import owner
from smart_app.studies.dates import MONTHS
from smart_app.studies.rows import StudyRow

UNHEARD = {
    SourceState.REFUSED: "{name} refused our question now",
    SourceState.PARTIAL: "not in {names} answer now, which may be incomplete",
    SourceState.OK: "",
    SourceState.EMPTY: "",
    SourceState.ASKING: "",
}


def moment_in_words(moment: datetime, today: date) -> str:
    """`10:42` today, `21 May` this year, else `21 May 2025`; on the site's own clock."""
    local = moment.astimezone()
    day = local.date()
    if day == today:
        return f"{local:%H:%M}"
    return f"{day.day} {MONTHS[day.month - 1]}" + ("" if day.year == today.year else f" {day.year}")


def marked(rows: Iterable[StudyRow], answers: Mapping[str, Answer], waiting: Collection[str], today: date) -> tuple[StudyRow, ...]:
    """The rows, each with its `as_of` if a source named it only before this launch."""
    found: dict[str, list[tuple[str, StudyRecord]]] = {}
    for key, answer in answers.items():
        for record in answer.studies:
            if record.as_of is not None:
                found.setdefault(record.uid, []).append((owner(key), record))
    return tuple(replace(row, as_of=_mark(row, found[row.uid], answers, waiting, today)) if row.uid in found else row for row in rows)


def earliest(answers: Iterable[Answer], today: date) -> str:
    """The sentence over the list while sources are asked; the oldest moment speaks for all. Empty when nothing is remembered."""
    moments = [record.as_of for answer in answers for record in answer.studies if record.as_of is not None]
    return f"From earlier: as of {moment_in_words(min(moments), today)}." if moments else ""


def _mark(
    row: StudyRow, remembered: list[tuple[str, StudyRecord]], answers: Mapping[str, Answer], waiting: Collection[str], today: date
) -> str:
    alone = len(remembered) == 1 and len(row.sources) == 1
    said = []
    for source, record in sorted(remembered, key=lambda one: one[0]):
        name = next((answer.name for key, answer in answers.items() if owner(key) == source), source)
        assert record.as_of is not None
        words = f"as of {moment_in_words(record.as_of, today)}"
        unheard = _unheard(name if alone else "it", answers.get(source)) if source not in waiting else ""
        said.append(f"{words if alone else f'{name} {words}'}{f'; {unheard}' if unheard else ''}")
    return ", ".join(said)


def _unheard(name: str, now: Answer | None) -> str:
    return "" if now is None else UNHEARD.get(now.state, "{name} did not answer now").format(name=name, names="its" if name == "it" else f"{name}’s")
