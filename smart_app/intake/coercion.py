"""Makes a received object the chart's: our identifiers in, theirs kept beside them, pixels and UIDs untouched (IHE IRWF).

The header is read, edited and written; the pixel bytes are copied as they stand, so that a large object costs no memory.
The received file itself is never touched: undoing is taking it again. The same change gives the same bytes every time.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from pydicom import Dataset, FileDataset, dcmread
from pydicom.charset import convert_encodings
from pydicom.sequence import Sequence

from smart_app.archives.types import PatientId
from smart_app.identity.match import SEXES, day_of
from smart_app.image_requests.types import Patient

CHUNK = 1 << 20
SYSTEM = "PRIORS"
UTF8 = "ISO_IR 192"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99"})
ISSUER_QUALIFIERS = "IssuerOfPatientIDQualifiersSequence"
UNTOUCHED_BY = frozenset({0x00080005, 0x00080050, 0x00100010, 0x00100020, 0x00100021, 0x00100024, 0x00100030, 0x00100032, 0x00100040, 0x00101002, 0x04000561, 0x0018A001})
"""What coercion may change. Two objects that differ in nothing else are one in substance."""
SHAPE = ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


class CannotCoerce(Exception):
    """The object cannot be rewritten so that it says what it should. The text is a few fixed words."""


@dataclass(frozen=True)
class Change:
    """What the files of one item shall say. Empty parts leave what is there."""

    patient_id: PatientId
    name: str
    """DICOM PN."""
    birth_date: str
    """DICOM DA."""
    sex: str
    source: str
    """Who sent it."""
    at: datetime
    """When storing was decided; not the time of writing, so that writing again gives the same."""
    accession: str = ""

    def values(self) -> dict[str, str]:
        given = {
            "PatientName": self.name, "PatientID": self.patient_id.value, "IssuerOfPatientID": self.patient_id.issuer, "PatientBirthDate": self.birth_date,
            "PatientSex": self.sex, "AccessionNumber": self.accession,
        }  # fmt: skip
        return {keyword: value for keyword, value in given.items() if value}


@dataclass(frozen=True)
class Written:
    """What was written. `substance`: digest of what coercion never touches."""

    sha256: str
    size: int
    substance: str


@dataclass(frozen=True)
class Shown:
    """One line of the page's third section."""

    field: str
    before: str
    after: str


FIELDS = {"PatientID": "Patient ID", "IssuerOfPatientID": "Issuer", "PatientName": "Name", "PatientBirthDate": "Birth date", "PatientSex": "Sex", "AccessionNumber": "Accession"}


def change_for(patient: Patient, identifier: PatientId, *, source: str, at: datetime) -> Change:
    """What the chart says, as DICOM writes it. :raises CannotCoerce: its number does not fit into a DICOM object."""
    if not identifier.value or len(identifier.value) > 64 or _FORBIDDEN.search(identifier.value):
        raise CannotCoerce("patient id")
    given, _, middle = patient.given.partition(" ")
    name = "^".join(_component(part) for part in (patient.family, given, middle)).rstrip("^") if patient.family or patient.given else _component(patient.name)
    born = day_of(patient.birth_date or "") or ""
    return Change(
        identifier, name, born.replace("-", "") if len(born) == 10 else "", SEXES.get((patient.sex or "").lower(), ""), _component(source)[:64], at,
    )  # fmt: skip


def shown(change: Change, said: Mapping[str, str]) -> tuple[Shown, ...]:
    """What would change in files that say `said` (by keyword)."""
    return tuple(Shown(FIELDS[keyword], said.get(keyword, ""), value) for keyword, value in change.values().items() if said.get(keyword, "") != value)


def coerce(source: Path, target: Path, change: Change) -> Written:
    """Write `source` to `target` as `change` says. :raises CannotCoerce: :raises OSError: our disk does not take or give it."""
    digest, size = hashlib.sha256(), 0
    with _quietly(), source.open("rb") as file, target.open("w+b") as out:
        dataset = _header(file)
        _edit(dataset, change)
        dataset.preamble = bytes(128)
        try:
            dataset.save_as(out, enforce_file_format=False)
        except Exception as error:
            _if_ours(error)
            raise CannotCoerce("cannot be written") from error
        _copy(file, out)
        out.seek(0)
        while chunk := out.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Written(digest.hexdigest(), size, substance(source))


def substance(path: Path) -> str:
    """Digest of what coercion never touches: the pixel bytes and their form, or the whole content of an object without pixels."""
    with _quietly(), path.open("rb") as file:
        dataset = _header(file)
        digest = hashlib.sha256(f"{dataset.file_meta.get('TransferSyntaxUID', '')}|{dataset.get('SOPInstanceUID', '')}".encode())
        rest = False
        while chunk := file.read(CHUNK):
            rest = True
            digest.update(chunk)
        facts = {str(key): str(dataset.get(key, "")) for key in SHAPE} if rest else _content(dataset)
    digest.update(json.dumps(facts, sort_keys=True).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Identity:
    """Which object of whom a file is."""

    study: str
    series: str
    instance: str
    patient_id: PatientId
    transfer_syntax: str
    shape: tuple[str, ...]


def identity(path: Path) -> Identity:
    """:raises CannotCoerce: it is no DICOM object that can be read."""
    with _quietly(), path.open("rb") as file:
        dataset = _header(file)
    return Identity(
        _text(dataset, "StudyInstanceUID"), _text(dataset, "SeriesInstanceUID"), _text(dataset, "SOPInstanceUID"),
        PatientId(_text(dataset, "PatientID"), _text(dataset, "IssuerOfPatientID")), str(dataset.file_meta.get("TransferSyntaxUID", "")),
        tuple(_text(dataset, keyword) for keyword in SHAPE),
    )  # fmt: skip


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "")


