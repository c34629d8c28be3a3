"""Images that nobody here asked for: a site says on the public page that it would like to send some, and staff allow it or decline.

What it writes names no patient: the page asks for initials at most, and says so. Allowing makes a link of its own, told to who asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.portal_events import ImagesOffered
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.jobs.ledger import Ledger
from smart_app.links.about import About, write_about
from smart_app.links.store import Links
from smart_app.links.types import Link, Purpose
from smart_app.portal.models import OfferRow
from smart_app.sealing import Keyring
from smart_app.web import new_reference

MOST_WAITING = 500
TELL_OFFER = "tell-offer"
"""Kind of work: tell who asked what staff have said; key is the offer's id."""


class OfferState(StrEnum):
    WAITING = "waiting"
    ALLOWED = "allowed"
    DECLINED = "declined"


@dataclass(frozen=True)
class Asked:
    """What a site has written."""

    organization: str
    person: str
    email: str
    phone: str
    about: str
    """Which images, in their words."""
    initials: str = ""
    urgent: bool = False
    is_patient: bool = False
    """A patient or family, with images of their own."""
    note: str = ""
    """Why it was declined, in the words of staff."""


@dataclass(frozen=True)
class Offer:
    id: str
    """`OF-…`: said over the phone."""
    state: OfferState
    asked: Asked
    link: str | None
    made_at: datetime
    answered_at: datetime | None


class NoSuchOffer(Exception):
    """It is not there, or was answered by somebody else before."""


class TooManyOffers(Exception):
    """More wait than anybody can look through: no further one is taken."""


_ASKED = TypeAdapter(Asked)


class Offers:
    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, links: Links, ledger: Ledger, clock: Clock, *, tenant: str, days: float = 14) -> None:
        """`days`: how long a link lives that was allowed."""
        self._days = days
        self._db, self._keyring, self._audit, self._links, self._ledger, self._clock, self._tenant = db, keyring, audit, links, ledger, clock, tenant

    def ask(self, asked: Asked, who: Who) -> str:
        """Its id. :raises TooManyOffers:"""
        id = new_reference("OF", 8)
        with self._db.transaction() as session:
            waiting = select(OfferRow.id).where(OfferRow.tenant == self._tenant, OfferRow.state == OfferState.WAITING.value).limit(MOST_WAITING)
            if len(session.scalars(waiting).all()) >= MOST_WAITING:
                raise TooManyOffers
            session.add(OfferRow(id=id, tenant=self._tenant, state=OfferState.WAITING.value, sealed=self._seal(id, asked), link=None, made_at=self._clock()))
            self._audit.record(ImagesOffered(who=who, offer=id, answer="asked"), session)
        return id

    def all(self, state: OfferState = OfferState.WAITING) -> tuple[Offer, ...]:
        """The oldest first; urgent ones before all others."""
        with self._db.reading() as session:
            rows = session.scalars(select(OfferRow).where(OfferRow.tenant == self._tenant, OfferRow.state == state.value).order_by(OfferRow.made_at))
            return tuple(sorted((self._read(row) for row in rows), key=lambda one: not one.asked.urgent))

    def get(self, id: str) -> Offer:
        """:raises NoSuchOffer:"""
        with self._db.reading() as session:
            row = session.get(OfferRow, id)
            if row is None or row.tenant != self._tenant:
                raise NoSuchOffer(id)
            return self._read(row)

    def allow(self, id: str, who: Who, *, days: float | None = None) -> Link:
        """They may send: a link is made and told to them. :raises NoSuchOffer:"""
        with self._db.transaction() as session:
            row = self._waiting(session, id)
            asked = self._read(row).asked
            about = About(title=asked.about, initials=asked.initials, sender=asked.organization or asked.person)
            purpose = Purpose.BROUGHT if asked.is_patient else Purpose.INBOUND if asked.urgent else Purpose.OFFERED
            link = self._links.issue(session, purpose, None, days=days or self._days, about=write_about(about), who=who)
            row.link = link.id
            self._answer(session, row, OfferState.ALLOWED, who)
        return link

    def decline(self, id: str, who: Who, note: str = "") -> None:
        """:raises NoSuchOffer:"""
        with self._db.transaction() as session:
            row = self._waiting(session, id)
            asked = self._read(row).asked
            row.sealed = self._seal(id, Asked(**{**vars(asked), "note": note}))
            self._answer(session, row, OfferState.DECLINED, who)

    def _answer(self, session: Session, row: OfferRow, state: OfferState, who: Who) -> None:
        row.state, row.answered_at = state.value, self._clock()
        self._ledger.add(session, TELL_OFFER, row.id)
        self._audit.record(ImagesOffered(who=who, offer=row.id, answer=state.value), session)

    def _waiting(self, session: Session, id: str) -> OfferRow:
        row = session.get(OfferRow, id, with_for_update=True, populate_existing=True)
        if row is None or row.tenant != self._tenant or row.state != OfferState.WAITING.value:
            raise NoSuchOffer(id)
        return row

    def _seal(self, id: str, asked: Asked) -> bytes:
        return self._keyring.seal(to_json(asked), place=f"offers.sealed:{id}")

    def _read(self, row: OfferRow) -> Offer:
        asked = _ASKED.validate_json(self._keyring.open(row.sealed, place=f"offers.sealed:{row.id}"))
        return Offer(row.id, OfferState(row.state), asked, row.link, row.made_at, row.answered_at)
