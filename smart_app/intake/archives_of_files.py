"""A zip, member by member, in the child process: bytes are counted as they come out, and no name in it ever becomes a path (safety.md U1, U2)."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from smart_app.archives.dicom_json import printable
from smart_app.intake.element_walk import Refused

TOTAL_BYTES = 20_000_000_000
TOTAL_FILES = 50_000
RATIO = 200
RATIO_FROM = 64_000_000
"""Below this, nothing is lost by unpacking: 50 KB that become 50 MB are nothing unusual."""
DEPTH = 2
DIRECTORY_BYTES = 32_000_000
CHUNK = 1_000_000
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
NAMELESS = "(no name)"


class NoRoom(Exception):
    """The workspace cannot be written to: its text is the number of the operating system's error."""


@dataclass
class Budget:
    """What may still come out of the zips of one upload."""

    bytes: int = TOTAL_BYTES
    files: int = TOTAL_FILES


@dataclass(frozen=True)
class Member:
    name: str
    """As text. For a member of an inner zip, the inner zip's name and ` / ` before it."""
    reason: str
    """Why it was not taken out; empty: it lies at `path`."""
    path: Path | None = None


def opened(source: IO[bytes]) -> zipfile.ZipFile:
    """:raises Refused:"""
    source.seek(0, os.SEEK_END)
    size = source.tell()
    if _directory_bytes(source, size) > DIRECTORY_BYTES:
        raise Refused("zip-count")
    try:
        return zipfile.ZipFile(source)
    except MemoryError:
        raise
    except Exception:  # zipfile raises more than BadZipFile: struct.error, NotImplementedError, OverflowError
        raise Refused("zip-damaged") from None


def _directory_bytes(source: IO[bytes], size: int) -> int:
    tail_at = max(0, size - 65_557 - 76)
    source.seek(tail_at)
    tail = source.read()
    source.seek(0)
    ends = [at for at in _found(tail, b"PK\5\6") if len(tail) - at >= 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail)]
    if len(ends) > 1:
        raise Refused("zip-damaged")  # two lists of members that both fit: what one program sees in it is not what another does
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < 22:
        raise Refused("zip-damaged")
    declared = int(struct.unpack_from("<I", tail, end + 12)[0])
    large = tail.rfind(b"PK\6\6", 0, end)
    if declared == 0xFFFFFFFF and large >= 0 and len(tail) - large >= 56:
        declared = int(struct.unpack_from("<Q", tail, large + 40)[0])
    return declared


def _found(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)


def is_something_else(archive: zipfile.ZipFile) -> str:
    """`office` or `program` where the zip is only the wrapping of a document or a Java program; empty: a zip of files."""
    names = {member.filename for member in archive.infolist()[:64]}
    if "[Content_Types].xml" in names or "mimetype" in names:
        return "office"
    return "program" if {"META-INF/MANIFEST.MF", "AndroidManifest.xml"} & names else ""


def members(archive: zipfile.ZipFile, size: int, budget: Budget, place: Callable[[], Path]) -> Iterator[Member]:
    """Each file of it, taken out or refused. Stops at the first that is over a running total, and says how many were left.

    :param size: of the zip itself, which the ratio is measured by: what it declares of its members is a stranger's word.
    :param place: the path for the next file.
    """
    packed, unpacked = max(size, 1), 0
    listed = [member for member in archive.infolist() if not _is_folder(member)]
    for number, member in enumerate(listed):
        reason, path = _unfit(member), None
        if not reason:
            allowed = min(budget.bytes, max(RATIO_FROM, packed * RATIO) - unpacked)
            budget.files -= 1
            path = place()
            try:
                if budget.files < 0:
                    raise Refused("zip-count")
                taken = _take_out(archive, member, path, allowed, "zip-total" if allowed == budget.bytes else "zip-ratio")
                unpacked += taken
                budget.bytes -= taken
            except Refused as refused:
                path.unlink(missing_ok=True)
                reason, path = refused.reason, None
        yield Member(printable(member.filename).strip() or NAMELESS, reason, path)
        if reason in ("zip-total", "zip-ratio", "zip-count"):
            left = len(listed) - number - 1
            if left:
                yield Member(f"and {left:,} more files", reason)
            return


def _is_folder(member: zipfile.ZipInfo) -> bool:
    """`ZipInfo.is_dir` fails on an empty name, and passes over a "folder" that holds bytes: a file like any other."""
    return member.filename.endswith("/") and member.file_size == 0


def _unfit(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if member.create_system == 3 and mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "zip-link"
    if member.flag_bits & ENCRYPTED:
        return "locked"
    return "" if member.compress_type in METHODS else "zip-method"


def _take_out(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, allowed: int, over: str) -> int:
    taken = 0
    try:
        packed = archive.open(member)
    except MemoryError:
        raise
    except Exception:  # of a damaged member zipfile raises what it likes: nine kinds were counted
        raise Refused("member-damaged") from None
    with packed, written(path) as out:
        while True:
            try:
                part = packed.read(CHUNK)
            except MemoryError:
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno == errno.EIO:
                    raise NoRoom(errno.EIO) from error  # our disk does not give what we have received
                raise Refused("member-damaged") from None
            if not part:
                return taken
            taken += len(part)
            if taken > allowed:
                raise Refused(over)
            left = memoryview(part)
            while left:
                with room():
                    left = left[out.write(left) :]


def written(path: Path) -> io.FileIO:
    with room():
        return io.FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w")


@contextmanager
def room() -> Iterator[None]:
    """What cannot be written is our fault, and never said to be the file's. :raises NoRoom:"""
    try:
        yield
    except OSError as error:
        raise NoRoom(error.errno or 0) from error
