"""The demo's child processes: started with a pipe to us, so that they end when we do, whatever ends us.

A child of ours reads its standard input to the end and then stops (`parent.py`): no orphan keeps a port.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 5.0


class ChildFailed(Exception):
    """A child ended by itself or did not become ready; the text says which, and what it said last."""


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 12) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Children:
    """All children of one run. `stop()` is safe to call at any time, and twice."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []
        logs.mkdir(exist_ok=True)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        log = self._logs / f"{name}.log"
        with log.open("wb") as out:
            # its own session: Ctrl-C reaches us alone, and we stop the children in order
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=out, env={**os.environ, **(environment or {})}, start_new_session=True
            )
        child = Child(name, process, log)
        self._running.append(child)
        return child

    def wait_ready(self, child: Child, port: int, path: str, host: str, seconds: float = 120) -> None:
        """Wait until `path` answers 200. :raises ChildFailed: it ended, or time passed."""
        deadline = time.monotonic() + seconds
        while not answers(port, path, host):
            if child.process.poll() is not None:
                raise ChildFailed(f"{child.name} stopped while starting:\n{child.last_words()}")
            if time.monotonic() > deadline:
                raise ChildFailed(f"{child.name} was not ready after {seconds:.0f} s:\n{child.last_words()}")
            time.sleep(0.1)

    def watch(self) -> None:
        """Return only by an exception: KeyboardInterrupt, or ChildFailed when one ends by itself."""
        while True:
            for child in self._running:
                if child.process.poll() is not None:
                    raise ChildFailed(f"{child.name} stopped:\n{child.last_words()}")
            time.sleep(0.3)

    def stop(self) -> None:
        for child in self._running:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGINT if child.name == "priors" else signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._running:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
            if child.process.stdin:
                child.process.stdin.close()
        self._running.clear()


def answers(port: int, path: str, host: str) -> bool:
    """Whether a page on loopback answers 200 now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