def _header(file: IO[bytes]) -> FileDataset:
    """Everything before the pixels, and the file stands at them. A deflated object is one stream, and comes whole."""
    try:
        dataset = dcmread(cast(Any, file), stop_before_pixels=True)
        if str(dataset.file_meta.get("TransferSyntaxUID", "")) in DEFLATED:
            file.seek(0)
            dataset = dcmread(cast(Any, file))
            file.seek(0, 2)
        return dataset
    except Exception as error:
        _if_ours(error)
        raise CannotCoerce("cannot be read") from error


def _if_ours(error: Exception) -> None:
    """A full or failing disk is never said to be the object's fault. :raises OSError:"""
    if isinstance(error, OSError) and error.errno:
        raise error


def _edit(dataset: Dataset, change: Change) -> None:
    if not _can_be_written(dataset, change):
        dataset.decode()
        dataset.SpecificCharacterSet = UTF8
    before = {keyword: str(dataset.get(keyword) or "") for keyword in FIELDS}
    changed = {keyword: value for keyword, value in change.values().items() if before[keyword] != value}
    _keep_their_number(dataset, change, before)
    modified = Dataset()
    for keyword in changed:
        if keyword in dataset:
            modified[keyword] = deepcopy(dataset[keyword])  # setting the new value would change it in both places
        else:
            setattr(modified, keyword, None)
    if "IssuerOfPatientID" in changed and ISSUER_QUALIFIERS in dataset:
        modified[ISSUER_QUALIFIERS] = deepcopy(dataset[ISSUER_QUALIFIERS])
        del dataset[ISSUER_QUALIFIERS]
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    if changed:
        _append(dataset, "OriginalAttributesSequence", _original(modified, change))
    _append(dataset, "ContributingEquipmentSequence", _importer(change))


def _original(modified: Dataset, change: Change) -> Dataset:
    item = Dataset()
    item.AttributeModificationDateTime = change.at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    item.ModifyingSystem = SYSTEM
    item.SourceOfPreviousValues = change.source
    item.ReasonForTheAttributeModification = "COERCE"
    item.ModifiedAttributesSequence = Sequence([modified])
    return item


def _keep_their_number(dataset: Dataset, change: Change, before: Mapping[str, str]) -> None:
    """Their number and its issuer stay findable beside ours."""
    theirs = PatientId(before["PatientID"], before["IssuerOfPatientID"])
    if not theirs.value or theirs == change.patient_id:
        return
    known = {(str(one.get("PatientID") or ""), str(one.get("IssuerOfPatientID") or "")) for one in dataset.get("OtherPatientIDsSequence") or ()}
    if (theirs.value, theirs.issuer) in known:
        return
    item = Dataset()
    item.PatientID = theirs.value
    if theirs.issuer:
        item.IssuerOfPatientID = theirs.issuer
    item.TypeOfPatientID = "TEXT"
    if ISSUER_QUALIFIERS in dataset:
        item[ISSUER_QUALIFIERS] = deepcopy(dataset[ISSUER_QUALIFIERS])
    _append(dataset, "OtherPatientIDsSequence", item)


def _importer(change: Change) -> Dataset:
    purpose, item = Dataset(), Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "MEDIM", "DCM", "Portable Media Importer Equipment"
    item.PurposeOfReferenceCodeSequence = Sequence([purpose])
    item.Manufacturer = SYSTEM
    item.ContributionDateTime = change.at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    return item


def _append(dataset: Dataset, keyword: str, item: Dataset) -> None:
    setattr(dataset, keyword, Sequence([*(dataset.get(keyword) or ()), item]))


def _can_be_written(dataset: Dataset, change: Change) -> bool:
    """In the object's own character set: only where it cannot, all its text is written anew as UTF-8."""
    text = change.name + change.patient_id.issuer + change.source + change.patient_id.value
    if text.isascii():
        return True
    encodings = convert_encodings(dataset.get("SpecificCharacterSet") or "ISO_IR 6")
    if len(encodings) != 1 or not dataset.get("SpecificCharacterSet"):
        return False
    try:
        text.encode(encodings[0])
    except (UnicodeError, LookupError):
        return False
    return True


def _content(dataset: Dataset) -> dict[str, Any]:
    kept = Dataset()
    for element in dataset:
        if int(element.tag) not in UNTOUCHED_BY:
            kept[element.tag] = element
    return kept.to_json_dict(suppress_invalid_tags=True)


def _copy(file: IO[bytes], out: IO[bytes]) -> None:
    while chunk := file.read(CHUNK):
        out.write(chunk)


def _component(text: str) -> str:
    return re.sub(r"[\^=]", " ", _FORBIDDEN.sub(" ", text)).strip()


@contextmanager
def _quietly() -> Iterator[None]:
    """Odd values in other people's files are theirs: they are carried over, not complained about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
