"""Values of what was received that cross borders: what is in the files, and how fit it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from smart_app.archives.types import PatientId, Said


class Kind(StrEnum):
    """What a file turned out to be, by its content."""

    DICOM = "dicom"
    DICOMDIR = "dicomdir"
    """A hint only: nothing but received bytes is used."""
    ZIP = "zip"
    PHOTO = "photo"
    PDF = "pdf"
    SKIPPED = "skipped"
    """A disc's viewer, autorun or other program: not needed, listed, never kept."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Header:
    """What one DICOM object says of itself, read in the child process. Text is decoded strictly; what cannot be read is in `faults`."""

    study: str
    series: str
    instance: str
    sop_class: str
    transfer_syntax: str
    said: Said
    patient_id: PatientId | None
    """Its issuer is empty where the file names none."""
    other_ids: tuple[PatientId, ...] = ()
    accession: str = ""
    study_date: str = ""
    """ISO, as given."""
    study_time: str = ""
    modality: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = ""
    institution: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    frames: int = 1
    rows: int | None = None
    columns: int | None = None
    slice_thickness: float | None = None
    """mm."""
    position: tuple[float, float, float] | None = None
    """Image Position (Patient), mm."""
    orientation: tuple[float, ...] = ()
    burned_in: bool | None = None
    """Burned In Annotation, when given."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Screened:
    """The verdict on one file, or on one member of a zip."""

    file: str
    """Id of the `ReceivedFile`."""
    member: str
    """Its name inside the zip or on the disc; as text."""
    kind: Kind
    reason: str = ""
    """Fixed word, for refused and skipped; `intake.screening.REASONS` has the sentence."""
    sha256: str = ""
    """Of the object itself."""
    size: int = 0
    path: Path | None = None
    """Where the object lies in the spool: the received file, what was taken out of a zip, or the DICOM made of a photo or PDF."""
    header: Header | None = None
    """For DICOM, and for what became DICOM."""
    pixels_decode: bool | None = None
    """None: not tried."""


class Level(StrEnum):
    GOOD = "good"
    CARE = "care"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, in words for the sender and the reviewer: `11 images missing in series 4`."""

    what: str
    """Fixed word: `person`, `exam`, `complete`, `gaps`, `thin`, `decodes`, `burned-in`, `report`, `damaged`."""
    level: Level
    words: str
    count: int = field(default=0, compare=False)
    """How many images or files are damaged or missing, where that is known."""


class ItemState(StrEnum):
    """Where one received study stands."""

    IN_REVIEW = "in-review"
    SECOND_PERSON = "second-person"
    """One person has confirmed; another must, too."""
    SET_ASIDE = "set-aside"
    """Another person's: can be stored into this chart by nobody."""
    STORING = "storing"
    STORED = "stored"
    STORED_IN_PART = "stored-in-part"
    NOT_USABLE = "not-usable"
    NOT_FOR_US = "not-for-us"
    LEFT = "left"
    """Not kept by the receiver: goes when its time is over."""
    WITHDRAWN = "withdrawn"
    """Was stored, and taken out of every view again."""
    EXPIRED = "expired"


@dataclass(frozen=True)
class FoundStudy:
    """One study of one upload: all its objects, each once. What the desk, the fitness rules and the store speak of."""

    study: str
    headers: tuple[Header, ...]
    refused: tuple[Screened, ...] = ()
    """Files that seem to belong to it and cannot be used."""
