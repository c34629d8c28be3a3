"""What a file is, by what is in it. Its name is never asked: names are chosen by strangers.

An allow-list: DICOM, zip, PDF and three kinds of photo go on. What belongs to a disc's viewer is left out and listed;
anything else is refused by a fixed word of `reasons`.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.intake.types import Kind

HEAD_BYTES = 32_774
"""As far as the mark of a disc image."""
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


@dataclass(frozen=True)
class Sniffed:
    kind: Kind
    reason: str = ""


# First bytes of what is not needed (a disc's own programs and their belongings) and of what we do not take.
LEFT_OUT: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "program"), (b"\x7fELF", "program"), (b"\xca\xfe\xba\xbe", "program"), (b"\xcf\xfa\xed\xfe", "program"), (b"\xce\xfa\xed\xfe", "program"),
    (b"\xfe\xed\xfa", "program"), (b"dex\n", "program"), (b"\0asm", "program"), (b"#!", "program"), (b"MSCF", "program"), (b"ISc(", "program"),
    (b"ITSF", "viewer-part"), (b"\0\0\1\0", "viewer-part"), (b"\0\0\2\0", "viewer-part"), (b"\0\1\0\0\0", "viewer-part"), (b"OTTO", "viewer-part"),
    (b"wOFF", "viewer-part"), (b"wOF2", "viewer-part"), (b"SQLite format 3\0", "viewer-part"), (b"L\0\0\0\1\x14\2\0", "program"),
    (b"\0\x05\x16\x07", "system-file"), (b"\0\0\0\1Bud1", "system-file"),
)
REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"), (b"{\\rtf", "office"),
    (b"7z\xbc\xaf\x27\x1c", "other-archive"), (b"Rar!", "other-archive"), (b"\x1f\x8b", "other-archive"), (b"BZh", "other-archive"), (b"\xfd7zXZ\0", "other-archive"),
    (b"\x28\xb5\x2f\xfd", "other-archive"), (b"xar!", "other-archive"),
    (b"II*\0", "other-picture"), (b"MM\0*", "other-picture"), (b"II+\0", "other-picture"), (b"MM\0+", "other-picture"), (b"GIF8", "other-picture"), (b"BM", "other-picture"),
    (b"\0\0\0\x0cjP  ", "other-picture"), (b"\xff\x4f\xff\x51", "other-picture"), (b"\0\0\0\x0cJXL ", "other-picture"), (b"\xff\x0a", "other-picture"), (b"8BPS", "other-picture"),
    (b"\0\0\1\xba", "video"), (b"\0\0\1\xb3", "video"), (b"\x1aE\xdf\xa3", "video"), (b"OggS", "video"), (b"ID3", "video"), (b"fLaC", "video"), (b"FLV\1", "video"),
    (b"0&\xb2u\x8ef\xcf\x11", "video"), (b"%!PS", "other-document"), (b"AC10", "other-document"),
)
PAGE = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<!--")
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"})


def sniff(head: bytes, size: int) -> Sniffed:
    """:param head: its first `HEAD_BYTES`, fewer only if the file is shorter."""
    if size == 0:
        return Sniffed(Kind.REFUSED, "empty")
    if head[128:132] == b"DICM":
        return Sniffed(Kind.DICOM)
    if EICAR in head[:1024]:
        return Sniffed(Kind.REFUSED, "malware")
    if head[:4] in (b"PK\3\4", b"PK\5\6"):
        return Sniffed(Kind.ZIP)
    if head.startswith(b"%PDF-"):
        return Sniffed(Kind.PDF)
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return Sniffed(Kind.PHOTO)
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(64, int.from_bytes(head[:4], "big")), 4))}
        if brands & {b"avif", b"avis"}:
            return Sniffed(Kind.REFUSED, "other-picture")
        return Sniffed(Kind.PHOTO) if brands & HEIF_BRANDS else Sniffed(Kind.REFUSED, "video")
    if head.startswith(b"RIFF"):
        return Sniffed(Kind.REFUSED, "other-picture" if head[8:12] == b"WEBP" else "video")
    if head[257:262] == b"ustar":
        return Sniffed(Kind.REFUSED, "other-archive")
    if head[32_769:32_774] == b"CD001":
        return Sniffed(Kind.REFUSED, "other-archive")
    for start, reason in REFUSED:
        if head.startswith(start):
            return Sniffed(Kind.REFUSED, reason)
    for start, reason in LEFT_OUT:
        if head.startswith(start):
            return Sniffed(Kind.SKIPPED, reason)
    return _text(head)


def _text(head: bytes) -> Sniffed:
    bare = head.removeprefix(b"\xef\xbb\xbf")
    if bare[:2] in (b"\xff\xfe", b"\xfe\xff"):
        bare = bare[2:].replace(b"\0", b"")
    start = bare.lstrip()[:512].lower()
    if b"<svg" in start:
        return Sniffed(Kind.REFUSED, "other-picture")
    if start.startswith(PAGE) or b"<html" in start or start.startswith((b"<?xml", b"<?php")):
        return Sniffed(Kind.SKIPPED, "web-page")
    if start.startswith((b"[autorun", b"@echo")):
        return Sniffed(Kind.SKIPPED, "program")
    if _looks_headerless(head):
        return Sniffed(Kind.REFUSED, "no-marker")
    if bare and not bare.translate(None, _PRINTABLE):
        return Sniffed(Kind.SKIPPED, "text")
    return Sniffed(Kind.REFUSED, "unknown")


_PRINTABLE = bytes([7, 8, 9, 10, 12, 13, 27, *range(32, 127), *range(128, 256)])


def _looks_headerless(head: bytes) -> bool:
    """A DICOM data set without the marker of a file, as very old discs hold them."""
    return head[:2] in (b"\x08\0", b"\x02\0") and head[2:4] in (b"\0\0", b"\x01\0", b"\x05\0", b"\x08\0", b"\x10\0", b"\x12\0", b"\x16\0", b"\x18\0")
