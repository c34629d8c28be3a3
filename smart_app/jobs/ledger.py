"""Adds work in the caller's transaction, and runs what is due. The database is the truth; who rings the bell may forget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import CursorResult, Update, delete, func, nulls_first, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from smart_app.clock import Clock, utc_now
from smart_app.db import Database
from smart_app.jobs.bell import Bell, InProcess, after_commit
from smart_app.jobs.models import WorkRow
from smart_app.jobs.outcome import TRIES, Outcome, outcome
from smart_app.jobs.types import Claim, Handler, Job, LeaseLost, Sign, Stuck
from smart_app.jobs.witness import Witness

log = structlog.get_logger("priors.jobs")
LEASE = 45.0
"""Three heartbeats. Shorter than the minute within which work of a dead worker must go on: watching and looking take the rest."""
PERIODS_KEPT = timedelta(days=30)
"""How long it is remembered that work of a period was done: longer than any clock is wrong."""
SET_BACK = timedelta(seconds=5)
"""A clock that reads this much earlier than a row's last writing has been set back."""


class Ledger:
    """One a process; safe for threads. It adds, does and shows the work of one tenant only. `steady` is the clock that leases are watched with."""

    def __init__(self, db: Database, clock: Clock, bell: Bell | None = None, *, lease: float = LEASE, steady: Callable[[], float] | None = None, tenant: str = "") -> None:
        self._db, self._clock, self.lease, self._tenant = db, clock, lease, tenant
        self._mine: ColumnElement[bool] = WorkRow.tenant == tenant
        self.bell: Bell = bell or InProcess()
        self._witness = Witness(lease, steady) if steady else Witness(lease)

    def add(self, session: Session, kind: str, key: str, *, due: datetime | None = None) -> None:
        """One more piece of work, if the same was not added before. It stands or falls with the caller's transaction."""
        insert = sqlite_insert if self._db.is_sqlite else postgresql_insert
        row = {
            "kind": kind, "key": key, "tenant": self._tenant, "state": "waiting", "attempt": 0, "claims": 0, "beat": 0, "due_at": due,
            "holder": "", "reason": "", "created_at": self._clock(),
        }  # fmt: skip
        session.execute(insert(WorkRow).values(row).on_conflict_do_nothing())
        after_commit(session, self.bell)

    def run_due(self, handlers: Mapping[str, Handler], *, holder: str = "here") -> int:
        """Do all that is due now, in this thread; how many rows were tried."""
        self.release_silent()
        tried = 0
        while (claim := self.claim(handlers.keys(), holder)) is not None:
            tried += 1
            job = Job(claim.kind, claim.key, claim.attempt, partial(self.beat, claim))
            if (came := outcome(handlers[claim.kind], job)) is not None:
                self.settle(claim, came)
        return tried

    def claim(self, kinds: Collection[str], holder: str) -> Claim | None:
        """The row that has waited longest, now ours; None: nothing of these kinds is due."""
        with self._db.reading() as session:
            now = self.now(session)
            due = select(WorkRow).where(self._mine, self._is_due(now), WorkRow.kind.in_(kinds)).order_by(nulls_first(WorkRow.due_at), WorkRow.created_at).limit(1)
            if session.scalars(due).first() is None:
                return None  # SQLite has one writer: who finds nothing does not keep others from writing
        with self._db.transaction() as session:
            row = session.scalars(due.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            row.state, row.attempt, row.claims, row.beat, row.holder = "running", row.attempt + 1, row.claims + 1, 0, holder
            return Claim(row.kind, row.key, row.claims, row.attempt)

    def settle(self, claim: Claim, came: Outcome) -> None:
        """Write what came of it, unless somebody else has the row by now."""
        with self._db.transaction() as session:
            now, waits = self.now(session), came.state == "waiting"
            due, put_off = (now + timedelta(seconds=came.wait), now) if waits else (None, None)
            values = {"state": came.state, "reason": came.reason, "attempt": came.attempt, "due_at": due, "put_off_at": put_off}
            if not _changed(session, _held(claim).values(**values, settled_at=None if waits else now)):
                log.warning("work_lost", kind=claim.kind, attempt=claim.attempt)

    def beat(self, claim: Claim) -> None:
        """Say that its worker lives. :raises LeaseLost: another has it."""
        with self._db.transaction() as session:
            if not _changed(session, _held(claim).values(beat=WorkRow.beat + 1)):
                raise LeaseLost

    def release_silent(self) -> int:
        """Give back what silent workers hold; a row that has taken five workers with it is given to a person."""
        with self._db.reading() as session:
            running = session.scalars(select(WorkRow).where(self._mine, WorkRow.state == "running")).all()
            signs = [Sign(Claim(row.kind, row.key, row.claims, row.attempt), row.beat) for row in running]
        released = 0
        for sign in self._witness.silent(signs):
            log.warning("work_left_behind", kind=sign.claim.kind, attempt=sign.claim.attempt)
            with self._db.transaction() as session:
                left = _held(sign.claim).where(WorkRow.beat == sign.beat)
                if sign.claim.attempt >= TRIES:
                    released += _changed(session, left.values(state="attention", reason="worker-died", settled_at=self.now(session)))
                else:
                    released += _changed(session, left.values(state="waiting", reason="worker-died", due_at=None, put_off_at=None))
        if released:
            self.bell.ring()
        return released

    def every(self, kind: str, seconds: int) -> None:
        """Work that comes again: one row a period. However many say so, and however often, it is one."""
        with self._db.reading() as session:
            number = str(int(self.now(session).timestamp() // seconds))
            period = f"{self._tenant}.{number}" if self._tenant else number
            if session.get(WorkRow, (kind, period)) is not None:
                return
        with self._db.transaction() as session:
            self.add(session, kind, period)
            over = self.now(session) - PERIODS_KEPT
            session.execute(delete(WorkRow).where(self._mine, WorkRow.kind == kind, WorkRow.state == "done", WorkRow.settled_at < over))

    def attention(self) -> tuple[Stuck, ...]:
        """What waits for a person, the longest first."""
        with self._db.reading() as session:
            return tuple(_stuck(row) for row in session.scalars(select(WorkRow).where(self._mine, WorkRow.state == "attention").order_by(WorkRow.settled_at)))

    def unhandled(self, kinds: Collection[str]) -> Mapping[str, int]:
        """How many rows wait that nobody who knows only these kinds will ever do, by kind."""
        with self._db.reading() as session:
            counted = select(WorkRow.kind, func.count().label("number")).where(self._mine, WorkRow.state == "waiting", WorkRow.kind.not_in(kinds)).group_by(WorkRow.kind)
            return {row.kind: row.number for row in session.execute(counted)}

    def again(self, kind: str, key: str, *, session: Session | None = None) -> bool:
        """A person says that what needed attention may be tried anew, five times. False: it does not need any (now)."""
        if session is None:
            with self._db.transaction() as own:
                return self.again(kind, key, session=own)
        stuck = update(WorkRow).where(self._mine, WorkRow.kind == kind, WorkRow.key == key, WorkRow.state == "attention")
        after_commit(session, self.bell)
        return bool(_changed(session, stuck.values(state="waiting", attempt=0, due_at=None, put_off_at=None, settled_at=None)))

    def now(self, session: Session) -> datetime:
        """Our clock, set right by the database's: machines of one site agree on what is due, whatever each of their clocks does."""
        if self._db.is_sqlite:
            return self._clock()  # its clock is this machine's
        theirs: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return self._clock() + (theirs.astimezone(UTC) - utc_now())

    def _is_due(self, now: datetime) -> ColumnElement[bool]:
        return (WorkRow.state == "waiting") & or_(WorkRow.due_at.is_(None), WorkRow.due_at <= now, WorkRow.put_off_at > now + SET_BACK)


def _held(claim: Claim) -> Update:
    """The row, if it is still this claim's."""
    return update(WorkRow).where(WorkRow.kind == claim.kind, WorkRow.key == claim.key, WorkRow.claims == claim.number, WorkRow.state == "running")


def _changed(session: Session, statement: Update) -> int:
    result: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]  # what an UPDATE gives
    return result.rowcount


def _stuck(row: WorkRow) -> Stuck:
    return Stuck(row.kind, row.key, row.reason, row.attempt, row.settled_at or row.created_at)
