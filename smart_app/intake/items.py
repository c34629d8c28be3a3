"""Keeps the items of the desk: written whole in the caller's transaction, read as values, changed only from the version looked at."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.intake.models import ReceivedInstanceRow, ReceivedStudyRow, ScreenedUploadRow
from smart_app.intake.received import Content, Instance, Line, Received, Source, Stage, Standing
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring

CONTENT, SOURCE = TypeAdapter(Content), TypeAdapter(Source)
Change = Callable[[Received], Received]


class NoSuchItem(Exception):
    pass


class ItemChanged(Exception):
    """Somebody, or something that arrived, has changed it since it was read."""


@dataclass(frozen=True)
class Keeping:
    """Days until bytes may go (safety.md "Lifetimes")."""

    stored: int = 30
    left: int = 30
    aside: int = 90


def expiry(state: ItemState, now: datetime, keeping: Keeping) -> datetime | None:
    """When the bytes of an item in this state may go; None: somebody still waits for it."""
    if state in (ItemState.STORED, ItemState.STORED_IN_PART, ItemState.WITHDRAWN):
        return now + timedelta(days=keeping.aside if state is ItemState.WITHDRAWN else keeping.stored)
    if state in (ItemState.LEFT, ItemState.NOT_FOR_US, ItemState.NOT_USABLE):
        return now + timedelta(days=keeping.left)
    return now + timedelta(days=keeping.aside) if state is ItemState.SET_ASIDE else None


class Items:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str, keeping: Keeping | None = None) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant
        # A new key in front must not make a known study a new one, nor show again what was withdrawn.
        self._key = keyring.derive("intake", keyring.lasting)
        self.keeping = keeping or Keeping()

    def digest(self, kind: str, *parts: str) -> str:
        return hmac.new(self._key, "\0".join((kind, self._tenant, *parts)).encode(), hashlib.sha256).hexdigest()

    def id(self, scope: str, study: str) -> str:
        return self.digest("item", scope, study)[:32]

    def reading(self) -> AbstractContextManager[Session]:
        return self._db.reading()

    def get(self, id: str, session: Session | None = None, *, lock: bool = False) -> Received:
        """:raises NoSuchItem:"""
        if session is None:
            with self._db.reading() as own:
                return self.get(id, own)
        return self._read(self._row(session, id, lock=lock))

    def find(self, id: str, session: Session) -> Received | None:
        row = session.get(ReceivedStudyRow, id, with_for_update=True)
        return self._read(row) if row is not None else None

    def of_scope(self, scope: str, session: Session | None = None) -> tuple[Received, ...]:
        """All that came for one request, or with one upload; the newest study first."""
        if session is None:
            with self._db.reading() as own:
                return self.of_scope(scope, own)
        rows = session.scalars(select(ReceivedStudyRow).where(ReceivedStudyRow.scope == scope, ReceivedStudyRow.tenant == self._tenant))
        return tuple(sorted(map(self._read, rows), key=lambda one: (one.summary.date, one.id), reverse=True))

    def of_upload(self, upload: str) -> tuple[Received, ...]:
        """Items that have something of this upload."""
        with self._db.reading() as session:
            ids = session.scalars(select(ReceivedInstanceRow.item).where(ReceivedInstanceRow.upload == upload).distinct()).all()
            return tuple(self.get(id, session) for id in sorted(ids))

    def in_state(self, *states: ItemState, limit: int = 500, unasked: bool = False) -> tuple[Received, ...]:
        """Items in one of these states, urgent ones first, then the oldest. `unasked`: those only that answer no request."""
        with self._db.reading() as session:
            rows = session.scalars(
                select(ReceivedStudyRow)
                .where(ReceivedStudyRow.tenant == self._tenant, ReceivedStudyRow.state.in_([state.value for state in states]))
                .where(*([ReceivedStudyRow.request.is_(None)] if unasked else []))
                .order_by(ReceivedStudyRow.urgent.desc(), ReceivedStudyRow.listed_at)
                .limit(limit)
            )
            return tuple(self._read(row) for row in rows)

    def stored_of(self, issuer: str, patient: str) -> tuple[Received, ...]:
        """What was received for this patient and is stored, at least in part."""
        stored = (ItemState.STORED.value, ItemState.STORED_IN_PART.value)
        with self._db.reading() as session:
            rows = session.scalars(
                select(ReceivedStudyRow).where(
                    ReceivedStudyRow.tenant == self._tenant, ReceivedStudyRow.subject == self.digest("subject", issuer, patient), ReceivedStudyRow.state.in_(stored)
                )
            )
            return tuple(self._read(row) for row in rows)

    def counts(self) -> dict[ItemState, int]:
        with self._db.reading() as session:
            rows = session.execute(
                select(ReceivedStudyRow.state, func.count()).where(ReceivedStudyRow.tenant == self._tenant).group_by(ReceivedStudyRow.state)
            )
            return {ItemState(state): count for state, count in rows}

    def write(self, session: Session, item: Received) -> None:
        """Insert, or replace what stands there. The caller has read it in this very transaction."""
        row = session.get(ReceivedStudyRow, item.id)
        if row is None:
            row = ReceivedStudyRow(id=item.id, tenant=self._tenant, scope=item.scope, request=item.request, purpose=item.purpose.value, study=item.study_digest,
                                   arrived_at=item.arrived_at, listed_at=item.listed_at)  # fmt: skip
            session.add(row)
        row.subject, row.state, row.standing, row.version = item.subject, item.state.value, item.standing.value, item.version
        row.urgent, row.held, row.tries, row.updated_at, row.expires_at = item.urgent, item.held, item.tries, item.updated_at, item.expires_at
        row.sealed = self._keyring.seal(to_json(item.content), place=f"received_studies.sealed:{item.id}")

    def change(self, session: Session, id: str, change: Change, *, version: int | None = None, line: Line | None = None) -> tuple[Received, Received]:
        """(before, after). Its version grows, and where its state changes, so does the time it is kept.

        :raises ItemChanged: not the version that was looked at. :raises NoSuchItem:
        """
        before = self.get(id, session, lock=True)
        if version is not None and version != before.version:
            raise ItemChanged(id)
        now = self._clock()
        after = replace(change(before), version=before.version + 1, updated_at=now)
        if after.state is not before.state:
            after = replace(after, expires_at=expiry(after.state, now, self.keeping))
        if line is not None:
            after = replace(after, content=replace(after.content, history=(*after.content.history, line)))
        self.write(session, after)
        session.flush()
        return before, after

    def instances(self, id: str, session: Session | None = None) -> tuple[Instance, ...]:
        if session is None:
            with self._db.reading() as own:
                return self.instances(id, own)
        rows = session.scalars(select(ReceivedInstanceRow).where(ReceivedInstanceRow.item == id).order_by(ReceivedInstanceRow.instance, ReceivedInstanceRow.sha256))
        return tuple(self._instance(row) for row in rows)

    def add_instances(self, session: Session, item: str, instances: Iterable[Instance]) -> int:
        """Those that are new by object and bytes; how many were. One that is known keeps its stage and learns where its bytes lie now."""
        known = {(row.instance, row.sha256): row for row in session.scalars(select(ReceivedInstanceRow).where(ReceivedInstanceRow.item == item))}
        added = 0
        for one in instances:
            sealed = self._keyring.seal(to_json(one.source), place=f"received_instances.sealed:{item}:{one.digest}:{one.sha256}")
            row = known.get((one.digest, one.sha256))
            if row is None:
                row = ReceivedInstanceRow(item=item, instance=one.digest, sha256=one.sha256, upload=one.upload, size=one.size, state=one.stage.value, reason=one.reason, sealed=sealed)
                session.add(row)
                known[one.digest, one.sha256] = row
                added += 1
            else:
                row.upload, row.sealed = one.upload, sealed
        return added

    def set_stage(self, session: Session, item: str, digest: str, sha256: str, stage: Stage, reason: str = "") -> None:
        row = session.get_one(ReceivedInstanceRow, (item, digest, sha256))
        row.state, row.reason = stage.value, reason

    def mark_screened(self, session: Session, upload: str, summary: bytes) -> bool:
        """False: it was screened before."""
        if session.get(ScreenedUploadRow, upload) is not None:
            return False
        sealed = self._keyring.seal(summary, place=f"screened_uploads.sealed:{upload}")
        session.add(ScreenedUploadRow(upload=upload, tenant=self._tenant, sealed=sealed, at=self._clock()))
        session.flush()
        return True

    def unscreened(self, session: Session, uploads: Iterable[str]) -> bool:
        """Whether one of these was not looked at yet."""
        ids = set(uploads)
        return bool(ids - set(session.scalars(select(ScreenedUploadRow.upload).where(ScreenedUploadRow.upload.in_(ids)))))

    def screened(self, upload: str) -> bytes | None:
        """What `mark_screened` was given."""
        with self._db.reading() as session:
            row = session.get(ScreenedUploadRow, upload)
        return self._keyring.open(row.sealed, place=f"screened_uploads.sealed:{upload}") if row is not None else None

    def _row(self, session: Session, id: str, *, lock: bool = False) -> ReceivedStudyRow:
        row = session.get(ReceivedStudyRow, id, with_for_update=True if lock else None)
        if row is None or row.tenant != self._tenant:
            raise NoSuchItem(id)
        return row

    def _read(self, row: ReceivedStudyRow) -> Received:
        content = CONTENT.validate_json(self._keyring.open(row.sealed, place=f"received_studies.sealed:{row.id}"))
        return Received(
            id=row.id, scope=row.scope, request=row.request, purpose=Purpose(row.purpose), study_digest=row.study, subject=row.subject, state=ItemState(row.state),
            standing=Standing(row.standing), version=row.version, urgent=row.urgent, held=row.held, tries=row.tries, arrived_at=row.arrived_at, listed_at=row.listed_at,
            updated_at=row.updated_at, expires_at=row.expires_at, content=content,
        )  # fmt: skip

    def _instance(self, row: ReceivedInstanceRow) -> Instance:
        source = SOURCE.validate_json(self._keyring.open(row.sealed, place=f"received_instances.sealed:{row.item}:{row.instance}:{row.sha256}"))
        return Instance(row.instance, row.sha256, row.upload, row.size, Stage(row.state), row.reason, source)
