"""Where the frames of a DICOM object lie in its bytes, so that a kept object can answer for them (PS3.5 8, A.4). Pure.

Says it only where it is certain: uncompressed frames of whole bytes whose sizes add up, or fragments that are one a
frame. Of everything else the archive is asked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SAMPLES, FRAMES, ROWS, COLUMNS, BITS = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
SHAPE = frozenset({SAMPLES, FRAMES, ROWS, COLUMNS, BITS})
SHAPE_BYTES = 16
UNDEFINED = 0xFFFFFFFF
ITEM, SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
MOST_FRAGMENTS = 10_000
PLAIN = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
"""Implicit and explicit little endian: as they lie, so they are sent."""
PACKED = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    **dict.fromkeys(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"), "image/jpeg"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"), "image/jls"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"), "image/jp2"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"), "image/jphc"),
}
"""The media type of a single frame in each syntax (PS3.18 8.7.3)."""

Range = tuple[int, int]
"""Offset and length in the object."""


@dataclass(frozen=True)
class Pixels:
    """Where the value of Pixel Data begins in the object, and how the header says it is made up."""

    at: int
    length: int | None
    """None: encapsulated, items follow."""
    frames: int
    frame_bytes: int | None
    """Of one uncompressed frame; None where the header does not say, or not in whole bytes."""


def described(shape: Mapping[int, bytes], at: int, length: int, order: str) -> Pixels:
    """`shape`: raw values of the tags in SHAPE."""

    def number(tag: int) -> int:
        value = shape.get(tag, b"")
        return int(struct.unpack(f"{order}H", value)[0]) if len(value) == 2 else 0

    said = shape.get(FRAMES, b"").strip(b" \0")
    frames = int(said) if said.isdigit() and len(said) < 8 else 1
    bits = number(ROWS) * number(COLUMNS) * number(BITS) * (number(SAMPLES) or 1)
    return Pixels(at, None if length == UNDEFINED else length, frames, bits // 8 if bits and bits % 8 == 0 else None)


def media_type_of(syntax: str) -> str | None:
    """What a single frame of this syntax is sent as; None: not known here."""
    return "application/octet-stream" if syntax in PLAIN else PACKED.get(syntax)


def frames_in(pixels: Pixels | None, syntax: str, size: int, read: Callable[[int, int], bytes]) -> tuple[Range, ...]:
    """Where each frame lies, in order; empty when that is not certain. `read(offset, count)` reads the object of `size` bytes."""
    if pixels is None or pixels.frames < 1:
        return ()
    if pixels.length is not None:
        whole = pixels.frames * (pixels.frame_bytes or 0)
        if syntax not in PLAIN or not whole or whole + whole % 2 != pixels.length or pixels.at + pixels.length > size:
            return ()
        each = whole // pixels.frames
        return tuple((pixels.at + number * each, each) for number in range(pixels.frames))
    if syntax not in PACKED:
        return ()
    fragments = _fragments(pixels.at, size, read)
    # A frame of several fragments is not one piece of bytes; which belong together is the archive's to say.
    return fragments if len(fragments) == pixels.frames else ()


def _fragments(at: int, size: int, read: Callable[[int, int], bytes]) -> tuple[Range, ...]:
    """The fragments behind the offset table; empty when they are not well formed to their end."""
    found: list[Range] = []
    while at + 8 <= size and len(found) <= MOST_FRAGMENTS:
        group, element, length = struct.unpack("<HHI", read(at, 8))
        tag = group << 16 | element
        if tag == SEQUENCE_END:
            return tuple(found[1:])
        if tag != ITEM or at + 8 + length > size:
            return ()
        found.append((at + 8, length))
        at += 8 + length
    return ()
