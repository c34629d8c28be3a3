"""What the viewer draws before it has a single image: the study, its hospital, and each series with what it is.

Built from the archive's series list, the held record and the chart's patient. Opening is audited here, and the first
series' check is begun here, so that the viewer's first questions find it under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from launch.context import LaunchContext
from smart_app.archives import completeness
from smart_app.archives.dicom_json import Row, is_uid
from smart_app.archives.types import StudyRecord
from smart_app.audit.events import StudyOpened
from smart_app.clock import Clock
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.viewer.asking import Ask, Recorder, patient_key
from smart_app.viewer.catalogue import Catalogue, Found, Rows
from smart_app.viewer.checks import Checks
from smart_app.viewer.kinds import kind_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SEXES = {"F": "Female", "M": "Male", "O": "Other"}


@dataclass(frozen=True)
class Series:
    """One series as the archive's list tells it."""

    uid: str
    number: int | None
    modality: str | None
    description: str | None
    count: int | None

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """Images first as long as they can be drawn, then by number."""
        return kind_of(self.modality).kind != "images", self.number is None, self.number or 0, self.uid


class Outline:
    def __init__(
        self, catalogue: Catalogue, checks: Checks, holdings: Holdings, audit: Recorder, clock: Clock, *, not_for_diagnosis: str,
        opened: Callable[[Ask, list[str]], None] | None = None, came_from: Callable[[LaunchContext, str], str] = lambda context, study: "",
        elsewhere: Callable[[Ask], list[dict[str, str]]] = lambda ask: [],
    ) -> None:
        """`opened` is told which series hold images, the first one looked at first. `came_from`: the hospital that a study in our own archive was received from. `elsewhere`: other viewers, by name and our own address for going there."""
        self._elsewhere = elsewhere
        self._catalogue = catalogue
        self._checks = checks
        self._holdings = holdings
        self._audit = audit
        self._clock = clock
        self._not_for_diagnosis = not_for_diagnosis
        self._opened = opened
        self._came_from = came_from

    def of(self, ask: Ask) -> dict[str, Any]:
        """The outline as JSON-ready values. :raises OutboundError: no series list. :raises AuditUnavailable"""
        self._audit.record(StudyOpened(who=ask.who, patient=ask.context.patient_id, archive=ask.archive.key, study=ask.study))
        found = self._catalogue.series(ask)
        series = in_order(found.rows)
        pictures = [one for one in series if kind_of(one.modality).kind == "images"]
        first = pictures[0] if pictures else None
        if first is not None:
            self._checks.warm(ask, first.uid)
            if self._opened is not None:
                self._opened(ask, [one.uid for one in pictures])
        root = f"/l/{ask.handle}/dicomweb/{ask.archive.key}"
        record, came_from = ask.held.record, self._came_from(ask.context, ask.study)
        return {
            "launch": ask.handle,
            "patient": patient_key(ask.context),
            "archive": ask.archive.key,
            "study": {
                "uid": ask.study,
                "title": _title(record, series),
                "date": _date(record.date),
                "when": _when(record.date, self._clock().date()),
                "hospital": came_from or record.organization or ask.archive.organization,
                "outside": bool(came_from) or not ask.archive.settings.local,
                "patient": _patient(found.rows, self._holdings.patient(ask.handle), ask),
                "images": record.image_count if record.image_count is not None else _total(series),
            },
            "series": [_shown(one, f"{root}/studies/{ask.study}") for one in series],
            "gaps": list(self._gaps(ask, series, found)),
            "preview": _thumbnail(f"{root}/studies/{ask.study}", first, 512) if first is not None else None,
            "dicomweb": root,
            "notForDiagnosis": self._not_for_diagnosis,
            "elsewhere": self._elsewhere(ask),
        }

    def _gaps(self, ask: Ask, series: list[Series], found: Found) -> Iterator[str]:
        """What is known to be missing from this study here, a sentence each. None of it is an error of a single image."""
        name, record = ask.held.record.organization or ask.archive.organization, ask.held.record
        withheld = found.withheld
        yield from found.notes
        if found.partial:
            yield f"{name} did not list all series of this study."
        if withheld:
            yield _plural(withheld, "1 series was withheld: it names", "{} series were withheld: they name") + " another patient or study than this one. The image desk was told."
        counted = record.series_count if record.source == ask.archive.key else None
        if series and counted is not None and len(series) + withheld < counted:
            yield f"{name} counts {counted:,} series in this study and listed {len(series) + withheld:,}."
        told = [study.image_count for answer in self._holdings.answers(ask.handle) for study in answer.studies if study.uid == ask.study]
        most = max((count for count in told if count is not None), default=0)
        own = record.image_count if record.source == ask.archive.key else None
        here = own if own is not None else _total(series)
        if series and here is not None and here < most:
            yield f"{here:,} of {most:,} images are here: another source counts more than {name} has."
        if series and not found.partial and not withheld and (counted is None or len(series) >= counted):
            claims = [completeness.counted(one.series) for answer in self._holdings.answers(ask.handle) for one in answer.studies if one.uid == ask.study]
            own_list = [completeness.Counted(one.uid, one.number, one.modality, one.description, one.count) for one in series]
            yield from completeness.sentences(completeness.lacking(own_list, claims), own_list)


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(f"{count:,}")


