"""Who saw what: the audit by patient, user and time. Reading it is itself recorded, before the first row is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from smart_app.audit.events import AuditRead, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.db import Database

SORTS = ("at", "event", "user_name", "patient", "outcome", "address")
MOST = 1000


@dataclass(frozen=True)
class Question:
    """What is asked of the audit. Empty fields do not narrow it. `sort` is a name of SORTS, `-` first for descending."""

    tenant: str
    patient: str = ""
    user: str = ""
    """`sub` of the user."""
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "-at"
    limit: int = MOST

    @property
    def about(self) -> str:
        """Which filters were used, for the record of this reading; the patient stands in its own field."""
        used = [name for name in ("patient", "user", "since", "until") if getattr(self, name)]
        return ",".join(used) or "everything"


@dataclass(frozen=True)
class Line:
    """One record as shown. `details` holds counts, UIDs and fixed words."""

    id: str
    time: datetime
    event: str
    code: str
    verb: str
    outcome: int
    user: str
    name: str
    issuer: str
    patient: str
    launch: str
    address: str
    request_id: str
    details: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The shape of `priors audit --json`."""
        return {
            "time": self.time.isoformat(timespec="milliseconds"),
            "who": self.name or self.user or "Priors",
            "user": self.user,
            "issuer": self.issuer,
            "event": self.event,
            "code": self.code,
            "outcome": self.outcome,
            "patient": self.patient,
            "address": self.address,
            "launch": self.launch,
            "reference": self.request_id,
            "details": self.details,
        }


class AuditReports:
    def __init__(self, db: Database, log: AuditLog) -> None:
        self._db = db
        self._log = log

    def read(self, question: Question, who: Who) -> tuple[Line, ...]:
        """The matching records, at most `question.limit`. The reading itself is recorded first.

        :raises AuditUnavailable: the reading could not be recorded, so nothing is shown.
        """
        self._log.record(AuditRead(who=who, patient=question.patient or None, about=question.about))
        wanted = select(AuditRecord).where(AuditRecord.tenant == question.tenant)
        if question.patient:
            wanted = wanted.where(AuditRecord.patient == question.patient)
        if question.user:
            wanted = wanted.where(AuditRecord.subject == question.user)
        if question.since:
            wanted = wanted.where(AuditRecord.at >= question.since)
        if question.until:
            wanted = wanted.where(AuditRecord.at < question.until)
        name = question.sort.lstrip("-")
        column = getattr(AuditRecord, name if name in SORTS else "at")
        order = column.desc() if question.sort.startswith("-") else column.asc()
        wanted = wanted.order_by(order, AuditRecord.sequence.desc()).limit(min(question.limit, MOST))
        with self._db.reading() as session:
            return tuple(line_of(record) for record in session.scalars(wanted))


def line_of(record: AuditRecord) -> Line:
    return Line(
        record.id,
        record.at,
        record.event,
        record.code,
        record.verb,
        record.outcome,
        record.subject,
        record.user_name,
        record.issuer,
        record.patient or "",
        record.launch,
        record.address,
        record.request_id,
        json.loads(record.details),
    )
