"""Does what is asked of a request: permission, transition, event, audit and outgoing work in one transaction, or nothing of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from smart_app.audit.events import RequestChanged, Who
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.models import RequestEventRow, RequestRow
from smart_app.image_requests.types import Actor, Happened, ImageRequest, NewRequest, Party, State
from smart_app.image_requests.workflow import CLOSED, Act, after
from smart_app.jobs.ledger import Ledger
from smart_app.sealing import Keyring
from smart_app.web import new_reference

OUTGOING: Mapping[Act, tuple[str, ...]] = {
    Act.SEND: ("dispatch", "mirror"),
    Act.REOPEN: ("dispatch", "mirror"),
    Act.CANCEL: ("recall", "mirror"),
    Act.DECLINE: ("tell", "mirror"),
    Act.REJECT: ("tell", "mirror"),
    Act.STORE: ("tell", "mirror"),
    Act.STORE_PART: ("tell", "mirror"),
    Act.EXPIRE: ("recall", "mirror"),
}
"""Work that a change makes, by kind; its key is `<request>.<sequence of the change>`. What is not named is only mirrored."""


class AlreadyAsked(Exception):
    """The same is being asked already: `request` is its id."""

    def __init__(self, request: str) -> None:
        super().__init__(request)
        self.request = request


class ChangedMeanwhile(Exception):
    """Somebody else changed it since it was read."""


class NoSuchRequest(Exception):
    pass


@dataclass(frozen=True)
class _Content:
    """What is sealed."""

    asked: NewRequest
    asked_by: str
    owner: str = ""
    last: str = ""
    reason: str = ""


_CONTENT, _SAID = TypeAdapter(_Content), TypeAdapter(tuple[str, str])


class Requests:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, ledger: Ledger, facilities: Facilities, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._audit, self._ledger, self._clock = db, keyring, audit, ledger, clock
        self._facilities, self._tenant = facilities, tenant
        self._key = keyring.derive("image requests")

    def create(self, new: NewRequest, actor: Actor, *, send: bool = True) -> ImageRequest:
        """:raises AlreadyAsked: an identical one is active. :raises NotAllowed:"""
        now, id = self._clock(), new_reference("RQ", 8)
        live = self._digest("live", new.patient.issuer, new.patient.id, str(new.facility), new.route.kind, to_json(_asked(new)).decode())
        row = RequestRow(
            id=id, tenant=self._tenant, subject=self.subject(new.patient.issuer, new.patient.id), state=State.DRAFT.value, version=0, live_key=live,
            case_id=new.case, facility=new.facility, route=new.route.kind.value, urgency=new.urgency.value, needed_by=new.needed_by,
            anchor=self._digest("anchor", new.patient.issuer, new.anchor.reference) if new.anchor else "", owner="", reminded=0, sealed=b"",
            created_at=now, updated_at=now, closed_at=None,
        )  # fmt: skip
        try:
            with self._db.transaction() as session:
                session.add(row)
                self._write(row, _Content(new, actor.name))
                session.flush()
                if send:
                    self._change(session, row, Act.SEND, actor, "")
        except IntegrityError:
            with self._db.reading() as session:
                other = session.scalar(select(RequestRow.id).where(RequestRow.live_key == live))
            if other is None:
                raise
            raise AlreadyAsked(other) from None
        return self.get(id)

    def act(self, id: str, act: Act, actor: Actor, *, reason: str = "", version: int | None = None, session: Session | None = None) -> None:
        """:raises NotAllowed: not from this state, not by this party, or without a reason. :raises ChangedMeanwhile: :raises NoSuchRequest:"""
        if session is None:
            with self._db.transaction() as own:
                self.act(id, act, actor, reason=reason, version=version, session=own)
            return
        row = session.get(RequestRow, id, with_for_update=True)
        if row is None or row.tenant != self._tenant:
            raise NoSuchRequest(id)
        if version is not None and version != row.version:
            raise ChangedMeanwhile(id)
        self._change(session, row, act, actor, reason)

    def get(self, id: str) -> ImageRequest:
        """:raises NoSuchRequest:"""
        with self._db.reading() as session:
            row = session.get(RequestRow, id)
            if row is None or row.tenant != self._tenant:
                raise NoSuchRequest(id)
            return self.read(row)

    def of_patient(self, issuer: str, patient: str) -> tuple[ImageRequest, ...]:
        """All requests about this patient, the newest first."""
        with self._db.reading() as session:
            rows = session.scalars(select(RequestRow).where(RequestRow.subject == self.subject(issuer, patient)).order_by(RequestRow.created_at.desc()))
            return tuple(self.read(row) for row in rows)

    def history(self, id: str) -> tuple[Happened, ...]:
        with self._db.reading() as session:
            rows = session.scalars(select(RequestEventRow).where(RequestEventRow.request == id).order_by(RequestEventRow.sequence))
            return tuple(self._happened(row) for row in rows)

    def read(self, row: RequestRow) -> ImageRequest:
        """A row as a value. For queries of the desk, which read rows themselves."""
        content = self._content(row)
        return ImageRequest(
            id=row.id, tenant=row.tenant, state=State(row.state), version=row.version,
            asked=replace(content.asked, needed_by=row.needed_by), facility=self._facilities.get(row.facility) if row.facility else None,
            owner=content.owner, asked_by=content.asked_by, created_at=row.created_at, updated_at=row.updated_at,
            last=content.last, reason=content.reason, reminded=row.reminded,
        )  # fmt: skip

    def subject(self, issuer: str, patient: str) -> str:
        return self._digest("subject", issuer, patient)

    def _change(self, session: Session, row: RequestRow, act: Act, actor: Actor, reason: str) -> None:
        before = State(row.state)
        to = after(before, act, actor.party, reason)
        sequence = 1 + (session.scalar(select(func.max(RequestEventRow.sequence)).where(RequestEventRow.request == row.id)) or 0)
        now, content = self._clock(), self._content(row)
        row.state, row.version, row.updated_at = to.value, row.version + 1, now
        if to in CLOSED:
            row.live_key, row.closed_at = None, now
        self._write(row, replace(content, reason=reason or content.reason))
        place = f"request_events.sealed:{row.id}.{sequence}"
        session.add(
            RequestEventRow(
                request=row.id, sequence=sequence, at=now, party=actor.party.value, action=act.value, before=before.value, after=to.value,
                sealed=self._keyring.seal(to_json((actor.name, reason)), place=place),
            )
        )  # fmt: skip
        for kind in OUTGOING.get(act, ("mirror",)):
            self._ledger.add(session, kind, f"{row.id}.{sequence}")
        who = Who(self._tenant, actor.issuer or content.asked.patient.issuer, actor.subject, actor.name, actor.launch, actor.address, actor.request_id)
        self._audit.record(RequestChanged(who=who, patient=content.asked.patient.id, request=row.id, action=act.value, party=actor.party.value), session)

    def _write(self, row: RequestRow, content: _Content) -> None:
        row.sealed = self._keyring.seal(to_json(content), place=f"image_requests.sealed:{row.id}")

    def _content(self, row: RequestRow) -> _Content:
        return _CONTENT.validate_json(self._keyring.open(row.sealed, place=f"image_requests.sealed:{row.id}"))

    def _happened(self, row: RequestEventRow) -> Happened:
        name, note = _SAID.validate_json(self._keyring.open(row.sealed, place=f"request_events.sealed:{row.request}.{row.sequence}"))
        return Happened(row.sequence, row.at, Party(row.party), name, row.action, State(row.before), State(row.after), note)

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join((self._tenant, *parts)).encode(), hashlib.sha256).hexdigest()


def _asked(new: NewRequest) -> tuple[str, ...]:
    """What makes two requests the same: which images, not why or by when."""
    wanted = new.wanted
    if wanted.study_uid or wanted.accession:
        return (wanted.study_uid, wanted.accession, wanted.missing)
    return (wanted.title.casefold().strip(), wanted.modality, wanted.region, wanted.date_from, wanted.date_to, wanted.missing)
