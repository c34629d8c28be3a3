"""The outside world of the kill tests: it keeps what was done to it, once a key, and which process did it when.

It stands for whoever a piece of work is for (a mailbox, a partner, an archive): like those, it knows a thing that it has been told before.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import text

from smart_app.db import Database
from smart_app.jobs.types import Job, Later

TABLES = (
    "CREATE TABLE IF NOT EXISTS effects (kind TEXT, key TEXT, PRIMARY KEY (kind, key))",
    "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, kind TEXT, key TEXT, pid INTEGER, began REAL, ended REAL)",
)


class Outside:
    """Times are the machine's steady clock, which all processes share."""

    def __init__(self, folder: Path) -> None:
        self.db = Database(f"sqlite:///{folder / 'outside.sqlite3'}")
        with self.db.transaction() as session:
            for table in TABLES:
                session.execute(text(table))

    def begin(self, job: Job) -> int:
        with self.db.transaction() as session:
            values = {"kind": job.kind, "key": job.key, "pid": os.getpid(), "now": time.monotonic()}
            done = session.execute(text("INSERT INTO runs (kind, key, pid, began) VALUES (:kind, :key, :pid, :now) RETURNING id"), values)
            return int(done.scalar_one())

    def end(self, run: int) -> None:
        with self.db.transaction() as session:
            session.execute(text("UPDATE runs SET ended = :now WHERE id = :run"), {"now": time.monotonic(), "run": run})

    def effects(self) -> set[tuple[str, str]]:
        with self.db.reading() as session:
            return {(kind, key) for kind, key in session.execute(text("SELECT kind, key FROM effects"))}

    def runs(self) -> list[tuple[str, str, int, float, float | None]]:
        with self.db.reading() as session:
            return [tuple(row) for row in session.execute(text("SELECT kind, key, pid, began, ended FROM runs ORDER BY id"))]


class Recorder:
    """The handler of every kind. `manner`: how the first try of each key goes."""

    def __init__(self, outside: Outside, manner: str, lease: float) -> None:
        self._outside, self._manner, self._lease = outside, manner, lease

    def handle(self, job: Job) -> None:
        run = self._outside.begin(job)
        first = sum(1 for kind, key, *_ in self._outside.runs() if (kind, key) == (job.kind, job.key)) == 1
        try:
            if first and self._manner == "later":
                raise Later(0.2)
            if first and self._manner == "failing":
                raise OSError("the first try fails")
            if first and self._manner == "long":
                for _ in range(20):
                    time.sleep(self._lease / 8)
                    job.heartbeat()
            self.take_effect(job)
        finally:
            self._outside.end(run)

    def take_effect(self, job: Job) -> None:
        with self._outside.db.transaction() as session:
            session.execute(text("INSERT OR IGNORE INTO effects VALUES (:kind, :key)"), {"kind": job.kind, "key": job.key})
