"""The one walk over a stranger's data set, before any library sees it (PS3.5 7, PS3.10 7).

Every element's head is read; no value is, but the few that are wanted. Depth, number and lengths are bounded, and all
lengths must add up to the end of the file: what a parser would take as the end of a good object is found to be a cut one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from smart_app.archives.headers import BIG_ENDIAN, IMPLICIT, LONG_VRS, SHORT_VRS
from smart_app.intake.types import Header

DEPTH = 32
ELEMENTS = 200_000
HEADER_BYTES = 64_000_000
VALUE_BYTES = 1024
META_BYTES = 65_536
NESTED_VALUES = 4096
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010
DOCUMENT = 0x00420011
FLOATS = frozenset({0x7FE00008, 0x7FE00009})
TEXT_VRS = frozenset({b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"LT", b"PN", b"SH", b"ST", b"TM", b"UC", b"UI", b"UR", b"UT"})

Read = Callable[[int, int], bytes]


class Refused(Exception):
    """The file cannot be taken. Its text is a word of `reasons`."""

    header: Header | None = None
    """What it says of itself all the same, as far as it goes: only ever used to name what is missing."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


@dataclass
class Place:
    """Where pixels lie."""

    tag: int
    begin: int
    length: int
    """UNDEFINED: `fragments` has them."""
    fragments: list[tuple[int, int]] = field(default_factory=list)
    """Position and length of each, the offset table first."""


