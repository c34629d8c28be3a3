"""QIDO-RS of the gateway (PS3.18 10.6): the launch's own studies of one archive, and the series and instances in them.

Studies come from what this launch holds, never from the archive; rows below a study are the archive's, each compared
with what is held, its URLs made ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_app.archives.dicom_json import Row, is_uid
from smart_app.archives.types import PatientId
from smart_app.archives.wado import Listed, Place
from smart_app.viewer.asking import Ask
from smart_app.viewer.checks import Checks
from smart_app.viewer.reads import Reads, Withheld
from smart_app.viewer.upstream import Upstream

SERIES_FIELDS = ("00080060", "0008103E", "00180015", "00200011", "00201209", "00100010", "00100020", "00100021", "00100030", "00100040")
INSTANCE_FIELDS = ("00080016", "00200013", "00280008", "00280010", "00280011", "00100020", "00100021")
UIDS = {"0020000D": "StudyInstanceUID", "0020000E": "SeriesInstanceUID", "00080018": "SOPInstanceUID"}
FILTERS = {
    "StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E", "SOPInstanceUID": "00080018", "SOPClassUID": "00080016", "Modality": "00080060",
    "SeriesNumber": "00200011", "InstanceNumber": "00200013", "PatientID": "00100020", "AccessionNumber": "00080050", "ModalitiesInStudy": "00080061",
    "StudyDate": "00080020",
}  # fmt: skip

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Found:
    rows: Rows
    withheld: int = 0
    partial: bool = False
    """The archive may know more than these."""
    notes: tuple[str, ...] = ()
    """What else is to be said of them, a sentence each."""


class Catalogue:
    def __init__(self, upstream: Upstream, reads: Reads, checks: Checks) -> None:
        self._upstream = upstream
        self._reads = reads
        self._checks = checks

    def studies(self, asks: list[Ask]) -> Found:
        """One row for each held study, as its source told it."""
        return Found([_study(ask, self._checks.gateway_base(ask)) for ask in asks])

    def series(self, ask: Ask) -> Found:
        """:raises OutboundError: the archive did not give a list."""
        listed = self._upstream.of(ask).rows(Place(ask.study), "series", SERIES_FIELDS)
        return self._judged(ask, None, listed, "0020000E")

    def instances(self, ask: Ask, series: str | None, number: int | None = None) -> Found:
        """With `number`, at least those of that Instance Number: one of hundreds is found in a moment. :raises OutboundError: no list."""
        listed = self._upstream.of(ask).rows(Place(ask.study, series), "instances", INSTANCE_FIELDS, number)
        return self._judged(ask, series, listed, "00080018")

    def _judged(self, ask: Ask, series: str | None, listed: Listed, level: str) -> Found:
        kept: Rows = []
        withheld: list[Withheld] = []
        base = self._checks.gateway_base(ask)
        for row in listed.rows:
            if not isinstance(row, dict):
                continue
            said = {tag: Row(row).exact(tag)[1] or "" for tag in UIDS}
            place = {"0020000D": ask.study, **({"0020000E": series} if series else {})}
            # Rows below a study need not repeat what the path says; what they do say must agree.
            wrong = any(said[tag] and said[tag] != uid for tag, uid in place.items()) or _other_patient(ask, row)
            if wrong:
                withheld.append(Withheld(said["0020000E"][:64], said["00080018"][:64], "search row names another patient or study"))
                continue
            said |= place
            where = Place(ask.study, _uid(said["0020000E"]), _uid(said["00080018"]) if level == "00080018" else None)
            kept.append({**row, **{tag: _ui(said[tag]) for tag in UIDS if said[tag]}, "00081190": {"vr": "UR", "Value": [base + where.path]}})
        if withheld:
            self._reads.withheld(ask, withheld)
        return Found(kept, len(withheld), listed.partial, listed.notes)


def narrowed(rows: Rows, query: Mapping[str, str]) -> Rows:
    """The rows that the query's own keys leave, then its `offset` and `limit`. Keys we do not know are ignored."""
    for name, value in query.items():
        tag = FILTERS.get(name) or (name if name in FILTERS.values() else None)
        if tag and value:
            rows = [row for row in rows if _matches(row, tag, value)]
    offset, limit = _number(query.get("offset"), 0), _number(query.get("limit"), len(rows))
    return rows[offset : offset + limit]


def _matches(row: dict[str, Any], tag: str, wanted: str) -> bool:
    values = [str(value) for value in Row(row).values(tag)]
    if tag == "00080020" and "-" in wanted:
        first, _, last = wanted.partition("-")
        return any((not first or value >= first) and (not last or value <= last) for value in values)
    return bool(set(values) & set(wanted.replace("\\", ",").split(",")))


def _other_patient(ask: Ask, row: dict[str, Any]) -> bool:
    readable, value = Row(row).exact("00100020")
    issuer_readable, issuer = Row(row).exact("00100021")
    if readable and issuer_readable and value is None:
        return False
    return not (readable and issuer_readable) or PatientId(value or "", issuer or ask.archive.issuer) not in ask.patients


def _study(ask: Ask, base: str) -> dict[str, Any]:
    record, patient = ask.held.record, ask.held.patient_id
    values: dict[str, tuple[str, list[Any]]] = {
        "00080020": ("DA", [record.date.replace("-", "")] if record.date else []),
        "00080030": ("TM", [record.time.replace(":", "") + "00"] if record.time else []),
        "00080050": ("SH", [record.accession] if record.accession else []),
        "00080061": ("CS", list(record.modalities)),
        "00081030": ("LO", [record.description] if record.description else []),
        "00081190": ("UR", [base + Place(ask.study).path]),
        "00100010": ("PN", []),
        "00100020": ("LO", [patient.value]),
        "00100021": ("LO", [patient.issuer]),
        "0020000D": ("UI", [ask.study]),
        "00200010": ("SH", []),
        "00201206": ("IS", [] if record.series_count is None else [record.series_count]),
        "00201208": ("IS", [] if record.image_count is None else [record.image_count]),
    }
    return {tag: {"vr": vr, "Value": given} if given else {"vr": vr} for tag, (vr, given) in values.items()}


def _ui(uid: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [uid]}


def _uid(said: str) -> str | None:
    return said if is_uid(said) else None


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 9 else otherwise
