"""A Key Object Selection document that stands as a manifest (IHE XDS-I.b, MADO) -> which instances a study has, and where.

A stranger's file: bounded before pydicom sees it, read without converting what is not asked for, and whatever breaks in
it is one fault. Values are decoded here, so that none of them is ever printed in a library's warning. PS3.3 A.35.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from smart_app.archives.dicom_json import DATE, TIME, is_uid, printable
from smart_app.archives.texts import Undecodable, decoded, plain

KOS_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
IMPLICIT = "1.2.840.10008.1.2"
READABLE = frozenset({IMPLICIT, "1.2.840.10008.1.2.1"})
"""Implicit and explicit little endian. A deflated manifest could hold anything, and nobody needs one."""
MAX_BYTES = 8_000_000
MAX_ITEMS = 60_000
"""Sequence items: each costs the reader a thousand times its bytes."""
MAX_VALUE = 1024
ITEM = b"\xfe\xff\x00\xe0"
STUDY_DATE, STUDY_TIME, ACCESSION, STUDY_TEXT = 0x00080020, 0x00080030, 0x00080050, 0x00081030
SOP_CLASS, CHARACTER_SET, STUDY, SERIES = 0x00080016, 0x00080005, 0x0020000D, 0x0020000E
PATIENT_ID, ISSUER, QUALIFIERS, ENTITY_ID, BORN, SEX = 0x00100020, 0x00100021, 0x00100024, 0x00400032, 0x00100030, 0x00100040
EVIDENCE, SERIES_LIST, INSTANCES, INSTANCE = 0x0040A375, 0x00081115, 0x00081199, 0x00081155
MODALITY, SERIES_TEXT, RETRIEVE_URL, LOCATION = 0x00080060, 0x0008103E, 0x00081190, 0x0040E011
WANTED = [CHARACTER_SET, SOP_CLASS, STUDY_DATE, STUDY_TIME, ACCESSION, STUDY_TEXT, PATIENT_ID, ISSUER, QUALIFIERS, BORN, SEX, STUDY, EVIDENCE]


class NotManifest(ValueError):
    """The document cannot be used. The text is a few fixed words."""


@dataclass(frozen=True)
class KosSeries:
    uid: str
    modality: str | None
    description: str | None
    url: str
    """RetrieveURL as given; empty when there is none. A stranger's word: never called as it stands."""
    location: str
    """Retrieve Location UID; empty when there is none."""
    instances: tuple[str, ...]


@dataclass(frozen=True)
class KosStudy:
    uid: str
    series: tuple[KosSeries, ...]
    date: str | None = None
    time: str | None = None
    accession: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Kos:
    """`issuer` is empty when the document names none."""

    patient_id: str
    issuer: str
    born: str | None
    sex: str | None
    studies: tuple[KosStudy, ...]


def kos_from(data: bytes) -> Kos:
    """:raises NotManifest: no readable manifest of at least one instance."""
    if len(data) > MAX_BYTES or data.count(ITEM) > MAX_ITEMS:
        raise NotManifest("too large")
    try:
        return _read(data)
    except NotManifest:
        raise
    except Exception as error:  # RecursionError among them: a hostile file may break the reader anywhere
        raise NotManifest("unreadable") from error


def _read(data: bytes) -> Kos:
    # Half of a worker's start: pydicom takes numpy with it.
    from pydicom.filereader import read_dataset

    begin, syntax = _meta(data)
    if syntax not in READABLE:
        raise NotManifest("transfer syntax")
    # Never `dcmread`: it inflates whatever says that it is deflated.
    dataset = read_dataset(BytesIO(data[begin:]), syntax == IMPLICIT, True, specific_tags=list(WANTED))
    root = _Values(dataset, _Values(dataset, b"").raw(CHARACTER_SET))
    if root.text(SOP_CLASS) != KOS_CLASS:
        raise NotManifest("no key object selection")
    patient = root.text(PATIENT_ID)
    if not patient:
        raise NotManifest("names no patient")
    issuer = root.text(ISSUER) or next((found for item in root.items(QUALIFIERS) if (found := item.text(ENTITY_ID))), "")
    if root.is_cut(EVIDENCE):
        raise NotManifest("cut")
    studies = tuple(study for item in root.items(EVIDENCE) if (study := _study(item, root)) is not None)
    if not studies:
        raise NotManifest("names no instance")
    return Kos(patient, issuer, root.date(BORN), root.text(SEX) or None, studies)


def _meta(data: bytes) -> tuple[int, str]:
    """(where the data set begins, its transfer syntax), from the file meta information (PS3.10 7.1)."""
    if data[128:132] != b"DICM" or data[132:140] != b"\x02\x00\x00\x00UL\x04\x00":
        raise NotManifest("no DICOM file")
    begin = 144 + int.from_bytes(data[140:144], "little")
    at = data.find(b"\x02\x00\x10\x00UI", 144, begin)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return begin, plain(data[at + 8 : at + 8 + length]) if at > 0 else ""


def _study(item: _Values, root: _Values) -> KosStudy | None:
    uid = item.text(STUDY)
    series = tuple(one for listed in item.items(SERIES_LIST) if (one := _series(listed)) is not None)
    if not is_uid(uid) or not series:
        return None
    if uid != root.text(STUDY):
        return KosStudy(uid, series)  # the document's own facts are of the study it lies in
    return KosStudy(uid, series, root.date(STUDY_DATE), root.time(STUDY_TIME), root.text(ACCESSION) or None, root.text(STUDY_TEXT) or None)


def _series(item: _Values) -> KosSeries | None:
    uid = item.text(SERIES)
    instances = tuple(dict.fromkeys(found for one in item.items(INSTANCES) if is_uid(found := one.text(INSTANCE))))
    if not is_uid(uid) or not instances:
        return None
    modality = item.text(MODALITY)
    return KosSeries(uid, modality.upper()[:16] or None, item.text(SERIES_TEXT) or None, item.text(RETRIEVE_URL), item.text(LOCATION), instances)


class _Values:
    """One dataset's values as text, read from their bytes: nothing is converted but sequences."""

    def __init__(self, dataset: Any, character_set: bytes) -> None:
        self.dataset = dataset
        self._character_set = character_set

    def raw(self, tag: int) -> bytes:
        value = self.dataset.get_item(tag).value if tag in self.dataset else None
        return value[:MAX_VALUE] if isinstance(value, bytes) else b""

    def text(self, tag: int) -> str:
        """Empty when absent or unreadable."""
        try:
            return printable(decoded(self.raw(tag), self._character_set))
        except Undecodable:
            return ""

    def is_cut(self, tag: int) -> bool:
        """Whether the value is shorter than it says. The reader takes what there is; a manifest that lost its end must not count for one."""
        element = self.dataset.get_item(tag) if tag in self.dataset else None
        return element is not None and isinstance(element.value, bytes) and len(element.value) != element.length

    def items(self, tag: int) -> Iterator[_Values]:
        if tag in self.dataset:
            element = self.dataset[tag]
            if element.VR == "SQ":
                for item in element.value or ():
                    yield _Values(item, self._character_set)

    def date(self, tag: int) -> str | None:
        found = DATE.fullmatch(plain(self.raw(tag)))
        return "-".join(found.groups()) if found else None

    def time(self, tag: int) -> str | None:
        found = TIME.fullmatch(plain(self.raw(tag)))
        return ":".join(found.groups()[:2]) if found else None
