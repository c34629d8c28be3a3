"""How many audit records a second one chain takes: the one thing of a tenant that all workers write in turn. `python -m bench.load.records`"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

from smart_app import migrations
from smart_app.audit.events import SourceAnswered, Who
from smart_app.audit.log import AuditLog
from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.sealing import Keyring
from tests.peers import postgres

SECONDS = 4.0
WHO = Who.nobody("default", "127.0.0.1", "bench")


def rate(url: str, threads: int) -> float:
    """Records a second from `threads` writers, each record its own transaction."""
    database = Database(url)
    migrations.upgrade(database)
    log = AuditLog(database, Keyring({"k": os.urandom(32)}), utc_now)
    written, end = [0] * threads, time.monotonic() + SECONDS

    def write(mine: int) -> None:
        while time.monotonic() < end:
            log.record(SourceAnswered(who=WHO, patient="p", source="a", state="ok", count=1))
            written[mine] += 1

    writers = [threading.Thread(target=write, args=(at,)) for at in range(threads)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    database.engine.dispose()
    return sum(written) / SECONDS


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for threads in (1, 8):
            url = f"sqlite:///{Path(folder)}/{threads}.sqlite3"
            print(f"SQLite, {threads} writer(s): {rate(url, threads):.0f} records/s")
    with postgres() as url:
        for threads in (1, 8):
            print(f"PostgreSQL, {threads} writer(s): {rate(url, threads):.0f} records/s")


if __name__ == "__main__":
    main()
