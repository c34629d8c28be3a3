"""Receipts of objects at the archive, and the claim that goes before: of all who hold the same object, one sends it.

A claim is a row that only one can insert. Another object under the same UID, or the same for another patient, is a
conflict for a person; the same again is there already (safety.md D8, J4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.intake.items import Items
from smart_app.intake.models import StoredObjectRow, WithdrawnStudyRow
from smart_app.sealing import Keyring

CLAIM = timedelta(minutes=10)
"""After so long, a claim that nobody answered for is taken over; the archive is asked first in any case."""


class Claim(StrEnum):
    MINE = "mine"
    THERE = "there"
    """Another item has stored the very same: read back and receipted."""
    BUSY = "busy"
    """Another item is storing the very same at this moment."""
    OTHER_PIXELS = "other-pixels"
    OTHER_PATIENT = "other-patient"

    @property
    def is_conflict(self) -> bool:
        return self in (Claim.OTHER_PIXELS, Claim.OTHER_PATIENT)


@dataclass(frozen=True)
class Wish:
    """One object that an item wants to have stored."""

    instance: str
    """Keyed digest of its UID."""
    study: str
    item: str
    subject: str
    substance: str
    written: str


@dataclass(frozen=True)
class Receipt:
    instance: str
    item: str
    state: str
    written: str
    substance: str
    code: int
    claimed_at: datetime
    verified_at: datetime | None


class Receipts:
    """Safe for threads and for many processes: the row is the lock."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def claim(self, session: Session, archive: str, wish: Wish, *, asked_anew: bool = False) -> Claim:
        """`asked_anew`: the study was taken out of view, so that an earlier receipt, whoever's, says nothing: the archive's copy does."""
        now = self._clock()
        insert = sqlite_insert if self._db.is_sqlite else postgresql_insert
        row = {
            "archive": archive, "instance": wish.instance, "study": wish.study, "item": wish.item, "subject": wish.subject, "substance": wish.substance,
            "written": wish.written, "state": "claimed", "code": 0, "claimed_at": now,
        }  # fmt: skip
        session.execute(insert(StoredObjectRow).values(row).on_conflict_do_nothing())
        found = session.get(StoredObjectRow, (archive, wish.instance), with_for_update=True, populate_existing=True)
        assert found is not None
        if asked_anew and found.state == "verified" and (found.subject, found.substance) != (wish.subject, wish.substance):
            return Claim.THERE
        if found.subject != wish.subject:
            return Claim.OTHER_PATIENT
        if found.substance != wish.substance:
            return Claim.OTHER_PIXELS
        if found.item != wish.item:
            if found.state == "verified":
                return Claim.THERE
            if found.claimed_at > now - CLAIM:
                return Claim.BUSY
        elif found.state == "verified":
            return Claim.MINE
        found.item, found.written, found.claimed_at = wish.item, wish.written, now
        return Claim.MINE

    def answered(self, session: Session, archive: str, instance: str, code: int) -> None:
        """The archive said that it has stored it."""
        row = session.get_one(StoredObjectRow, (archive, instance))
        row.state, row.code = ("answered" if row.state == "claimed" else row.state), code

    def verified(self, session: Session, archive: str, wish: Wish) -> None:
        """It was read back, as this one's."""
        row = session.get_one(StoredObjectRow, (archive, wish.instance))
        if row.subject != wish.subject:
            _give(row, wish)
        row.state, row.verified_at = "verified", self._clock()

    def take_over(self, session: Session, archive: str, wish: Wish) -> None:
        """It is not there, whatever was said: this item is to send it."""
        row = session.get_one(StoredObjectRow, (archive, wish.instance))
        _give(row, wish)
        row.state, row.verified_at, row.claimed_at = "claimed", None, self._clock()

    def release(self, session: Session, archive: str, instance: str, item: str) -> None:
        """It is not at the archive, and this item does not send it any more: whoever has another one may."""
        row = session.get(StoredObjectRow, (archive, instance))
        if row is not None and row.item == item and row.state != "verified":
            session.delete(row)

    def of(self, archive: str, instance: str, subject: str) -> Receipt | None:
        """Of this object, as this patient's, if it was read back."""
        with self._db.reading() as session:
            row = session.get(StoredObjectRow, (archive, instance))
            return _receipt(row) if row is not None and row.subject == subject and row.state == "verified" else None

    def of_item(self, item: str) -> dict[str, Receipt]:
        """By instance digest."""
        with self._db.reading() as session:
            rows = session.scalars(select(StoredObjectRow).where(StoredObjectRow.item == item))
            return {row.instance: _receipt(row) for row in rows}


def _receipt(row: StoredObjectRow) -> Receipt:
    return Receipt(row.instance, row.item, row.state, row.written, row.substance, row.code, row.claimed_at, row.verified_at)


def _give(row: StoredObjectRow, wish: Wish) -> None:
    row.item, row.subject, row.substance, row.written = wish.item, wish.subject, wish.substance, wish.written


class Withdrawn:
    """Which studies at the archive no view may show. Asked before every frame: known by heart, and read again after a second."""

    def __init__(self, db: Database, digest: Callable[[str], str], clock: Clock, *, seconds: float = 1) -> None:
        """`digest`: of a Study Instance UID, as `withdrawn_studies` has it."""
        self._db, self._digest, self._clock, self._fresh = db, digest, clock, timedelta(seconds=seconds)
        self._known: tuple[datetime | None, frozenset[tuple[str, str]]] = (None, frozenset())

    def __call__(self, archive: str | None, study: str) -> bool:
        since, known = self._known
        now = self._clock()
        if since is None or not since <= now < since + self._fresh:
            known = self._read()
            self._known = (now, known)
        return bool(known) and archive is not None and (archive, self._digest(study)) in known

    def _read(self) -> frozenset[tuple[str, str]]:
        with self._db.engine.connect() as connection:
            rows = connection.execute(select(WithdrawnStudyRow.archive, WithdrawnStudyRow.study)).all()
        return frozenset((row.archive, row.study) for row in rows)


def withdrawn_of(db: Database, keyring: Keyring, clock: Clock, tenant: str) -> Withdrawn:
    items = Items(db, keyring, clock, tenant=tenant)
    return Withdrawn(db, lambda study: items.digest("study", study), clock)
