"""The parent's end of one child: started without secrets, asked file by file, given up when it dies, hangs or talks nonsense."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smart_app.intake.answers import LINE_BYTES, Begun, Ended, Fences, Nonsense, NoRoom, OutOfMemory, Verdict, parsed

SILENCE_SECONDS = 30.0
"""For one object: a child that says nothing for so long is given up."""
START_SECONDS = 60.0
CODE = Path(__file__).parents[2]
PASSED_ON = ("LD_LIBRARY_PATH", "LANG", "SYSTEMROOT")


ENDED, SLOW, MEMORY, NONSENSE = "ended", "slow", "memory", "nonsense"


class Gone(Exception):
    """The child has ended, hangs, has no memory left, or cannot be believed any more. Its text is one of the four words above."""

    @property
    def cause(self) -> str:
        return str(self.args[0])


class NotStarted(OSError):
    """Our fault, and no file's: nothing was read yet."""


class ReaderProcess:
    """:param workspace: the folder it may write in."""

    def __init__(self, workspace: Path, *, silence: float = SILENCE_SECONDS) -> None:
        self._silence = silence
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._held = b""
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed words
                [sys.executable, "-c", _START, str(theirs.fileno()), str(workspace)],
                env=_environment(), cwd="/", close_fds=True, pass_fds=(theirs.fileno(),), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.fences: tuple[str, ...] = ()
        try:
            first = self._next("", START_SECONDS)
            if not isinstance(first, Fences):
                raise Gone(NONSENSE)
        except Gone as gone:
            self.close()
            raise NotStarted(f"the reading process did not start ({gone})") from None
        self.fences = first.standing

    @property
    def pid(self) -> int:
        return self._process.pid

    def examine(self, task: dict[str, Any], descriptor: int) -> Iterator[Verdict | Begun | Ended]:
        """What it says of one file, up to and with `Ended`.

        :raises Gone:
        :raises OSError: there is no room for what it takes out.
        """
        try:
            socket.send_fds(self._socket, [json.dumps(task).encode() + b"\n"], [descriptor])
        except OSError:
            raise Gone(ENDED) from None
        while True:
            said = self._next(task["prefix"], self._silence)
            if isinstance(said, Fences):
                raise Gone(NONSENSE)
            if isinstance(said, OutOfMemory):
                raise Gone(MEMORY)
            if isinstance(said, NoRoom):
                raise OSError(said.error, os.strerror(said.error), "workspace")
            yield said
            if isinstance(said, Ended):
                return

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _end(self) -> str:
        """Why it said no more."""
        try:
            return SLOW if self._process.wait(1) == -signal.SIGXCPU else ENDED
        except subprocess.TimeoutExpired:
            return ENDED

    def _next(self, prefix: str, seconds: float) -> Verdict | Begun | Ended | Fences | NoRoom | OutOfMemory:
        until = time.monotonic() + seconds
        while b"\n" not in self._held:
            left = until - time.monotonic()
            if left <= 0:
                raise Gone(SLOW)
            self._socket.settimeout(left)
            try:
                part = self._socket.recv(LINE_BYTES)
            except TimeoutError:
                raise Gone(SLOW) from None
            except OSError:
                raise Gone(self._end()) from None
            if not part:
                raise Gone(self._end())
            self._held += part
            if len(self._held) > LINE_BYTES * 2:
                raise Gone(NONSENSE)
        line, _, self._held = self._held.partition(b"\n")
        try:
            return parsed(line, prefix)
        except Nonsense:
            raise Gone(NONSENSE) from None


# The socket becomes descriptor 3 before the module runs: `-m` knows no other way to be told.
_START = (
    "import os, runpy, sys; number = int(sys.argv[1]); number == 3 or (os.dup2(number, 3), os.close(number)); "
    "sys.argv[1:] = sys.argv[2:]; runpy.run_module('smart_app.intake.child', run_name='__main__')"
)


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": str(CODE), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
