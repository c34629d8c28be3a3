"""Links: made, found by their token, shown to be meant for somebody, ended. Each question reads the row: an ended link ends at once.

The token has 256 bits and is told nowhere; the code is another, short secret that goes another way. Five wrong proofs in a link's whole
life close it, however many are tried at once: each is judged under the row's lock. safety.md K1, K2, K4, G13.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.portal_events import LinkEnded, LinkMade
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.links.models import LinkRow
from smart_app.links.types import Link, Purpose, Tried
from smart_app.sealing import Keyring

CODE_ALPHABET = "23456789CDFGHJKMNPQRTVWXYZ"
"""What cannot be misread or misheard, in capitals."""
CODE_LENGTH = 6
WRONG_IN_A_LIFE = 5
MOST_DAYS = 30


class ReceivingIsOff(Exception):
    """No `portal_url` is configured: there is no host to send to."""


class NoSuchLink(Exception):
    pass


class Links:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, audit: AuditLog, clock: Clock, *, tenant: str, portal_url: str | None) -> None:
        self._db, self._keyring, self._audit, self._clock, self._tenant = db, keyring, audit, clock, tenant
        self._origin = portal_url.rstrip("/") if portal_url else ""

    @property
    def is_on(self) -> bool:
        return bool(self._origin)

    def issue(self, session: Session, purpose: Purpose, request: str | None, *, days: float = 14, about: str = "", who: Who | None = None) -> Link:
        """A new link, in the caller's transaction. `about` is sealed, and given back by `about`. `who` makes it; nobody: the program."""
        now, id = self._clock(), secrets.token_hex(12)
        row = LinkRow(
            id=id, tenant=self._tenant, purpose=purpose.value, request=request, nonce=secrets.token_bytes(32), key_id=self._keyring.current,
            token="", about=self._keyring.seal(about.encode(), place=f"links.about:{id}"), issued_at=now,
            expires_at=now + timedelta(days=min(days, MOST_DAYS)), ended="", wrong=0,
        )  # fmt: skip
        row.token = _digest(self._token(row))
        session.add(row)
        session.flush()
        self._audit.record(LinkMade(who=who or self._nobody(), link=id, purpose=purpose.value, request=request or ""), session)
        return self._link(row)

    def token(self, link: Link) -> str:
        with self._db.reading() as session:
            return self._token(self._row(session, link.id))

    def address(self, link: Link) -> str:
        """:raises ReceivingIsOff:"""
        if not self._origin:
            raise ReceivingIsOff
        return f"{self._origin}/s/{self.token(link)}"

    def code(self, link: Link) -> str:
        with self._db.reading() as session:
            return self._code(self._row(session, link.id))

    def about(self, link: Link) -> str:
        with self._db.reading() as session:
            row = self._row(session, link.id)
            return self._keyring.open(row.about, place=f"links.about:{row.id}").decode()

    def of_request(self, request: str) -> tuple[Link, ...]:
        """All links of a request, also ended ones, the newest first."""
        with self._db.reading() as session:
            rows = session.scalars(
                select(LinkRow).where(LinkRow.request == request, LinkRow.tenant == self._tenant).order_by(LinkRow.issued_at.desc())
            )
            return tuple(self._link(row) for row in rows)

    def get(self, id: str) -> Link | None:
        with self._db.reading() as session:
            row = session.get(LinkRow, id)
            return self._link(row) if row is not None and row.tenant == self._tenant else None

    def find(self, token: str) -> Link | None:
        """The link that a token opens, also an ended one; None: there is none."""
        with self._db.reading() as session:
            row = session.scalar(select(LinkRow).where(LinkRow.token == _digest(token)))
            return self._link(row) if row is not None and row.tenant == self._tenant else None

    def hold(self, session: Session, id: str) -> Link:
        """The link as it stands in this transaction; it cannot be ended by anybody else before that is over. :raises NoSuchLink:"""
        return self._link(self._row(session, id, lock=True))

    def prove(self, session: Session, id: str, is_right: Callable[[str], bool]) -> Tried:
        """One try. `is_right` is asked under the row's lock, with the code, and not at all once the link has ended. :raises NoSuchLink:"""
        row = self._row(session, id, lock=True)
        if self._ended(row):
            return Tried(False, self._link(row), is_evaluated=False)
        right = is_right(self._code(row))
        if right:
            row.opened_at = row.opened_at or self._clock()
        else:
            row.wrong += 1
            if row.wrong >= WRONG_IN_A_LIFE:
                self._end(session, row, "locked")
        session.flush()
        return Tried(right, self._link(row))

    def claim(self, session: Session, id: str) -> bool:
        """For links without a code: the first to open it has it, and nobody else."""
        row = self._row(session, id, lock=True)
        if self._ended(row) or row.opened_at is not None:
            return False
        row.opened_at = self._clock()
        return True

    def revoke(self, session: Session, link: Link, why: str = "revoked") -> None:
        """It ends now, for its next chunk too. `why`: `revoked` or `completed`."""
        row = self._row(session, link.id, lock=True)
        if not row.ended:
            self._end(session, row, why)

    def extend(self, session: Session, link: Link, days: float) -> Link:
        """It lives `days` from now, if it was not ended on purpose: the same address, the same code, the same wrong tries."""
        row = self._row(session, link.id, lock=True)
        if not row.ended:
            row.expires_at = max(row.expires_at, self._clock() + timedelta(days=min(days, MOST_DAYS)))
        return self._link(row)

    def _end(self, session: Session, row: LinkRow, why: str) -> None:
        row.ended, row.ended_at = why, self._clock()
        self._audit.record(LinkEnded(who=self._nobody(), link=row.id, why=why, request=row.request or ""), session)

    def _nobody(self) -> Who:
        return Who.nobody(self._tenant, "", "")

    def _row(self, session: Session, id: str, *, lock: bool = False) -> LinkRow:
        row = session.get(LinkRow, id, with_for_update=lock or None, populate_existing=lock)
        if row is None or row.tenant != self._tenant:
            raise NoSuchLink(id)
        return row

    def _link(self, row: LinkRow) -> Link:
        return Link(row.id, row.tenant, Purpose(row.purpose), row.request, row.expires_at, self._ended(row), row.wrong, row.opened_at)

    def _ended(self, row: LinkRow) -> str:
        return row.ended or ("expired" if self._clock() >= row.expires_at else "")

    def _secret(self, row: LinkRow, word: str) -> bytes:
        return hmac.new(self._keyring.derive("links", row.key_id), f"{word}|{row.id}|".encode() + bytes(row.nonce), hashlib.sha256).digest()

    def _token(self, row: LinkRow) -> str:
        return base64.urlsafe_b64encode(self._secret(row, "token")).decode().rstrip("=")

    def _code(self, row: LinkRow) -> str:
        number, letters = int.from_bytes(self._secret(row, "code"), "big"), ""
        for _ in range(CODE_LENGTH):
            number, at = divmod(number, len(CODE_ALPHABET))
            letters += CODE_ALPHABET[at]
        return letters


def plain_code(typed: str) -> str:
    """A code as people type it: in any case, with blanks or dashes."""
    return "".join(typed.split()).replace("-", "").upper()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
