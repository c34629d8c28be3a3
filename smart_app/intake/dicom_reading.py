"""What one DICOM object says of itself, read from bounded bytes in the child process. The verdict is by content alone.

Order matters: size, marker, syntax, bounded inflation, the walk, the names that must be there, the pixels' length. Only
then is pydicom asked whether it can read the header too, so that whoever rewrites it later will not be surprised.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from smart_app.archives.dicom_json import is_uid
from smart_app.archives.headers import BIG_ENDIAN, IMPLICIT
from smart_app.archives.types import PatientId, Said
from smart_app.intake import pixels
from smart_app.intake.dicom_texts import text_of
from smart_app.intake.element_walk import Read, Refused, Walked, meta_of, walk
from smart_app.intake.types import Header

INFLATED_BYTES = 64_000_000
DEFLATE_TAIL = 9
"""Behind the packed data set some write its checksum and length as gzip does, and a pad byte. Anything longer is something hidden there."""
DICOMDIR = "1.2.840.10008.1.3.10"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT = "1.2.840.10008.1.2.1"
PREFIX = "1.2.840.10008.1.2."
SYNTAXES = frozenset(
    {IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, PREFIX + "5"}
    | {f"{PREFIX}4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 100, 101, 102, 103, 104, 105, 106, 107, 108, 201, 202, 203)}
)
CHARACTER_SET, SOP_CLASS, SOP_INSTANCE = 0x00080005, 0x00080016, 0x00080018
STUDY, SERIES = 0x0020000D, 0x0020000E
PATIENT_NAME, PATIENT_ID, ISSUER, BIRTH_DATE, SEX, OTHER_IDS = 0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040, 0x00101002
STUDY_DATE, STUDY_TIME, ACCESSION, MODALITY, INSTITUTION = 0x00080020, 0x00080030, 0x00080050, 0x00080060, 0x00080080
STUDY_TEXT, SERIES_TEXT, BODY_PART, THICKNESS = 0x00081030, 0x0008103E, 0x00180015, 0x00180050
SERIES_NUMBER, INSTANCE_NUMBER, POSITION, ORIENTATION, BURNED_IN = 0x00200011, 0x00200013, 0x00200032, 0x00200037, 0x00280301
WANTED = pixels.SHAPE | {
    CHARACTER_SET, SOP_CLASS, SOP_INSTANCE, STUDY, SERIES, PATIENT_NAME, PATIENT_ID, ISSUER, BIRTH_DATE, SEX, STUDY_DATE, STUDY_TIME, ACCESSION,
    MODALITY, INSTITUTION, STUDY_TEXT, SERIES_TEXT, BODY_PART, THICKNESS, SERIES_NUMBER, INSTANCE_NUMBER, POSITION, ORIENTATION, BURNED_IN,
}  # fmt: skip
NESTED = frozenset({PATIENT_ID, ISSUER, THICKNESS, POSITION, ORIENTATION})
SHARED, PER_FRAME = 0x52009229, 0x52009230
PREAMBLE = "preamble"
"""Among `faults`: the 128 bytes before the marker were not empty, as in a file that is also a program. Whoever stores it clears them."""
STALE_META = "file-meta"
"""Among `faults`: the file meta names another instance than the data set, as some anonymisers leave it. The data set holds."""
BROKEN = frozenset({"cut", "pixels-cut", "no-pixels", "no-content", "unreadable"})
"""Refused as damaged: what was read of it can still say which image is missing."""
DAY = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
CLOCK = re.compile(r"(\d{2}):?(\d{2}).*")
ACTIVE = frozenset({"1.2.840.10008.5.1.4.1.1.104.2", "1.2.840.10008.5.1.4.1.1.104.3", "1.2.840.10008.5.1.4.1.1.104.4", "1.2.840.10008.5.1.4.1.1.104.5"})
"""Encapsulated CDA, STL, OBJ, MTL: content that another program interprets."""
NEEDS = {
    "1.2.840.10008.5.1.4.1.1.104.1": 0x00420011,
    "1.2.840.10008.5.1.4.1.1.481.3": 0x30060020,
    **dict.fromkeys((f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in (11, 22, 33, 34, 40, 50, 59, 65, 67)), 0x0040A730),
    **dict.fromkeys((f"1.2.840.10008.5.1.4.1.1.9.{number}" for number in ("1.1", "1.2", "1.3", "2.1", "3.1", "4.1", "5.1", "6.1")), 0x54000100),
}
"""What an object of this class is for. Without it, the file was cut before it."""


@dataclass(frozen=True)
class Read10:
    """A Part 10 file that was read: what it says, and where its pixels are."""

    header: Header | None
    """None: a DICOMDIR."""
    walked: Walked
    read: Read
    size: int


def read_object(size: int, read: Read) -> Read10:
    """:raises Refused: with a word of `reasons`."""
    found = meta_of(size, read)
    written = bool(read(0, 128).strip(b"\0"))
    if found.syntax not in SYNTAXES:
        raise Refused("syntax")
    media = _plain(found.meta.get(0x0002, b""))
    if found.syntax == DEFLATED:
        content = _inflated(found.begin, size, read)
        found.begin, size, read = 0, len(content), lambda at, count: content[at : at + count]
    try:
        walk(found, size, read, WANTED, NESTED, _sequences())
        if media == DICOMDIR:
            return Read10(None, found, read, size)
        header = _header(found)
        if media and media != header.sop_class:
            raise Refused("ambiguous")
        _must_hold(found, header)
        pixels.check(found, read)
        _readable_by_pydicom(found, read)
    except Refused as refused:
        refused.header = _as_far_as_read(found) if refused.reason in BROKEN else None
        raise
    faults = [PREAMBLE] if written else []
    if (instance := _plain(found.meta.get(0x0003, b""))) and instance != header.instance:
        faults.append(STALE_META)
    return Read10(replace(header, faults=(*header.faults, *faults)), found, read, size)


def _as_far_as_read(found: Walked) -> Header | None:
    try:
        return _header(found)
    except Refused:
        return None


def _plain(value: bytes) -> str:
    return value.decode("ascii", "replace").strip(" \0")


def _inflated(begin: int, size: int, read: Read) -> bytes:
    inflate, whole, at = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), begin
    try:
        while not inflate.eof:
            packed = inflate.unconsumed_tail or read(at, min(65_536, size - at))
            if not packed:
                raise Refused("cut")
            at += 0 if inflate.unconsumed_tail else len(packed)
            whole += inflate.decompress(packed, 1_000_000)
            if len(whole) > INFLATED_BYTES:
                raise Refused("inflates")
    except zlib.error:
        raise Refused("unreadable") from None
    if len(inflate.unused_data) + size - at > DEFLATE_TAIL:
        raise Refused("unreadable")  # something else lies hidden behind the object
    return bytes(whole)


@lru_cache(maxsize=1)
def _sequences() -> frozenset[int]:
    from pydicom._dicom_dict import DicomDictionary

    return frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")


def _header(found: Walked) -> Header:
    values = found.values
    uids = {tag: _plain(values.get(tag, b"")) for tag in (SOP_CLASS, SOP_INSTANCE, STUDY, SERIES)}
    if not all(is_uid(uid) for uid in uids.values()):
        raise Refused("no-uids")
    faults: list[str] = []
    character_set = values.get(CHARACTER_SET, b"")

    def text(tag: int, fault: str, value: bytes | None = None) -> str:
        said, certain = text_of(values.get(tag, b"") if value is None else value, character_set)
        if not certain and fault not in faults:
            faults.append(fault)
        return said

    def day(tag: int, fault: str) -> str:
        said = _plain(values.get(tag, b""))
        iso = _iso(said)
        if said and not iso:
            faults.append(fault)
        return iso

    patient_id = text(PATIENT_ID, "patient-id")
    clock = CLOCK.fullmatch(_plain(values.get(STUDY_TIME, b"")))
    birth = day(BIRTH_DATE, "birth-date")
    position, orientation = _floats(_value(found, POSITION)), _floats(_value(found, ORIENTATION))
    thickness = _floats(_value(found, THICKNESS))
    return Header(
        study=uids[STUDY], series=uids[SERIES], instance=uids[SOP_INSTANCE], sop_class=uids[SOP_CLASS], transfer_syntax=found.syntax,
        said=Said(name=text(PATIENT_NAME, "name") or None, birth_date=birth or None, sex=_plain(values.get(SEX, b"")) or None),
        patient_id=PatientId(patient_id, text(ISSUER, "patient-id")) if patient_id else None,
        other_ids=_other_ids(found, lambda value: text(0, "other-ids", value)),
        accession=text(ACCESSION, "accession"),
        study_date=day(STUDY_DATE, "study-date"),
        study_time=f"{clock[1]}:{clock[2]}" if clock else "",
        modality=text(MODALITY, "modality"), study_description=text(STUDY_TEXT, "description"), series_description=text(SERIES_TEXT, "description"),
        body_part=text(BODY_PART, "body-part"), institution=text(INSTITUTION, "institution"),
        series_number=_whole(values.get(SERIES_NUMBER, b"")), instance_number=_whole(values.get(INSTANCE_NUMBER, b"")),
        frames=pixels.shape_of(found).frames, rows=pixels.shape_of(found).rows or None, columns=pixels.shape_of(found).columns or None,
        slice_thickness=thickness[0] if thickness else None,
        position=(position[0], position[1], position[2]) if len(position) == 3 else None,
        orientation=orientation if len(orientation) == 6 else (),
        burned_in={"YES": True, "NO": False}.get(_plain(values.get(BURNED_IN, b""))),
        faults=tuple(faults),
    )  # fmt: skip


def _iso(said: str) -> str:
    """Empty: no date, or an impossible one."""
    match = DAY.fullmatch(said)
    try:
        return date(*(int(part) for part in match.groups())).isoformat() if match else ""
    except ValueError:
        return ""


def _value(found: Walked, tag: int) -> bytes:
    """At the top, or in the functional groups that all frames share, or in the first frame's."""
    if tag in found.values:
        return found.values[tag]
    return next((value for path, item, value in found.nested if path[-1] == tag and path[0] in (SHARED, PER_FRAME) and item == 0), b"")


