"""Takes a stored study out of every view again, says who has seen it, and proves that the received bytes are as they came.

Priors stops showing it within seconds, in every process. It cannot delete at the archive: DICOMweb has no such thing, and
the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
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
from smart_app.image_requests.service import AlreadyAsked, NoSuchRequest, Requests
from smart_app.image_requests.types import Party
from smart_app.image_requests.workflow import Act, can
from smart_app.intake import withdrawals
from smart_app.intake.deciding import Verdict
from smart_app.intake.items import Items
from smart_app.intake.loads import the_same_bytes
from smart_app.intake.received import Line, Received, Standing
from smart_app.intake.review import CHANGED, MIN_REASON, NO_REASON, NOT_NOW, OTHER_PERSON, Reviewer
from smart_app.intake.settling import TAKEN_OUT
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

    def __init__(
        self, db: Database, items: Items, audit: AuditLog, clock: Clock, requests: Requests, settle: Callable[[Session, str], None],
        verdict: Callable[[Session, Received], Verdict],
    ) -> None:  # fmt: skip
        """`verdict`: whose an item is, by what is known now."""
        self._db, self._items, self._audit, self._clock = db, items, audit, clock
        self._requests, self._settle, self._verdict = requests, settle, verdict

    def withdraw(self, by: Reviewer, id: str, version: int, reason: str) -> None:
        """From now on no list shows this study, no gateway serves it, and no request says that it is stored. :raises AppError:"""
        reason = " ".join(reason.split())[:1000]
        if len(reason) < MIN_REASON:
            raise AppError(NO_REASON)
        with self._db.transaction() as session:
            item = self._checked(session, id, version, {ItemState.STORED, ItemState.STORED_IN_PART})
            changed = withdrawals.hide(session, self._items, item, self._clock(), f"{withdrawals.WORDS}: {reason}", reason, by.who.name)
            for one in changed:
                if one.state is ItemState.WITHDRAWN:
                    self._record(session, by, one)
            for request in sorted({one.request for one in changed if one.request is not None}):
                self._untell(session, by, request)

    def look_again(self, by: Reviewer, id: str, version: int) -> None:
        """Perhaps it was right after all: it goes back to the reviewers, and is seen again once the archive's copy was read back. :raises AppError:"""
        with self._db.transaction() as session:
            item = self._checked(session, id, version, {ItemState.WITHDRAWN})
            verdict = self._verdict(session, item)
            if verdict.standing is Standing.OTHER:
                raise AppError(OTHER_PERSON)

            def change(before: Received) -> Received:
                return replace(before, state=ItemState.IN_REVIEW, standing=verdict.standing, content=replace(before.content, why=verdict.why, opinions=()))

            _, after = self._items.change(session, id, change, line=Line(self._clock(), "took it back into review; nobody sees it until then", by.who.name))
            self._record(session, by, after)

    def _untell(self, session: Session, by: Reviewer, request: str) -> None:
        """The request says what is true now: it is open again, stored in part, or ends where another asks the same by now."""
        try:
            if not can(self._requests.get(request, session).state, Act.WITHDRAW, Party.REVIEWER):
                return
            self._requests.act(request, Act.WITHDRAW, by.actor, reason=TAKEN_OUT, session=session)
        except AlreadyAsked as other:
            self._requests.act(request, Act.SUPERSEDE, by.actor, reason=f"{TAKEN_OUT} {other.request} asks for it.", session=session)
        except NoSuchRequest:
            return
        else:
            session.flush()
            self._settle(session, request)

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

    def _record(self, session: Session, by: Reviewer, item: Received) -> None:
        patient = item.content.patient
        self._audit.record(
            IntakeWithdrawn(
                who=by.who, patient=patient.id if patient else None, item=item.id, study=item.summary.study, archive=item.content.archive,
                restored=item.state is not ItemState.WITHDRAWN,
            ),
            session,
        )  # fmt: skip