@dataclass
class Walked:
    syntax: str
    order: str
    begin: int
    """Where the data set begins."""
    meta: dict[int, bytes] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)
    """Wanted values of the top level, as they stand."""
    nested: list[tuple[tuple[int, ...], int, bytes]] = field(default_factory=list)
    """Wanted values inside sequences: the tags that lead there, the number of the outermost item, and the value."""
    present: set[int] = field(default_factory=set)
    """All tags of the top level."""
    pixels: list[Place] = field(default_factory=list)
    elements: int = 0
    documents: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Where the wanted documents lie."""
    header_end: int = 0
    """Where the pixels begin, or the end."""


@dataclass
class _Level:
    kind: str
    """`data`, `items` or `fragments`."""
    end: int | None
    implicit: bool
    tag: int = 0
    item: int = -1


def meta_of(size: int, read: Read) -> Walked:
    """The file meta group. :raises Refused:"""
    at = 132
    meta: dict[int, bytes] = {}
    head = read(0, min(size, META_BYTES))
    while True:
        if len(head) < at + 8:
            raise Refused("cut" if len(head) == size else "header-too-large")
        group, element = struct.unpack_from("<HH", head, at)
        if group != 2:
            break
        vr = head[at + 4 : at + 6]
        if vr in LONG_VRS:
            if len(head) < at + 12:
                raise Refused("cut")
            start, length = at + 12, struct.unpack_from("<I", head, at + 8)[0]
        elif vr in SHORT_VRS:
            start, length = at + 8, struct.unpack_from("<H", head, at + 6)[0]
        else:
            raise Refused("unreadable")
        if start + length > size:
            raise Refused("cut")
        if start + length > len(head):
            raise Refused("header-too-large")
        if meta.setdefault(element, head[start : start + length]) != head[start : start + length]:
            raise Refused("ambiguous")
        at = start + length
    syntax = meta.get(0x0010, b"").decode("ascii", "replace").strip(" \0")
    if not syntax:
        raise Refused("syntax")
    return Walked(syntax=syntax, order=">" if syntax == BIG_ENDIAN else "<", begin=at, meta=meta)


def walk(found: Walked, size: int, read: Read, wanted: frozenset[int], nested: frozenset[int], sequences: frozenset[int]) -> None:
    """Fill `found` from the data set between its beginning and `size`. :raises Refused:

    :param wanted: tags of the top level whose values are kept; each may be given once.
    :param nested: tags kept wherever they lie in a sequence.
    :param sequences: tags that are sequences where the file does not say so (implicit, or "UN").
    """
    _Walker(found, size, read, wanted, nested, sequences).run()


class _Walker:
    def __init__(self, found: Walked, size: int, read: Read, wanted: frozenset[int], nested: frozenset[int], sequences: frozenset[int]) -> None:
        self._found, self._size, self._read = found, size, read
        self._wanted, self._nested, self._sequences = wanted, nested, sequences
        self._tag = struct.Struct(found.order + "HH")
        self._long = struct.Struct(found.order + "I")
        self._short = struct.Struct(found.order + "H")
        self._levels = [_Level("data", size, found.syntax == IMPLICIT)]
        self._at = found.begin

    def run(self) -> None:
        levels, found = self._levels, self._found
        found.header_end = self._size
        while True:
            while (end := levels[-1].end) is not None and self._at >= end:
                if self._at > end:
                    raise Refused("cut" if len(levels) == 1 else "unreadable")
                if len(levels) == 1:
                    return
                levels.pop()
            head = self._read(self._at, 12)
            if len(head) < 8:
                self._end(head)
                return
            self._count()
            group, element = self._tag.unpack_from(head)
            level = levels[-1]
            if group == 0xFFFE or level.kind != "data":
                self._delimiter(group << 16 | element, level, self._long.unpack_from(head, 4)[0])
            else:
                self._element(group << 16 | element, level, head)

    def _count(self) -> None:
        self._found.elements += 1
        if self._found.elements > ELEMENTS:
            raise Refused("too-many-elements")

    def _end(self, rest: bytes) -> None:
        """Fewer than eight bytes are left: zeros that fill up a good object, or a cut."""
        if len(self._levels) > 1 or not self._found.elements or rest.strip(b"\0"):
            raise Refused("cut")

    def _element(self, tag: int, level: _Level, head: bytes) -> None:
        if level.implicit:
            vr, start, length = b"", 8, self._long.unpack_from(head, 4)[0]
        else:
            vr = head[4:6]
            if vr in LONG_VRS:
                if len(head) < 12:
                    raise Refused("cut")
                start, length = 12, self._long.unpack_from(head, 8)[0]
            elif vr in SHORT_VRS:
                start, length = 8, self._short.unpack_from(head, 6)[0]
            else:
                raise Refused("unreadable")
        top = len(self._levels) == 1
        begin = self._at + start
        if top:
            if tag >> 16 == 2:
                raise Refused("unreadable")
            self._found.present.add(tag)
        if tag == PIXELS or tag in FLOATS:
            self._pixels(tag, top, begin, length, vr)
            return
        is_sequence = vr == b"SQ" or (vr in (b"", b"UN") and tag in self._sequences)
        if length == UNDEFINED:
            if vr not in (b"", b"SQ", b"UN"):
                raise Refused("unreadable")
            if vr == b"UN" and self._found.order == ">":
                raise Refused("unreadable")
            self._open(_Level("items", None, level.implicit or vr == b"UN", tag), begin)
            return
        self._within(begin, length)
        if is_sequence and length:
            self._open(_Level("items", begin + length, level.implicit or vr == b"UN", tag), begin)
            return
        self._keep(tag, top, begin, length)
        self._at = begin + length
        if not self._found.pixels and self._at - self._found.begin > HEADER_BYTES and top and tag >> 16 <= 0x0040:
            raise Refused("header-too-large")

    def _within(self, begin: int, length: int) -> None:
        for level in reversed(self._levels):
            if level.end is not None:
                if begin + length > level.end:
                    raise Refused("cut" if begin + length > self._size else "unreadable")
                return

    def _keep(self, tag: int, top: bool, begin: int, length: int) -> None:
        if top and tag in self._wanted:
            if length > VALUE_BYTES:
                raise Refused("header-too-large")
            value = self._read(begin, length)
            if self._found.values.setdefault(tag, value) != value:
                raise Refused("ambiguous")
        elif top and tag == DOCUMENT:
            self._found.documents[tag] = begin, length
        elif not top and tag in self._nested and length <= VALUE_BYTES and len(self._found.nested) < NESTED_VALUES:
            path = tuple(level.tag for level in self._levels if level.kind == "items")
            number = next(level.item for level in self._levels if level.kind == "items")
            self._found.nested.append(((*path, tag), number, self._read(begin, length)))

    def _pixels(self, tag: int, top: bool, begin: int, length: int, vr: bytes) -> None:
        place = Place(tag, begin, length)
        if top:
            if self._found.pixels:
                raise Refused("ambiguous")
            self._found.pixels.append(place)
            self._found.header_end = min(self._found.header_end, self._at)
            if self._at - self._found.begin > HEADER_BYTES:
                raise Refused("header-too-large")
        if length != UNDEFINED:
            # A pixel value that does not fit is the commonest cut there is.
            if begin + length > self._size:
                raise Refused("pixels-cut" if top else "cut")
            self._within(begin, length)
            self._at = begin + length
            return
        if vr not in (b"OB", b"OW", b"UN"):
            raise Refused("unreadable")
        self._at = begin
        while True:
            head = self._read(self._at, 8)
            if len(head) < 8:
                raise Refused("pixels-cut")
            self._count()
            group, element = self._tag.unpack_from(head)
            length = self._long.unpack_from(head, 4)[0]
            self._at += 8
            if (group, element) == (0xFFFE, 0xE0DD):
                return
            if (group, element) != (0xFFFE, 0xE000) or length == UNDEFINED:
                raise Refused("unreadable")
            if self._at + length > self._size:
                raise Refused("pixels-cut")
            self._within(self._at, length)
            place.fragments.append((self._at, length))
            self._at += length

    def _open(self, level: _Level, begin: int) -> None:
        self._at = begin
        if sum(one.kind == "items" for one in self._levels) >= DEPTH:
            raise Refused("too-deep")
        self._levels.append(level)

    def _delimiter(self, tag: int, level: _Level, length: int) -> None:
        self._at += 8
        if (tag == SEQUENCE_END and level.kind == "items" and level.end is None) or (tag == ITEM_END and level.kind == "data" and level.end is None):
            self._levels.pop()
        elif tag == ITEM and level.kind == "items":
            level.item += 1
            end = None
            if length != UNDEFINED:
                self._within(self._at, length)
                end = self._at + length
            self._levels.append(_Level("data", end, level.implicit, level.tag))
        else:
            raise Refused("unreadable")
