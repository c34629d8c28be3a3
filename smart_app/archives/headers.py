"""Who a DICOM object says it is about, read from the first bytes of its stream (PS3.5 7, PS3.10 7).

A walk of our own over the element headers: it opens no value but the few that name patient, study, series and
instance, skips sequences by length or by delimiter, and stops at Pixel Data. Bounded in bytes, depth and elements,
so that an object made to exhaust a parser is refused instead. pydicom is its referee in the tests.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from smart_app.archives.frames import SHAPE, SHAPE_BYTES, Pixels, described
from smart_app.archives.texts import Undecodable, decoded, plain

HEADER_BYTES = 64_000_000
VALUE_BYTES = 1024
DEPTH = 64
ELEMENTS = 200_000
BULK_BYTES = 1_000_000

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})

TRANSFER_SYNTAX = 0x00020010
CHARACTER_SET, SOP_INSTANCE = 0x00080005, 0x00080018
PATIENT_ID, ISSUER, BIRTH_DATE, SEX = 0x00100020, 0x00100021, 0x00100030, 0x00100040
STUDY, SERIES = 0x0020000D, 0x0020000E
WANTED = frozenset({CHARACTER_SET, SOP_INSTANCE, PATIENT_ID, ISSUER, BIRTH_DATE, SEX, STUDY, SERIES})
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)


class HeaderFault(Exception):
    """The bytes are no DICOM object, or not one we can vouch for. The text is a few fixed words."""


@dataclass(frozen=True)
class Header:
    """The names an object carries. Absent ones are empty."""

    instance: str
    series: str
    study: str
    patient_id: str
    issuer: str
    transfer_syntax: str
    birth_date: str = ""
    sex: str = ""
    pixels: Pixels | None = None
    """None: there are none, or not where bytes can be counted."""


class HeaderReader:
    """Fed with the stream of one Part 10 object until `header` is there.

    :raises HeaderFault: from `feed` and `finish`.
    """

    def __init__(self, *, max_bytes: int = HEADER_BYTES) -> None:
        self.header: Header | None = None
        self._held = bytearray()
        self._max_bytes = max_bytes
        self._meta_end: int | None = None
        self._syntax = ""
        self._walk: _Walk | None = None
        self._inflate: zlib._Decompress | None = None
        self._inflated = 0

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; True once the header is known (further bytes need not be fed)."""
        if self.header is not None:
            return True
        if self._walk is None:
            self._held += chunk
            if not self._read_meta():
                return False
            chunk = bytes(self._held[self._meta_end :])
            self._held.clear()
            self._walk = _Walk(self._syntax, self._max_bytes)
            if self._syntax in DEFLATED:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        if (self._walk.feed(chunk) if self._inflate is None else self._feed_deflated(chunk)):
            self.finish(whole=False)
        return self.header is not None

    def finish(self, *, whole: bool = True) -> Header:
        """What the object said, provided it ended between two elements if it is `whole`."""
        if self.header is None:
            if self._walk is None:
                raise HeaderFault("not a DICOM object")
            if whole:
                self._walk.finish()
            self.header = self._walk.header(self._syntax, None if self._inflate is not None else self._meta_end)
        return self.header

    def _feed_deflated(self, chunk: bytes) -> bool:
        """Inflate in small bites: a bomb is met by the cap of the walk, not by the memory of the worker."""
        assert self._walk is not None
        assert self._inflate is not None
        while chunk:
            try:
                bite = self._inflate.decompress(chunk, 65_536)
            except zlib.error as error:
                raise HeaderFault("cannot be inflated") from error
            chunk = self._inflate.unconsumed_tail
            if self._walk.feed(bite):
                return True
        return False

    def _read_meta(self) -> bool:
        """The file meta group, always explicit little endian; True once its end is in the buffer."""
        held = self._held
        if len(held) < 132:
            return False
        if held[128:132] != b"DICM":
            raise HeaderFault("not a DICOM object")
        at = 132
        while True:
            if len(held) < at + 8:
                if len(held) > self._max_bytes:
                    raise HeaderFault("header too large")
                return False
            group, element = struct.unpack_from("<HH", held, at)
            if group != 2:
                break
            vr = bytes(held[at + 4 : at + 6])
            if vr in LONG_VRS:
                if len(held) < at + 12:
                    return False
                start, length = at + 12, struct.unpack_from("<I", held, at + 8)[0]
            elif vr in SHORT_VRS:
                start, length = at + 8, struct.unpack_from("<H", held, at + 6)[0]
            else:
                raise HeaderFault("file meta cannot be read")
            if length > self._max_bytes:
                raise HeaderFault("header too large")
            if len(held) < start + length:
                if len(held) > self._max_bytes:
                    raise HeaderFault("header too large")
                return False
            if element == 0x0010:
                self._syntax = bytes(held[start : start + length]).decode("ascii", "replace").strip(" \0")
            at = start + length
        if not self._syntax:
            raise HeaderFault("no transfer syntax")
        self._meta_end = at
        return True