def _floats(value: bytes) -> tuple[float, ...]:
    if not value:
        return ()
    try:
        parts = tuple(float(part) for part in _plain(value).split("\\"))
    except ValueError:
        return ()
    return parts if all(part == part and abs(part) < 1e7 for part in parts) else ()


def _whole(value: bytes) -> int | None:
    text = _plain(value).strip()
    return int(text) if re.fullmatch(r"[+-]?\d{1,10}", text) else None


def _other_ids(found: Walked, text: Callable[[bytes], str]) -> tuple[PatientId, ...]:
    items: dict[int, dict[int, str]] = {}
    for path, item, value in found.nested:
        if len(path) == 2 and path[0] == OTHER_IDS and path[1] in (PATIENT_ID, ISSUER):
            items.setdefault(item, {})[path[1]] = text(value)
    return tuple(PatientId(item[PATIENT_ID], item.get(ISSUER, "")) for item in list(items.values())[:32] if item.get(PATIENT_ID))


def _must_hold(found: Walked, header: Header) -> None:
    if header.sop_class in ACTIVE:
        raise Refused("active-object")
    needed = NEEDS.get(header.sop_class)
    if needed is not None and needed not in found.present:
        raise Refused("no-content")
    if not found.pixels and ((header.rows and header.columns) or pixels.is_image(header.sop_class)):
        raise Refused("no-pixels")


def _readable_by_pydicom(found: Walked, read: Read) -> None:
    from pydicom.filereader import read_dataset

    content = read(found.begin, found.header_end - found.begin)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = read_dataset(io.BytesIO(content), found.syntax == IMPLICIT, found.syntax != BIG_ENDIAN)
            seen = {int(tag) for tag in dataset.keys()}  # noqa: SIM118 - a Dataset iterates over converted elements
    except Exception:  # nine kinds of exception were counted on mutated files
        raise Refused("unreadable") from None
    if not seen >= {SOP_CLASS, SOP_INSTANCE, STUDY, SERIES}:
        raise Refused("unreadable")


