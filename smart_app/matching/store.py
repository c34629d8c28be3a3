"""People's decisions in SQL, per tenant, EHR and patient. The database is the truth on every request, in every worker.

Lookups use digests under each key of the keyring, so that a rotated key loses no link.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.identity.rulings import RecordKey, Ruling, State
from smart_app.matching.models import MatchRuling
from smart_app.sealing import Keyring

_RULING = TypeAdapter(Ruling)
PURPOSE = "match rulings"


@dataclass(frozen=True)
class Subject:
    """Whose records are ruled on."""

    tenant: str
    issuer: str
    patient: str

    @classmethod
    def of(cls, context: LaunchContext) -> Subject:
        if context.patient_id is None:
            raise ValueError("this launch has no patient")
        return cls(context.tenant, context.issuer, context.patient_id)


class RulingStore:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock) -> None:
        self._db = db
        self._keyring = keyring
        self._clock = clock
        self._keys = {name: keyring.derive(PURPOSE, name) for name in keyring.key_ids}

    def of(self, subject: Subject) -> tuple[Ruling, ...]:
        """Every decision about this patient, the latest last; undone ones too."""
        with self._db.reading() as session:
            return self._read(session, subject)

    def stand(self, ids: frozenset[str]) -> frozenset[str]:
        """Which of these are confirmed links at this moment."""
        with self._db.engine.connect() as connection:
            rows = connection.execute(select(MatchRuling.id).where(MatchRuling.id.in_(ids), MatchRuling.state == State.CONFIRMED.value))
            return frozenset(row[0] for row in rows)

    def name(self, subject: Subject, key: RecordKey, known: tuple[Ruling, ...] | None = None) -> str:
        """The name of a record's comparison: an earlier decision's, or the digest that a first one will have."""
        earlier = next((ruling.id for ruling in (self.of(subject) if known is None else known) if ruling.key == key), None)
        parts = (key.source, key.patient_id.value, key.patient_id.issuer, key.birth_date or "", key.sex or "")
        return earlier or self._digest(self._keyring.current, subject, *parts)[:32]

    def decide(self, subject: Subject, key: RecordKey, change: Callable[[Ruling | None], Ruling], record: Callable[[Ruling, Session], object]) -> Ruling:
        """Replace the decision about one record by what `change` makes of it; `record` audits in the same transaction.

        Of two people who decide at once, the second sees what the first decided.
        """
        with self._db.transaction() as session:
            place = self._digest(self._keyring.current, subject)
            if not self._db.is_sqlite:
                session.execute(select(func.pg_advisory_xact_lock(int(place[:15], 16))))
            before = next((ruling for ruling in self._read(session, subject) if ruling.key == key), None)
            after = change(before)
            if after == before:
                return after
            record(after, session)
            session.merge(
                MatchRuling(
                    id=after.id, subject=place, state=after.state.value, decided_at=self._clock(),
                    sealed=self._keyring.seal(to_json(after), place=f"match_rulings.sealed:{after.id}"),
                )
            )  # fmt: skip
            return after

    def _read(self, session: Session, subject: Subject) -> tuple[Ruling, ...]:
        places = [self._digest(name, subject) for name in self._keys]
        rows = session.execute(
            select(MatchRuling.id, MatchRuling.sealed).where(MatchRuling.subject.in_(places)).order_by(MatchRuling.decided_at, MatchRuling.id)
        ).all()
        return tuple(_RULING.validate_json(self._keyring.open(sealed, place=f"match_rulings.sealed:{name}")) for name, sealed in rows)

    def _digest(self, key: str, subject: Subject, *parts: str) -> str:
        joined = "".join(f"{len(part)}:{part}" for part in (subject.tenant, subject.issuer, subject.patient, *parts))
        return hmac.new(self._keys[key], joined.encode(), hashlib.sha256).hexdigest()
