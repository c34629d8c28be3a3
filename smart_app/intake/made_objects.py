"""What the DICOM objects that we make ourselves have in common: names that come out the same each time, and no word about who it is.

Identity is empty on purpose: who it is about is decided at the identity desk, never by a photo. Made in the child process only.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from smart_app.intake.archives_of_files import room

SPACE = uuid.UUID("6d9b5d3e-0f0e-5a51-9c55-6d1a4c0b8a77")
MAKER = "Priors"


@dataclass(frozen=True)
class Origin:
    """Where a made object comes from. The same origin makes the same bytes."""

    upload: str
    sha256: str
    received: str
    """`YYYYMMDDHHMMSS`."""

    @property
    def study(self) -> str:
        """All that one upload brought beside DICOM is one study."""
        return _uid(self.upload, "study")

    def series(self, what: str) -> str:
        return _uid(self.upload, what)

    def instance(self, what: str) -> str:
        return _uid(self.upload, what, self.sha256)

    @property
    def day(self) -> str:
        return self.received[:8]

    @property
    def clock(self) -> str:
        return self.received[8:]


def _uid(*parts: str) -> str:
    return f"2.25.{uuid.uuid5(SPACE, '/'.join(parts)).int}"


def anonymous(dataset: Any) -> None:
    """The patient and study modules, present and empty: storing fills them."""
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "AccessionNumber", "StudyID"):
        setattr(dataset, keyword, "")


def written(dataset: Any, path: Any) -> None:
    import pydicom

    with room():
        pydicom.dcmwrite(path, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
