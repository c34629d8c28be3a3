"""What the board remembers: the list of each open board until its launch is over, and what teams said of their cases. Sealed.

Notes are only ever added: a sign-off that is taken back stays on the record.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.preop.models import PreopKeptRow, PreopNoteRow
from smart_app.preop.types import Case, History, Note, Said, SurgicalList
from smart_app.sealing import Keyring

_LIST, _NOTE, _HISTORY = TypeAdapter(SurgicalList), TypeAdapter(Note), TypeAdapter(History)
HISTORY = "history"
KEPT = timedelta(hours=12)
"""Longer than a launch lives."""
NOTES_KEPT = timedelta(days=90)
Record = Callable[[Session], object]


def case_id(handle: str, reference: str) -> str:
    """Names a case in a URL without holding anything of it, and on this board only."""
    return hashlib.sha256(f"{handle}|{reference}".encode()).hexdigest()[:32]


class Kept:
    """What open launches have read: lists of boards, histories of cases. One a process."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock) -> None:
        self._db, self._keyring, self._clock = db, keyring, clock

    def save(self, handle: str, day: str, found: SurgicalList) -> None:
        self._save(handle, day, to_json(found))

    def get(self, handle: str, day: str) -> tuple[SurgicalList, datetime] | None:
        """With the moment it was read."""
        found = self._get(handle, day)
        return (_LIST.validate_json(found[0]), found[1]) if found is not None else None

    def case(self, handle: str, id: str) -> Case | None:
        """A case that this board was shown; None: there is no such case for it."""
        with self._db.reading() as session:
            days = list(session.scalars(select(PreopKeptRow.what).where(PreopKeptRow.launch == _digest(handle), PreopKeptRow.what != HISTORY)))
        lists = (found for day in days if (found := self.get(handle, day)) is not None)
        return next((case for found, _ in lists for case in found.cases if case_id(handle, case.reference) == id), None)

    def save_history(self, handle: str, history: History) -> None:
        self._save(handle, HISTORY, to_json(history))

    def history(self, handle: str) -> History:
        """Of a case's own launch; not whole where nobody has read it."""
        found = self._get(handle, HISTORY)
        return _HISTORY.validate_json(found[0]) if found is not None else History()

    def forget(self, handle: str) -> None:
        """Its launch has ended."""
        with self._db.transaction() as session:
            session.execute(delete(PreopKeptRow).where(PreopKeptRow.launch == _digest(handle)))

    def _save(self, handle: str, what: str, plain: bytes) -> None:
        key, now = _digest(handle), self._clock()
        sealed = self._keyring.seal(plain, place=f"preop_kept.sealed:{key}:{what}")
        with self._db.transaction() as session:
            session.execute(delete(PreopKeptRow).where(PreopKeptRow.read_at < now - KEPT))
            session.merge(PreopKeptRow(launch=key, what=what, sealed=sealed, read_at=now))

    def _get(self, handle: str, what: str) -> tuple[bytes, datetime] | None:
        key = _digest(handle)
        with self._db.reading() as session:
            row = session.get(PreopKeptRow, (key, what))
        return (self._keyring.open(row.sealed, place=f"preop_kept.sealed:{key}:{what}"), row.read_at) if row is not None else None


class Notes:
    """Messages and sign-offs of cases, the same for everybody on the team. One a process."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant
        self._keys = [keyring.derive("preop cases", id) for id in keyring.key_ids]

    def add(self, issuer_key: str, reference: str, note: Note, record: Record) -> None:
        """`record` writes the audit in the same transaction: neither stands without the other."""
        id, now = secrets.token_hex(16), self._clock()
        sealed = self._keyring.seal(to_json(replace(note, at=now)), place=f"preop_notes.sealed:{id}")
        with self._db.transaction() as session:
            record(session)
            session.execute(delete(PreopNoteRow).where(PreopNoteRow.tenant == self._tenant, PreopNoteRow.at < now - NOTES_KEPT))
            session.add(PreopNoteRow(id=id, tenant=self._tenant, subject=self._subject(issuer_key, reference, 0), sealed=sealed, at=now))

    def of(self, issuer_key: str, reference: str) -> tuple[Note, ...]:
        """The oldest first."""
        subjects = [self._subject(issuer_key, reference, at) for at in range(len(self._keys))]
        wanted = select(PreopNoteRow).where(PreopNoteRow.tenant == self._tenant, PreopNoteRow.subject.in_(subjects)).order_by(PreopNoteRow.at, PreopNoteRow.id)
        with self._db.reading() as session:
            return tuple(_NOTE.validate_json(self._keyring.open(row.sealed, place=f"preop_notes.sealed:{row.id}")) for row in session.scalars(wanted))

    def _subject(self, issuer_key: str, reference: str, key: int) -> str:
        told = "\0".join((self._tenant, issuer_key, reference)).encode()
        return hmac.new(self._keys[key], told, hashlib.sha256).hexdigest()


def decision(notes: Sequence[Note]) -> Note | None:
    """What stands: the last sign-off, unless it was taken back."""
    last = next((one for one in reversed(notes) if one.said is not Said.MESSAGE), None)
    return last if last is not None and last.said is not Said.WITHDRAWN else None


def _digest(handle: str) -> str:
    return hashlib.sha256(handle.encode()).hexdigest()
