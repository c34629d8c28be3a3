"""What auditors read of break-glass: each opening with its reason, how it ended, and how much was read while it was open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from smart_app.audit.events import AuditRead, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.breakglass.reasons import REASONS
from smart_app.breakglass.store import BreakGlass, Reviewed
from smart_app.db import Database

MOST = 200
ENDED = {"person": "ended by the person", "time": "ended by time", "launch": "ended with the session", "": "still open"}
READS = ("StudyOpened", "SeriesRead")


@dataclass(frozen=True)
class Case:
    """One opening in plain words."""

    id: str
    opened: str
    """`21 May 2026 10:42`, UTC."""
    ended: str
    how: str
    who: str
    user: str
    patient: str
    reason: str
    text: str
    restricted: int
    """Studies that it opened."""
    reads: int
    """Records of a study or series read while it was open."""

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


class Review:
    def __init__(self, glass: BreakGlass, audit: AuditLog, db: Database) -> None:
        self._glass = glass
        self._audit = audit
        self._db = db

    def cases(self, who: Who) -> tuple[Case, ...]:
        """The latest openings of the reader's tenant. The reading is recorded first. :raises AuditUnavailable:"""
        self._audit.record(AuditRead(who=who, about="break-glass"))
        return tuple(self._case(one, who.tenant) for one in self._glass.review(who.tenant, MOST))

    def _case(self, one: Reviewed, tenant: str) -> Case:
        what = one.what
        reason = REASONS[what.reason].words if what and what.reason in REASONS else "Not readable"
        return Case(
            one.id, f"{one.opened_at:%d %b %Y %H:%M}", f"{one.ended_at:%H:%M}" if one.ended_at else "", ENDED.get(one.ended_by, ""),
            (what.name or what.subject) if what else "", what.subject if what else "", what.patient if what else "", reason, what.text if what else "",
            what.count if what else 0, self._reads(one, tenant),
        )  # fmt: skip

    def _reads(self, one: Reviewed, tenant: str) -> int:
        """Counted by the reference that each record of a read carries. Its hour bounds the search."""
        until = (one.ended_at or one.ends_at) + timedelta(minutes=1)
        wanted = select(func.count()).where(
            AuditRecord.tenant == tenant, AuditRecord.at >= one.opened_at - timedelta(minutes=1), AuditRecord.at <= until,
            AuditRecord.launch == one.launch, AuditRecord.event.in_(READS), AuditRecord.details.contains(f'"opening":"{one.id}"', autoescape=True),
        )  # fmt: skip
        with self._db.reading() as session:
            return session.scalar(wanted) or 0
