"""Who works at the desk: whoever has opened it. There is no list of users of ours, and work is given to somebody by name."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.desk.models import DeskPersonRow
from smart_app.image_requests.types import Actor, Party
from smart_app.sealing import Keyring

REMEMBERED = timedelta(days=90)
NOTED_EVERY = timedelta(hours=12)


@dataclass(frozen=True)
class Person:
    issuer: str
    subject: str
    name: str

    @property
    def actor(self) -> Actor:
        """As an owner of requests."""
        return Actor(Party.STAFF, self.issuer, self.subject, self.name)


_PERSON = TypeAdapter(Person)


class People:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant
        self._keys = [keyring.derive("desk people", id) for id in keyring.key_ids]

    def seen(self, person: Person) -> str:
        """Note that they are here, now and then; returns the id by which pages name them."""
        id, now = self.id_of(person), self._clock()
        with self._db.reading() as session:
            known = session.get(DeskPersonRow, id)
            if known is not None and now - known.seen_at < NOTED_EVERY and self._read(known) == person:
                return id
        with self._db.transaction() as session:
            session.merge(DeskPersonRow(id=id, tenant=self._tenant, sealed=self._keyring.seal(to_json(person), place=f"desk_people.sealed:{id}"), seen_at=now))
        return id

    def all(self) -> dict[str, Person]:
        """Those who were here lately, by name."""
        with self._db.reading() as session:
            lately = select(DeskPersonRow).where(DeskPersonRow.tenant == self._tenant, DeskPersonRow.seen_at > self._clock() - REMEMBERED)
            found = {row.id: self._read(row) for row in session.scalars(lately)}
        return dict(sorted(found.items(), key=lambda one: one[1].name.casefold()))

    def id_of(self, person: Person) -> str:
        """A digest under the key of the day they were first here: a new key in the ring makes nobody another person."""
        told = "\0".join((self._tenant, person.issuer, person.subject)).encode()
        ids = [hmac.new(key, told, hashlib.sha256).hexdigest()[:32] for key in self._keys]
        with self._db.reading() as session:
            return session.scalar(select(DeskPersonRow.id).where(DeskPersonRow.id.in_(ids))) or ids[0]

    def _read(self, row: DeskPersonRow) -> Person:
        return _PERSON.validate_json(self._keyring.open(row.sealed, place=f"desk_people.sealed:{row.id}"))
