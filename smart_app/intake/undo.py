"""Takes a stored study out of every view again, says who has seen it, and proves that the received bytes are as they came.

Priors stops showing it within seconds, in every process. It cannot delete at the archive: DICOMweb has no such thing, and
the page says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.audit.intake_events import IntakeWithdrawn
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.intake.items import Items
from smart_app.intake.loads import the_same_bytes
from smart_app.intake.models import WithdrawnStudyRow
from smart_app.intake.received import Line, Received
from smart_app.intake.review import CHANGED, MIN_REASON, NO_REASON, NOT_NOW, Reviewer
from smart_app.intake.types import ItemState

SEEN = ("StudyOpened", "SeriesRead")
MOST_SEEN = 1000


@dataclass(frozen=True)
class Seen:
    """Somebody to whom the study was shown."""

    at: datetime
    name: str
    event: str


@dataclass(frozen=True)
class Originals:
    """How many of the received files are, byte for byte, what came."""

    files: int
    intact: int

    @property
    def are_whole(self) -> bool:
        return self.files == self.intact


class Undo:
    """One a process."""

    def __init__(self, db: Database, items: Items, audit: AuditLog, clock: Clock) -> None:
        self._db, self._items, self._audit, self._clock = db, items, audit, clock

    def withdraw(self, by: Reviewer, id: str, version: int, reason: str) -> None:
        """From now on no list shows this study and no gateway serves it. :raises AppError:"""
        reason = " ".join(reason.split())[:1000]
        if len(reason) < MIN_REASON:
            raise AppError(NO_REASON)
        with self._db.transaction() as session:
            item = self._checked(session, id, version, {ItemState.STORED, ItemState.STORED_IN_PART})
            session.merge(WithdrawnStudyRow(archive=item.content.archive, study=item.study_digest, item=id, at=self._clock()))
            self._change(session, by, item, ItemState.WITHDRAWN, f"taken out of every view: {reason}")

    def restore(self, by: Reviewer, id: str, version: int) -> None:
        """It is shown again: it was right after all."""
        with self._db.transaction() as session:
            item = self._checked(session, id, version, {ItemState.WITHDRAWN})
            row = session.get(WithdrawnStudyRow, (item.content.archive, item.study_digest))
            if row is not None:
                session.delete(row)
            stored = all(one.stage.is_stored for one in self._items.instances(id, session))
            self._change(session, by, item, ItemState.STORED if stored else ItemState.STORED_IN_PART, "shown again")

    def seen_by(self, item: Received) -> tuple[Seen, ...]:
        """To whom it was shown, by the audit; the latest first."""
        study = item.summary.study
        with self._db.reading() as session:
            found = session.scalars(
                select(AuditRecord)
                .where(AuditRecord.event.in_(SEEN), AuditRecord.details.contains(f'"{study}"', autoescape=True))
                .order_by(AuditRecord.at.desc())
                .limit(MOST_SEEN)
            )
            return tuple(Seen(one.at, one.user_name or one.subject, one.event) for one in found if json.loads(one.details).get("study") == study)

    def originals(self, item: Received) -> Originals:
        """Reads every received file of it: the coerced copy at the archive is undone by these, bit for bit."""
        instances = self._items.instances(item.id)
        return Originals(len(instances), sum(the_same_bytes(Path(one.source.path), one.sha256) for one in instances))

    def _checked(self, session: Session, id: str, version: int, states: set[ItemState]) -> Received:
        item = self._items.get(id, session, lock=True)
        if item.version != version:
            raise AppError(CHANGED)
        if item.state not in states or not item.content.archive:
            raise AppError(NOT_NOW)
        return item

    def _change(self, session: Session, by: Reviewer, item: Received, state: ItemState, words: str) -> None:
        self._items.change(session, item.id, lambda before: replace(before, state=state), line=Line(self._clock(), words, by.who.name))
        patient = item.content.patient
        self._audit.record(
            IntakeWithdrawn(
                who=by.who, patient=patient.id if patient else None, item=item.id, study=item.summary.study, archive=item.content.archive,
                restored=state is not ItemState.WITHDRAWN,
            ),
            session,
        )  # fmt: skip


