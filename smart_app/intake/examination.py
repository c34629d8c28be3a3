"""One received file, examined in the child process: each object in it gets one verdict, as plain values that go over the pipe.

Verdicts are numbered in the order of the bytes, so that after a death the next child begins behind the one that was fatal.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from smart_app.intake import archives_of_files, documents, photos
from smart_app.intake.archives_of_files import Budget, NoRoom
from smart_app.intake.dicom_reading import read_object
from smart_app.intake.element_walk import Read, Refused
from smart_app.intake.made_objects import Origin
from smart_app.intake.pixels import Cramped, decodes
from smart_app.intake.sniffing import HEAD_BYTES, sniff
from smart_app.intake.types import Kind

PIXELS = "pixels"
"""Among `faults`: its pixels are all there, and cannot be decoded."""
REST = "and the rest of it"
UNTRIED = "pixels-untried"
"""Among `faults`: whether they can be decoded is not known here. Nobody may be told that they can."""
MADE = ".dcm"
"""Ending of what was made, so that it never lies where its original does."""


@dataclass(frozen=True)
class Task:
    """What the parent asks for. `prefix` names what is written into the workspace; nothing of it comes from a sender but the name to show."""

    prefix: str
    upload: str
    received: str
    """When, as `YYYYMMDDHHMMSS`: the date that made objects carry, so that making them again makes the same."""
    answered: int = 0
    """So many verdicts were given already, before a death: they are not made again."""
    budget: Budget = field(default_factory=Budget)
    is_fresh: bool = True
    """Whether the process has given no verdict yet: no other would have more memory."""


class Examination:
    """:param tell: takes one message for the parent."""

    def __init__(self, task: Task, workspace: Path, tell: Callable[[dict[str, Any]], None]) -> None:
        self._task, self._workspace, self._tell = task, workspace, tell
        self._number = 0
        self._is_fresh = task.is_fresh

    def run(self, source: IO[bytes]) -> None:
        self._file(source, "", None, 0)

    def _file(self, source: IO[bytes], member: str, path: Path | None, depth: int) -> bool:
        """One file, received (`path` is None) or taken out of a zip to `path`; whether what lies at `path` is needed from now on."""
        size = os.fstat(source.fileno()).st_size
        found = sniff(os.pread(source.fileno(), HEAD_BYTES, 0), size)
        if found.kind is Kind.ZIP:
            self._zip(source, size, member, depth)
            return False
        if self._is_answered():
            return True
        self._tell({"at": self._number, "member": member})
        verdict: dict[str, Any] = {"kind": found.kind.value, "reason": found.reason}
        try:
            if found.kind is Kind.DICOM:
                verdict = self._dicom(source, size, path)
            elif found.kind in (Kind.PHOTO, Kind.PDF):
                verdict = self._made(source, size, found.kind)
        except Refused as refused:
            verdict = {"kind": Kind.REFUSED.value, "reason": refused.reason, "header": asdict(refused.header) if refused.header else None}
        except Exception as error:  # our own reading or a library's that fails: it costs this object, not the process. Fuzzing holds that there is none
            if _is_this_machine(error):
                raise
            self._made_at().unlink(missing_ok=True)
            verdict = {"kind": Kind.REFUSED.value, "reason": "reader-fault"}
        self._say(member, size, verdict)
        return path is not None and verdict.get("made") == path.name

    def _is_answered(self) -> bool:
        if self._number < self._task.answered:
            self._number += 1
            return True
        return False

    def _say(self, member: str, size: int, verdict: dict[str, Any]) -> None:
        self._tell({"number": self._number, "member": member, "size": size, **verdict})
        self._number += 1
        self._is_fresh = False

    def _dicom(self, source: IO[bytes], size: int, path: Path | None) -> dict[str, Any]:
        read = reader_of(source)
        found = read_object(size, read)
        if found.header is None:
            return {"kind": Kind.DICOMDIR.value, "reason": "dicomdir"}
        if found.header.sop_class == documents.ENCAPSULATED_PDF:
            documents.check_inside(found.walked, found.read)
        try:
            decoded = decodes(found.walked, found.read)
        except Cramped:
            if not self._is_fresh:
                raise MemoryError from None
            decoded = None
        fault = PIXELS if decoded is False else UNTRIED if decoded is None and found.walked.pixels else ""
        header = replace(found.header, faults=(*found.header.faults, fault)) if fault else found.header
        return {"kind": Kind.DICOM.value, "reason": "", "header": asdict(header), "decodes": decoded, "made": path.name if path else None}

    def _made(self, source: IO[bytes], size: int, kind: Kind) -> dict[str, Any]:
        """A photo or PDF, and the DICOM object that is made of it."""
        path = self._made_at()
        origin = Origin(self._task.upload, _sha256(source), self._task.received)
        (photos if kind is Kind.PHOTO else documents).to_dicom(source, size, origin, path)
        with path.open("rb") as made:
            found = read_object(os.fstat(made.fileno()).st_size, reader_of(made))
        assert found.header is not None
        return {"kind": kind.value, "reason": "", "header": asdict(found.header), "decodes": True if kind is Kind.PHOTO else None, "made": path.name}

    def _made_at(self) -> Path:
        """Where the object lies that is made of the present file."""
        return self._workspace / f"{self._task.prefix}-{self._number}{MADE}"

    def _place(self) -> Path:
        return self._workspace / f"{self._task.prefix}-{self._number}"

    def _zip(self, source: IO[bytes], size: int, member: str, depth: int) -> None:
        verdict = {"kind": Kind.ZIP.value, "reason": ""}
        archive: zipfile.ZipFile | None = None
        try:
            if depth >= archives_of_files.DEPTH:
                raise Refused("zip-depth")
            archive = archives_of_files.opened(source)
            wrapped = archives_of_files.is_something_else(archive)
            if wrapped:
                raise Refused(wrapped)
        except Refused as refused:
            archive = None
            verdict = {"kind": (Kind.SKIPPED if refused.reason == "program" else Kind.REFUSED).value, "reason": refused.reason}
        if not self._is_answered():
            self._tell({"at": self._number, "member": member})
            self._say(member, size, verdict)
        if archive is None:
            return
        try:
            self._members(archive, size, member, depth)
        except Exception as error:
            if _is_this_machine(error):
                raise
            if not self._is_answered():
                self._say(f"{member} / {REST}" if member else REST, 0, {"kind": Kind.REFUSED.value, "reason": "reader-fault"})

    def _members(self, archive: zipfile.ZipFile, size: int, member: str, depth: int) -> None:
        for one in archives_of_files.members(archive, size, self._task.budget, self._place):
            name = f"{member} / {one.name}" if member else one.name
            if one.path is None:
                if not self._is_answered():
                    self._say(name, 0, {"kind": Kind.REFUSED.value, "reason": one.reason})
                continue
            with one.path.open("rb") as taken:
                is_needed = self._file(taken, name, one.path, depth + 1)
            if not is_needed:
                one.path.unlink()


def _is_this_machine(error: Exception) -> bool:
    """No room, no memory, or a disk that does not give what it holds: no file is blamed for it."""
    return isinstance(error, NoRoom | MemoryError) or (isinstance(error, OSError) and error.errno == errno.EIO)


def _sha256(source: IO[bytes]) -> str:
    with open(os.dup(source.fileno()), "rb") as same:
        same.seek(0)
        return hashlib.file_digest(same, "sha256").hexdigest()


def reader_of(source: IO[bytes]) -> Read:
    return _Window(source.fileno()).read


class _Window:
    """Reads of a few bytes, one after another, out of a larger read."""

    BYTES = 262_144

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at, self._held = descriptor, 0, b""

    def read(self, at: int, count: int) -> bytes:
        start = at - self._at
        if start >= 0 and start + count <= len(self._held):
            return self._held[start : start + count]
        if count > self.BYTES:
            return self._whole(at, count)
        self._at, self._held = at, self._whole(at, self.BYTES)
        return self._held[:count]

    def _whole(self, at: int, count: int) -> bytes:
        part = os.pread(self._descriptor, count, at)
        if not part or len(part) == count:
            return part
        parts = [part]
        while count > (have := sum(map(len, parts))) and (part := os.pread(self._descriptor, count - have, at + have)):
            parts.append(part)
        return b"".join(parts)
