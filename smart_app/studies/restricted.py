"""What the list says of studies that it does not show: how many, and one row a source where a rule allows that much. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer
from smart_app.policy.restriction import Hidden
from smart_app.policy.rules import Effect
from smart_app.sources.base import CHART, owner
from smart_app.studies import dates
from smart_app.studies.rows import RowSource, StudyRow

OPENED = "Restricted. Open to you for a while, with the reason you gave."


@dataclass(frozen=True)
class Restriction:
    """What stands over the list. `count` studies are not shown, `openable` of them can be with a reason."""

    count: int = 0
    openable: int = 0

    @property
    def title(self) -> str:
        return f"{self.count} stud{'y is' if self.count == 1 else 'ies are'} restricted here" if self.count else ""

    @property
    def sentence(self) -> str:
        if not self.count:
            return ""
        if not self.openable:
            return "The rules of this hospital do not show more of it. The image desk can say who may see it."
        which = "It" if self.count == 1 else "They" if self.openable == self.count else f"{self.openable} of them"
        return f"{which} can be opened with a reason. That is recorded, and reviewed."


def restriction(hidden: Collection[Hidden]) -> Restriction:
    return Restriction(len(hidden), sum(one.effect is Effect.BREAK_GLASS for one in hidden))


def rows_of(hidden: Iterable[Hidden], answers: Mapping[str, Answer]) -> tuple[StudyRow, ...]:
    """One row a source for studies of which no more than their being there may be said. Nothing in it is the study's own."""
    counts: dict[str, int] = {}
    for one in hidden:
        if one.effect is Effect.HIDE_DETAILS:
            holder = next((source for source in one.sources if not source.startswith(CHART)), one.sources[0])
            counts[holder] = counts.get(holder, 0) + 1
    return tuple(_row(source, count, answers) for source, count in sorted(counts.items()))


def told(rows: Iterable[StudyRow], opened: Collection[str]) -> tuple[StudyRow, ...]:
    """The rows, those that only the broken glass shows with a word about it."""
    return tuple(replace(row, note=f"{OPENED} {row.note}".strip()) if row.uid in opened else row for row in rows)


def _row(source: str, count: int, answers: Mapping[str, Answer]) -> StudyRow:
    said = next((answer for key, answer in sorted(answers.items()) if owner(key) == source), None)
    name, organization = (said.name, said.organization) if said else (source, source)
    return StudyRow(
        uid=f"restricted-{source}", archive=None, sort=dates.sort_key(None, None), date=dates.in_words(None), iso_date="", when="", modality="",
        modalities=(), title=f"{count} stud{'y is' if count == 1 else 'ies are'} restricted", hospital=organization, regions=(), count="Not shown",
        count_state="unknown", report="", sources=(RowSource(source, name, organization),), kind="restricted",
        note="The rules of this hospital do not show more of it.",
    )  # fmt: skip
