"""Access tokens of registered clients: opaque, 256 bits, five minutes, kept as a digest only; and assertions that are spent."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from smart_app.clock import Clock
from smart_app.config_partners import ApiClient
from smart_app.db import Database
from smart_app.fhir_api.models import ApiAssertionRow, ApiTokenRow

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Caller:
    """A registered client with a live token, and what that token allows."""

    client: ApiClient
    scopes: tuple[str, ...]


class ApiTokens:
    """One a process; the table is the truth for all of them."""

    def __init__(self, db: Database, clients: Mapping[str, ApiClient], clock: Clock, *, tenant: str = "") -> None:
        """`tenant` is part of what is kept: a token of one site opens nothing at another that shares the database."""
        self._db, self._clients, self._clock, self._tenant = db, clients, clock, tenant

    def issue(self, client: ApiClient, scopes: tuple[str, ...]) -> str:
        """A new token; what has ended is swept on the way."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._db.transaction() as session:
            session.execute(delete(ApiTokenRow).where(ApiTokenRow.expires_at < now))
            session.add(ApiTokenRow(digest=self._of(token), client_id=client.client_id, scopes=" ".join(scopes), expires_at=now + LIFETIME))
        return token

    def caller(self, token: str) -> Caller | None:
        """Who holds this token; None when it is unknown, over, or its client is no longer registered."""
        with self._db.reading() as session:
            row = session.scalar(select(ApiTokenRow).where(ApiTokenRow.digest == self._of(token)))
        if row is None or row.expires_at <= self._clock():
            return None
        client = self._clients.get(row.client_id)
        return Caller(client, tuple(row.scopes.split())) if client is not None else None

    def first_use(self, client_id: str, jti: str, until: datetime) -> bool:
        """Whether this assertion is used for the first time, in any worker. The table's key decides, not a look beforehand."""
        try:
            with self._db.transaction() as session:
                session.execute(delete(ApiAssertionRow).where(ApiAssertionRow.until < self._clock()))
                session.add(ApiAssertionRow(digest=_digest(f"{client_id}\0{jti}"), until=until))
        except IntegrityError:
            return False
        return True

    def _of(self, token: str) -> str:
        return _digest(f"{self._tenant}\0{token}" if self._tenant else token)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
