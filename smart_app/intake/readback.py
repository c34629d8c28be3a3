"""Asks the archive what it really has: only an object that was read back, and is the one that was sent, counts as stored."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from smart_app.archives.dicom_json import is_uid
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.types import PatientId
from smart_app.archives.wado import NOT_THERE, ArchiveFault, Form, Place, Wado
from smart_app.intake.coercion import CannotCoerce, identity, substance

FORM = Form("application/dicom", "*")


class Found(StrEnum):
    SAME = "same"
    """The very bytes, or what is one with them in substance, under our patient's number."""
    ABSENT = "absent"
    OTHER_PIXELS = "other-pixels"
    OTHER_PATIENT = "other-patient"
    DAMAGED = "damaged"
    """Something came that is not this object."""


@dataclass(frozen=True)
class Expected:
    series: str
    instance: str
    patient_id: PatientId
    written: str
    """SHA-256 of what was or would be sent."""
    substance: str
    transfer_syntax: str
    shape: tuple[str, ...]


class ReadBack:
    def __init__(self, wado: Wado, workspace: Path) -> None:
        """`workspace`: private folder for one object at a time."""
        self._wado, self._workspace = wado, workspace

    def listed(self, archive: ConfiguredArchive, study: str) -> set[str]:
        """SOP Instance UIDs that the archive lists in the study. :raises OutboundError: it did not say."""
        try:
            rows = self._wado.rows(archive, None, Place(study), "instances").rows
        except ArchiveFault as fault:
            if fault.fault is NOT_THERE:
                return set()
            raise
        uids = ((row.get("00080018") or {}).get("Value") or [None] for row in rows)
        return {str(values[0]) for values in uids if is_uid(values[0])}

    def look(self, archive: ConfiguredArchive, study: str, expected: Expected) -> Found:
        """What the archive hands out under this UID. :raises OutboundError: it handed out nothing, and did not say that there is nothing."""
        with tempfile.NamedTemporaryFile(dir=self._workspace, prefix="back-") as file:
            digest, parts = hashlib.sha256(), 0
            try:
                retrieved = self._wado.parts(archive, None, Place(study, expected.series, expected.instance), FORM)
                try:
                    for _, part in retrieved.parts():
                        parts += 1
                        for chunk in part.chunks:
                            digest.update(chunk)
                            file.write(chunk)
                finally:
                    retrieved.close()
            except ArchiveFault as fault:
                if fault.fault is NOT_THERE:
                    return Found.ABSENT
                raise
            file.flush()
            if parts == 1 and digest.hexdigest() == expected.written:
                return Found.SAME
            return _compared(Path(file.name), study, expected) if parts == 1 else Found.DAMAGED


def _compared(path: Path, study: str, expected: Expected) -> Found:
    """Archives may write an object anew: then its names, its number and its substance decide."""
    try:
        its = identity(path)
        if (its.study, its.series, its.instance) != (study, expected.series, expected.instance):
            return Found.DAMAGED
        if its.patient_id.value != expected.patient_id.value or its.patient_id.issuer not in ("", expected.patient_id.issuer):
            return Found.OTHER_PATIENT
        if its.transfer_syntax != expected.transfer_syntax:
            # It keeps pixels in a form of its own: its bytes prove nothing, its shape must be the same.
            return Found.SAME if its.shape == expected.shape else Found.OTHER_PIXELS
        return Found.SAME if substance(path) == expected.substance else Found.OTHER_PIXELS
    except CannotCoerce:
        return Found.DAMAGED
