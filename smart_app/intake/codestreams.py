"""What a packed frame says of itself in its first bytes: format, lines, columns, components. Read before any decoder is, since some end
the process where stream and header do not agree (gdcm does). Pure."""

from __future__ import annotations

from dataclasses import dataclass

EXTENDED = "1.2.840.10008.1.2.4.51"
LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG = frozenset({"1.2.840.10008.1.2.4.50", EXTENDED}) | LOSSLESS
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
SCAN, MOST_SCANS = b"\xff\xda", 200
"""A progressive picture goes over all its lines once a scan, of which eleven are usual: a few bytes each can cost hours. Packed data never holds the mark."""
CODESTREAM, BOXED = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "
FRAME_MARKS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})


@dataclass(frozen=True)
class Stream:
    mark: int
    """Of its frame header: 0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS, 0x51 JPEG 2000."""
    precision: int
    rows: int
    columns: int
    components: int


def head_of(stream: bytes) -> Stream | None:
    """None: it is none of these formats, or breaks off before it says."""
    if stream.startswith(BOXED) and (begin := stream.find(CODESTREAM, 0, 4096)) > 0:
        stream = stream[begin:]  # wrapped as in a file, which the standard does not allow and decoders take
    if stream.startswith(CODESTREAM):
        return _jpeg_2000(stream)
    if not stream.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 4 <= len(stream):
        if stream[at] != 0xFF:
            return None
        mark = stream[at + 1]
        if mark == 0xFF:  # a filler byte
            at += 1
            continue
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        if mark in FRAME_MARKS:
            body = stream[at + 4 : at + 10]
            if len(body) < 6:
                return None
            return Stream(mark, body[0], int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), body[5])
        at += 2 + max(length, 2)
    return None


def _jpeg_2000(stream: bytes) -> Stream | None:
    if len(stream) < 43:
        return None
    right, bottom, left, top = (int.from_bytes(stream[at : at + 4], "big") for at in (8, 12, 16, 20))
    return Stream(0x51, (stream[42] & 0x7F) + 1, bottom - top, right - left, int.from_bytes(stream[40:42], "big"))


def agrees(syntax: str, stream: bytes, rows: int, columns: int, samples: int) -> bool:
    """Whether the stream is what the transfer syntax and the header say it is."""
    head = head_of(stream)
    if head is None or (syntax in JPEG and stream.count(SCAN) > MOST_SCANS):
        return False
    marks = {0x51} if syntax in JPEG_2000 else {0xF7} if syntax in JPEG_LS else {0xC3} if syntax in LOSSLESS else {0xC0, 0xC1, 0xC2}
    # A JPEG-LS stream may hold one component a scan; its frame header still counts them all.
    return head.mark in marks and (head.rows, head.columns, head.components) == (rows, columns, samples)
