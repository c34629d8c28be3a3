"""One row of an archive's answer: kept as a record of the patient asked for, withheld, or unreadable.

Only equality of (id, issuer) with one asked for keeps a row; a row without issuer has the archive's configured one.
A study that any row gives to another patient is nobody's here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from smart_app.archives.dicom_json import Row, is_uid, printable
from smart_app.archives.registry import ConfiguredArchive, origin_shown
from smart_app.archives.types import PatientId, Said, SeriesRecord, StudyRecord

WILDCARDS = frozenset("*?\\�")
"""What may not stand in a searched identifier: wildcards, the value separator, and a character that could not be read."""

URGENT = frozenset({"STAT", "HIGH"})
"""Requested Procedure Priority (0040,1003). Read where an archive gives it, never asked for: it is no attribute of a study search."""


@dataclass
class Found:
    """What has been read so far of one answer."""

    studies: dict[str, StudyRecord] = field(default_factory=dict)
    withheld: dict[str, None] = field(default_factory=dict)
    withheld_without_uid: int = 0
    unreadable: int = 0
    more_exist: bool = False
    strange_origins: dict[str, None] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.studies) + len(self.withheld) + self.withheld_without_uid + self.unreadable


def usable(value: str) -> bool:
    """Whether a Patient ID may stand in a search: a wildcard or control character would ask for somebody else."""
    return 0 < len(value) <= 64 and value.isprintable() and not WILDCARDS & set(value)


def judge(dataset: object, archive: ConfiguredArchive, accepted: tuple[PatientId, ...], found: Found) -> None:
    """Sort one row into kept, withheld or unreadable. Only equality of (id, issuer) with one asked for keeps it."""
    if not isinstance(dataset, Mapping):
        found.unreadable += 1
        return
    row = Row(dataset)
    _, uid = row.exact("0020000D")
    id_readable, value = row.exact("00100020")
    issuer_readable, issuer = row.exact("00100021")
    named = PatientId(value, issuer or archive.issuer) if value and id_readable and issuer_readable else None
    if named is None or named not in accepted:
        if uid and is_uid(uid):
            found.withheld[uid] = None
            found.studies.pop(uid, None)  # one study under two patients: nobody's, until a person sorts it out
        else:
            found.withheld_without_uid += 1
        return
    if not uid or not is_uid(uid):
        found.unreadable += 1
        return
    if uid in found.studies:
        # Told again, perhaps with another birth date: whoever judges the study must see both.
        known, said = found.studies[uid], said_in(row)
        found.studies[uid] = known if said in known.said else replace(known, said=(*known.said, said))
    elif uid not in found.withheld:
        found.studies[uid] = _study(row, uid, named, archive)
    retrieve = row.text("00081190", "retrieve")
    if retrieve and _host(retrieve) not in (None, _host(archive.wado_base), _host(archive.qido_base)):
        found.strange_origins[origin_shown(retrieve)] = None


def _study(row: Row, uid: str, patient: PatientId, archive: ConfiguredArchive) -> StudyRecord:
    record = StudyRecord(
        uid=uid, source=archive.key, organization=archive.organization, archive=archive.key, patient_id=patient,
        date=row.date("00080020"), time=row.time("00080030"), offset=row.offset("00080201"),
        modalities=tuple(dict.fromkeys(code.upper()[:16] for code in row.texts("00080061", "modality"))),
        description=row.text("00081030", "description"), body_parts=row.texts("00180015", "body part"),
        said=(said_in(row),), accession=row.text("00080050", "accession number"), series_count=row.count("00201206", "number of series"),
        image_count=row.count("00201208", "number of images"), availability=row.text("00080056", "availability"),
        urgent=(row.exact("00401003")[1] or "").strip().upper() in URGENT,
        confidentiality=tuple(label.upper() for label in row.texts("00403001", "confidentiality")),
    )  # fmt: skip
    return replace(record, faults=tuple(row.faults))


def said_in(row: Row) -> Said:
    """The patient's name with all its component groups, birth date and sex. More than one value is none that can be read."""
    name = next(iter(row.values("00100010")), None)
    if isinstance(name, Mapping):
        groups = [name.get(group) for group in ("Alphabetic", "Ideographic", "Phonetic")]
        name = "=".join(group if isinstance(group, str) else "" for group in groups).rstrip("=")
    text = printable(name) if isinstance(name, str) else ""
    return Said(text or None, row.exact("00100030")[1], row.exact("00100040")[1])


def series_from(dataset: object, study_uid: str) -> SeriesRecord | None:
    if not isinstance(dataset, Mapping):
        return None
    row = Row(dataset)
    _, uid = row.exact("0020000E")
    readable, study = row.exact("0020000D")
    if not uid or not is_uid(uid) or not readable or (study is not None and study != study_uid):
        return None
    modality = row.text("00080060", "modality")
    record = SeriesRecord(
        uid=uid, study_uid=study_uid, number=row.count("00200011", "number"), modality=modality.upper()[:16] if modality else None,
        description=row.text("0008103E", "description"), image_count=row.count("00201209", "number of images"),
        body_part=row.text("00180015", "body part"),
    )  # fmt: skip
    return replace(record, faults=tuple(row.faults))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
