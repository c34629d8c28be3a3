"""Opening and ending the break-glass of a launch. The row is the truth on every request; each change and its audit are one transaction.

It ends by itself at its time, with its launch, or when a person ends it. No other launch is touched by it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.audit.events import BreakGlassEnded, BreakGlassOpened, Who
from smart_app.audit.log import AuditLog
from smart_app.breakglass.models import BreakGlassRow
from smart_app.breakglass.reasons import REASONS
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.sealing import CannotOpen, Keyring
from smart_app.web import new_reference

log = structlog.get_logger("priors.breakglass")


@dataclass(frozen=True)
class Opening:
    """What is sealed: who opened whose restricted studies, and why."""

    issuer: str
    subject: str
    name: str
    patient: str
    reason: str
    text: str
    count: int


@dataclass(frozen=True)
class Glass:
    """A break-glass that is open."""

    id: str
    ends_at: datetime
    minutes_left: int
    """Begun minutes."""
    purpose: str


@dataclass(frozen=True)
class Reviewed:
    """One opening as an auditor sees it."""

    id: str
    launch: str
    """As audit records name it."""
    opened_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str
    what: Opening | None
    """None: sealed with a key that is gone."""

_rows = BreakGlassRow.__table__.c
OPEN = select(_rows.id).where(_rows.launch == bindparam("launch"), _rows.ended_at.is_(None)).limit(1)


class BreakGlass:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, clock: Clock, *, minutes: int) -> None:
        self._db = db
        self._keyring = keyring
        self._audit = audit
        self._clock = clock
        self._lasts = timedelta(minutes=minutes)

    @property
    def minutes(self) -> int:
        """How long an opening lasts."""
        return int(self._lasts.total_seconds() // 60)

    def open(self, ctx: LaunchContext, who: Who, reason: str, text: str, count: int) -> Glass:
        """Open `count` restricted studies of the launch's patient. One that is open already stays as it is.

        :raises KeyError: no such reason. :raises AuditUnavailable: then nothing was opened.
        """
        purpose, launch, now = REASONS[reason].purpose, _digest(ctx.handle), self._clock()
        what = Opening(ctx.user.issuer, ctx.user.subject, ctx.user.name or "", ctx.patient_id or "", reason, text, count)
        with self._db.transaction() as session:
            if not self._db.is_sqlite:
                session.execute(select(func.pg_advisory_xact_lock(int(launch[:15], 16))))
            row = self._current(session, launch, now)
            if row is None:
                key = new_reference("BG", 8)
                sealed = self._keyring.seal(json.dumps(asdict(what)).encode(), place=_place(key))
                row = BreakGlassRow(id=key, tenant=ctx.tenant, launch=launch, opened_at=now, ends_at=now + self._lasts, sealed=sealed)
                session.add(row)
                by = replace(who, purpose=purpose, opening=key)
                self._audit.record(BreakGlassOpened(who=by, patient=ctx.patient_id, reason=reason, minutes=self.minutes, count=count), session)
            return self._glass(row, now)

    def state(self, handle: str) -> Glass | None:
        """What is open for this launch at this moment. One that is over by time is ended here, if nobody has done so yet."""
        launch, now = _digest(handle), self._clock()
        # Asked before every image, and nearly always "none": that answer must be cheap.
        with self._db.engine.connect() as connection:
            if connection.execute(OPEN, {"launch": launch}).first() is None:
                return None
        with self._db.reading() as session:
            row = session.scalar(_unended().where(BreakGlassRow.launch == launch))
        if row is None:
            return None
        if row.ends_at <= now:
            self._end_all(BreakGlassRow.id == row.id, "time")
            return None
        return self._glass(row, now)

    def is_open(self, handle: str) -> bool:
        return self.state(handle) is not None

    def end(self, handle: str, who: Who) -> None:
        """A person has had enough. :raises AuditUnavailable: it is still open."""
        self._end_all(BreakGlassRow.launch == _digest(handle), "person", who)

    def launch_ended(self, handle: str) -> None:
        """Nothing of a launch is served once it has ended, so that here a record that cannot be written is only late."""
        try:
            self._end_all(BreakGlassRow.launch == _digest(handle), "launch")
        except AppError as error:
            log.error("break_glass_end_not_recorded", code=error.fault.code)

    def sweep(self) -> None:
        """End those whose time is over, so that the audit says so also where nobody looks."""
        self._end_all(BreakGlassRow.ends_at <= self._clock(), "time")

    def review(self, tenant: str, limit: int) -> tuple[Reviewed, ...]:
        """The latest openings, newest first. The caller records the reading."""
        wanted = select(BreakGlassRow).where(BreakGlassRow.tenant == tenant).order_by(BreakGlassRow.opened_at.desc()).limit(limit)
        with self._db.reading() as session:
            rows = list(session.scalars(wanted))
        return tuple(
            Reviewed(row.id, row.launch[:16], row.opened_at, row.ends_at, row.ended_at, row.ended_by or "", self._opened(row)) for row in rows
        )

    def _current(self, session: Session, launch: str, now: datetime) -> BreakGlassRow | None:
        return session.scalar(_unended().where(BreakGlassRow.launch == launch, BreakGlassRow.ends_at > now))

    def _end_all(self, which: ColumnElement[bool], by: str, who: Who | None = None) -> None:
        with self._db.reading() as session:
            if session.scalar(_unended().where(which).limit(1)) is None:
                return
        now = self._clock()
        with self._db.transaction() as session:
            for row in session.scalars(_unended().where(which).with_for_update()):
                row.ended_at, row.ended_by = min(now, row.ends_at) if by == "time" else now, by
                what = self._opened(row)
                issuer, subject, name = (what.issuer, what.subject, what.name) if what else ("", "", "")
                ends = who or Who(row.tenant, issuer, subject, name, row.launch[:16], "", "")
                ends = replace(ends, purpose=_purpose(what), opening=row.id)
                self._audit.record(BreakGlassEnded(who=ends, patient=what.patient if what else None, by=by), session)

    def _glass(self, row: BreakGlassRow, now: datetime) -> Glass:
        return Glass(row.id, row.ends_at, -int((now - row.ends_at).total_seconds() // 60), _purpose(self._opened(row)))

    def _opened(self, row: BreakGlassRow) -> Opening | None:
        try:
            return Opening(**json.loads(self._keyring.open(row.sealed, place=_place(row.id))))
        except CannotOpen:
            return None


def _purpose(what: Opening | None) -> str:
    return REASONS[what.reason].purpose if what is not None and what.reason in REASONS else "BTG"


def _unended() -> Select[BreakGlassRow]:
    return select(BreakGlassRow).where(BreakGlassRow.ended_at.is_(None))


def _place(row: str) -> str:
    return f"break_glass.sealed:{row}"


def _digest(handle: str) -> str:
    return hashlib.sha256(handle.encode()).hexdigest()
