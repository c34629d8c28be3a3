"""The header of a DICOM object as DICOM JSON (PS3.18 annex F), for a place that gives objects and no metadata of its own.

A stranger's file: bounded before pydicom sees it, its values read from their bytes here, so that none of them is ever
printed in a library's warning. What cannot be read is left out; pixels and other bulk are never in it.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from smart_app.archives.dicom_json import printable
from smart_app.archives.headers import BIG_ENDIAN, DEFLATED, IMPLICIT
from smart_app.archives.texts import Undecodable, decoded, plain

MAX_BYTES = 16_000_000
"""A header larger than this is not read."""
MAX_ITEMS = 60_000
MAX_DEPTH = 32
INLINE_BYTES = 65_536
TEXT_BYTES = 65_536
CHARACTER_SET, SIGNED = 0x00080005, 0x00280103
BULK = 0x7FE00000
ITEM = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
SINGLE = frozenset({"ST", "LT", "UT", "UR"})
TEXTS = SINGLE | frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI"})
BYTES = frozenset({"OB", "OW", "OD", "OF", "OL", "OV", "UN"})

Element = dict[str, Any]


class Unreadable(ValueError):
    """The header cannot be read. The text is a few fixed words."""


def header_json(size: int, read: Callable[[int, int], bytes], syntax: str, only: Collection[int] | None = None) -> dict[str, Element]:
    """The data set of the Part 10 object of `size` bytes, up to its pixels. `read(offset, count)` reads the object.

    :param only: tags wanted; None: all.
    :raises Unreadable:
    """
    try:
        return _dataset(_parsed(size, read, syntax, only), b"", ">" if syntax == BIG_ENDIAN else "<", 0)
    except Unreadable:
        raise
    except Exception as error:  # RecursionError among them: a hostile file may break the reader anywhere
        raise Unreadable("unreadable") from error


def _parsed(size: int, read: Callable[[int, int], bytes], syntax: str, only: Collection[int] | None) -> Any:
    # Half of a worker's start: pydicom takes numpy with it.
    from pydicom.filereader import read_dataset

    head = read(0, min(size, 144))
    if head[128:132] != b"DICM" or head[132:140] != b"\x02\x00\x00\x00UL\x04\x00":
        raise Unreadable("no DICOM file")
    begin = 144 + int.from_bytes(head[140:144], "little")
    if begin > size:
        raise Unreadable("cut")
    file = _Bounded(begin, size, read)
    source: Any = io.BufferedReader(file)
    if syntax in DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        source = io.BytesIO(inflate.decompress(source.read(), MAX_BYTES))
    wanted = None if only is None else sorted({*only, CHARACTER_SET})
    # Never `dcmread`: it inflates whatever says that it is deflated.
    return read_dataset(source, syntax == IMPLICIT, syntax != BIG_ENDIAN, stop_when=lambda tag, vr, length: tag >= BULK, specific_tags=wanted)


class _Bounded(io.RawIOBase):
    """The object from `begin` on, no more than MAX_BYTES of it: reading further is its end."""

    def __init__(self, begin: int, size: int, read: Callable[[int, int], bytes]) -> None:
        self._begin, self._end, self._at, self._read = begin, min(size, begin + MAX_BYTES), begin, read
        self._items = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._read(self._at, min(len(buffer), self._end - self._at)) if self._at < self._end else b""
        self._items += sum(content.count(mark) for mark in ITEM)
        if self._items > MAX_ITEMS:
            raise Unreadable("too many items")
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: self._begin, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        self._at = max(self._begin, base + offset)
        return self._at - self._begin

    def tell(self) -> int:
        return self._at - self._begin


def _dataset(dataset: Any, character_set: bytes, order: str, depth: int, signed: bool = False) -> dict[str, Element]:
    if depth > MAX_DEPTH:
        raise Unreadable("nested too deeply")
    character_set = _raw(dataset, CHARACTER_SET) or character_set
    signed = dataset.get_item(SIGNED).value in (1, struct.pack(f"{order}H", 1)) if SIGNED in dataset else signed
    found: dict[str, Element] = {}
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        number = int(tag)
        if number >> 16 <= 2 or number & 0xFFFF == 0 or number >= BULK:
            continue
        kind = _kind(element, number, signed)
        if kind == "SQ":
            items = [_dataset(item, character_set, order, depth + 1, signed) for item in dataset[tag].value or ()]
            found[f"{number:08X}"] = {"vr": "SQ", **({"Value": items} if items else {})}
        elif isinstance(element.value, int):  # pydicom reads Pixel Representation in passing
            found[f"{number:08X}"] = {"vr": kind, "Value": [element.value]}
        elif not element.value or isinstance(element.value, bytes):
            told = _element(kind, element.value or b"", character_set, order)
            if told is not None:
                found[f"{number:08X}"] = told
    return found


def _raw(dataset: Any, tag: int) -> bytes:
    value = dataset.get_item(tag).value if tag in dataset else None
    return value if isinstance(value, bytes) else b""


def _kind(element: Any, tag: int, signed: bool) -> str:
    """Its value representation; where the file says none (implicit), the dictionary's."""
    from pydicom.datadict import dictionary_VR

    kind = str(element.VR) if element.VR is not None else "UN"
    if kind == "UN" and tag >> 16 & 1 == 0:
        try:
            kind = dictionary_VR(tag)
        except KeyError:
            return "UN"
    if " or " in kind:
        return "OW" if "OW" in kind and "US" not in kind else "SS" if signed else "US"
    return kind


def _element(kind: str, value: bytes, character_set: bytes, order: str) -> Element | None:
    """None: it is bulk, or cannot be read."""
    if kind in BYTES:
        if len(value) > INLINE_BYTES:
            return None
        return {"vr": kind, **({"InlineBinary": base64.b64encode(value).decode()} if value else {})}
    if len(value) > TEXT_BYTES:
        return None
    try:
        values = list(_values(kind, value, character_set, order))
    except (ValueError, struct.error, Undecodable, OverflowError):
        return None
    return {"vr": kind, **({"Value": values} if any(one is not None for one in values) else {})}


def _values(kind: str, value: bytes, character_set: bytes, order: str) -> Iterator[Any]:
    if kind in NUMBERS:
        form = struct.Struct(order + NUMBERS[kind])
        for (number,) in form.iter_unpack(value):
            yield number if number == number and abs(number) != float("inf") else None
    elif kind == "AT":
        for group, element in struct.iter_unpack(f"{order}HH", value):
            yield f"{group:04X}{element:04X}"
    elif kind in ("IS", "DS"):
        for text in plain(value).split("\\"):
            number = None if not text.strip() else int(text) if kind == "IS" else float(text)
            yield number if number is None or abs(number) != float("inf") else None
    elif kind == "PN":
        for name in decoded(value, character_set).split("\\"):
            groups = dict(zip(("Alphabetic", "Ideographic", "Phonetic"), (printable(group) for group in name.split("=")), strict=False))
            yield {key: text for key, text in groups.items() if text} or None
    elif kind in SINGLE:
        yield decoded(value, character_set) or None
    elif kind in TEXTS:
        for text in decoded(value, character_set).split("\\"):
            yield text.strip(" \0") or None
    else:
        raise ValueError(kind)
