"""Writes one volume: regions reserved, filled and only then named in the index. Holds the lock that says who fills it.

Knows nothing of archives or patients. What is not finished is removed; what a killed process left is known by its lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from smart_app.viewer.volume import DATA, FAULT, INDEX, LEFT, LOCK, WANTED, WHOLE, Piece, line, sealed

LOOK_EVERY = 16_000_000
SPOOL_BYTES = 1 << 20


class Full(Exception):
    """The volume would be larger than one may be."""


class Writer:
    """`most`: bytes of this volume; `grown` is told now and then that the shelf needs a look; `closed` takes the folder away or keeps it."""

    def __init__(self, folder: Path, key: bytes, *, most: int, grown: Callable[[], None], closed: Callable[[Path, bool], None]) -> None:
        """`folder` is empty, private and not yet known to anybody."""
        self.boundary = secrets.token_hex(16)
        self._folder, self._key, self._most = folder, key, most
        self._grown, self._closed = grown, closed
        self._lock = threading.Lock()
        self._at, self._looked = 0, 0
        self._text = bytearray()
        descriptors = [os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600) for name in (LOCK, WANTED, INDEX, DATA)]
        self._locked, self._wanted, self._index, self._data = descriptors
        # Not closed before the last lane has let go: another file may get the number.
        weakref.finalize(self, _release, descriptors)
        fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def size(self) -> int:
        return self._at

    def moved(self, folder: Path) -> None:
        """The folder has the name by which it is found from now on."""
        self._folder = folder

    def start(self, status: int) -> None:
        self._say({"b": self.boundary, "status": status})

    def spool(self) -> IO[bytes]:
        """Room for a part of unknown length, which no name leads to."""
        return tempfile.SpooledTemporaryFile(SPOOL_BYTES, mode="w+b", dir=str(self._folder.parent))

    def reserve(self, size: int) -> int:
        """Room for `size` bytes; where it begins. :raises Full:"""
        with self._lock:
            at = self._at
            if at + size > self._most:
                raise Full
            self._at += size
            look = self._at - self._looked > LOOK_EVERY
            if look:
                self._looked = self._at
        if look:
            self._grown()
        return at

    def put(self, at: int, content: bytes) -> None:
        view = memoryview(content)
        while view:
            done = os.pwrite(self._data, view, at)
            view, at = view[done:], at + done

    def read(self, at: int, count: int) -> bytes:
        return os.pread(self._data, count, at)

    def add(self, piece: Piece) -> None:
        """Every byte of it has been put."""
        self._say(line(piece))

    def withhold(self, series: str, instance: str, reason: str) -> None:
        self._say({"s": series, "i": instance, "reason": reason})

    def is_wanted(self) -> bool:
        """Whether somebody, in any process, follows this volume now."""
        try:
            fcntl.flock(self._wanted, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._wanted, fcntl.LOCK_UN)
        return False

    def finish(self, *, keep: bool) -> None:
        """All parts are here. Kept only when asked to."""
        closing = f"--{self.boundary}--\r\n".encode()
        self.put(self.reserve(len(closing)), closing)
        found = os.fstat(self._data)
        size, changed = found.st_size, found.st_mtime_ns
        self._say({"end": WHOLE, "size": size, "changed": changed, "seal": sealed(self._key, bytes(self._text), size, changed)})
        self._close(keep)

    def fail(self, code: str, retry_after: str | None) -> None:
        self._say({"end": FAULT, "code": code, "retry": retry_after})
        self._close(False)

    def leave(self) -> None:
        """Not the archive's fault: whoever follows asks it himself."""
        with contextlib.suppress(OSError):  # a full disk: they see that we are gone
            self._say({"end": LEFT})
        self._close(False)

    def _say(self, told: dict[str, Any]) -> None:
        text = json.dumps(told, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            os.pwrite(self._index, text, len(self._text))
            self._text += text

    def _close(self, keep: bool) -> None:
        self._closed(self._folder, keep)
        fcntl.flock(self._locked, fcntl.LOCK_UN)


def _release(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
