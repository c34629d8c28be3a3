"""Whether an image's pixels are all there, by their length; and whether they can be decoded, tried in the child process only (safety.md D5, D6)."""

from __future__ import annotations

import itertools
import mmap
import struct
import warnings
from dataclasses import dataclass
from typing import Any

from smart_app.archives.headers import BIG_ENDIAN, IMPLICIT
from smart_app.intake import codestreams
from smart_app.intake.element_walk import FLOATS, UNDEFINED, Place, Read, Refused, Walked

SAMPLES, PHOTOMETRIC, PLANAR, FRAMES, ROWS, COLUMNS, ALLOCATED, STORED, HIGH, SIGNED = (
    0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103,
)  # fmt: skip
SHAPE = frozenset({SAMPLES, PHOTOMETRIC, PLANAR, FRAMES, ROWS, COLUMNS, ALLOCATED, STORED, HIGH, SIGNED})
NATIVE = frozenset({IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN, "1.2.840.10008.1.2.1.99"})
JPEG_FAMILY = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203))
DECODABLE = frozenset({"1.2.840.10008.1.2.5"} | {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91)})
RLE = "1.2.840.10008.1.2.5"
TRIED_FRAMES = 8
TRIED_BYTES = 64_000_000
DECODING_BYTES = 300_000_000
"""What a child that has read nothing yet can give to one frame, beside its code."""
MOST_FRAMES = 100_000


class Cramped(Exception):
    """A decoder may not find the memory it needs in this process as it is now: its failing would say nothing of the frame."""


@dataclass(frozen=True)
class Shape:
    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    signed: int
    planar: int
    photometric: str

    @property
    def frame_bits(self) -> int:
        # Uncompressed YBR_FULL_422 holds two samples a pixel, not three (PS3.3 C.7.6.3.1.2).
        samples = 2 if self.photometric == "YBR_FULL_422" and self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.allocated


def shape_of(found: Walked) -> Shape:
    """:raises Refused: the shape is written so that it cannot be read."""

    def number(tag: int, default: int = 0) -> int:
        value = found.values.get(tag, b"")
        if len(value) not in (0, 2):
            raise Refused("unreadable")
        return int(struct.unpack(found.order + "H", value)[0]) if value else default

    said = found.values.get(FRAMES, b"").strip(b" \0")
    if said and not (said.isdigit() and len(said) < 8):
        raise Refused("unreadable")
    return Shape(
        number(ROWS), number(COLUMNS), int(said or 1) or 1, number(SAMPLES, 1), number(ALLOCATED), number(STORED), number(SIGNED), number(PLANAR),
        found.values.get(PHOTOMETRIC, b"").decode("ascii", "replace").strip(" \0"),
    )  # fmt: skip


def is_image(sop_class: str) -> bool:
    """Whether objects of this class are pictures, so that one without pixels was cut."""
    from pydicom._uid_dict import UID_dictionary

    name = UID_dictionary.get(sop_class, ("",))[0]
    return name.endswith("Image Storage") or "Image Storage - " in name


def check(found: Walked, read: Read) -> None:
    """:raises Refused: pixels are missing, or their shape cannot be."""
    if not found.pixels:
        return
    place, shape = found.pixels[0], shape_of(found)
    if not (shape.rows and shape.columns and shape.allocated and shape.samples) or shape.frames > MOST_FRAMES:
        raise Refused("unreadable")
    if shape.samples not in (1, 3, 4) or shape.allocated not in (1, 8, 16, 32, 64) or shape.stored > shape.allocated:
        raise Refused("unreadable")
    if place.length != UNDEFINED:
        if found.syntax not in NATIVE:
            raise Refused("unreadable")
        if place.length < (shape.frame_bits * shape.frames + 7) // 8:
            raise Refused("pixels-cut")
        return
    if found.syntax in NATIVE or place.tag in FLOATS:
        raise Refused("unreadable")
    frames = frames_of(place, shape, read)
    if found.syntax in JPEG_FAMILY:
        for pieces in frames:
            begin, length = pieces[-1]
            tail = read(begin + max(0, length - 64), min(length, 64)).rstrip(b"\0")
            # A filler byte may follow the end mark; anything else means that the picture breaks off.
            if not (tail.endswith(b"\xff\xd9") or tail[:-1].endswith(b"\xff\xd9")):
                raise Refused("pixels-cut")
    elif found.syntax == RLE:
        for pieces in frames:
            _rle(pieces, shape, read)


