"""Bytes of one file onto the disk and nowhere else: at an offset, hashed while written, flushed before anybody says that they are held.

What cannot be written in full is cut off again: nothing of a refused piece stays. Names on disk are ours alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

PIECE = 1 << 20
Read = Callable[[int], bytes]


class NoRoom(Exception):
    """The disk, or what we may use of it, is full."""


class NotSafe(Exception):
    """The disk failed: what was written may not be there. Nothing of it is received."""


class InUse(Exception):
    """Another request is writing this very file."""


class BrokenOff(Exception):
    """The sender's connection ended in the middle."""


class Slot:
    """One file, locked against all other writers of any process. Use it as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> Slot:
        """:raises InUse: :raises NoRoom: :raises NotSafe:"""
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _explained(error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._fd), os.stat(self._path)):  # its last owner has thrown it away meanwhile
                raise BlockingIOError
        except OSError:
            os.close(self._fd)
            raise InUse from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def write(self, read: Read, *, at: int, length: int, sha256: str, began: bool = True) -> bool:
        """`length` bytes of `read` at `at`, if they have this hash; otherwise the file is what it was. `began`: something of it is held.
        They are safe after `flush` only.

        :raises NoRoom: :raises NotSafe: :raises BrokenOff:
        """
        digest, left, full = hashlib.sha256(), length, None
        try:
            while left:
                piece = read(min(PIECE, left))
                if not piece:
                    raise BrokenOff
                digest.update(piece)
                if full is None:
                    try:
                        _write_all(self._fd, piece, at + length - left)
                    except OSError as error:
                        full = _explained(error)  # the rest is read and dropped, so that what follows it can be read
                left -= len(piece)
            if full is None and digest.hexdigest() == sha256:
                os.ftruncate(self._fd, at + length)
                return True
        except OSError as error:
            full = _explained(error)
        except BrokenOff:
            self._cut(at, began)
            raise
        self._cut(at, began)
        if full is not None:
            raise full
        return False

    def flush(self) -> None:
        """:raises NoRoom: the disk was full after all: many say so only now. :raises NotSafe: it failed."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise _explained(error) from error

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def cut(self, at: int) -> None:
        """Let go of all from `at` on."""
        self._cut(at, True)

    def digest(self, start: int, length: int) -> str:
        """SHA-256 of a part that is held."""
        digest, at, end = hashlib.sha256(), start, start + length
        while at < end and (piece := os.pread(self._fd, min(PIECE, end - at), at)):
            digest.update(piece)
            at += len(piece)
        return digest.hexdigest() if at == end else ""

    def _cut(self, at: int, began: bool) -> None:
        with contextlib.suppress(OSError):  # nothing behind `at` was promised, and the next piece is written over it
            os.ftruncate(self._fd, at)
            if not began and not at:
                self._path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """A new name in a folder is safe only when the folder itself is. :raises NoRoom: :raises NotSafe:"""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise _explained(error) from error


class WholeDisk:
    """The file system under a folder, opened before anything is written there: what goes wrong in writing from then on is told by `flush`.

    One call for thousands of files. A file system that was opened after the fault might not tell of it.
    """

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> WholeDisk:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def flush(self) -> None:
        """:raises NoRoom: :raises NotSafe:"""
        try:
            syncfs(self._fd)
        except OSError as error:
            raise _explained(error) from error


def syncfs(fd: int) -> None:
    """:raises OSError: the kernel could not write all of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view, at = view[written:], at + written


def _explained(error: OSError) -> Exception:
    return NoRoom() if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else NotSafe(os.strerror(error.errno or errno.EIO))
