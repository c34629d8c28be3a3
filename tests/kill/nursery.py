"""Where the processes of the kill tests come from: one process that has loaded the product once, and forks when it is asked.

A fork that has begun nothing is what a fresh start is, two seconds earlier: no thread runs, no file or connection is open. What
starts, dies and is started again is the fork; kill -9 is as final for it as for any process. `python -m tests.kill.nursery` is the
mother; `Nursery` is who speaks to her, in JSON lines.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]


class Forked:
    """A process of ours that somebody else is the parent of; used as `subprocess.Popen` is."""

    def __init__(self, pid: int, ended: threading.Condition, statuses: dict[int, int]) -> None:
        self.pid, self._ended, self._statuses = pid, ended, statuses

    def poll(self) -> int | None:
        """As `Popen.returncode`: negative for a signal; None while it lives."""
        status = self._statuses.get(self.pid)
        return None if status is None else os.waitstatus_to_exitcode(status)

    def wait(self, seconds: float) -> int:
        """:raises TimeoutError:"""
        with self._ended:
            if not self._ended.wait_for(lambda: self.pid in self._statuses, seconds):
                raise TimeoutError(f"process {self.pid} lives")
        return os.waitstatus_to_exitcode(self._statuses[self.pid])

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    def __enter__(self) -> Nursery:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # a thread of a library's would be lost in each fork
        self._mother = subprocess.Popen([sys.executable, "-m", "tests.kill.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
        self._changed, self._statuses, self._born = threading.Condition(), dict[int, int](), list[int]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.wait(30)
        self._reader.join()
        self._mother.stdout.close()

    def start(self, arguments: Sequence[str], log: Path) -> Forked:
        """A process that does `tests.kill.victim.main(arguments)`. One at a time is asked for."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps([str(log), *arguments]) + "\n")
        self._mother.stdin.flush()
        with self._changed:
            assert self._changed.wait_for(lambda: self._born, 60), "the mother does not answer"
            return Forked(self._born.pop(), self._changed, self._statuses)

    def _read(self) -> None:
        assert self._mother.stdout is not None
        for line in self._mother.stdout:
            pid, status = json.loads(line)
            with self._changed:
                if status is None:
                    self._statuses.pop(pid, None)  # the number of a process that ended long ago
                    self._born.append(pid)
                else:
                    self._statuses[pid] = status
                self._changed.notify_all()


def _give_birth(log: str, arguments: Sequence[str], told: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.closerange(told, told + 2)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for from_, to in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(from_, to)
        os.close(out)
        os.close(nothing)
        from tests.kill import victim

        status = victim.main(arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Until nobody speaks any more. What still lives then is ended: it was forgotten."""
    import psycopg  # noqa: F401  loaded by SQLAlchemy when it is first used

    import smart_app.cli
    import smart_app.factory
    import smart_app.jobs.huey_bell
    import smart_app.logs  # noqa: F401
    import tests.kill.victim  # noqa: F401

    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living, held = set[int](), b""
    while True:
        for number in select.select([0, told], [], [])[0]:
            read = os.read(number, 65_536)
            if number == told:
                continue
            if not read:
                for pid in living:
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, held = (held + read).split(b"\n")
            for line in lines:
                log, *arguments = json.loads(line)
                pid = _give_birth(log, arguments, told)
                living.add(pid)
                print(json.dumps([pid, None]), flush=True)
        while living and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            living.discard(ended[0])
            print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    main()
