"""The index in SQL: entries found by keyed digests, sealed, forgotten after some days. One a process; safe for threads."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.archives.types import Answer, PatientId
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.fhir.patient import PatientFacts
from smart_app.index import entry as entries
from smart_app.index.entry import LABELS, Entry
from smart_app.index.models import IndexEntry
from smart_app.sealing import CannotOpen, Keyring

SOURCES = 1000
"""Entries read for one patient and user; more sources than this are no configuration of ours."""


class Index:
    """`days` is how long an entry is remembered; 0 remembers nothing. `shared` are the sources that answer everybody alike.

    A source asked with the launch's own token may show one user what another must not see: what it told is given back
    to that user alone.
    """

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, days: int, shared: frozenset[str]) -> None:
        self._db = db
        self._keyring = keyring
        self._clock = clock
        self._days = timedelta(days=days)
        self._shared = shared

    @property
    def is_on(self) -> bool:
        return bool(self._days)

    def remember(self, ctx: LaunchContext, answer: Answer, facts: PatientFacts, ids: tuple[PatientId, ...]) -> None:
        """Keep what a source answered, if it answered. An answer older than what is kept changes nothing."""
        self.remember_all(ctx, [(answer, ids)], facts)

    def remember_all(self, ctx: LaunchContext, answers: Iterable[tuple[Answer, tuple[PatientId, ...]]], facts: PatientFacts) -> None:
        """Several sources' answers of one patient in one transaction, each with the identifiers its source knows the patient by."""
        if not self.is_on or not entries.is_sound(facts):
            return
        worth = [(answer, ids) for answer, ids in answers if entries.worth_keeping(answer)]
        if not worth:
            return
        patient = self._patient(ctx)
        with self._db.transaction() as session:
            self._alone(session, patient)
            for answer, ids in worth:
                self._remember(session, patient, self._asker(ctx, answer.source), answer, facts, ids)

    def _remember(self, session: Session, patient: str, asker: str, answer: Answer, facts: PatientFacts, ids: tuple[PatientId, ...]) -> None:
        old = self._stored(session, patient, answer.source, asker)
        if old is not None and answer.answered_at is not None and old.answered_at > answer.answered_at:
            return
        self._put(session, patient, asker, entries.remembered(old, answer, facts, ids))
        labels = entries.labelled(self._stored(session, patient, answer.source + LABELS, ""), answer, facts)
        if labels is not None:
            self._put(session, patient, "", labels)

    def recall(self, ctx: LaunchContext) -> tuple[Entry, ...]:
        """What is remembered of the launch's patient and may be told to its user, by source; the newest where there are two."""
        if not self.is_on:
            return ()
        wanted = (
            select(IndexEntry)
            .where(IndexEntry.patient.in_(self._patients(ctx.tenant, ctx.issuer, ctx.patient_id or "")), IndexEntry.answered_at > self._clock() - self._days)
            .order_by(IndexEntry.answered_at)
            .limit(SOURCES)
        )
        with self._db.reading() as session:
            rows = list(session.scalars(wanted))
        found: dict[str, Entry] = {}
        for row in rows:
            shared = row.source in self._shared or row.source.endswith(LABELS)
            if (row.asker == "") == shared and row.asker in ("", *self._askers(ctx)):
                entry = self._open(row)
                if entry is not None:
                    found[row.source] = entry
        return tuple(found[source] for source in sorted(found))

    def drop(self, ctx: LaunchContext, source: str) -> None:
        """This source's patient is no longer surely this patient: what anybody was told is forgotten."""
        self._delete(IndexEntry.patient.in_(self._patients(ctx.tenant, ctx.issuer, ctx.patient_id or "")), IndexEntry.source == source)

    def forget(self, tenant: str, issuer: str, patient: str) -> int:
        """Forget all of one patient of one EHR; returns how many entries there were."""
        return self._delete(IndexEntry.patient.in_(self._patients(tenant, issuer, patient)))

    def purge(self) -> int:
        """Forget what is older than the retention; returns how many entries."""
        return self._delete(IndexEntry.answered_at <= self._clock() - self._days)

    def _stored(self, session: Session, patient: str, source: str, asker: str) -> Entry | None:
        row = session.get(IndexEntry, (patient, source, asker))
        return self._open(row) if row is not None else None

    def _put(self, session: Session, patient: str, asker: str, entry: Entry) -> None:
        sealed = self._keyring.seal(entries.dump(entry), place=_place(f"{patient}:{entry.source}:{asker}"))
        session.merge(IndexEntry(patient=patient, source=entry.source, asker=asker, sealed=sealed, answered_at=entry.answered_at))

    def _delete(self, *which: object) -> int:
        with self._db.transaction() as session:
            result = session.execute(delete(IndexEntry).where(*which), execution_options={"synchronize_session": False})  # type: ignore[arg-type]
            return result.rowcount if isinstance(result, CursorResult) else 0

    def _alone(self, session: Session, patient: str) -> None:
        """One writer at a time for a patient, since an answer in part is added to what is there. SQLite's transactions are alone anyway."""
        if not self._db.is_sqlite:
            session.execute(select(func.pg_advisory_xact_lock(int(patient[:15], 16))))

    def _open(self, row: IndexEntry) -> Entry | None:
        """None: sealed with a key that is gone. Then nothing is remembered."""
        try:
            entry = entries.load(self._keyring.open(row.sealed, place=_place(f"{row.patient}:{row.source}:{row.asker}")))
        except (CannotOpen, ValueError):
            return None
        return entries.since(entry, self._clock() - self._days)

    def _patient(self, ctx: LaunchContext) -> str:
        return self._patients(ctx.tenant, ctx.issuer, ctx.patient_id or "")[0]

    def _patients(self, tenant: str, issuer: str, patient: str) -> list[str]:
        """The patient's digest under each key of the ring, the current one first."""
        return [self._digest(key, "patient", tenant, issuer.rstrip("/"), patient) for key in self._keyring.key_ids]

    def _asker(self, ctx: LaunchContext, source: str) -> str:
        return "" if source in self._shared else self._askers(ctx)[0]

    def _askers(self, ctx: LaunchContext) -> list[str]:
        return [self._digest(key, "asker", ctx.tenant, ctx.user.issuer, ctx.user.subject) for key in self._keyring.key_ids]

    def _digest(self, key_id: str, *parts: str) -> str:
        """Length-prefixed, so that parts cannot run together."""
        joined = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._keyring.derive("index", key_id), joined.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _place(row: str) -> str:
    return f"index_entries.sealed:{row}"