@dataclass
class _Level:
    """One open data set, sequence, item or row of fragments."""

    kind: str
    end: int | None
    implicit: bool


class _Walk:
    """Element by element over the data set. Nothing is kept but the wanted values and the unread rest."""

    def __init__(self, syntax: str, max_bytes: int) -> None:
        self._order = ">" if syntax == BIG_ENDIAN else "<"
        self._tag = struct.Struct(f"{self._order}HH")
        self._long = struct.Struct(f"{self._order}I")
        self._short = struct.Struct(f"{self._order}H")
        self._levels = [_Level("item", None, syntax == IMPLICIT)]
        self._max_bytes = max_bytes
        self._buffer = b""
        self._at = 0
        """Position of the next element in `_buffer`."""
        self._base = 0
        """Position of `_buffer` in the data set."""
        self._skip = 0
        self._elements = 0
        self._values: dict[int, bytes] = {}
        self._shape: dict[int, bytes] = {}
        self._pixels: tuple[int, int] | None = None  # position and length of the value
        self._done = False

    def feed(self, chunk: bytes) -> bool:
        if self._skip >= len(chunk):
            self._skip -= len(chunk)
            self._base += len(chunk)
            self._check_size()
            return self._done
        if self._skip:
            self._base += self._skip
            chunk = chunk[self._skip :]
            self._skip = 0
        self._buffer = self._buffer[self._at :] + chunk
        self._base += self._at
        self._at = 0
        while not self._done and self._step():
            pass
        self._check_size()
        return self._done

    def finish(self) -> None:
        self._close_ended()
        if self._skip or self._at < len(self._buffer) or len(self._levels) > 1:
            raise HeaderFault("cut short")

    def header(self, syntax: str, meta_end: int | None = None) -> Header:
        text = {tag: plain(value) for tag, value in self._values.items()}
        return Header(
            instance=text.get(SOP_INSTANCE, ""),
            series=text.get(SERIES, ""),
            study=text.get(STUDY, ""),
            patient_id=self._decoded(PATIENT_ID),
            issuer=self._decoded(ISSUER),
            transfer_syntax=syntax,
            birth_date=text.get(BIRTH_DATE, ""), sex=text.get(SEX, ""),
            pixels=None if meta_end is None or not self._pixels else described(self._shape, meta_end + self._pixels[0], self._pixels[1], self._order),
        )

    def _decoded(self, tag: int) -> str:
        try:
            return decoded(self._values.get(tag, b""), self._values.get(CHARACTER_SET, b""))
        except Undecodable as error:
            raise HeaderFault("patient id cannot be read") from error

    def _check_size(self) -> None:
        if not self._done and self._base + self._at > self._max_bytes:
            raise HeaderFault("header too large")

    def _close_ended(self) -> None:
        where = self._base + self._at
        while len(self._levels) > 1:
            end = self._levels[-1].end
            if end is None or where < end:
                return
            if where > end:
                raise HeaderFault("lengths do not add up")
            self._levels.pop()

    def _step(self) -> bool:
        """One element or delimiter; False when more bytes are needed first."""
        if len(self._levels) > 1:
            self._close_ended()
        at, left = self._at, len(self._buffer) - self._at
        if left < 8:
            return False
        group, element = self._tag.unpack_from(self._buffer, at)
        tag = group << 16 | element
        level = self._levels[-1]
        if group == 0xFFFE or level.kind != "item":
            return self._delimiter(tag, level, self._long.unpack_from(self._buffer, at + 4)[0])
        top = len(self._levels) == 1
        if top and tag in PIXEL_DATA:
            head = 8 if level.implicit else 12
            self._done = left >= head  # its length belongs to it
            if self._done and element == 0x0010:
                self._pixels = self._base + at + head, self._long.unpack_from(self._buffer, at + head - 4)[0]
            return False
        if level.implicit:
            vr, head, length = b"", 8, self._long.unpack_from(self._buffer, at + 4)[0]
        else:
            vr = self._buffer[at + 4 : at + 6]
            if vr in LONG_VRS:
                if left < 12:
                    return False
                head, length = 12, self._long.unpack_from(self._buffer, at + 8)[0]
            elif vr in SHORT_VRS:
                head, length = 8, self._short.unpack_from(self._buffer, at + 6)[0]
            else:
                raise HeaderFault("unknown value representation")
        self._count()
        if length == UNDEFINED:
            self._open_undefined(vr, level, head)
            return True
        if top and tag in WANTED:
            if length > VALUE_BYTES:
                raise HeaderFault("an identifying value is too long")
            if left < head + length:
                self._elements -= 1
                return False
            value = self._buffer[at + head : at + head + length]
            if self._values.setdefault(tag, value) != value:
                raise HeaderFault("an identifying value is given twice")
        elif top and tag in SHAPE and length <= SHAPE_BYTES:
            if left < head + length:
                self._elements -= 1
                return False
            self._shape[tag] = self._buffer[at + head : at + head + length]
        elif top and group > 0x0020 and length > BULK_BYTES:
            # What names the object lies behind us (elements ascend); what follows is bulk: a document, a waveform.
            self._done = True
            return False
        self._advance(head + length)
        return True

    def _advance(self, count: int) -> None:
        level_end = self._levels[-1].end
        if level_end is not None and self._base + self._at + count > level_end:
            raise HeaderFault("lengths do not add up")
        left = len(self._buffer) - self._at
        if count <= left:
            self._at += count
            return
        self._base += self._at + left
        self._buffer, self._at = b"", 0
        self._skip = count - left

    def _count(self) -> None:
        self._elements += 1
        if self._elements > ELEMENTS:
            raise HeaderFault("too many elements")

    def _open_undefined(self, vr: bytes, level: _Level, head: int) -> None:
        if vr in (b"", b"SQ"):
            opened = _Level("sequence", None, level.implicit)
        elif vr == b"UN":
            # PS3.5 6.2.2 note: UN of undefined length holds an implicit little endian sequence.
            if self._order == ">":
                raise HeaderFault("unknown value representation")
            opened = _Level("sequence", None, True)
        elif vr in (b"OB", b"OW"):
            opened = _Level("fragments", None, level.implicit)
        else:
            raise HeaderFault("undefined length where none may be")
        self._advance(head)
        if len(self._levels) >= DEPTH:
            raise HeaderFault("nested too deeply")
        self._levels.append(opened)

    def _delimiter(self, tag: int, level: _Level, length: int) -> bool:
        self._count()
        if (tag == SEQUENCE_END and level.kind != "item" and level.end is None) or (tag == ITEM_END and level.kind == "item" and level.end is None and len(self._levels) > 1):
            self._advance(8)
            self._levels.pop()
        elif tag == ITEM and level.kind == "fragments" and length != UNDEFINED:
            self._advance(8 + length)
        elif tag == ITEM and level.kind == "sequence":
            self._advance(8)
            if len(self._levels) >= DEPTH:
                raise HeaderFault("nested too deeply")
            end = None if length == UNDEFINED else self._base + self._at + length
            self._levels.append(_Level("item", end, level.implicit))
        else:
            raise HeaderFault("a sequence cannot be read")
        return True
