"""Sent copies: one examination that two archives hold under two Study Instance UIDs becomes one row. Pure.

Same instances or series say so by themselves. Else it takes the same accession number or the same minute and description,
and the same modality and counts: two chest films of one day stay two rows. If one row could be the copy of two, none is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, SeriesRecord, StudyRecord
from smart_app.sources.base import CHART
from smart_app.studies.likeness import exams_differ, in_window, modalities_of, plain
from smart_app.studies.merge import REPORT_RANK, Houses
from smart_app.studies.rows import RowCopy, StudyRow
from smart_app.studies.shortfall import series_lists

MINUTES = 1
"""Between two clocks' words for one moment, seconds being cut off."""
SAME = "The same study as at {}, sent under a new number."
FULLER = "The copy at {} has more images."


@dataclass(frozen=True)
class _Held:
    """What the archive that a row opens from tells of it."""

    row: StudyRow
    record: StudyRecord
    series: frozenset[str]
    instances: frozenset[str]

    def marks(self) -> Iterator[object]:
        """Two copies have at least one of these in common, so that each is compared with few."""
        yield from self.series
        yield from self.instances
        if self.record.accession:
            yield "number", self.record.accession
        if self.record.date and self.record.description:
            yield self.record.date, plain(self.record.description)


def with_copies(rows: Iterable[StudyRow], answers: Iterable[Answer], houses: Houses) -> tuple[StudyRow, ...]:
    """The rows, copies folded into one row each, which lists them. Order is kept."""
    listed, kept = tuple(rows), tuple(answers)
    held = _held(listed, kept)
    alike: dict[object, list[_Held]] = {}
    for one in held:
        for key in one.marks():
            alike.setdefault(key, []).append(one)
    pairs: dict[tuple[str, str], bool] = {}
    partners: dict[str, list[_Held]] = {}
    for one in held:
        near = {other.row.uid: other for key in one.marks() for other in alike[key] if other is not one}.values()
        found = sorted((other for other in near if _same(one, other)), key=lambda other: (houses.rank(other.record), other.row.uid))
        pairs |= {(one.row.uid, other.row.uid): _is_sure(one, other) for other in found}
        if not _is_ambiguous(one, found, pairs):
            partners[one.row.uid] = found
    folded: dict[str, StudyRow] = {}
    taken: set[str] = set()
    for one in sorted(held, key=lambda one: (houses.rank(one.record), one.row.uid)):
        if one.row.uid in taken or one.row.uid not in partners:
            continue
        others = [other for other in partners[one.row.uid] if other.row.uid in partners and other.row.uid not in taken]
        if others:
            taken.update(other.row.uid for other in others)
            folded[one.row.uid] = _counted(_folded(one.row, [other.row for other in others]), one, others)
    return tuple(folded.get(row.uid, row) for row in listed if row.uid not in taken)


def _held(rows: tuple[StudyRow, ...], answers: tuple[Answer, ...]) -> list[_Held]:
    """Rows that open from an archive which itself names them."""
    records: Mapping[tuple[str, str], StudyRecord] = {
        (record.uid, record.archive or ""): record for answer in answers for record in answer.studies if not record.source.startswith(CHART)
    }
    lists = series_lists(answers)
    found = []
    for row in rows:
        record = records.get((row.uid, row.archive or ""))
        if record is not None:
            told: tuple[SeriesRecord, ...] = lists.get((record.source, record.uid)) or record.series
            instances = frozenset(instance for series in told for instance in series.instances)
            found.append(_Held(row, record, frozenset(series.uid for series in told), instances))
    return found


def _same(one: _Held, other: _Held) -> bool:
    if _is_sure(one, other):
        return True
    a, b = one.record, other.record
    if a.archive == b.archive or modalities_of(a.modalities) != modalities_of(b.modalities) or not modalities_of(a.modalities):
        return False
    if not a.image_count or a.image_count != b.image_count or (a.series_count is not None and b.series_count is not None and a.series_count != b.series_count):
        return False
    if exams_differ(a.description or "", b.description or "") or not in_window(a.date, "done", b.date):
        return False
    if a.accession and a.accession == b.accession:
        return True
    described = bool(a.description) and plain(a.description or "") == plain(b.description or "")
    return described and a.date == b.date and _one_moment(a.time, b.time)


def _is_sure(one: _Held, other: _Held) -> bool:
    """An instance or a series is in one study only, so whoever shares one shares the study."""
    return bool(one.instances & other.instances or one.series & other.series)


def _is_ambiguous(one: _Held, found: list[_Held], pairs: Mapping[tuple[str, str], bool]) -> bool:
    """Whether two studies of one archive both look like this one's copy: then they may be two examinations."""
    weak = [other.record.archive for other in found if not pairs[(one.row.uid, other.row.uid)]]
    return len(weak) != len(set(weak))


def _one_moment(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False
    a, b = (int(clock[:2]) * 60 + int(clock[3:5]) for clock in (one, other))
    return abs(a - b) <= MINUTES


def _folded(row: StudyRow, others: list[StudyRow]) -> StudyRow:
    places = list(dict.fromkeys(other.hospital for other in others))
    reports = {one.report for one in (row, *others)}
    return replace(
        row,
        hospital=", ".join(dict.fromkeys((row.hospital, *places))),
        sources=tuple(dict.fromkeys((*row.sources, *(source for other in others for source in other.sources)))),
        report=next((word for word in (*REPORT_RANK, "No report") if word in reports), row.report),
        copies=tuple(RowCopy(other.uid, other.archive or "", other.hospital, other.count) for other in others),
        same_as=SAME.format(" and ".join(places)),
    )


def _counted(row: StudyRow, lead: _Held, others: list[_Held]) -> StudyRow:
    """Copies by shared series or instances may differ in number: then what opens is not all there is, and the tick would be a lie."""
    here, fullest = lead.record.image_count, max(others, key=lambda other: other.record.image_count or 0)
    most = fullest.record.image_count or 0
    if here is None or most <= here or row.count_state == "unknown":
        return row
    count = f"{here:,} of {most:,} {fullest.row.count.rpartition(' ')[2]}" if row.count_state == "whole" else row.count
    return replace(row, count=count, count_state="part", same_as=f"{row.same_as} {FULLER.format(fullest.row.hospital)}")
