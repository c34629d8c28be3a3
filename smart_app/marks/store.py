"""Keeps a person's marks, sealed, under a name that only the same person in a launch for the same patient can form.

Owns concurrent saving: who saves on a version that is not the newest is told so, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.marks.models import MarkReportRow, MarksRow
from smart_app.marks.types import Kept, Mark, Value
from smart_app.sealing import CannotOpen, Keyring


class Newer(Exception):
    """Somebody, the same person in another window, has saved since. `kept` is what is there now."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("newer")
        self.kept = kept


class Marks:
    """One a process; safe for threads and for many processes."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, days: int) -> None:
        """`days` after the last saving they are forgotten."""
        self._db, self._keyring, self._clock, self._days = db, keyring, clock, timedelta(days=days)

    def of(self, ctx: LaunchContext, study: str, session: Session | None = None) -> Kept:
        """This person's marks on this study of the launch's patient."""
        if session is None:
            with self._db.reading() as own:
                return self._kept(self._row(own, ctx, study))
        return self._kept(self._row(session, ctx, study))

    def save(self, ctx: LaunchContext, study: str, wanted: Kept, recorded: Callable[[Session], None]) -> int:
        """Put `wanted.marks` in place of what version `wanted.version` was; returns the new version. `recorded` writes the audit in the same transaction.

        :raises Newer: nothing was changed.
        """
        with self._db.transaction() as session:
            name, patient = self.name(ctx, study), self.patients(ctx)[0]
            if not self._db.is_sqlite:
                session.execute(select(func.pg_advisory_xact_lock(int(name[:15], 16))))
            row = self._row(session, ctx, study)
            now = self._kept(row)
            if now.version != wanted.version:
                raise Newer(now)
            if row is not None and row.id != name:  # named under a key that has been replaced since
                session.delete(row)
                session.flush()
            version = now.version + 1
            sealed = self._keyring.seal(json.dumps([asdict(mark) for mark in wanted.marks]).encode(), place=_place(name))
            session.merge(MarksRow(id=name, patient=patient, version=version, sealed=sealed, saved_at=self._clock()))
            recorded(session)
            return version

    def forget(self, tenant: str, issuer: str, patient: str) -> int:
        """All marks on one patient's images, whoever made them; returns how many studies' marks. What was written to an archive stays there."""
        names = self._patients(tenant, issuer, patient)
        with self._db.transaction() as session:
            session.execute(delete(MarkReportRow).where(MarkReportRow.patient.in_(names)))
            gone = session.execute(delete(MarksRow).where(MarksRow.patient.in_(names)))
            return gone.rowcount if isinstance(gone, CursorResult) else 0

    def purge(self) -> int:
        """Forget what nobody has saved for so long; returns how many studies' marks."""
        before = self._clock() - self._days
        with self._db.transaction() as session:
            session.execute(delete(MarkReportRow).where(MarkReportRow.asked_at <= before, MarkReportRow.state != "waiting"))
            gone = session.execute(delete(MarksRow).where(MarksRow.saved_at <= before))
            return gone.rowcount if isinstance(gone, CursorResult) else 0

    def name(self, ctx: LaunchContext, study: str) -> str:
        return self._names(ctx, study)[0]

    def patients(self, ctx: LaunchContext) -> list[str]:
        return self._patients(ctx.tenant, ctx.issuer, ctx.patient_id or "")

    def _row(self, session: Session, ctx: LaunchContext, study: str) -> MarksRow | None:
        if ctx.patient_id is None:
            return None
        rows = {row.id: row for row in session.scalars(select(MarksRow).where(MarksRow.id.in_(self._names(ctx, study))))}
        found = next((rows[name] for name in self._names(ctx, study) if name in rows), None)
        return found if found is not None and found.saved_at > self._clock() - self._days else None

    def _kept(self, row: MarksRow | None) -> Kept:
        if row is None:
            return Kept(0)
        try:
            content = json.loads(self._keyring.open(row.sealed, place=_place(row.id)))
        except CannotOpen:
            return Kept(row.version)  # sealed with a key that is gone
        return Kept(row.version, tuple(_mark(each) for each in content))

    def _names(self, ctx: LaunchContext, study: str) -> list[str]:
        """Under each key of the ring, the current one first."""
        parts = ("marks", ctx.tenant, ctx.issuer.rstrip("/"), ctx.user.issuer, ctx.user.subject, ctx.patient_id or "", study)
        return [self._digest(key, *parts) for key in self._keyring.key_ids]

    def _patients(self, tenant: str, issuer: str, patient: str) -> list[str]:
        return [self._digest(key, "patient", tenant, issuer.rstrip("/"), patient) for key in self._keyring.key_ids]

    def _digest(self, key: str, *parts: str) -> str:
        """Length-prefixed, so that parts cannot run together."""
        joined = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._keyring.derive("marks", key), joined.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _mark(content: dict[str, object]) -> Mark:
    given = dict(content)
    points = tuple((float(column), float(row)) for column, row in given.pop("points"))  # type: ignore[attr-defined]
    values = tuple(Value(**each) for each in given.pop("values"))  # type: ignore[attr-defined]
    return Mark(**given, points=points, values=values)  # type: ignore[arg-type]


def _place(name: str) -> str:
    return f"marks.sealed:{name}"
