"""Who stands at the door: the link as it is now, what it is about, and whether this browser has shown that it is meant for it.

Every request comes through here again, so a link that ended a second ago opens nothing now. The pass is a cookie that is worth nothing with
another link, and for at most twelve hours; nothing of it is kept.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.portal_events import LinkOpened, LinkProofFailed
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, ImageRequest, Party
from smart_app.image_requests.workflow import TAKES_UPLOADS, Act, can
from smart_app.links.about import About, read_about
from smart_app.links.store import Links, plain_code
from smart_app.links.types import Link, Purpose, Tried
from smart_app.sealing import Keyring
from smart_app.web.faults import LINK_ENDED, NotHere

HOURS = 12
COOKIE_PREFIX = "__Host-send-"


@dataclass(frozen=True)
class Visit:
    link: Link
    about: About
    request: ImageRequest | None

    @property
    def asks_birth_date(self) -> bool:
        return bool(self.about.birth_date)

    @property
    def cookie(self) -> str:
        return COOKIE_PREFIX + self.link.id[:8]


class LinkIsOver(NotHere):
    """It ended, or was never there: nobody learns which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.fault = LINK_ENDED


class Door:
    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, links: Links, requests: Requests, clock: Clock) -> None:
        self._db, self._audit, self._links, self._requests, self._clock = db, audit, links, requests, clock
        self._key = keyring.derive("portal pass")

    def visit(self, token: str) -> Visit:
        """:raises LinkIsOver:"""
        link = self._links.find(token)
        if link is None:
            raise LinkIsOver("no-link")
        return self._look(link)

    def visit_by_id(self, id: str) -> Visit:
        """For work about a link. :raises LinkIsOver:"""
        link = self._links.get(id)
        if link is None:
            raise LinkIsOver("no-link")
        return self._look(link)

    def again(self, session: Session, visit: Visit) -> Visit:
        """As it stands inside this transaction, held until its end. :raises LinkIsOver:"""
        return self._look(self._links.hold(session, visit.link.id))

    def prove(self, visit: Visit, birth_date: str, code: str, who: Who) -> Tried:
        """One try, counted, recorded, and in one transaction with what the request says then."""

        def is_right(right: str) -> bool:
            # Both are compared whatever the first says, so that time tells nothing.
            same_code = hmac.compare_digest(right.encode(), plain_code(code).encode())
            same_date = hmac.compare_digest(visit.about.birth_date.encode(), birth_date.encode()) if visit.asks_birth_date else True
            return same_code and same_date

        with self._db.transaction() as session:
            tried = self._links.prove(session, visit.link.id, is_right)
            if not tried.is_evaluated:
                raise LinkIsOver(tried.link.ended)
            self._note(session, visit, tried, who)
        return tried

    def claim(self, visit: Visit, who: Who) -> bool:
        """For a photo from the chart: the first phone has the link, without a code."""
        with self._db.transaction() as session:
            if not self._links.claim(session, visit.link.id):
                return False
            self._note(session, visit, Tried(True, visit.link), who)
        return True

    def new_pass(self, visit: Visit) -> tuple[str, int]:
        """Value of the cookie and its seconds."""
        until = min(self._clock() + timedelta(hours=HOURS), visit.link.expires_at)
        body = f"{int(until.timestamp())}.{secrets.token_urlsafe(24)}"
        return f"{body}.{self._seal(visit, body)}", int((until - self._clock()).total_seconds())

    def has_passed(self, visit: Visit, cookie: str) -> bool:
        body, _, seal = cookie.rpartition(".")
        until = body.partition(".")[0]
        if not body or not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(visit, body).encode()):
            return False
        return int(until) > self._clock().timestamp()

    def _look(self, link: Link) -> Visit:
        if link.ended:
            raise LinkIsOver(link.ended)
        about, request = read_about(self._links.about(link)), None
        if link.request is not None:
            try:
                request = self._requests.get(link.request)
            except NoSuchRequest:
                raise LinkIsOver("no-request") from None
            if request.state not in TAKES_UPLOADS:
                raise LinkIsOver(f"request-{request.state.value}")
            patient = request.asked.patient
            about = About(
                request.asked.wanted.title, patient.initials, patient.birth_date or "", sender_of(request), patient.issuer, patient.id
            )
        return Visit(link, about, request)

    def _note(self, session: Session, visit: Visit, tried: Tried, who: Who) -> None:
        link, request = visit.link, visit.link.request or ""
        who = replace(who, issuer=visit.about.issuer)
        if tried.is_right:
            self._audit.record(LinkOpened(who=who, patient=visit.about.patient or None, link=link.id, request=request), session)
            if visit.request is not None and can(visit.request.state, Act.OPEN, Party.SENDER):
                self._requests.act(visit.request.id, Act.OPEN, actor_of(visit, who), session=session)
        else:
            self._audit.record(LinkProofFailed(who=who, patient=visit.about.patient or None, link=link.id, request=request, left=tried.left), session)

    def _seal(self, visit: Visit, body: str) -> str:
        return hmac.new(self._key, f"{visit.link.id}|{body}".encode("utf-8", "replace"), "sha256").hexdigest()


def actor_of(visit: Visit, who: Who) -> Actor:
    return Actor(Party.SENDER, name=visit.about.sender, address=who.address, request_id=who.request_id)


def sender_of(request: ImageRequest) -> str:
    return request.facility.name if request.facility is not None else "The patient"


def iso_date(day: str, month: str, year: str) -> str:
    """The date that was typed, ISO; empty when there is no such day."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except (ValueError, OverflowError):
        return ""


NEEDS_NO_CODE = frozenset({Purpose.PHOTO})
"""Shown on a colleague's screen and gone in a quarter of an hour: the first phone to open it has it."""
