"""Received bytes go when nobody needs them any more: by the item's own time, never under a hold, and an upload only as a whole.

First the row says that they may not be used any more, then they go, then the row says that they are gone. Its time stays in the row until
then: whoever comes after a crash goes on where it was left, and no byte of a patient is forgotten on the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.intake_events import IntakeExpired
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.intake.items import Items
from smart_app.intake.models import ReceivedInstanceRow, ReceivedStudyRow, ScreenedUploadRow
from smart_app.intake.received import Line
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Job
from smart_app.spool.types import Upload, UploadState

MOST = 200
STAYS_AS_IT_IS = frozenset({ItemState.STORED, ItemState.STORED_IN_PART, ItemState.WITHDRAWN})
"""Their bytes go, and what became of them is still true."""


class Bytes(Protocol):
    def upload(self, id: str) -> Upload: ...

    def remove(self, session: Session, upload: Upload) -> None: ...

    def sweep(self) -> int: ...


@dataclass(frozen=True)
class _Begun:
    """An item whose bytes are about to go, and where they lie."""

    version: int
    paths: tuple[Path, ...]


class Retention:
    """One a process."""

    def __init__(self, db: Database, items: Items, spool: Bytes, audit: AuditLog, clock: Clock, *, tenant: str) -> None:
        self._db, self._items, self._spool, self._audit, self._clock, self._tenant = db, items, spool, audit, clock, tenant

    def handle(self, job: Job) -> None:
        self._spool.sweep()
        while (gone := self.purge()) and gone == MOST:
            job.heartbeat()

    def due(self) -> tuple[str, ...]:
        """Ids of the items whose time is over. A dry run."""
        with self._db.reading() as session:
            over = select(ReceivedStudyRow.id).where(
                ReceivedStudyRow.tenant == self._tenant, ReceivedStudyRow.expires_at <= self._clock(), ReceivedStudyRow.held.is_(False)
            )
            return tuple(session.scalars(over.order_by(ReceivedStudyRow.expires_at).limit(MOST)))

    def purge(self) -> int:
        """Let go of what is due; how many items were."""
        ids = self.due()
        for id in ids:
            if (begun := self._begin(id)) is not None:
                _unlink(begun.paths)
                self._conclude(id, begun)
        return len(ids) + self._purge_useless()

    def _purge_useless(self) -> int:
        """Uploads in which nothing could be used have no item whose time would end: they go when another person's would."""
        long_ago = self._clock() - timedelta(days=self._items.keeping.aside)
        known = select(ReceivedInstanceRow.item).where(ReceivedInstanceRow.upload == ScreenedUploadRow.upload)
        useless = select(ScreenedUploadRow).where(ScreenedUploadRow.tenant == self._tenant, ScreenedUploadRow.at < long_ago, ~known.exists())
        with self._db.transaction() as session:
            rows = session.scalars(useless.limit(MOST)).all()
            gone = 0
            for row in rows:
                upload = self._spool.upload(row.upload)
                if upload.state is not UploadState.REMOVED:
                    self._spool.remove(session, upload)
                    gone += 1
            return gone

    def _begin(self, id: str) -> _Begun | None:
        """From now on nobody takes it back into review. None: it is needed after all."""
        with self._db.transaction() as session:
            item = self._items.get(id, session, lock=True)
            if item.held or item.expires_at is None or item.expires_at > self._clock():
                return None
            if item.state not in STAYS_AS_IT_IS and item.state is not ItemState.EXPIRED:
                _, after = self._items.change(session, id, lambda before: replace(before, state=ItemState.EXPIRED))
                item = replace(after, expires_at=item.expires_at)
                self._items.write(session, item)
            return _Begun(item.version, tuple(Path(one.source.path) for one in self._items.instances(id, session)))

    def _conclude(self, id: str, begun: _Begun) -> None:
        """Its bytes are gone; uploads that nobody else needs go whole. Not if it was changed meanwhile: then it is looked at again when it is due."""
        with self._db.transaction() as session:
            if self._items.get(id, session, lock=True).version != begun.version:
                return
            line = Line(self._clock(), "its time was over: the received files are removed")
            _, after = self._items.change(session, id, lambda before: replace(before, expires_at=None), line=line)
            uploads = set(session.scalars(select(ReceivedInstanceRow.upload).where(ReceivedInstanceRow.item == id)))
            removed = [upload for upload in sorted(uploads) if not self._is_needed(session, upload)]
            for upload in removed:
                self._spool.remove(session, self._spool.upload(upload))
            patient = after.content.patient
            who = Who(self._tenant, patient.issuer if patient else "", "", "Priors", "", "", "")
            self._audit.record(IntakeExpired(who=who, patient=patient.id if patient else None, item=id, state=after.state.value, count=len(removed)), session)

    def _is_needed(self, session: Session, upload: str) -> bool:
        """Whether an item that has bytes of this upload is still waited for, held, or within its time."""
        with_bytes = select(ReceivedInstanceRow.item).where(ReceivedInstanceRow.upload == upload)
        items: Sequence[ReceivedStudyRow] = session.scalars(select(ReceivedStudyRow).where(ReceivedStudyRow.id.in_(with_bytes))).all()
        return any(row.held or row.expires_at is not None or row.state in STILL for row in items)


STILL = frozenset({state.value for state in (ItemState.IN_REVIEW, ItemState.SECOND_PERSON, ItemState.STORING)})


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
