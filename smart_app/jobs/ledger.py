"""Adds work in the caller's transaction, and runs what is due. The database is the truth; who rings the bell may forget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.jobs.models import WorkRow
from smart_app.jobs.types import Handler, Job, Later, NeedsAttention

log = structlog.get_logger("priors.jobs")
TRIES = 5
LEASE = timedelta(seconds=60)


class Ledger:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def add(self, session: Session, kind: str, key: str, *, due: datetime | None = None) -> None:
        """One more piece of work, if the same was not added before. It stands or falls with the caller's transaction."""
        now = self._clock()
        insert = sqlite_insert if self._db.is_sqlite else postgresql_insert
        row = {"kind": kind, "key": key, "state": "waiting", "attempt": 0, "due_at": due or now, "holder": "", "reason": "", "created_at": now}
        session.execute(insert(WorkRow).values(row).on_conflict_do_nothing())

    def run_due(self, handlers: Mapping[str, Handler], *, holder: str = "here") -> int:
        """Do all that is due now, in this thread; how many rows were tried."""
        tried = 0
        while (job := self._claim(tuple(handlers), holder)) is not None:
            tried += 1
            self._settle(job, handlers[job.kind])
        return tried

    def _claim(self, kinds: tuple[str, ...], holder: str) -> Job | None:
        now = self._clock()
        free = (WorkRow.state == "waiting") | ((WorkRow.state == "running") & (WorkRow.lease_until < now))
        with self._db.transaction() as session:
            due = select(WorkRow).where(free, WorkRow.due_at <= now, WorkRow.kind.in_(kinds)).order_by(WorkRow.due_at)
            row = session.scalars(due.limit(1).with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            row.state, row.attempt, row.lease_until, row.holder = "running", row.attempt + 1, now + LEASE, holder
            return Job(row.kind, row.key, row.attempt, lambda: None)

    def _settle(self, job: Job, handler: Handler) -> None:
        state, reason, due = "done", "", None
        try:
            handler(job)
        except Later as later:
            state, due = "waiting", self._clock() + timedelta(seconds=later.seconds)
        except NeedsAttention as attention:
            state, reason = "attention", attention.reason
        except Exception as error:
            log.warning("work_failed", kind=job.kind, attempt=job.attempt, error=type(error).__name__)
            state, reason = ("attention" if job.attempt >= TRIES else "waiting"), type(error).__name__
            due = self._clock() + timedelta(seconds=2**job.attempt)
        with self._db.transaction() as session:
            row = session.get_one(WorkRow, (job.kind, job.key))
            row.state, row.reason, row.lease_until = state, reason, None
            row.due_at = due or row.due_at
            row.done_at = self._clock() if state == "done" else None
