"""One series on the shelf as its readers see it: an index of whole parts, one JSON line each, and the data they lie in.

A line is written after its part is whole, so whoever reads only what the index names never meets half a part. The last
line says how it ended. Kept volumes are read only under their seal; one that is being filled is followed as it grows.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from smart_app.archives.frames import Range
from smart_app.archives.types import PatientId
from smart_app.errors import Cut
from smart_app.viewer.rewriting import Named

INDEX, DATA, LOCK, WANTED = "index", "data", "lock", "wanted"
PIECE = 1 << 20
POLL = 0.003
ALIVE_EVERY = 0.25
WHOLE, FAULT, LEFT = "whole", "fault", "left"


class Unusable(Exception):
    """What lies there is not what was kept: cut, altered, or of another key."""


@dataclass(frozen=True)
class Piece:
    """One instance: who it says it is, its part of a multipart answer (`at`, `size`), its object in it, and its frames."""

    named: Named
    syntax: str
    at: int
    size: int
    body: int
    frames: tuple[Range, ...] = ()
    """Offsets in the object."""


@dataclass(frozen=True)
class Kept:
    """A withheld part leaves its reason, none of its bytes."""

    series: str
    instance: str
    reason: str


@dataclass(frozen=True)
class End:
    how: str
    code: str = ""
    retry_after: str | None = None
    size: int = 0
    changed: int = 0
    """Size and last change (ns) of the data when they were whole."""


@dataclass
class _Known:
    """What has been read of the index so far."""

    lines: list[bytes] = field(default_factory=list)
    entries: list[Piece | Kept] = field(default_factory=list)
    """Of as many of the lines as were needed: of hundreds a reader may want one."""
    end: End | None = None
    boundary: str = ""
    status: int = 200


class Volume:
    """Safe for threads. `live`: it may still be growing.

    :raises OSError: it is not there. :raises Unusable:
    """

    def __init__(self, folder: Path, key: bytes, *, live: bool) -> None:
        self._index = os.open(folder / INDEX, os.O_RDONLY)
        try:
            self._data = os.open(folder / DATA, os.O_RDONLY)
        except OSError:
            os.close(self._index)
            raise
        weakref.finalize(self, _close, self._index, self._data)
        self._folder = folder
        self._lock = threading.Lock()
        self._rest, self._read = b"", 0
        self._known = _Known()
        self._looked = 0.0
        self.inode = os.fstat(self._index).st_ino
        if live:
            self._filler = os.open(folder / LOCK, os.O_RDONLY)
            self._wanted = folder / WANTED
            weakref.finalize(self, _close, self._filler)
        self.live = live
        if not live:
            self._verify(key)
        self.refresh()
        if not live and not self.is_whole:
            raise Unusable

    @property
    def end(self) -> End | None:
        return self._known.end

    @property
    def is_whole(self) -> bool:
        """All of it is here, and the data are still as they were then."""
        end = self._known.end
        if end is None or end.how != WHOLE:
            return False
        found = os.fstat(self._data)
        return (found.st_size, found.st_mtime_ns) == (end.size, end.changed)

    @property
    def entries(self) -> list[Piece | Kept]:
        """In the order they came; only ever grows."""
        known = self._known
        if len(known.entries) < len(known.lines):
            with self._lock:
                while len(known.entries) < len(known.lines):
                    known.entries.append(_entry(known.lines[len(known.entries)]))
        return known.entries

    @property
    def begun(self) -> bool:
        return bool(self._known.boundary)

    @property
    def boundary(self) -> str:
        return self._known.boundary

    @property
    def status(self) -> int:
        return self._known.status

    @property
    def instances(self) -> frozenset[str]:
        return frozenset(one.named.instance for one in self.entries if isinstance(one, Piece))

    def piece(self, instance: str) -> Piece | None:
        if self.live and self.end is None:
            self.refresh()
        wanted = f'"i":"{instance}"'.encode()
        found = next((line for line in list(self._known.lines) if wanted in line), None)
        entry = _entry(found) if found is not None else None
        return entry if isinstance(entry, Piece) and entry.named.instance == instance else None

    def refresh(self) -> None:
        """Read what was written since."""
        with self._lock:
            if self._known.end is not None or (self.live and os.fstat(self._index).st_size == self._read):
                return
            while chunk := os.pread(self._index, PIECE, self._read):
                self._read += len(chunk)
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line)

    def wait(self, have: int) -> None:
        """Return once there are more than `have` entries, or the end is known. Ends with the one who fills it."""
        while True:
            self.refresh()
            if len(self._known.lines) > have or self.end is not None:
                return
            if time.monotonic() - self._looked > ALIVE_EVERY:
                self._looked = time.monotonic()
                if not self.alive():
                    self.refresh()
                    if self.end is None:
                        self._known.end = End(LEFT)
                    return
            time.sleep(POLL)

    def alive(self) -> bool:
        """Whether the one who fills it still lives: the lock dies with its process."""
        try:
            fcntl.flock(self._filler, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._filler, fcntl.LOCK_UN)
        return False

    def interest(self) -> int:
        """A descriptor that says, while it is open, that somebody wants this volume filled. :raises OSError: it is gone."""
        descriptor = os.open(self._wanted, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def read(self, at: int, count: int) -> bytes:
        """:raises Cut: the data are shorter than the index says."""
        found = os.pread(self._data, count, at)
        while len(found) < count:
            more = os.pread(self._data, count - len(found), at + len(found))
            if not more:
                raise Cut
            found += more
        return found

    def part(self, piece: Piece) -> Iterator[bytes]:
        """The piece as a part of a multipart answer with our boundary."""
        return self.stretch(piece.at, piece.size)

    def stretch(self, begin: int, size: int) -> Iterator[bytes]:
        for at in range(begin, begin + size, PIECE):
            yield self.read(at, min(PIECE, begin + size - at))

    def file(self) -> tuple[BinaryIO, int]:
        """All parts as one answer, to be sent by the kernel, and its size. :raises OSError: it was removed meanwhile."""
        file = open(self._folder / DATA, "rb", buffering=0)  # noqa: SIM115  the sender closes it
        found, known = os.fstat(file.fileno()), os.fstat(self._data)
        if (found.st_dev, found.st_ino) != (known.st_dev, known.st_ino):
            file.close()
            raise FileNotFoundError
        return file, found.st_size

    def moved(self, folder: Path) -> None:
        """The folder was given its final name."""
        self._folder = folder

    def _verify(self, key: bytes) -> None:
        """The index is sealed, and the data are those it was sealed with: size and last change."""
        whole = b""
        while chunk := os.pread(self._index, PIECE, len(whole)):
            whole += chunk
        body, _, last = whole.removesuffix(b"\n").rpartition(b"\n")
        try:
            told = json.loads(last)
            seal, size, changed = str(told["seal"]), int(told["size"]), int(told["changed"])
        except (ValueError, TypeError, KeyError):
            raise Unusable from None
        if not hmac.compare_digest(seal, sealed(key, body + b"\n", size, changed)):
            raise Unusable

    def _take(self, line: bytes) -> None:
        known = self._known
        if not line.startswith((b'{"b":', b'{"end":')):
            known.lines.append(line)
            return
        try:
            told: dict[str, Any] = json.loads(line)
            if "b" in told:
                known.boundary, known.status = str(told["b"]), int(told["status"])
            else:
                known.end = End(told["end"], told.get("code", ""), told.get("retry"), int(told.get("size", 0)), int(told.get("changed", 0)))
        except (ValueError, TypeError, KeyError) as error:
            raise Unusable from error


def line(piece: Piece) -> dict[str, Any]:
    """How a piece is written down."""
    name = piece.named
    assert name.patient is not None
    return {
        "u": name.study, "s": name.series, "i": name.instance, "p": [name.patient.value, name.patient.issuer], "b": name.birth_date, "x": name.sex, "t": piece.syntax,
        "at": piece.at, "size": piece.size, "body": piece.body, "f": piece.frames,
    }  # fmt: skip


def sealed(key: bytes, index: bytes, size: int, changed: int) -> str:
    return hmac.new(key, index + f"{size} {changed}".encode(), hashlib.sha256).hexdigest()


def _entry(line: bytes) -> Piece | Kept:
    try:
        told: dict[str, Any] = json.loads(line)
        if "reason" in told:
            return Kept(told["s"], told["i"], told["reason"])
        value, issuer = told["p"]
        name = Named(told["u"], told["s"], told["i"], PatientId(value, issuer), None, told["b"], told["x"])
        frames = tuple((int(at), int(length)) for at, length in told["f"])
        return Piece(name, told["t"], int(told["at"]), int(told["size"]), int(told["body"]), frames)
    except (ValueError, TypeError, KeyError) as error:
        raise Unusable from error


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
