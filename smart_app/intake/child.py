"""The process in which strangers' files are opened: `python -m smart_app.intake.child WORKSPACE`, fenced in, without a database, secrets or a network.

It is handed one open file at a time over the socket on descriptor 3, and answers in JSON lines on the same socket. What it
says is checked by the parent (`answers`): once a file has broken it, it is a stranger, too.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from smart_app.intake import fence
from smart_app.intake.archives_of_files import Budget, NoRoom
from smart_app.intake.examination import Examination, Task

SOCKET = 3
LINE_BYTES = 65_536
PRELOADED = ("numpy", "pydicom", "pydicom.charset", "pydicom.encaps", "pydicom.pixels", "PIL.Image")
"""What nearly every file needs: loaded before the fence closes, once a child."""


def main(workspace: Path) -> None:
    connection = socket.socket(fileno=SOCKET)
    _preload()
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    standing = fence.close(workspace, fence.code_folders(Path(__file__).parents[1]))
    _tell(connection, {"fences": standing})
    while True:
        line, descriptors = _asked(connection)
        if not line:
            return
        with open(descriptors[0], "rb") as source:
            fence.give_time()
            asked = json.loads(line)
            budget = Budget(asked["bytes"], asked["files"])
            task = Task(asked["prefix"], asked["upload"], asked["received"], asked["answered"], budget, asked["fresh"])
            try:
                Examination(task, workspace, lambda message: _tell(connection, message)).run(source)
            except NoRoom as error:
                _tell(connection, {"no_room": int(error.args[0])})
                return
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                _tell(connection, {"no_room": errno.EIO})  # our own disk does not give the file: it is not refused for that
                return
            except MemoryError:
                _tell(connection, {"out_of_memory": True})
                return
        _tell(connection, {"end": True, "bytes": budget.bytes, "files": budget.files, "tired": fence.is_worn(statm)})


def _preload() -> None:
    logging.disable(logging.CRITICAL)  # libraries log what they read
    for name in PRELOADED:
        try:
            __import__(name)
        except ImportError:
            continue


def _asked(connection: socket.socket) -> tuple[bytes, list[int]]:
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        part, received, _, _ = socket.recv_fds(connection, LINE_BYTES, 1)
        if not part:
            return b"", []
        line += part
        descriptors += received
    return line, descriptors


def _tell(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message, ensure_ascii=True).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # libraries' own endings are not waited for
