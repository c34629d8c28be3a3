"""The fold: one row a Study Instance UID, with every source that names it. Pure, and the same in any order of answers.

Precedence of fields: the archive the study opens from, other archives (local first, then as configured), the chart last.
It opens from the archive that holds most images; what any source says beyond that makes the count 'n of m'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from smart_app.archives.types import Answer, ReportRecord, SourceState, StudyRecord
from smart_app.sources.base import CHART, owner
from smart_app.studies import dates
from smart_app.studies.regions import HEART, anatomy_of
from smart_app.studies.rows import RowSource, StudyRow
from smart_app.studies.shortfall import Lists, missing_of, series_lists

BOX = {"DX": "XR", "CR": "XR", "RG": "XR", "RF": "RF", "PET": "PT", "MRI": "MR"}
PRIMARY = ("PT", "NM", "MR", "CT", "XA", "RF", "MG", "XR", "US", "IVUS", "OCT", "OPT", "ES", "XC", "SM", "ECG")
"""Which modality of several stands in the box: PET-CT is PT."""
NAMES = {
    "CT": "CT", "MR": "MRI", "US": "Ultrasound", "XR": "X-ray", "PT": "PET", "NM": "Nuclear medicine", "MG": "Mammogram", "XA": "Angiogram", "RF": "Fluoroscopy",
    "ECG": "ECG", "XC": "Photographs", "ES": "Endoscopy", "SR": "Report document", "DOC": "Document", "OT": "Other images",
}  # fmt: skip
RECORDINGS = frozenset({"ECG", "EEG", "EMG", "EOG", "HD", "EPS", "RESP"})
"""Curves: an ECG of which "1 image" is said would be looked for as a picture."""
DOCUMENTS = frozenset({"SR", "KO", "PR", "DOC", "PLAN", "AU"})
REPORT_WORDS = {
    "registered": "No report yet", "partial": "Preliminary", "preliminary": "Preliminary", "final": "Final", "amended": "Final, amended",
    "corrected": "Final, amended", "appended": "Final, amended", "cancelled": "Retracted", "entered-in-error": "Retracted",
}  # fmt: skip
REPORT_RANK = ("Final, amended", "Final", "Preliminary", "Report", "No report yet", "Retracted")
REASONS = {
    "no-endpoint": "Named in the chart, which does not say where its images are.",
    "not-approved": "Named in the chart, at an archive that is not approved here, so nothing was asked there.",
    "no-identifier": "Named in the chart. It cannot be opened, since the chart holds no identifier for that archive to check it with.",
    "capability": "Named in the chart, behind a one-time address that Priors does not use.",
    "no-location": "Listed elsewhere, by a source that does not say where its images are.",
    "foreign-place": "Its images are at an address that is not approved here, so nothing was asked there.",
    "unmapped": "It cannot be opened here, since no identifier is known to check its images with.",
    "disputed": "The archive gives this study to another patient, so it stays closed until someone compares the two records.",
}
AVAILABILITY = {
    "NEARLINE": "Kept on slow storage there: opening may take minutes.",
    "OFFLINE": "Kept off line there: their image library must bring it back first.",
    "UNAVAILABLE": "That archive says its images are not available now.",
}


@dataclass(frozen=True)
class Houses:
    """What the fold must know of the configured archives."""

    order: Mapping[str, int]
    """Archive key -> place in the configuration."""
    local: frozenset[str]
    """Keys of the hospital's own archives."""

    def rank(self, record: StudyRecord) -> tuple[bool, bool, int, str]:
        return (record.source.startswith(CHART), record.source not in self.local, self.order.get(record.source, len(self.order)), record.source)


def fold(answers: Iterable[Answer], houses: Houses, today: date) -> tuple[StudyRow, ...]:
    """All rows, newest first, unknown dates last."""
    kept = tuple(answers)
    names = {owner(answer.source): answer.name for answer in kept}
    disputed = {(owner(answer.source), uid) for answer in kept if not answer.source.startswith(CHART) for uid in answer.withheld_studies}
    reports = [report for answer in kept for report in answer.reports or ()]
    reports_read = any(answer.reports is not None for answer in kept)
    all_reports = reports_whole(kept)
    lists = series_lists(kept)
    by_uid: dict[str, list[StudyRecord]] = {}
    for answer in kept:
        for record in answer.studies:
            by_uid.setdefault(record.uid, []).append(record)
    rows = [_row(uid, records, names, disputed, reports if reports_read else None, houses, today, lists, all_reports) for uid, records in by_uid.items()]
    return tuple(sorted(rows, key=lambda row: (row.sort, row.uid), reverse=True))


def reports_whole(answers: Iterable[Answer]) -> bool:
    """Whether every chart that was asked for reports gave all of them: only then is a study without one said to have none."""
    told = [answer for answer in answers if answer.reports is not None]
    return bool(told) and all(answer.state in (SourceState.OK, SourceState.EMPTY) and not answer.withheld for answer in told)


