"""The phantom as a patient's study in an archive: the same pixels under that archive's Patient ID and UIDs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread

from bench.phantom import draw, uid
from sandbox import world
from sandbox.model import DemoArchive

PATIENT = "thornbury"
"""A demo patient without any other study, so that nothing else is counted."""


@dataclass(frozen=True)
class LoadStudy:
    """`slices` images that one archive holds of the patient."""

    archive: str
    slices: int

    @property
    def study(self) -> str:
        return uid(self.archive, self.slices)

    @property
    def series(self) -> str:
        return uid(self.archive, self.slices, "series")

    def instance(self, at: int) -> str:
        return uid(self.archive, self.slices, "instance", at)

    @property
    def frames(self) -> list[str]:
        """The paths of all frames below a DICOMweb base."""
        root = f"/studies/{self.study}/series/{self.series}/instances"
        return [f"{root}/{self.instance(at)}/frames/1" for at in range(self.slices)]

    @property
    def path(self) -> str:
        return f"/studies/{self.study}/series/{self.series}"


def objects(folder: Path, drawn: int, load: LoadStudy, say: Callable[[str], None]) -> Iterator[bytes]:
    """The study as Part 10 objects, from the `drawn` slices kept in `folder` (drawn there the first time)."""
    draw(folder, drawn, say)
    archive = world.archive(load.archive)
    for at in range(load.slices):
        yield _tagged((folder / f"{at:04d}.dcm").read_bytes(), archive, load, at)


def _tagged(content: bytes, archive: DemoArchive, load: LoadStudy, at: int) -> bytes:
    patient = world.patient(PATIENT)
    data = dcmread(BytesIO(content))
    data.PatientID = patient.identifiers[archive.identifier_system]
    if archive.writes_issuer:
        data.IssuerOfPatientID = archive.issuer
    data.PatientName = f"{patient.family}^{patient.given}"
    data.PatientBirthDate, data.PatientSex = patient.birth_date.replace("-", ""), patient.sex[:1].upper()
    data.InstitutionName = archive.organization
    data.StudyInstanceUID, data.SeriesInstanceUID = load.study, load.series
    data.FrameOfReferenceUID = uid(load.archive, load.slices, "space")
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = load.instance(at)
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()
