"""Small DICOM objects, zips, photos and PDFs for the tests of screening, made byte by byte so that each can be wrong in exactly one way."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

EXPLICIT, IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
RLE, JPEG, EXTENDED, JLS, J2K = "1.2.840.10008.1.2.5", *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 80, 90))
CT, SC, SR, PDF, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.4"
ROOT = "1.2.826.0.1.3680043.10.1474.7"
LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
TEXT_PAD = {"UI": b"\0", "OB": b"\0", "UN": b"\0"}
UNDEFINED = 0xFFFFFFFF


def element(tag: int, vr: str, value: bytes = b"", *, length: int | None = None, implicit: bool = False, order: str = "<") -> bytes:
    """One element; `length` lies where it is given."""
    value += TEXT_PAD.get(vr, b" ") * (len(value) % 2)
    said = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack(order + "I", said) + value
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", said) + value
    return head + vr.encode() + struct.pack(order + "H", said & 0xFFFF) + value


def item(content: bytes, *, length: int | None = None, order: str = "<") -> bytes:
    return struct.pack(order + "HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def fragments(*pieces: bytes, table: bytes = b"", end: bytes = SEQUENCE_END) -> bytes:
    return item(table) + b"".join(item(piece + b"\0" * (len(piece) % 2)) for piece in pieces) + end


def meta(syntax: str = EXPLICIT, sop_class: str = CT, instance: str = f"{ROOT}.1", more: bytes = b"") -> bytes:
    body = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class.encode()) + element(0x00020003, "UI", instance.encode())
    body += element(0x00020010, "UI", syntax.encode()) + more
    return element(0x00020000, "UL", struct.pack("<I", len(body))) + body


def number(value: int) -> bytes:
    return struct.pack("<H", value)


def facts(**changed: Any) -> dict[int, tuple[str, bytes]]:
    """The elements of a good CT image of 16 x 16. `t00100010=("PN", b"...")` replaces or adds one, `=None` leaves it out."""
    pixels = bytes(range(256)) * 2
    base: dict[int, tuple[str, bytes]] = {
        0x00080005: ("CS", b"ISO_IR 100"), 0x00080016: ("UI", CT.encode()), 0x00080018: ("UI", f"{ROOT}.1".encode()), 0x00080020: ("DA", b"20260304"),
        0x00080030: ("TM", b"101500"), 0x00080050: ("SH", b"LK-26-3391"), 0x00080060: ("CS", b"CT"), 0x00080080: ("LO", b"Lakeside Radiology"),
        0x00081030: ("LO", b"CT abdomen"), 0x0008103E: ("LO", b"Axial 1.0"), 0x00100010: ("PN", b"OKONJO^GRACE"), 0x00100020: ("LO", b"LK5520713"),
        0x00100021: ("LO", b"LAKESIDE"), 0x00100030: ("DA", b"19661030"), 0x00100040: ("CS", b"F"), 0x00180015: ("CS", b"ABDOMEN"), 0x00180050: ("DS", b"1.0"),
        0x0020000D: ("UI", f"{ROOT}.100".encode()), 0x0020000E: ("UI", f"{ROOT}.200".encode()), 0x00200011: ("IS", b"2"), 0x00200013: ("IS", b"1"),
        0x00200032: ("DS", b"0\\0\\1"), 0x00200037: ("DS", b"1\\0\\0\\0\\1\\0"), 0x00280002: ("US", number(1)), 0x00280004: ("CS", b"MONOCHROME2"),
        0x00280010: ("US", number(16)), 0x00280011: ("US", number(16)), 0x00280100: ("US", number(16)), 0x00280101: ("US", number(12)),
        0x00280102: ("US", number(11)), 0x00280103: ("US", number(0)), 0x7FE00010: ("OW", pixels),
    }  # fmt: skip
    for name, value in changed.items():
        tag = int(name[1:], 16)
        if value is None:
            base.pop(tag, None)
        else:
            base[tag] = value
    return base


def dataset(elements: Mapping[int, tuple[str, bytes]], *, implicit: bool = False, order: str = "<") -> bytes:
    return b"".join(element(tag, vr, value, implicit=implicit, order=order) for tag, (vr, value) in sorted(elements.items()))


def dicom(body: bytes | None = None, *, syntax: str = EXPLICIT, preamble: bytes = b"", sop_class: str = CT, instance: str = f"{ROOT}.1", more: bytes = b"", **changed: Any) -> bytes:
    """A Part 10 file, good unless something is said that is not."""
    if body is None:
        made = facts(**changed)
        instance = made.get(0x00080018, ("", instance.encode()))[1].decode("ascii", "replace") or instance
        sop_class = made.get(0x00080016, ("", sop_class.encode()))[1].decode("ascii", "replace") or sop_class
        body = dataset(made, implicit=syntax == IMPLICIT)
    return preamble.ljust(128, b"\0")[:128] + b"DICM" + meta(syntax, sop_class, instance) + body + more


def packed(stream: bytes, syntax: str, *, size: int = 16, bits: int = 8, samples: int = 1, photometric: bytes = b"MONOCHROME2", frames: int = 1, **changed: Any) -> bytes:
    """An image whose pixel data is `stream`: fragments as they stand."""
    made = facts(
        t00280002=("US", number(samples)), t00280004=("CS", photometric), t00280006=("US", number(0)) if samples > 1 else None, t00280008=("IS", str(frames).encode()),
        t00280010=("US", number(size)), t00280011=("US", number(size)), t00280100=("US", number(bits)), t00280101=("US", number(bits)), t00280102=("US", number(bits - 1)),
        t7FE00010=None, **changed,
    )  # fmt: skip
    return dicom(dataset(made) + element(0x7FE00010, "OB", b"", length=UNDEFINED) + stream, syntax=syntax)


def nested(depth: int, *, undefined: bool, implicit: bool = False, tag: int = 0x00081140) -> bytes:
    """A sequence in a sequence in a sequence."""
    inner = b""
    for _ in range(depth):
        if undefined:
            inner = element(tag, "SQ", b"", length=UNDEFINED, implicit=implicit) + item(b"", length=UNDEFINED) + inner + ITEM_END + SEQUENCE_END
        else:
            inner = element(tag, "SQ", item(inner), implicit=implicit)
    return inner


def zipped(members: Sequence[tuple[str, bytes]] | Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    pairs = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in pairs:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **saved: Any) -> bytes:
    from PIL import Image

    picture = Image.new(mode, size)
    for x in range(min(size[0], 24)):
        for y in range(min(size[1], 16)):
            picture.putpixel((x, y), (250, 20, 20) if mode == "RGB" else 200 if mode in ("L", "P", "1") else (250, 20, 20, 128) if mode == "RGBA" else 0)
    out = io.BytesIO()
    picture.save(out, kind, **saved)
    return out.getvalue()


def pdf(*extra: bytes, catalog: bytes = b"", page: bytes = b"", trailer: bytes = b"") -> bytes:
    """A PDF of one page; `extra` are further objects, from number 4 on."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> " + page + b" >>",
        *extra,
    ]
    out, offsets = b"%PDF-1.4\n", []
    for index, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (index, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, table)


def heic() -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return photo("HEIF")


def exif(orientation: int, *, place: bool = False, taken: str = "2026:05:20 08:15:00") -> bytes:
    from PIL import Image

    told = Image.Exif()
    told[0x0112], told[0x010F], told[0x0110], told[0x0132] = orientation, "CANARY-MAKER", "CANARY-PHONE", taken
    if place:
        told[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0), 29: "2026:05:20"}
    return told.tobytes()


def resized(jpeg: bytes, width: int, height: int) -> bytes:
    """The same stream, claiming another size."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def locked_pdf() -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="secret"))
    return out.getvalue()


def many_pages(count: int) -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(count):
            document.add_blank_page(page_size=(10, 10))
        document.save(out)
    return out.getvalue()