def _row(
    uid: str,
    records: list[StudyRecord],
    names: Mapping[str, str],
    disputed: set[tuple[str, str]],
    reports: list[ReportRecord] | None,
    houses: Houses,
    today: date,
    lists: Lists,
    all_reports: bool,
) -> StudyRow:
    openable = [record for record in records if record.archive is not None and (record.archive, uid) not in disputed]
    opened = min(openable, key=lambda record: (record.source != record.archive, -(record.image_count or 0), houses.rank(record)), default=None)
    ranked = sorted(records, key=lambda record: (record is not opened, houses.rank(record)))
    lead = next((record for record in ranked if record.date), ranked[0])
    codes = tuple(dict.fromkeys(BOX.get(code, code) for record in ranked for code in record.modalities))
    box = next((code for code in PRIMARY if code in codes), next((code for code in codes if code not in DOCUMENTS), codes[0] if codes else ""))
    description = next((record.description for record in ranked if record.description), None)
    anatomy = anatomy_of((part for record in ranked for part in record.body_parts), description)
    regions = anatomy.regions
    hospitals = _hospitals(ranked)
    count, state = _count(records, opened, _noun(box, codes, regions))
    return StudyRow(
        uid=uid,
        archive=opened.archive if opened else None,
        sort=dates.sort_key(lead.date, lead.time),
        date=dates.in_words(lead.date),
        iso_date=lead.date or "",
        when=dates.since(lead.date, lead.time, today),
        modality=box,
        modalities=codes,
        title=description or f"{NAMES.get(box, box) or 'Study'}, not described",
        hospital=", ".join(hospitals),
        regions=regions,
        count=count,
        count_state=state,
        report="" if reports is None else _report(records, reports, houses, all_reports),
        sources=tuple(
            RowSource(record.source, names.get(record.source, record.source), hospitals[0] if record.source.startswith(CHART) else record.organization)
            for record in ranked
        ),
        note=_note(ranked, opened, disputed, names),
        sites=anatomy.sites,
        side=anatomy.side,
        missing=missing_of(ranked, opened, lists) if state == "part" else (),
    )


def _hospitals(ranked: list[StudyRecord]) -> list[str]:
    """Organizations, best first. The chart's own word counts only where no archive names the study."""
    archives = [record.organization for record in ranked if not record.source.startswith(CHART)]
    return list(dict.fromkeys(archives or [record.organization for record in ranked]))


def _noun(box: str, codes: tuple[str, ...], regions: tuple[str, ...]) -> tuple[str, str]:
    if box == "US" and HEART in regions:
        return "clip", "clips"
    if box == "XA":
        return "run", "runs"
    if codes and set(codes) <= DOCUMENTS:
        return "document", "documents"
    if codes and set(codes) <= RECORDINGS:
        return "recording", "recordings"
    return "image", "images"


def _count(records: list[StudyRecord], opened: StudyRecord | None, noun: tuple[str, str]) -> tuple[str, str]:
    said = [record.image_count for record in records if record.image_count is not None]
    most = max(said, default=None)
    if opened is None or opened.source != opened.archive:
        # Nobody who holds the images has counted them.
        by = "the chart" if all(record.source.startswith(CHART) for record in records) else "another source"
        return ("Count unknown", "unknown") if not most else (f"{most:,} {noun[most != 1]} by {by}", "unknown")
    if opened.image_count is None or most is None:
        return "Count unknown", "unknown"
    if opened.image_count < most:
        return f"{opened.image_count:,} of {most:,} {noun[most != 1]}", "part"
    if opened.image_count == 0:
        return f"0 {noun[1]}", "part"
    images = f"{opened.image_count:,} {noun[opened.image_count != 1]}"
    series = opened.series_count
    return f"{series:,} series, {images}" if series else images, "whole"


def names_study(report: ReportRecord, records: Iterable[StudyRecord], local: frozenset[str]) -> bool:
    """Whether a report names the study that `records` tell of.

    An accession number is one hospital's own: it joins only studies of the chart and of the local archives.
    """
    told = tuple(records)
    known = {record.uid for record in told} | {record.fhir_id for record in told if record.fhir_id}
    ours = {record.accession for record in told if record.accession and (record.source.startswith(CHART) or record.source in local)}
    return bool(known & set(report.studies) or ours & set(report.accessions))


def _report(records: list[StudyRecord], reports: list[ReportRecord], houses: Houses, is_whole: bool) -> str:
    """The strongest word of the reports that name this study. `No report` only where all reports were read."""
    words = {REPORT_WORDS.get(report.status, "Report") for report in reports if names_study(report, records, houses.local)}
    return next((word for word in REPORT_RANK if word in words), "No report" if is_whole else "")


def _note(ranked: list[StudyRecord], opened: StudyRecord | None, disputed: set[tuple[str, str]], names: Mapping[str, str]) -> str:
    said: list[str] = []
    if opened is None:
        reasons = ["disputed" if record.archive and (record.archive, record.uid) in disputed else record.unfetchable for record in ranked]
        said.append(next((REASONS[reason] for reason in reasons if reason in REASONS), REASONS["no-endpoint"]))
    elif opened.availability in AVAILABILITY:
        said.append(AVAILABILITY[opened.availability])
    given = {record.date: names.get(record.source, record.source) for record in reversed(ranked) if record.date}
    if len({day for day in given if len(day) == 10}) > 1:
        said.append("Sources give different dates: " + ", ".join(f"{dates.in_words(day)} ({given[day]})" for day in sorted(given)) + ".")
    faults = list(dict.fromkeys(fault for record in ranked for fault in record.faults))
    if faults:
        said.append(f"Could not be read: {', '.join(faults)}.")
    return " ".join(said)
