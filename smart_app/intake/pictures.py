"""Pictures of received images for the review page: drawn in fenced children, which are given open files and hand back PNGs.

Nothing of a stranger's file is decoded in a process that serves pages. All pictures of one study are drawn by one child, since starting it is what
takes long; those of two studies never are: what a file has made of its reader shows in its own study at most. What cannot be drawn is no picture.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

SMALL, LARGE = 240, 1024
"""Pixels, at most, in width and in height."""
MOST = 24
"""Pictures in one go."""
SECONDS = 20.0
"""For one picture, and for the start."""
PNG = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 4_500_000
CODE = Path(__file__).parents[2]
_START = "import sys; sys.path.insert(0, {code!r}); from smart_app.intake.picture_child import main; main(sys.argv[1], int(sys.argv[2]), [int(one) for one in sys.argv[3:]])"


class _Broken(Exception):
    """The child has ended, hangs, or says what no child says."""


def draw(paths: Sequence[Path], size: int = SMALL) -> Iterator[bytes | None]:
    """A PNG of the middle of each of one study's objects, in this order, as soon as it is drawn; None where it cannot be.

    A file that breaks its child costs its own picture: another child goes on behind it.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) if path.is_file() else None for path in paths[:MOST]]
        done = 0
        while done < len(files):
            if files[done] is None:
                done += 1
                yield None
                continue
            ahead = files[done:]
            batch = [one for one in ahead[: ahead.index(None) if None in ahead else None] if one is not None]
            with _child(batch, size) as ours:
                for _ in batch:
                    done += 1
                    try:
                        drawn = _next(ours)
                    except _Broken:
                        yield None
                        break
                    yield drawn


@contextmanager
def _child(files: Sequence[IO[bytes]], size: int) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    numbers = [file.fileno() for file in files]
    with tempfile.TemporaryDirectory(prefix="picture-") as workspace, ours:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed words
                [sys.executable, "-c", _START.format(code=str(CODE)), workspace, str(size), *map(str, numbers)],
                env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, cwd="/", close_fds=True, pass_fds=numbers, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=theirs.fileno(), stderr=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            yield ours
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _next(ours: socket.socket) -> bytes | None:
    """:raises _Broken: what a broken child says is a stranger's, too: one PNG of a bounded size, or nothing."""
    until = time.monotonic() + SECONDS
    length = int.from_bytes(_read(ours, 4, until))
    if length == 0:
        return None
    if length > MOST_BYTES:
        raise _Broken
    found = _read(ours, length, until)
    if not found.startswith(PNG) or found[12:16] != b"IHDR":
        raise _Broken
    return found


def _read(ours: socket.socket, length: int, until: float) -> bytes:
    held = bytearray()
    while len(held) < length:
        left = until - time.monotonic()
        if left <= 0:
            raise _Broken
        ours.settimeout(left)
        try:
            part = ours.recv(min(length - len(held), 1 << 20))
        except OSError:
            raise _Broken from None
        if not part:
            raise _Broken
        held += part
    return bytes(held)
