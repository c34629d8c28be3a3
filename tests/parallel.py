"""Several test processes at once (`pytest -n`): what they share is made by one of them, and each has ports of its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORTS, EACH = 10000, 400


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Wait until no other process is in here for `folder`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def own_ports() -> range:
    """First ports of rows that no other process of this run, and no demo, begins with."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return range(PORTS + EACH * number, PORTS + EACH * (number + 1), 10)