def in_order(rows: Rows) -> list[Series]:
    """The series as they are shown: those with pictures first, by number."""
    return sorted((_series(row) for row in rows if _has_uid(row)), key=lambda one: one.rank)


def _has_uid(row: dict[str, Any]) -> bool:
    return is_uid(Row(row).exact("0020000E")[1])


def _series(row: dict[str, Any]) -> Series:
    reader = Row(row)
    modality = reader.text("00080060", "modality")
    return Series(
        uid=reader.exact("0020000E")[1] or "", number=reader.count("00200011", "number"), modality=modality.upper() if modality else None,
        description=reader.text("0008103E", "description"), count=reader.count("00201209", "number of images"),
    )  # fmt: skip


def _shown(one: Series, study: str) -> dict[str, Any]:
    kind = kind_of(one.modality)
    drawn = kind.kind == "images"
    return {
        "uid": one.uid,
        "number": one.number,
        "modality": one.modality,
        "description": one.description,
        "count": one.count,
        "kind": kind.kind,
        "word": kind.word or None,
        "sentence": kind.sentence or None,
        "thumbnail": _thumbnail(study, one, 128) if drawn else None,
    }


def _thumbnail(study: str, one: Series, size: int) -> str:
    middle = f"&middle={one.count // 2 + 1}" if one.count else ""
    return f"{study}/series/{one.uid}/thumbnail?viewport={size},{size}{middle}"


def _title(record: StudyRecord, series: list[Series]) -> str:
    if record.description:
        return record.description
    modalities = record.modalities or tuple(dict.fromkeys(one.modality for one in series if one.modality))
    words = " ".join(("/".join(modalities), " ".join(record.body_parts).capitalize())).strip()
    return words or "Study without a description"


def _total(series: list[Series]) -> int | None:
    counts = [one.count for one in series]
    return None if not counts or None in counts else sum(count for count in counts if count is not None)


def _patient(rows: Rows, facts: PatientFacts | None, ask: Ask) -> dict[str, str]:
    """Name, birth date and sex as the archive's own file says, where it does; else the chart's."""
    reader = Row(rows[0] if rows else {})
    name, born, sex = reader.text("00100010", "name"), reader.date("00100030"), reader.text("00100040", "sex")
    return {
        "name": _person(name) if name else (facts.name if facts else ""),
        "born": _date(born or (facts.birth_date if facts else None)) if born or (facts and facts.birth_date) else "",
        "sex": SEXES.get(sex or "", "") or ((facts.sex if facts else None) or ""),
        "id": ask.held.patient_id.value,
    }


def _person(name: str) -> str:
    """`MARCHETTI, Rosalind Jane` from `Marchetti^Rosalind^Jane`."""
    family, _, given = name.partition("^")
    rest = " ".join(part for part in given.split("^")[:2] if part)
    return f"{family.upper()}, {rest}" if family and rest else (family or rest)


def _date(iso: str | None) -> str:
    """`21 May 2026`, `May 2026`, `2026` or `Unknown date`."""
    if not iso:
        return "Unknown date"
    year, *rest = iso.split("-")
    month = MONTHS[int(rest[0]) - 1] if rest and rest[0].isdecimal() and 1 <= int(rest[0]) <= 12 else ""
    return " ".join(part for part in (str(int(rest[1])) if len(rest) > 1 and rest[1].isdecimal() else "", month, year) if part)


def _when(iso: str | None, today: date) -> str:
    """`today`, `3 days`, `4 months`, `1 y 8 m`: how long ago; empty when the day is not known or lies ahead."""
    try:
        day = date.fromisoformat(iso or "")
    except ValueError:
        return ""
    days = (today - day).days
    if days < 0:
        return ""
    if days < 2:
        return ("today", "yesterday")[days]
    if days < 60:
        return f"{days} days"
    months = (today.year - day.year) * 12 + today.month - day.month - (today.day < day.day)
    if months < 12:
        return f"{months} months"
    return f"{months // 12} y {months % 12} m" if months % 12 else f"{months // 12} y"
