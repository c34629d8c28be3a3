"""Hostile zips: safety.md U1 and U2. No name in one becomes a path, and bytes are counted as they come out."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.hostile import making as m
from tests.hostile.cases import Case, case

NAMES = {
    "parent": "../../../etc/cron.d/x", "absolute": "/etc/passwd", "drive": "C:\\Windows\\System32\\x.dll", "unc": "\\\\evil\\share\\x", "backslashes": "..\\..\\x", "dot": ".", "dots": "..",
    "device-con": "CON", "device-nul": "NUL.dcm", "device-dev": "/dev/sda", "proc": "/proc/self/mem", "case-1": "IMAGE", "case-2": "image", "long": "A" * 4000, "newline": "a\nb", "escape": "\x1b[2J",
    "right-to-left": "\u202efdp.exe", "quote": "\"';drop table x;--", "script": "<script>alert(1)</script>", "percent": "%2e%2e%2f", "tilde": "~/.ssh/authorized_keys", "stream": "x.dcm:ads", "space": " ",
    "trailing-dot": "x.dcm.", "nul-cut": "x.dcm", "surrogate": "caf\u00e9", "deep": "/".join("d" * 200), "hidden": ".ssh/id_rsa", "spool": "0", "workspace": "workspace/../received/0",
}  # fmt: skip


def everything() -> Iterator[Case]:
    good = m.dicom()
    for name, member in NAMES.items():
        yield case(f"zip-name-{name}", m.zipped([(member, good)]), "zip", "dicom")
    yield case("zip-same-name-twice", _doubled(), "zip", "dicom", "dicom")
    yield case("zip-symlink", _moded(stat.S_IFLNK | 0o777, b"/etc/passwd"), "zip", "refused:zip-link")
    yield case("zip-device", _moded(stat.S_IFCHR | 0o666, b""), "zip", "refused:zip-link")
    yield case("zip-pipe", _moded(stat.S_IFIFO | 0o666, b""), "zip", "refused:zip-link")
    yield case("zip-empty", m.zipped({}), "zip")
    yield case("zip-of-folders", m.zipped({"a/": b"", "a/b/": b""}), "zip")
    yield case("zip-cut", m.zipped({"a": good})[:-30], "refused:zip-damaged")
    yield case("zip-head-only", b"PK\3\4" + bytes(60), "refused:zip-damaged")
    yield case("zip-end-only", b"PK\5\6" + bytes(18), "zip")
    yield case("zip-end-claims-4-gib-of-names", _end(good, size=0xFFFFFFF0), "refused:zip-count")
    yield case("zip-end-points-outside", _end(good, offset=0x7FFFFFFF), "zip", "refused:member-damaged")
    yield case("zip-crc-wrong", _patched(good, 14, b"\1\2\3\4", central=16), "zip", "refused:member-damaged")
    yield case("zip-member-garbage", _garbled(good), "zip", "refused:member-damaged")
    yield case("zip-encrypted", _flagged(good), "zip", "refused:locked")
    yield case("zip-bzip2", m.zipped({"a": good}, zipfile.ZIP_BZIP2), "zip", "refused:zip-method")
    yield case("zip-lzma", m.zipped({"a": good}, zipfile.ZIP_LZMA), "zip", "refused:zip-method")
    yield case("zip-method-unknown", _patched(good, 8, struct.pack("<H", 77), central=10), "zip", "refused:zip-method")
    yield case("zip-size-forged", _patched(good, 22, struct.pack("<I", 100_000_000), central=24), "zip", "dicom")
    yield case("zip-size-forged-small", _patched(good, 22, struct.pack("<I", 200), central=24), "zip", "refused:member-damaged")
    yield case("zip-overlapping", _overlapping(), "zip", *["refused:unknown"] * 6, "refused:zip-ratio", "refused:zip-ratio")
    yield case("zip-bomb-of-300-mb", _bomb(300), "zip", "refused:zip-ratio")
    yield case("zip-bomb-and-others", _bomb(300, others=3), "zip", "refused:zip-ratio", "refused:zip-ratio")
    yield case("zip-stored", m.zipped({"a": good}, zipfile.ZIP_STORED), "zip", "dicom")
    yield case("zip-in-zip", m.zipped({"inner.zip": m.zipped({"a": good, "b": b"MZ"})}), "zip", "zip", "dicom", "skipped:program")
    yield case("zip-in-zip-in-zip", m.zipped({"i.zip": m.zipped({"i.zip": m.zipped({"a": good})})}), "zip", "zip", "refused:zip-depth")
    yield case("zip-quine-like", _deep(12), "zip", "zip", "refused:zip-depth")
    yield case("zip-bomb-in-zip", m.zipped({"i.zip": _bomb(300)}), "zip", "zip", "refused:zip-ratio")
    yield case("zip-word", m.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>", "word/vbaProject.bin": b"\xd0\xcf\x11\xe0"}), "refused:office")
    yield case("zip-opendocument", m.zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}), "refused:office")
    yield case("zip-java", m.zipped({"META-INF/MANIFEST.MF": b"Main-Class: X", "X.class": b"\xca\xfe\xba\xbe"}), "skipped:program")
    yield case("zip-android", m.zipped({"AndroidManifest.xml": b"x", "classes.dex": b"dex\n035\0"}), "skipped:program")
    yield case("zip-behind-a-program", b"MZ" + bytes(200) + m.zipped({"a": good}), "skipped:program")
    yield case("zip-with-a-word-file", m.zipped({"a": good, "letter.docx": m.zipped({"[Content_Types].xml": b"<Types/>"})}), "zip", "dicom", "refused:office")
    yield case("zip-good-and-bad", m.zipped({"a": good, "b": good[:-40], "c": b"", "d.exe": b"MZ"}), "zip", "dicom", "refused:pixels-cut", "refused:empty", "skipped:program")
    yield case("zip-with-nesting", m.zipped({"a": m.dicom(m.nested(1_000, undefined=True))}), "zip", "refused:too-deep")


def _moded(mode: int, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("x")
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, content)
    return out.getvalue()


def _doubled() -> bytes:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return m.zipped([("a", m.dicom()), ("a", m.dicom(t00080018=("UI", f"{m.ROOT}.2".encode())))])


def _patched(content: bytes, local: int, value: bytes, central: int) -> bytes:
    whole = bytearray(m.zipped({"a": content}))
    directory = whole.index(b"PK\1\2")
    whole[local : local + len(value)] = value
    whole[directory + central : directory + central + len(value)] = value
    return bytes(whole)


def _flagged(content: bytes) -> bytes:
    return _patched(content, 6, struct.pack("<H", 1), central=8)


def _garbled(content: bytes) -> bytes:
    whole = bytearray(m.zipped({"a": content}))
    whole[31:60] = b"\xff" * 29
    return bytes(whole)


def _end(content: bytes, size: int | None = None, offset: int | None = None) -> bytes:
    whole = bytearray(m.zipped({"a": content}))
    end = whole.rindex(b"PK\5\6")
    if size is not None:
        whole[end + 12 : end + 16] = struct.pack("<I", size)
    if offset is not None:
        whole[end + 16 : end + 20] = struct.pack("<I", offset)
    return bytes(whole)


def _bomb(megabytes: int, others: int = 0) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    checksum, parts, chunk = 0, [], bytes(1_000_000)
    for _ in range(megabytes):
        parts.append(squeeze.compress(chunk))
        checksum = zlib.crc32(chunk, checksum)
    packed = b"".join([*parts, squeeze.flush()])
    return _by_hand([(f"bomb{number}", packed, checksum, megabytes * 1_000_000) for number in range(1 + others)], share=False)


def _overlapping() -> bytes:
    """Many members of one compressed body (Fifield's construction, simplified): the directory names it again and again."""
    chunk = bytes(10_000_000)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(chunk) + squeeze.flush()
    return _by_hand([(f"m{number:03d}", packed, zlib.crc32(chunk), len(chunk)) for number in range(100)], share=True)


def _by_hand(members: list[tuple[str, bytes, int, int]], *, share: bool) -> bytes:
    body, directory = b"", b""
    for number, (name, packed, checksum, size) in enumerate(members):
        fields = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, checksum, len(packed), size)
        at = len(body)
        if share and number:
            at, name = 0, members[0][0]
        else:
            body += b"PK\3\4" + fields + struct.pack("<HH", len(name), 0) + name.encode() + packed
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, at) + name.encode()
    return body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)


def _deep(times: int) -> bytes:
    content = m.dicom()
    for _ in range(times):
        content = m.zipped({"again.zip": content})
    return content
