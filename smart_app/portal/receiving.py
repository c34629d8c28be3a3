"""What a sender does once the link is shown to be theirs: answer, announce, send, and say that this is all.

Each step is one transaction: the link is held and looked at again, bytes are promised, the request moves on, work is added, records are
written; or nothing of it. Nobody gets anything back but numbers. safety.md K4, K6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.portal_events import UploadBegun, UploadFinished
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Party
from smart_app.image_requests.workflow import Act, can
from smart_app.jobs.ledger import Ledger
from smart_app.portal.visit import Door, Visit, actor_of
from smart_app.spool.frames import Frames
from smart_app.spool.store import NoSuchUpload, Spool, progress_of
from smart_app.spool.taking import NotWhole, Taking
from smart_app.spool.types import Announced, Progress, Standing, Taken, Upload
from smart_app.web.faults import NotHere

SCREEN, ABANDONED = "screen", "abandoned"
"""Kinds of work: look at what came; see whether its sender has gone away."""
QUIET_HOURS = 24


@dataclass(frozen=True)
class Shelf:
    """The parts that keep what is received."""

    spool: Spool
    taking: Taking


class Receiving:
    def __init__(self, db: Database, door: Door, shelf: Shelf, requests: Requests, ledger: Ledger, audit: AuditLog, clock: Clock) -> None:
        self._db, self._door, self._requests, self._ledger, self._audit, self._clock = db, door, requests, ledger, audit, clock
        self._spool, self._taking = shelf.spool, shelf.taking

    def answer(self, visit: Visit, act: Act, who: Who, reason: str = "") -> None:
        """Accept or decline. :raises NotAllowed: :raises LinkIsOver:"""
        with self._db.transaction() as session:
            now = self._door.again(session, visit)
            if now.request is None:
                raise NotHere("no-request")
            self._requests.act(now.request.id, act, actor_of(now, who), reason=reason, session=session)

    def cannot(self, visit: Visit, who: Who) -> None:
        """What is damaged or missing will not come: written into the request's story, once for each answer that was given them. :raises LinkIsOver:"""
        with self._db.transaction() as session:
            now = self._door.again(session, visit)
            if now.request is None:
                raise NotHere("no-request")
            told = self._requests.history(now.request.id)
            words = f"{now.about.sender or 'The sender'} says that what is damaged or missing cannot be sent."
            if not told or told[-1].note != words:
                self._requests.tell(now.request.id, words, Actor(Party.SYSTEM, name=now.about.sender, address=who.address, request_id=who.request_id), session=session)

    def begin(self, visit: Visit, who: Who) -> str:
        """The upload that this link fills, made if there is none. :raises LinkIsOver:"""
        with self._db.transaction() as session:
            now = self._door.again(session, visit)
            before = self._spool.open_of(now.link.id)
            id = self._taking.begin(session, now.link, now.about.sender)
            if before is None:
                self._ledger.add(session, ABANDONED, id, due=self._clock() + timedelta(hours=QUIET_HOURS))
                self._audit.record(UploadBegun(link=now.link.id, upload=id, **_told(now, who)), session)
        return id

    def announce(self, visit: Visit, upload: str, files: Iterable[Announced]) -> tuple[Standing, ...]:
        """:raises TooMuch: :raises NoRoom: :raises NotHere:"""
        self._own(visit, upload)
        with self._db.transaction() as session:
            self._door.again(session, visit)
            return self._taking.announce(session, upload, files)

    def take(self, visit: Visit, upload: str, frames: Frames, who: Who) -> tuple[Taken, ...]:
        """:raises NotFrames: :raises BrokenOff: :raises NoRoom: :raises LinkIsOver: :raises NotHere:"""
        self._own(visit, upload)

        def promised(session: Session) -> None:
            self._receive(session, self._door.again(session, visit), who)

        return self._taking.take(upload, frames, promised)

    def finish(self, visit: Visit, upload: str, who: Who, without: Iterable[int] = ()) -> Progress:
        """All that they have is here: the request moves on and somebody looks at it. Saying it twice is saying it once.

        :raises NotWhole: :raises NotHere:
        """
        mine = self._own(visit, upload)
        if mine.finished_at is not None:
            return self._spool.progress(upload)
        try:
            with self._db.transaction() as session:
                now = self._door.again(session, visit)
                self._taking.finish(session, upload, without=without)
                return self._close(session, now, upload, actor_of(now, who), who, "sender")
        except NoSuchUpload:
            if self._own(visit, upload).finished_at is None:
                raise
            return self._spool.progress(upload)  # somebody with the same link has said it at the same moment

    def close_abandoned(self, visit: Visit | None, upload: Upload) -> None:
        """Its sender went away: what is whole is looked at, the rest is not waited for. `visit` is None once the link has ended."""
        nobody = Who.nobody(upload.tenant, "", "")
        with self._db.transaction() as session:
            began = progress_of(session, upload.id).held > 0
            self._taking.finish(session, upload.id, by_time=True)
            actor = Actor(Party.SYSTEM, name=upload.sender)
            if visit is not None and (began or progress_of(session, upload.id).whole):
                self._close(session, visit, upload.id, actor, nobody, "time")
            elif began or progress_of(session, upload.id).whole:  # where nothing is whole, whoever looks says so: the request waits for that
                self._ledger.add(session, SCREEN, upload.id)
                if upload.request and can(self._requests.get(upload.request).state, Act.SUBMIT, Party.SYSTEM):
                    self._requests.act(upload.request, Act.SUBMIT, actor, session=session)

    def _own(self, visit: Visit, id: str) -> Upload:
        found = next((one for one in self._spool.of_link(visit.link.id) if one.id == id), None)
        if found is None:
            raise NotHere("not-their-upload")
        return found

    def _receive(self, session: Session, visit: Visit, who: Who) -> None:
        if visit.request is not None and can(visit.request.state, Act.RECEIVE, Party.SENDER):
            self._requests.act(visit.request.id, Act.RECEIVE, actor_of(visit, who), session=session)

    def _close(self, session: Session, visit: Visit, upload: str, actor: Actor, who: Who, by: str) -> Progress:
        progress = progress_of(session, upload)
        if not progress.whole and by == "sender":
            raise NotWhole(())
        if visit.request is not None:
            self._receive(session, visit, who)
            self._requests.act(visit.request.id, Act.SUBMIT, actor, session=session)
        self._ledger.add(session, SCREEN, upload)
        record = UploadFinished(link=visit.link.id, upload=upload, count=progress.whole, bytes=progress.held, by=by, **_told(visit, who))
        self._audit.record(record, session)
        return progress


def _told(visit: Visit, who: Who) -> dict[str, Any]:
    return {"who": replace(who, issuer=visit.about.issuer), "patient": visit.about.patient or None, "request": visit.link.request or ""}

