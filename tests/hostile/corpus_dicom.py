"""Hostile DICOM: safety.md D1 to D10, each file wrong in one way. Made anew each time, so that nothing binary is kept in the tree."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tests.hostile import making as m
from tests.hostile.cases import Case, case

GOOD = "dicom"
PROGRAM_HEADS = {
    "pe": b"MZ\x90\0\3\0\0\0", "elf": b"\x7fELF\2\1\1", "macho": b"\xcf\xfa\xed\xfe\7\0\0\1", "script": b"#!/bin/sh\nrm -rf ~\n", "html": b"<html><script>alert(1)</script>",
    "javascript": b"/*", "pdf": b"%PDF-1.4\n", "zip": b"PK\3\4\x14\0", "tiff": b"II*\0\x08\0\0\0", "batch": b"@echo off\r\n", "class": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "jpeg": b"\xff\xd8\xff\xe0", "gif": b"GIF89a", "rar": b"Rar!\x1a\7", "php": b"<?php system($_GET[0]);", "svg": b"<svg onload=alert(1)>", "eicar": b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
}  # fmt: skip


def everything() -> Iterator[Case]:
    yield from truncated()
    yield from lengths()
    yield from structure()
    yield from depths_and_counts()
    yield from deflated()
    yield from names()
    yield from pixels()
    yield from codestreams()
    yield from preambles()
    yield from texts()
    yield from documents()


def truncated() -> Iterator[Case]:
    """D5: a good file cut at fifty points is never taken, whatever is left of it."""
    whole = m.dicom()
    for step in range(50):
        at = len(whole) * step // 50
        left = whole[:at]
        if at == 0:
            expected = "refused:empty"
        elif at < 132:
            expected = "refused:unknown"
        else:
            expected = "refused:pixels-cut" if at >= len(whole) - 512 else "refused:cut"
        yield case(f"cut-native-at-{step:02d}-of-50", left, _boundary(whole, at) or expected)
    for name, syntax, stream in (("rle", m.RLE, _rle()), ("jpeg", m.JPEG, _jpeg()), ("j2k", m.J2K, _j2k())):
        packed = m.packed(m.fragments(stream), syntax)
        begin = packed.index(b"\xe0\x7f\x10\0OB")
        for step in range(1, 11):
            at = begin + 12 + (len(packed) - begin - 12) * step // 11
            yield case(f"cut-{name}-at-{step:02d}-of-11", packed[:at], "refused:pixels-cut")
        yield case(f"cut-{name}-before-its-pixels", packed[:begin], "refused:no-pixels")


def _boundary(whole: bytes, at: int) -> str:
    """A cut between two elements adds up; then what is missing tells it."""
    position = 132
    while position < at:
        length, head = struct.unpack_from("<H", whole, position + 6)[0], 8
        if whole[position + 4 : position + 6].decode() in m.LONG:
            length, head = struct.unpack_from("<I", whole, position + 8)[0], 12
        position += head + length
    if position != at or at >= len(whole):
        return ""
    return "refused:no-uids" if b"\x20\0\x0e\0UI" not in whole[:at] else "refused:no-pixels"


def lengths() -> Iterator[Case]:
    body = m.dataset(m.facts(t7FE00010=None))
    for name, length in (("4-gib", 0xFFFFFFF0), ("2-gib", 0x7FFFFFFF), ("one-too-many", 514), ("undefined", m.UNDEFINED)):
        expected = "refused:unreadable" if name == "undefined" else "refused:pixels-cut"
        yield case(f"pixel-data-claims-{name}", m.dicom(body + m.element(0x7FE00010, "OW", bytes(512), length=length)), expected)
    yield case("pixel-data-empty", m.dicom(t7FE00010=("OW", b"")), "refused:pixels-cut")
    yield case("pixel-data-one-row-short", m.dicom(t7FE00010=("OW", bytes(480))), "refused:pixels-cut")
    yield case("pixel-data-longer-than-needed", m.dicom(t7FE00010=("OW", bytes(514))), GOOD)
    for tag, vr in ((0x00420011, "OB"), (0x00091010, "UN"), (0x00100010, "PN"), (0x00081140, "SQ"), (0x00100020, "LO")):
        changed = m.facts()
        changed.pop(tag, None)
        before = {key: value for key, value in changed.items() if key < tag}
        after = {key: value for key, value in changed.items() if key > tag}
        content = m.dataset(before) + m.element(tag, vr, b"ab", length=0xFFFE) + m.dataset(after)
        yield case(f"element-{tag:08x}-claims-too-much", m.dicom(content), "refused:cut")
    yield case("item-longer-than-its-sequence", m.dicom(more=m.element(0x7FE10010, "SQ", m.item(b"", length=400))), "refused:cut")
    yield case("item-longer-than-its-sequence-inside", m.dicom(m.element(0x00081140, "SQ", m.item(b"", length=400)) + m.dataset(m.facts())), "refused:unreadable")
    yield case("element-longer-than-its-item", m.dicom(m.element(0x00081140, "SQ", m.item(m.element(0x00081150, "UI", b"1.2", length=90))) + m.dataset(m.facts())), "refused:unreadable")
    yield case("sequence-without-end", m.dicom(more=m.element(0x7FE10010, "SQ", b"", length=m.UNDEFINED) + m.item(b"")), "refused:cut")
    yield case("item-without-end", m.dicom(more=m.element(0x7FE10010, "SQ", b"", length=m.UNDEFINED) + m.item(b"", length=m.UNDEFINED)), "refused:cut")
    yield case("fragments-without-end", m.packed(m.fragments(_jpeg(), end=b""), m.JPEG), "refused:pixels-cut")
    yield case("fragment-claims-4-gib", m.packed(m.item(b"") + m.item(_jpeg(), length=0xFFFFFFF0) + m.SEQUENCE_END, m.JPEG), "refused:pixels-cut")
    yield case("fragment-of-undefined-length", m.packed(m.item(b"") + m.item(_jpeg(), length=m.UNDEFINED) + m.SEQUENCE_END, m.JPEG), "refused:unreadable")
    yield case("trailing-zeros", m.dicom(more=bytes(6)), GOOD)
    yield case("trailing-garbage", m.dicom(more=b"\x01\x02\x03"), "refused:cut")
    yield case("trailing-zip", m.dicom(more=m.zipped({"evil.exe": b"MZ"})), "refused:unreadable")
    yield case("trailing-html", m.dicom(more=b"<html><script>alert(1)</script></html>"), "refused:unreadable")
    yield case("trailing-padding-element", m.dicom(more=m.element(0xFFFCFFFC, "OB", bytes(64))), GOOD)


def structure() -> Iterator[Case]:
    good = m.dataset(m.facts())
    yield case("marker-alone", bytes(128) + b"DICM", "refused:cut")
    yield case("marker-and-garbage", bytes(128) + b"DICM" + bytes(range(256)) * 4, "refused:syntax")
    yield case("marker-and-html", bytes(128) + b"DICM<html><script>alert(1)</script>" + b" " * 300, "refused:syntax")
    yield case("marker-and-zip", bytes(128) + b"DICM" + m.zipped({"a": b"b"}), "refused:syntax")
    yield case("meta-without-syntax", bytes(128) + b"DICM" + m.element(0x00020002, "UI", m.CT.encode()) + good, "refused:syntax")
    yield case("meta-with-unknown-value-type", bytes(128) + b"DICM" + b"\2\0\x10\0??\4\0abcd" + good, "refused:unreadable")
    yield case("meta-cut", bytes(128) + b"DICM" + m.meta()[:40], "refused:cut")
    yield case("meta-claims-4-gib", bytes(128) + b"DICM" + m.element(0x00020001, "OB", b"\0\1", length=0xFFFFFFF0) + good, "refused:cut")
    yield case("meta-of-a-megabyte", bytes(128) + b"DICM" + m.meta(more=m.element(0x00020102, "OB", bytes(1_000_000))) + good, "refused:header-too-large")
    yield case("meta-syntax-twice", bytes(128) + b"DICM" + m.meta(more=m.element(0x00020010, "UI", m.IMPLICIT.encode())) + good, "refused:ambiguous")
    yield case("meta-names-another-class", bytes(128) + b"DICM" + m.meta(sop_class=m.MR) + good, "refused:ambiguous")
    yield case("meta-names-another-instance", bytes(128) + b"DICM" + m.meta(instance=f"{m.ROOT}.77") + good, GOOD, faults=("file-meta",))
    yield case("no-preamble", m.meta() + good, "refused:no-marker")
    yield case("bare-data-set", good, "refused:no-marker")
    yield case("bare-implicit-data-set", m.dataset(m.facts(), implicit=True), "refused:no-marker")
    for name, syntax in {
        "unknown": "1.2.3.4", "empty": "", "papyrus": "1.2.840.10008.1.20", "text": "../../etc/passwd", "jpip": "1.2.840.10008.1.2.4.94", "jpip-deflate": "1.2.840.10008.1.2.4.95",
        "rfc2557": "1.2.840.10008.1.2.6.1", "xml": "1.2.840.10008.1.2.6.2", "jpeg-2k-part-2": "1.2.840.10008.1.2.4.92", "smpte": "1.2.840.10008.1.2.7.1", "retired-jpeg": "1.2.840.10008.1.2.4.52", "private-ge": "1.2.840.113619.5.2",
    }.items():  # fmt: skip
        yield case(f"syntax-{name}", m.dicom(syntax=syntax), "refused:syntax")
    yield case("syntax-says-implicit-is-explicit", m.dicom(good, syntax=m.IMPLICIT), "refused:cut")
    yield case("syntax-says-explicit-is-implicit", m.dicom(m.dataset(m.facts(), implicit=True), syntax=m.EXPLICIT), "refused:unreadable")
    yield case("syntax-says-big-is-little", m.dicom(m.dataset(m.facts(), order=">"), syntax=m.EXPLICIT), "refused:cut")
    yield case("unknown-value-type", m.dicom(good + b"\xe1\x7f\x10\0ZZ\2\0ab"), "refused:unreadable")
    yield case("value-type-of-zeros", m.dicom(good + b"\xe1\x7f\x10\0\0\0\2\0ab"), "refused:unreadable")
    yield case("text-of-undefined-length", m.dicom(good + m.element(0x7FE10010, "UT", b"", length=m.UNDEFINED) + m.SEQUENCE_END), "refused:unreadable")
    yield case("group-2-in-the-data-set", m.dicom(more=m.element(0x00020010, "UI", m.IMPLICIT.encode())), "refused:unreadable")
    yield case("stray-item", m.dicom(more=m.item(b"")), "refused:unreadable")
    yield case("stray-sequence-end", m.dicom(more=m.SEQUENCE_END), "refused:unreadable")
    yield case("stray-item-end", m.dicom(more=m.ITEM_END), "refused:unreadable")
    yield case("data-in-a-sequence-without-item", m.dicom(m.element(0x00081140, "SQ", m.element(0x00081150, "UI", b"1.2")) + good), "refused:unreadable")
    yield case("patient-id-twice", m.dicom(m.element(0x00100020, "LO", b"OTHER") + good), "refused:ambiguous")
    yield case("patient-id-again-behind-the-pixels", m.dicom(more=m.element(0x00100020, "LO", b"OTHER")), "refused:ambiguous")
    yield case("study-uid-again-behind-the-pixels", m.dicom(more=m.element(0x0020000D, "UI", b"1.2.3")), "refused:ambiguous")
    yield case("pixel-data-twice", m.dicom(more=m.element(0x7FE00010, "OW", bytes(512))), "refused:ambiguous")
    yield case("elements-in-no-order", m.dicom(b"".join(m.element(tag, vr, value) for tag, (vr, value) in sorted(m.facts().items(), reverse=True))), "refused:unreadable")
    yield case("implicit", m.dicom(syntax=m.IMPLICIT), GOOD)
    yield case("un-sequence-of-undefined-length", m.dicom(m.element(0x00091010, "UN", b"", length=m.UNDEFINED) + m.item(b"") + m.SEQUENCE_END + good), GOOD)


def depths_and_counts() -> Iterator[Case]:
    good = m.dataset(m.facts())
    yield case("nested-32-deep", m.dicom(m.nested(32, undefined=True) + good), GOOD)
    yield case("nested-33-deep", m.dicom(m.nested(33, undefined=True) + good), "refused:too-deep")
    opened = m.element(0x30060010, "SQ", b"", length=m.UNDEFINED) + m.item(b"", length=m.UNDEFINED)
    opened_implicit = m.element(0x30060010, "SQ", b"", length=m.UNDEFINED, implicit=True) + m.item(b"", length=m.UNDEFINED)
    for depth in (100, 200, 500, 1_000, 3_000):
        yield case(f"nested-{depth}-deep", m.dicom(m.nested(depth, undefined=True) + good), "refused:too-deep")
        yield case(f"nested-{depth}-deep-of-known-length", m.dicom(m.nested(depth, undefined=False) + good), "refused:too-deep")
        yield case(f"nested-{depth}-deep-implicit", m.dicom(m.nested(depth, undefined=True, implicit=True) + m.dataset(m.facts(), implicit=True), syntax=m.IMPLICIT), "refused:too-deep")
        yield case(f"nested-{depth}-deep-implicit-of-known-length", m.dicom(m.nested(depth, undefined=False, implicit=True) + m.dataset(m.facts(), implicit=True), syntax=m.IMPLICIT), "refused:too-deep")
    for depth in (10_000, 100_000):
        yield case(f"nested-{depth}-deep-never-closed", m.dicom(more=opened * depth), "refused:too-deep")
        yield case(f"nested-{depth}-deep-never-closed-implicit", m.dicom(m.dataset(m.facts(), implicit=True) + opened_implicit * depth, syntax=m.IMPLICIT), "refused:too-deep")
    unknown = m.element(0x00091010, "UN", b"", length=m.UNDEFINED) + m.item(b"", length=m.UNDEFINED)
    inside = m.element(0x00081140, "SQ", b"", length=m.UNDEFINED, implicit=True) + m.item(b"", length=m.UNDEFINED)
    yield case("nested-in-un", m.dicom(more=unknown + inside * 500), "refused:too-deep")
    yield case("nested-by-known-tag-called-un", m.dicom(m.element(0x00081140, "UN", m.item(m.nested(100, undefined=False, implicit=True))) + good), "refused:too-deep")
    yield case("nested-private", m.dicom(m.nested(200, undefined=True, tag=0x00091010) + good), "refused:too-deep")
    yield case("199000-elements", m.dicom(more=m.element(0x7FE10010, "LO", b"") * 199_000), GOOD)
    yield case("200001-elements", m.dicom(more=m.element(0x7FE10010, "LO", b"") * 200_001), "refused:too-many-elements")
    yield case("a-million-elements", m.dicom(more=m.element(0x7FE10010, "LO", b"") * 1_000_000), "refused:too-many-elements")
    yield case("a-million-items", m.dicom(more=m.element(0x7FE10010, "SQ", b"", length=m.UNDEFINED) + m.item(b"") * 1_000_000 + m.SEQUENCE_END), "refused:too-many-elements")
    yield case("a-million-fragments", m.packed(m.item(b"") * 1_000_000 + m.SEQUENCE_END, m.JPEG), "refused:too-many-elements")
    yield case("identifying-value-of-60-kb", m.dicom(t00100010=("PN", b"A" * 60_000)), "refused:header-too-large")


def deflated() -> Iterator[Case]:
    def packed(content: bytes) -> bytes:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        return squeeze.compress(content) + squeeze.flush()

    yield case("deflated", m.dicom(packed(m.dataset(m.facts())), syntax=m.DEFLATED), GOOD)
    head = m.dataset(m.facts(t7FE00010=None))
    for size in (70_000_000, 300_000_000):
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = squeeze.compress(head + m.element(0x7FE00010, "OW", b"", length=size))
        bomb += b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + squeeze.flush()
        yield case(f"deflate-bomb-of-{size // 1_000_000}-mb", m.dicom(bomb, syntax=m.DEFLATED), "refused:inflates")
    yield case("deflated-garbage", m.dicom(b"\xff\xff\xff\xff" * 50, syntax=m.DEFLATED), "refused:unreadable")
    yield case("deflated-cut", m.dicom(packed(m.dataset(m.facts()))[:-20], syntax=m.DEFLATED), "refused:cut")
    yield case("deflated-but-not", m.dicom(m.dataset(m.facts()), syntax=m.DEFLATED), "refused:unreadable")
    yield case("deflated-with-zlib-head", m.dicom(zlib.compress(m.dataset(m.facts())), syntax=m.DEFLATED), "refused:unreadable")
    yield case("deflated-nested", m.dicom(packed(m.nested(200, undefined=True) + m.dataset(m.facts())), syntax=m.DEFLATED), "refused:too-deep")


def names() -> Iterator[Case]:
    """D8 and S6: what names an object must be there and safe in a path."""
    tags = {"class": "t00080016", "instance": "t00080018", "study": "t0020000D", "series": "t0020000E"}
    for name, tag in tags.items():
        yield case(f"no-{name}-uid", m.dicom(**{tag: None}), "refused:no-uids")
        for how, value in {"empty": b"", "letters": b"1.2.abc", "path": b"../../etc/passwd", "too-long": b"1." + b"2" * 64, "newline": b"1.2\r\nX: y", "two": b"1.2\\3.4", "percent": b"1.2%2f3", "nul": b"1.2\x003"}.items():
            if name == "class" and how not in ("empty", "path"):
                continue
            yield case(f"{name}-uid-{how}", m.dicom(**{tag: ("UI", value)}), "refused:no-uids")


def pixels() -> Iterator[Case]:
    yield case("rows-zero", m.dicom(t00280010=("US", m.number(0))), "refused:unreadable")
    yield case("columns-zero", m.dicom(t00280011=("US", m.number(0))), "refused:unreadable")
    yield case("rows-65535", m.dicom(t00280010=("US", m.number(65535)), t00280011=("US", m.number(65535))), "refused:pixels-cut")
    yield case("rows-of-four-bytes", m.dicom(t00280010=("UL", struct.pack("<I", 16))), "refused:unreadable")
    yield case("rows-twice-in-one", m.dicom(t00280010=("US", m.number(16) * 2)), "refused:unreadable")
    yield case("bits-allocated-7", m.dicom(t00280100=("US", m.number(7))), "refused:unreadable")
    yield case("bits-allocated-zero", m.dicom(t00280100=("US", m.number(0))), "refused:unreadable")
    yield case("bits-stored-above-allocated", m.dicom(t00280101=("US", m.number(32))), "refused:unreadable")
    yield case("samples-zero", m.dicom(t00280002=("US", m.number(0))), "refused:unreadable")
    yield case("samples-65535", m.dicom(t00280002=("US", m.number(65535))), "refused:unreadable")
    yield case("frames-a-million", m.dicom(t00280008=("IS", b"1000000")), "refused:unreadable")
    yield case("frames-negative", m.dicom(t00280008=("IS", b"-1")), "refused:unreadable")
    yield case("frames-text", m.dicom(t00280008=("IS", b"many")), "refused:unreadable")
    yield case("frames-two-of-one", m.dicom(t00280008=("IS", b"2")), "refused:pixels-cut")
    yield case("frames-huge-number", m.dicom(t00280008=("IS", b"99999999999")), "refused:unreadable")
    yield case("image-without-pixels", m.dicom(t7FE00010=None), "refused:no-pixels")
    yield case("image-without-pixels-and-shape", m.dicom(t7FE00010=None, t00280010=None, t00280011=None), "refused:no-pixels")
    yield case("native-in-a-packed-syntax", m.dicom(syntax=m.JPEG), "refused:unreadable")
    yield case("packed-in-a-native-syntax", m.packed(m.fragments(_jpeg()), m.EXPLICIT), "refused:unreadable")
    yield case("float-pixels-too-short", m.dicom(t7FE00010=None, t7FE00008=("OF", bytes(8))), "refused:pixels-cut")


def codestreams() -> Iterator[Case]:
    """D6: streams made to break decoders. What is whole but wrong is taken with its mark, or refused."""
    good = {"rle": (m.RLE, _rle()), "jpeg": (m.JPEG, _jpeg()), "j2k": (m.J2K, _j2k()), "jls": (m.JLS, _jls())}
    for name, (syntax, stream) in good.items():
        yield case(f"{name}", m.packed(m.fragments(stream), syntax), GOOD)
        yield case(f"{name}-no-fragments", m.packed(m.fragments(), syntax), "refused:pixels-cut")
        yield case(f"{name}-empty-fragment", m.packed(m.fragments(b""), syntax), "refused:pixels-cut")
        yield case(f"{name}-two-frames-in-one-fragment-missing", m.packed(m.fragments(stream, stream), syntax, frames=3), "refused:pixels-cut")
    for name in ("jpeg", "j2k", "jls"):
        syntax, stream = good[name]
        yield case(f"{name}-breaks-off", m.packed(m.fragments(stream[: len(stream) // 2]), syntax), "refused:pixels-cut")
        yield case(f"{name}-middle-replaced", m.packed(m.fragments(stream[:2] + b"\xaa" * (len(stream) - 4) + b"\xff\xd9"), syntax), GOOD, faults=("pixels",))
        yield case(f"{name}-only-its-ends", m.packed(m.fragments(stream[:2] + b"\xff\xd9"), syntax), GOOD, faults=("pixels",))
        yield case(f"{name}-of-another-size", m.packed(m.fragments(stream), syntax, size=48), GOOD, faults=("pixels",))
    yield case("jpeg-claims-65535-lines", m.packed(m.fragments(_resized(_jpeg())), m.JPEG), GOOD, faults=("pixels",))
    yield case("jpeg-called-j2k", m.packed(m.fragments(_jpeg()), m.J2K), GOOD, faults=("pixels",))
    yield case("j2k-called-jls", m.packed(m.fragments(_j2k()), m.JLS), GOOD, faults=("pixels",))
    yield case("html-called-jpeg", m.packed(m.fragments(b"<html><script>alert(1)</script>"), m.JPEG), "refused:pixels-cut")
    rle = _rle()
    yield case("rle-16-segments", m.packed(m.fragments(struct.pack("<I", 16) + rle[4:]), m.RLE), "refused:unreadable")
    yield case("rle-no-segments", m.packed(m.fragments(struct.pack("<I", 0) + rle[4:]), m.RLE), "refused:unreadable")
    yield case("rle-segment-outside", m.packed(m.fragments(struct.pack("<2I", 1, 0x7FFFFFFF) + rle[8:]), m.RLE), "refused:unreadable")
    yield case("rle-segment-backwards", m.packed(m.fragments(struct.pack("<3I", 2, 64, 32) + rle[12:]), m.RLE), "refused:unreadable")
    yield case("rle-short", m.packed(m.fragments(rle[:64] + b"\x00\x01"), m.RLE), GOOD, faults=("pixels",))
    yield case("table-points-outside", m.packed(m.fragments(_jpeg()[:20], _jpeg()[20:], _jpeg(), table=struct.pack("<2I", 0, 99999)), m.JPEG, frames=2), "refused:unreadable")
    yield case("table-points-backwards", m.packed(m.fragments(_jpeg()[:20], _jpeg()[20:], _jpeg(), table=struct.pack("<2I", 28, 0)), m.JPEG, frames=2), "refused:unreadable")


def preambles() -> Iterator[Case]:
    """D3: the 128 bytes before the marker make the file something else too. They are noted, and cleared by whoever stores it."""
    for name, head in PROGRAM_HEADS.items():
        yield case(f"preamble-{name}", m.dicom(preamble=head), GOOD, faults=("preamble",))


def texts() -> Iterator[Case]:
    """D1 and D7."""
    script = b"<script>alert(1)</script>"
    for tag, vr in ((0x00100010, "PN"), (0x00081030, "LO"), (0x0008103E, "LO"), (0x00080080, "LO"), (0x00100020, "LO")):
        yield case(f"script-in-{tag:08x}", m.dicom(**{f"t{tag:08X}": (vr, script)}), GOOD)
    for name, charset, value, faults in (
        ("utf-8", b"ISO_IR 192", "MÜLLER^Jörg".encode(), ()),
        ("utf-8-called-latin-1", b"ISO_IR 100", "MÜLLER^Jörg".encode(), ("name",)),
        ("utf-8-called-nothing", b"", "MÜLLER^Jörg".encode(), ("name",)),
        ("latin-1", b"ISO_IR 100", "MÜLLER^Jörg".encode("latin-1"), ()),
        ("latin-1-called-utf-8", b"ISO_IR 192", "MÜLLER^Jörg".encode("latin-1"), ("name",)),
        ("latin-1-called-nothing", b"", "MÜLLER^Jörg".encode("latin-1"), ("name",)),
        ("latin-2", b"ISO_IR 101", "WAŁĘSA^Lech".encode("iso8859-2"), ()),
        ("cyrillic", b"ISO_IR 144", "Люкceмбypг".encode("iso8859-5"), ()),
        ("greek", b"ISO_IR 126", "Διονυσιος".encode("iso8859-7"), ()),
        ("arabic", b"ISO_IR 127", "قباني^لنزار".encode("iso8859-6"), ()),
        ("hebrew", b"ISO_IR 138", "שרון^דבורה".encode("iso8859-8"), ()),
        ("turkish", b"ISO_IR 148", "ÇAVUŞOĞLU^İlkay".encode("iso8859-9"), ()),
        ("thai", b"ISO_IR 166", "นามสกุล^ชื่อ".encode("iso8859-11"), ()),
        ("japanese-kana", b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", ()),
        ("japanese-2022", b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", ()),
        ("korean-2022", b"\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", ()),
        ("chinese-gb18030", b"GB18030", "Wang^XiaoDong=王^小东".encode("gb18030"), ()),
        ("chinese-gbk", b"GBK", "Wang^XiaoDong=王^小东".encode("gbk"), ()),
        ("chinese-2022", b"\\ISO 2022 IR 58", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab", ()),
        ("gb18030-cut", b"GB18030", "王小东".encode("gb18030")[:-1], ("name",)),
        ("two-sets-that-do-not-mix", b"ISO_IR 192\\GB18030", "王".encode(), ("name",)),
        ("unknown-set", b"KLINGON", b"M\xdcLLER", ("name",)),
        ("unnamed-escape", b"\\ISO 2022 IR 87", b"A\x1b$Z;3ED", ("name",)),
        ("escape-in-latin-1", b"ISO_IR 100", b"A\xdc\x1b$B;3ED\x1b(B", ("name",)),
        ("escape-in-nothing", b"", b"A\x1b[31mRED", ("name",)),
        ("replacement-character", b"ISO_IR 192", "M\ufffdLLER".encode(), ("name",)),
        ("control-letters", b"ISO_IR 100", b"M\x85\x9cLLER", ("name",)),
        ("surrogate-bytes", b"ISO_IR 192", b"M\xed\xa0\x80LLER", ("name",)),
        ("overlong-utf-8", b"ISO_IR 192", b"M\xc0\xafLLER", ("name",)),
        ("charset-of-scripts", b"../../x", b"M\xdcLLER", ("name",)),
    ):
        yield case(f"name-{name}", m.dicom(t00080005=("CS", charset), t00100010=("PN", value)), GOOD, faults=faults)
    for tag, vr, value, fault in (
        (0x00100030, "DA", b"19661399", "birth-date"), (0x00100030, "DA", b"30.10.1966", "birth-date"), (0x00100030, "DA", b"00000000", "birth-date"),
        (0x00080020, "DA", b"20260230", "study-date"), (0x00080020, "DA", b"tomorrow", "study-date"), (0x00100020, "LO", b"\xff\xfe\x31", ""),
    ):  # fmt: skip
        yield case(f"value-{tag:08x}-{value[:10].decode('latin-1')}", m.dicom(**{f"t{tag:08X}": (vr, value)}), GOOD, faults=(fault,) if fault else ())
    yield case("numbers-that-are-none", m.dicom(t00200013=("IS", b"first"), t00180050=("DS", b"thin"), t00200032=("DS", b"nan\\inf\\1")), GOOD)
    yield case("numbers-beyond-all", m.dicom(t00200013=("IS", b"9" * 12), t00180050=("DS", b"1e400"), t00200032=("DS", b"1e300\\0\\0")), GOOD)


def documents() -> Iterator[Case]:
    def holding(document: bytes, sop_class: str = m.PDF) -> bytes:
        shape = {f"t{tag:08X}": None for tag in m.facts() if tag >> 16 in (0x0028, 0x7FE0)}
        return m.dicom(t00080016=("UI", sop_class.encode()), t00080060=("CS", b"DOC"), t00420011=("OB", document), t00420012=("LO", b"application/pdf"), **shape)

    plain = m.pdf()
    yield case("document-pdf", holding(plain + b" " * (len(plain) % 2)), GOOD)
    yield case("document-html", holding(b"<html><script>alert(1)</script></html>"), "refused:active-object")
    yield case("document-svg", holding(b"<svg onload=alert(1)>"), "refused:active-object")
    yield case("document-program", holding(b"MZ" + bytes(100)), "refused:active-object")
    yield case("document-pdf-with-javascript", holding(m.pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>", catalog=b"/OpenAction 4 0 R")), "refused:pdf-active")
    yield case("document-pdf-broken", holding(b"%PDF-1.4\nnothing"), "refused:pdf-damaged")
    yield case("document-empty", holding(b""), "refused:active-object")
    for name, number in (("cda", 2), ("stl", 3), ("obj", 4), ("mtl", 5)):
        yield case(f"document-{name}", holding(b"<ClinicalDocument/>", f"1.2.840.10008.5.1.4.1.1.104.{number}"), "refused:active-object")
    bare = {f"t{tag:08X}": None for tag in m.facts() if tag >> 16 in (0x0028, 0x7FE0)}
    yield case("document-without-document", m.dicom(t00080016=("UI", m.PDF.encode()), **bare), "refused:no-content")
    yield case("report-without-content", m.dicom(t00080016=("UI", m.SR.encode()), **bare), "refused:no-content")
    yield case("dicomdir", m.dicom(m.element(0x00041130, "CS", b"DISC") + m.element(0x00041220, "SQ", m.item(m.element(0x00041500, "CS", b"..\\..\\etc\\passwd"))), sop_class="1.2.840.10008.1.3.10"), "dicomdir:dicomdir")
    yield case("dicomdir-nested", m.dicom(m.nested(100, undefined=True, tag=0x00041220), sop_class="1.2.840.10008.1.3.10"), "refused:too-deep")
    yield case("dicomdir-cut", m.dicom(m.element(0x00041220, "SQ", m.item(b"", length=900)), sop_class="1.2.840.10008.1.3.10"), "refused:cut")


def _rle() -> bytes:
    rows = b"".join(bytes([15]) + bytes(range(row, row + 16)) for row in range(16))
    return struct.pack("<16I", 1, 64, *[0] * 14) + rows


def _picture(kind: str, **saved: object) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.frombytes("L", (16, 16), bytes(range(256))).save(out, kind, **saved)
    return out.getvalue()


def _jpeg() -> bytes:
    return _picture("JPEG", quality=90)


def _j2k() -> bytes:
    return _picture("JPEG2000", no_jp2=True)


def _jls() -> bytes:
    import numpy
    from jpeg_ls import encode

    return bytes(encode(numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)))


def _resized(stream: bytes) -> bytes:
    at = stream.index(b"\xff\xc0")
    return stream[: at + 5] + b"\xff\xff\xff\xff" + stream[at + 9 :]