def frames_of(place: Place, shape: Shape, read: Read) -> list[list[tuple[int, int]]]:
    """The fragments of each frame. :raises Refused: there are fewer frames than the header says."""
    if not place.fragments:
        raise Refused("pixels-cut")
    (table_at, table_length), fragments = place.fragments[0], list(place.fragments[1:])
    if not fragments:
        raise Refused("pixels-cut")
    if shape.frames == 1:
        return [fragments]
    if len(fragments) == shape.frames:
        return [[piece] for piece in fragments]
    if len(fragments) < shape.frames:
        if len(fragments) == 1:
            return [fragments]  # video: one stream holds all frames
        raise Refused("pixels-cut")
    offsets = struct.unpack(f"<{table_length // 4}I", read(table_at, table_length // 4 * 4))
    starts = {begin - 8 - (fragments[0][0] - 8): number for number, (begin, _) in enumerate(fragments)}
    if len(offsets) != shape.frames or any(offset not in starts for offset in offsets):
        raise Refused("unreadable")
    bounds = [*(starts[offset] for offset in offsets), len(fragments)]
    if bounds != sorted(set(bounds)) or bounds[0] != 0:
        raise Refused("unreadable")
    return [fragments[begin:end] for begin, end in itertools.pairwise(bounds)]


def _rle(pieces: list[tuple[int, int]], shape: Shape, read: Read) -> None:
    begin, length = pieces[0]
    total = sum(size for _, size in pieces)
    if length < 64:
        raise Refused("pixels-cut")
    count, *offsets = struct.unpack("<16I", read(begin, 64))
    wanted = shape.samples * shape.allocated // 8
    if count != wanted or not 1 <= count <= 15 or offsets[0] != 64 or list(offsets[:count]) != sorted(set(offsets[:count])) or offsets[count - 1] >= total:
        raise Refused("unreadable")


def decodes(found: Walked, read: Read) -> bool | None:
    """Whether a sample of the frames can be decoded: the first, the last and some between. None: not tried, there is no decoder or no memory for it here.

    :raises Cramped: a fresh process might try.
    """
    if not found.pixels:
        return None
    place, shape = found.pixels[0], shape_of(found)
    if place.length != UNDEFINED:
        return True  # nothing is packed: the length was all there is to check
    if found.syntax not in DECODABLE:
        return None
    frames = frames_of(place, shape, read)
    step = max(1, (len(frames) - 1) // (TRIED_FRAMES - 1)) if len(frames) > 1 else 1
    chosen = sorted({*range(0, len(frames), step), len(frames) - 1})[: TRIED_FRAMES + 1]
    if sum(size for number in chosen for _, size in frames[number]) > TRIED_BYTES:
        chosen = chosen[:1]
    streams = [b"".join(read(begin, size) for begin, size in frames[number]) for number in chosen]
    if found.syntax != RLE and not all(codestreams.agrees(found.syntax, stream, shape.rows, shape.columns, shape.samples) for stream in streams):
        return False
    if found.syntax == codestreams.EXTENDED and any(head.precision == 12 for stream in streams if (head := codestreams.head_of(stream)) is not None):
        return None
    try:
        from pydicom.pixels.decoders.base import get_decoder
    except ImportError:
        return None
    needed = _needed(found.syntax, shape) + 2 * sum(map(len, streams))
    if needed > DECODING_BYTES:
        return None
    if not _has_room(needed):
        raise Cramped
    try:
        return all(_decodes(get_decoder(found.syntax), stream, shape) for stream in streams)
    except ImportError:
        return None


def _needed(syntax: str, shape: Shape) -> int:
    """What decoding one frame takes at its highest, as measured on 21 million samples of 16 bits: six times the frame, and JPEG 2000 computes in wide numbers, too."""
    samples, width = shape.rows * shape.columns * shape.samples, max(1, shape.allocated // 8)
    return samples * (6 * width + (8 if syntax in codestreams.JPEG_2000 else 0))


def _has_room(count: int) -> bool:
    """Asked of the kernel, and given back untouched."""
    try:
        mmap.mmap(-1, max(count, 1)).close()
    except (OSError, MemoryError):
        return False
    return True


def _decodes(decoder: Any, stream: bytes, shape: Shape) -> bool:
    from pydicom.encaps import encapsulate

    if not decoder.is_available:
        raise ImportError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels, _ = decoder.as_array(
                encapsulate([stream]), rows=shape.rows, columns=shape.columns, number_of_frames=1, samples_per_pixel=shape.samples,
                bits_allocated=shape.allocated, bits_stored=shape.stored or shape.allocated, pixel_representation=shape.signed,
                photometric_interpretation=shape.photometric or "MONOCHROME2", planar_configuration=shape.planar if shape.samples > 1 else None,
                pixel_keyword="PixelData", raw=True,
            )  # fmt: skip
        except Exception:  # decoders raise what they like
            return False
    return bool(pixels.shape[:2] == (shape.rows, shape.columns))
