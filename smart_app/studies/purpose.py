"""Of all reasons why a chart may be open now, the one that studies are ranked by; and which studies are urgent. Pure.

The launch's own word comes first, then what is still to be done, then what was done today, the reason of the visit last.
A reason that says nothing of the body is passed over: better no ranking than one by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from smart_app.archives.types import Answer, PurposeRecord
from smart_app.sources.base import CHART
from smart_app.studies import dates
from smart_app.studies.merge import Houses
from smart_app.studies.regions import anatomy_of, modality_of
from smart_app.studies.relevance import Purpose, reading, relevant
from smart_app.studies.rows import StudyRow

ORDER_DAYS = 30
"""An open order older than this is most likely forgotten, not awaited."""
AHEAD = 7
"""Days: an appointment later than this is not what the chart is open for."""
WORDS = {"order": "{title}, ordered {day}", "appointment": "{title}, planned for {day}", "visit": "the visit {day}, {title}"}


def with_purpose(rows: Sequence[StudyRow], answers: Iterable[Answer], houses: Houses, today: date) -> tuple[tuple[StudyRow, ...], str]:
    """The rows with what is urgent and what is relevant said in them, and the words for "relevant to"."""
    kept = tuple(answers)
    pressing = urgent(kept, houses, today)
    rows = tuple(replace(row, urgent=True) if row.uid in pressing and not row.urgent else row for row in rows)
    purpose = chosen(kept, rows, today)
    if purpose is None:
        return rows, ""
    found = relevant(purpose, rows)
    if not found:
        return rows, ""
    ranked = (replace(row, relevance=said.sentence, relevance_key=said.key) if (said := found.get(row.uid)) else row for row in rows)
    return tuple(ranked), purpose.words


def chosen(answers: Iterable[Answer], rows: Iterable[StudyRow], today: date) -> Purpose | None:
    """The purpose to rank by, or None when nothing known says what to look for."""
    kept = tuple(answers)
    records = [record for answer in kept for record in answer.purpose or ()]
    studies = {study.fhir_id: study.uid for answer in kept for study in answer.studies if study.fhir_id}
    by_uid = {row.uid: row for row in rows}
    named = [reading(by_uid[studies[one.reference]]) for one in records if one.kind == "study" and studies.get(one.reference) in by_uid]
    own = sorted((row for row in by_uid.values() if row.iso_date == today.isoformat() and row.kind == "study"), key=lambda row: row.sort, reverse=True)
    candidates = [
        *named,
        *(_purpose(one, today) for one in _orders(records, today)),
        *(_purpose(one, today) for one in _appointments(records, today)),
        *(reading(row) for row in own),
        *(_purpose(one, today) for one in sorted((one for one in records if one.kind == "visit" and one.active), key=lambda one: not one.named)),
    ]
    return next((purpose for purpose in candidates if purpose.sites), None)


def urgent(answers: Iterable[Answer], houses: Houses, today: date) -> frozenset[str]:
    """Studies of today and yesterday that an order, the archive or an emergency visit makes urgent.

    An accession number is one hospital's own, so an order speaks only for studies of the chart and of the local archives.
    """
    kept = tuple(answers)
    records = [record for answer in kept for record in answer.purpose or ()]
    numbers = {number for one in records if one.kind == "order" and one.urgent for number in one.accessions}
    emergency = any(one.kind == "visit" and one.urgent and one.active for one in records)
    found: set[str] = set()
    for study in (study for answer in kept for study in answer.studies):
        day = dates.day_of(study.date)
        if day is None or not timedelta(0) <= today - day <= timedelta(days=1):
            continue
        ours = study.source.startswith(CHART) or study.source in houses.local
        if study.urgent or (ours and study.accession in numbers) or (emergency and day == today):
            found.add(study.uid)
    return frozenset(found)


def _orders(records: Iterable[PurposeRecord], today: date) -> list[PurposeRecord]:
    def recent(one: PurposeRecord) -> bool:
        day = dates.day_of(one.date)
        return one.named or (day is not None and today - day <= timedelta(days=ORDER_DAYS))

    open_ones = [one for one in records if one.kind == "order" and one.active and recent(one)]
    newest_first = sorted(open_ones, key=lambda one: one.date or "", reverse=True)
    return sorted(newest_first, key=lambda one: (not one.named, not one.urgent))


def _appointments(records: Iterable[PurposeRecord], today: date) -> list[PurposeRecord]:
    soon = [
        (day, one) for one in records
        if one.kind == "appointment" and one.active and (day := dates.day_of(one.date)) and timedelta(0) <= day - today <= timedelta(days=AHEAD)
    ]  # fmt: skip
    return [one for _, one in sorted(soon, key=lambda pair: (pair[0], pair[1].reference))]


def _purpose(record: PurposeRecord, today: date) -> Purpose:
    anatomy = anatomy_of(record.codes, record.title)
    modality = modality_of(record.codes, record.title) if record.kind == "order" else ""
    day = dates.day_of(record.date) or today
    words = WORDS[record.kind].format(title=record.title, day=_day(day, today))
    return Purpose(words, anatomy.sites, anatomy.side, modality, today if record.kind == "visit" else day, record.title)


def _day(day: date, today: date) -> str:
    near: Mapping[int, str] = {0: "today", -1: "yesterday", 1: "tomorrow"}
    return near.get((day - today).days) or dates.in_words(day.isoformat())
