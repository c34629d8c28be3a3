"""The append-only, chained and sealed record of who did what. One chain a tenant; several workers may write.

Written in the caller's transaction where one is given. If it cannot be written, no PHI may leave: `record` raises.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from smart_app.audit.chain import GENESIS, Sealer, same
from smart_app.audit.events import Event
from smart_app.audit.models import AuditHead, AuditRecord
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError, Fault, Side
from smart_app.sealing import Keyring

# Built once, and run without the object mapper: a record stands before every answer.
ADD_RECORD = insert(AuditRecord)
_head = AuditHead.__table__.c
LOCKED_HEAD = select(_head.tenant, _head.sequence, _head.hash, _head.key_id, _head.seal).where(_head.tenant == bindparam("of")).with_for_update()
SET_HEAD = update(AuditHead).where(AuditHead.tenant == bindparam("of"))


class AuditUnavailable(AppError):
    """The record could not be written, so nothing was shown."""

    fault = Fault("audit-unavailable", Side.US, "Priors cannot record who sees what at the moment, so it shows nothing.",
                  "Try again in a moment, or call the image desk.", True, 503)


@dataclass(frozen=True)
class Head:
    """The end of a chain at one time. Kept elsewhere (a log, paper), it proves later that nothing was cut off."""

    tenant: str
    sequence: int
    hash: str


@dataclass(frozen=True)
class Verdict:
    """`faults` say where a chain is broken, in fixed words. Empty: every record is as it was written."""

    records: int
    faults: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        return not self.faults


class AuditLog:
    def __init__(self, db: Database, keyring: Keyring, clock: Clock) -> None:
        self._db = db
        self._sealer = Sealer(keyring)
        self._clock = clock

    def record(self, event: Event, session: Session | None = None) -> str:
        """Add one record and return its id. With `session`, it stands or falls with that (writing) transaction.

        :raises AuditUnavailable: it could not be written.
        """
        return self.record_all((event,), session)[-1]

    def record_all(self, events: Iterable[Event], session: Session | None = None) -> list[str]:
        """Several records in one transaction, in one go: one lock of each chain's head, and one commit, instead of many."""
        try:
            if session is not None:
                return self._append(events, session)
            with self._db.transaction() as own:
                return self._append(events, own)
        except SQLAlchemyError as error:
            raise AuditUnavailable from error

    def head(self, tenant: str) -> Head:
        """Where the chain ends now, to be kept outside the database."""
        with self._db.reading() as session:
            head = session.get(AuditHead, tenant)
        return Head(tenant, head.sequence, head.hash) if head else Head(tenant, 0, GENESIS)

    def verify(self, kept: Iterable[Head] = ()) -> Verdict:
        """Read every chain from its start. `kept` are earlier heads that must still be in it."""
        faults: list[str] = []
        count = 0
        expected = {(head.tenant, head.sequence): head.hash for head in kept if head.sequence}
        with self._db.reading() as session:
            heads = {head.tenant: head for head in session.scalars(select(AuditHead))}
            ends: dict[str, tuple[int, str]] = {}
            rows = session.scalars(select(AuditRecord).order_by(AuditRecord.tenant, AuditRecord.sequence).execution_options(yield_per=1000))
            for record in rows:
                count += 1
                sequence, previous = ends.get(record.tenant, (0, GENESIS))
                faults += _compare(record, sequence, previous, self._sealer.of_record(record))
                if expected.pop((record.tenant, record.sequence), record.hash) != record.hash:
                    faults.append(f"record {record.sequence}: not the one that was exported")
                ends[record.tenant] = (record.sequence, record.hash)
                session.expunge(record)
            for tenant in sorted(heads.keys() | ends.keys()):
                faults += self._check_head(heads.get(tenant), ends.get(tenant))
        faults += [f"record {sequence}: exported earlier, now missing" for _, sequence in expected]
        return Verdict(count, tuple(faults))

    def _check_head(self, head: AuditHead | None, end: tuple[int, str] | None) -> list[str]:
        if head is None:
            return ["head: missing"]
        if not same(self._sealer.of_head(head), head.seal):
            return ["head: seal does not match"]
        return [] if (head.sequence, head.hash) == end else ["tail: the chain does not end where its head says"]

    def _append(self, events: Iterable[Event], session: Session) -> list[str]:
        connection = session.connection()
        heads: dict[str, AuditHead] = {}
        records = []
        for event in events:
            tenant = event.who.tenant
            head = heads[tenant] = heads.get(tenant) or self._locked_head(tenant, connection)
            record = _record_of(event, self._clock(), head, self._sealer.current)
            record["hash"] = self._sealer.of_fields(record) or ""
            head.sequence, head.hash, head.key_id = record["sequence"], record["hash"], record["key_id"]
            records.append(record)
        for tenant, head in heads.items():
            seal = self._sealer.of_head(head) or ""
            connection.execute(SET_HEAD, {"of": tenant, "sequence": head.sequence, "hash": head.hash, "key_id": head.key_id, "seal": seal})
        if records:
            connection.execute(ADD_RECORD, records)
        return [record["id"] for record in records]

    def _locked_head(self, tenant: str, connection: Connection) -> AuditHead:
        """The tenant's head, ours alone until the transaction ends. SQLite has locked the database already."""
        row = connection.execute(LOCKED_HEAD, {"of": tenant}).one_or_none()
        if row is None:
            add = sqlite_insert if self._db.is_sqlite else postgresql_insert
            first = {"tenant": tenant, "sequence": 0, "hash": GENESIS, "key_id": self._sealer.current, "seal": ""}
            connection.execute(add(AuditHead).values(first).on_conflict_do_nothing())
            row = connection.execute(LOCKED_HEAD, {"of": tenant}).one()
        return AuditHead(tenant=row.tenant, sequence=row.sequence, hash=row.hash, key_id=row.key_id, seal=row.seal)


def _record_of(event: Event, now: datetime, head: AuditHead, key_id: str) -> dict[str, Any]:
    who = event.who
    return {
        "id": secrets.token_hex(16),
        "tenant": who.tenant,
        "sequence": head.sequence + 1,
        "at": now.replace(microsecond=now.microsecond // 1000 * 1000),
        "event": event.name,
        "code": event.code,
        "verb": event.verb,
        "outcome": int(event.outcome),
        "issuer": who.issuer,
        "subject": who.subject,
        "user_name": who.name,
        "launch": who.launch,
        "address": who.address[:64],
        "request_id": who.request_id[:64],
        "patient": event.patient,
        "details": json.dumps(dict(event.details), sort_keys=True, separators=(",", ":")),
        "previous": head.hash,
        "key_id": key_id,
    }


def _compare(record: AuditRecord, sequence: int, previous: str, seal: str | None) -> list[str]:
    if record.sequence != sequence + 1:
        return [f"record {record.sequence}: {sequence + 1} should stand before it"]
    if record.previous != previous:
        return [f"record {record.sequence}: does not follow the one before it"]
    if not same(seal, record.hash):
        return [f"record {record.sequence}: seal does not match"]
    return []
