"""Which report belongs to which study, and how that is known: the one owner of it, for the list's mark and for the report beside the images.

It is of a study that it names (its UID, its ImagingStudy, its order, its accession number in the same namespace). Where it
names none, and day, modality and region fit and nothing contradicts, it *may* be, which is never said as if it were. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, EvidenceRecord, ReportRecord, StudyRecord
from smart_app.studies.clusters import Cluster
from smart_app.studies.evidence import Listed, Whose, may_be, surely
from smart_app.studies.merge import REPORT_RANK, REPORT_WORDS, names_study
from smart_app.studies.rows import StudyRow


@dataclass(frozen=True)
class Bond:
    sure: bool
    why: str
    """A whole sentence."""


MAY = "May belong to this study: the same day, kind and region, but it names no study."


def bond(report: ReportRecord | None, piece: EvidenceRecord | None, uid: str, records: Mapping[str, Sequence[StudyRecord]], whose: Whose) -> Bond | None:
    """How a report is this study's; None: it is not. :param records: all studies of the list, by UID."""
    told = records.get(uid, ())
    sure = _sure(report, piece, uid, told, whose)
    if sure is not None or piece is None or not told:
        return sure
    if any(_sure(report, piece, other, records[other], whose) is not None for other in records if other != uid):
        return None  # it names another study of this list
    return Bond(False, MAY) if may_be(Cluster((piece,)), Listed(uid, tuple(told)), whose) else None


def with_reports(rows: Iterable[StudyRow], answers: Iterable[Answer], whose: Whose) -> tuple[StudyRow, ...]:
    """The rows, marked also for reports that name a study by a number of its own hospital or by its order."""
    kept = tuple(answers)
    records = by_uid(kept)
    pieces = [piece for answer in kept for piece in answer.evidence or () if piece.kind == "report"]
    named: dict[str, list[EvidenceRecord]] = {}
    for piece in pieces:
        for name in Cluster((piece,)).names:
            named.setdefault(name, []).append(piece)
    return tuple(_marked(row, records.get(row.uid, []), named, whose) for row in rows)


def by_uid(answers: Iterable[Answer]) -> dict[str, list[StudyRecord]]:
    found: dict[str, list[StudyRecord]] = {}
    for record in (record for answer in answers for record in answer.studies):
        found.setdefault(record.uid, []).append(record)
    return found


def _marked(row: StudyRow, told: list[StudyRecord], named: Mapping[str, list[EvidenceRecord]], whose: Whose) -> StudyRow:
    if not told:
        return row
    near = {piece.reference: piece for name in Listed(row.uid, tuple(told)).names() for piece in named.get(name, ())}
    words = {REPORT_WORDS.get(piece.status or "", "Report") for piece in near.values() if _sure(None, piece, row.uid, told, whose) is not None}
    words |= {row.report} if row.report else set()
    return replace(row, report=next((word for word in REPORT_RANK if word in words), row.report))


def _sure(report: ReportRecord | None, piece: EvidenceRecord | None, uid: str, told: Sequence[StudyRecord], whose: Whose) -> Bond | None:
    listed = Listed(uid, tuple(told))
    studies = {*(report.studies if report else ()), *(piece.studies if piece else ())}
    if uid in studies or studies & {record.fhir_id for record in told if record.fhir_id}:
        return Bond(True, "Belongs to this study: it names it.")
    cluster = Cluster((piece,)) if piece is not None else None
    shared = [name for name in dict.fromkeys(listed.names()) if cluster is not None and name in cluster.names and surely(cluster, listed, name, whose)]
    number = next((name.removeprefix("number ") for name in shared if name.startswith("number ")), "")
    if not number and report is not None and names_study(report, told, whose.local):
        number = next((one for one in report.accessions if one in {record.accession for record in told}), "")
    if number:
        return Bond(True, f"Belongs to this study by accession {number}.")
    return Bond(True, "Belongs to this study by its order.") if shared else None
