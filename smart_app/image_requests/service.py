"""Does what is asked of a request: permission, transition, event, audit and outgoing work in one transaction, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from smart_app.audit.events import RequestChanged, Who
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests import words
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.store import Content, Rows, key_of
from smart_app.image_requests.types import Actor, Happened, ImageRequest, NewRequest, Route, State
from smart_app.image_requests.workflow import CLOSED, Act, Deed, NotAllowed, after, check
from smart_app.jobs.ledger import Ledger
from smart_app.sealing import Keyring
from smart_app.web import new_reference

OUTGOING: Mapping[Act | Deed, tuple[str, ...]] = {
    Act.SEND: ("dispatch", "mirror"),
    Act.REOPEN: ("dispatch", "mirror"),
    Act.CANCEL: ("recall", "mirror"),
    Act.DECLINE: ("tell", "mirror"),
    Act.REJECT: ("tell", "mirror"),
    Act.STORE: ("tell", "mirror"),
    Act.STORE_PART: ("tell", "mirror"),
    Act.EXPIRE: ("recall", "mirror"),
    Deed.REMIND: ("dispatch",),
    Deed.DRAFT: (),
    Deed.NOTE: (),
    Deed.ASSIGN: (),
    Deed.TELL: (),
    Deed.READDRESS: (),
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


class Requests:
    """One a process; safe for threads. Every change takes a `session` when it must stand or fall with something else."""

    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, ledger: Ledger, facilities: Facilities, clock: Clock, *, tenant: str) -> None:
        self._db, self._audit, self._ledger, self._clock, self._tenant = db, audit, ledger, clock, tenant
        self.rows = Rows(keyring, facilities, tenant=tenant)
        self._digests = self.rows.digests

    def create(self, new: NewRequest, actor: Actor, *, send: bool = True) -> ImageRequest:
        """:raises AlreadyAsked: an identical one is active. :raises NotAllowed: it is not known whom to ask, or how."""
        now, id, key = self._clock(), new_reference("RQ", 8), key_of(new)
        row = RequestRow(
            id=id, tenant=self._tenant, subject=self._digests.now("subject", new.patient.issuer, new.patient.id), state=State.DRAFT.value, version=0,
            live_key=self._digests.now("live", *key), case_id=new.case, facility=new.facility, route=new.route.kind.value, urgency=new.urgency.value,
            needed_by=new.needed_by, anchor=self._anchor(new), owner="", reminded=0, sealed=b"", created_at=now, updated_at=now, closed_at=None,
        )  # fmt: skip
        try:
            with self._db.transaction() as session:
                if (other := self._active(session, new, but="")) is not None:
                    raise AlreadyAsked(other)
                session.add(row)
                self.rows.write(row, Content(new, actor.name, last="Waits for the desk"))
                session.flush()
                if send:
                    self._change(session, row, Act.SEND, actor, "")
                else:
                    check(State.DRAFT, Deed.DRAFT, actor.party)
                    self._note_down(session, row, Deed.DRAFT, actor, "", State.DRAFT)
        except IntegrityError:
            with self._db.reading() as session:
                found = self._active(session, new, but=id)
            if found is None:
                raise
            raise AlreadyAsked(found) from None
        return self.get(id)

    def act(self, id: str, act: Act, actor: Actor, *, reason: str = "", version: int | None = None, session: Session | None = None) -> None:
        """:raises NotAllowed: not from this state, not by this party, or without a reason. :raises ChangedMeanwhile: :raises NoSuchRequest:
        :raises AlreadyAsked: on reopening, the same is being asked by another request by now.
        """
        with self._writing(session) as own:
            self._change(own, self._row(own, id, version), act, actor, reason)

    def note(self, id: str, text: str, actor: Actor, *, session: Session | None = None) -> None:
        self._deed(id, Deed.NOTE, actor, text, session=session)

    def tell(self, id: str, text: str, actor: Actor, *, session: Session | None = None) -> None:
        """Write down what the system did or could not do for it."""
        self._deed(id, Deed.TELL, actor, text, session=session)

    def remind(self, id: str, actor: Actor, *, note: str = "", session: Session | None = None) -> None:
        """Count a reminder, and make the work (`dispatch`) that sends it."""
        with self._writing(session) as own:
            row = self._open(own, id, Deed.REMIND, actor, note)
            row.reminded += 1
            self._note_down(own, row, Deed.REMIND, actor, note, State(row.state))

    def assign(self, id: str, owner: Actor | None, actor: Actor, *, session: Session | None = None) -> None:
        """Give it to somebody, or to nobody."""
        with self._writing(session) as own:
            row = self._open(own, id, Deed.ASSIGN, actor, "")
            row.owner = self._digests.now("owner", owner.issuer, owner.subject) if owner is not None else ""
            self.rows.write(row, replace(self.rows.content(row), owner=owner.name if owner is not None else ""))
            self._note_down(own, row, Deed.ASSIGN, actor, owner.name if owner is not None else "", State(row.state))

    def move(self, id: str, needed_by: datetime | None, actor: Actor, *, why: str = "", version: int | None = None, session: Session | None = None) -> None:
        """It is needed by another time. One that hung on an appointment hangs on it no longer: a person has decided."""
        with self._writing(session) as own:
            row = self._open(own, id, Deed.MOVE, actor, why, version)
            row.needed_by, row.anchor = needed_by, ""
            content = self.rows.content(row)
            self.rows.write(row, replace(content, asked=replace(content.asked, needed_by=needed_by, anchor=None)))
            at = words.moment(needed_by, self._clock()) if needed_by is not None else "no fixed time"
            self._note_down(own, row, Deed.MOVE, actor, f"{at}. {why}".strip() if why else at, State(row.state))

    def follow(self, id: str, starts_at: datetime | None, actor: Actor, *, session: Session | None = None) -> None:
        """The appointment it hangs on begins at another time; None: it was called off, and the time stays until a person decides."""
        with self._writing(session) as own:
            row = self._open(own, id, Deed.FOLLOW, actor, "")
            content, now = self.rows.content(row), self._clock()
            anchor = content.asked.anchor
            if anchor is None or anchor.starts_at == starts_at:
                return
            if starts_at is None:
                row.anchor = ""
                self.rows.write(row, replace(content, asked=replace(content.asked, anchor=None)))
                self._note_down(own, row, Deed.FOLLOW, actor, f"{anchor.title} was called off. Is it still needed?", State(row.state))
                return
            moved = replace(anchor, starts_at=starts_at)
            row.needed_by = moved.needed_by
            self.rows.write(row, replace(content, asked=replace(content.asked, needed_by=moved.needed_by, anchor=moved)))
            self._note_down(own, row, Deed.FOLLOW, actor, f"{anchor.title} is now {words.moment(starts_at, now)}: needed by {words.moment(moved.needed_by, now)}.", State(row.state))

    def readdress(self, id: str, facility: str | None, route: Route, actor: Actor, *, session: Session | None = None) -> None:
        """Give a draft to another facility, or another way to it. :raises AlreadyAsked:"""
        with self._writing(session) as own:
            row = self._open(own, id, Deed.READDRESS, actor, "")
            content = self.rows.content(row)
            asked = replace(content.asked, facility=facility, route=route, hospital=content.asked.hospital if facility is None else "")
            if (other := self._active(own, asked, but=id)) is not None:
                raise AlreadyAsked(other)
            row.facility, row.route, row.live_key = facility, route.kind.value, self._digests.now("live", *key_of(asked))
            self.rows.write(row, replace(content, asked=asked))
            self._note_down(own, row, Deed.READDRESS, actor, words.ROUTES[route.kind], State(row.state))

    def get(self, id: str, session: Session | None = None) -> ImageRequest:
        """:raises NoSuchRequest:"""
        if session is None:
            with self._db.reading() as own:
                return self.get(id, own)
        row = session.get(RequestRow, id)
        if row is None or row.tenant != self._tenant:
            raise NoSuchRequest(id)
        return self.rows.values([row], session)[0]

    def of_patient(self, issuer: str, patient: str) -> tuple[ImageRequest, ...]:
        """All requests about this patient, the newest first."""
        with self._db.reading() as session:
            of = RequestRow.subject.in_(self._digests.any("subject", issuer, patient))
            rows = session.scalars(select(RequestRow).where(of, RequestRow.tenant == self._tenant).order_by(RequestRow.created_at.desc(), RequestRow.id))
            return self.rows.values(rows, session)

    def of_case(self, case: str) -> tuple[ImageRequest, ...]:
        """What was asked together, in the order it was asked."""
        with self._db.reading() as session:
            rows = session.scalars(select(RequestRow).where(RequestRow.case_id == case, RequestRow.tenant == self._tenant).order_by(RequestRow.created_at)) if case else ()
            return self.rows.values(rows, session)

    def history(self, id: str) -> tuple[Happened, ...]:
        with self._db.reading() as session:
            return self.rows.happened(session, id)

    def read(self, row: RequestRow) -> ImageRequest:
        """A row as a value."""
        with self._db.reading() as session:
            return self.rows.values([row], session)[0]

    def _active(self, session: Session, new: NewRequest, *, but: str) -> str | None:
        """The request that asks the same now, also one that was written under an earlier key."""
        live = RequestRow.live_key.in_(self._digests.any("live", *key_of(new)))
        return session.scalar(select(RequestRow.id).where(live, RequestRow.id != but))

    def _anchor(self, new: NewRequest) -> str:
        return self._digests.now("anchor", new.patient.issuer, new.anchor.reference) if new.anchor else ""

    @contextmanager
    def _writing(self, session: Session | None) -> Iterator[Session]:
        if session is not None:
            yield session
        else:
            with self._db.transaction() as own:
                yield own

    def hold(self, session: Session, id: str) -> None:
        """Nobody else changes it before this transaction is over. Always before a record is written: the audit is what all wait for last. :raises NoSuchRequest:"""
        self._row(session, id)

    def _row(self, session: Session, id: str, version: int | None = None) -> RequestRow:
        row = session.get(RequestRow, id, with_for_update=True, populate_existing=True)
        if row is None or row.tenant != self._tenant:
            raise NoSuchRequest(id)
        if version is not None and version != row.version:
            raise ChangedMeanwhile(id)
        return row

    def _open(self, session: Session, id: str, deed: Deed, actor: Actor, note: str, version: int | None = None) -> RequestRow:
        """The row, locked, if this may be done to it."""
        row = self._row(session, id, version)
        check(State(row.state), deed, actor.party, note)
        return row

    def _deed(self, id: str, deed: Deed, actor: Actor, text: str, *, session: Session | None) -> None:
        with self._writing(session) as own:
            row = self._open(own, id, deed, actor, text)
            self._note_down(own, row, deed, actor, text, State(row.state))

    def _change(self, session: Session, row: RequestRow, act: Act, actor: Actor, reason: str) -> None:
        before = State(row.state)
        to = after(before, act, actor.party, reason)
        content = self.rows.content(row)
        if act is Act.SEND and not content.asked.is_addressed:
            raise NotAllowed(act, "address")
        if before in CLOSED and to not in CLOSED:
            self._take_again(session, row, content.asked)
        row.state = to.value
        if to in CLOSED:
            row.live_key, row.closed_at = None, self._clock()
        self._note_down(session, row, act, actor, reason, before)

    def _take_again(self, session: Session, row: RequestRow, asked: NewRequest) -> None:
        """A request that was closed asks again, unless another asks the same meanwhile."""
        if (other := self._active(session, asked, but=row.id)) is not None:
            raise AlreadyAsked(other)
        try:
            with session.begin_nested():
                row.live_key, row.closed_at = self._digests.now("live", *key_of(asked)), None
        except IntegrityError:
            session.refresh(row)
            other = self._active(session, asked, but=row.id)
            raise AlreadyAsked(other or row.id) from None

    def _note_down(self, session: Session, row: RequestRow, done: Act | Deed, actor: Actor, note: str, before: State) -> None:
        """The event with its audit and its work; the row's version grows."""
        now, content = self._clock(), self.rows.content(row)
        row.version, row.updated_at = row.version + 1, now
        one = Happened(self.rows.next_sequence(session, row.id), now, actor.party, actor.name, done.value, before, State(row.state), note)
        place = self.rows.values([row], session)[0]
        reason = note if isinstance(done, Act) and note else content.reason
        self.rows.write(row, replace(content, reason=reason, last=words.sentence(one, words.whom(place))))
        self.rows.add_event(session, row.id, one)
        for kind in OUTGOING.get(done, ("mirror",)):
            self._ledger.add(session, kind, f"{row.id}.{one.sequence}")
        self._record(session, row, done.value, actor)

    def _record(self, session: Session, row: RequestRow, action: str, actor: Actor) -> None:
        of = self.rows.content(row).asked.patient
        who = Who(self._tenant, actor.issuer or of.issuer, actor.subject, actor.name, actor.launch, actor.address, actor.request_id)
        self._audit.record(RequestChanged(who=who, patient=of.id, request=row.id, action=action, party=actor.party.value), session)
