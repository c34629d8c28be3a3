"""A request that hangs on an appointment moves with it. Whoever reads the chart tells what is planned; the requests follow.

An appointment that is not told of says nothing: a chart may have been read in part, or what is past is no longer listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select

from smart_app.db import Database
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Party
from smart_app.image_requests.workflow import OPEN, Deed, NotAllowed, may_do

log = structlog.get_logger("priors.requests")
SYSTEM = Actor(Party.SYSTEM, name="the chart")


@dataclass(frozen=True)
class Planned:
    """An appointment as the chart tells it now."""

    reference: str
    starts_at: datetime | None
    """None: the chart does not say at what time."""
    is_off: bool = False
    """Cancelled, or entered in error."""


class Anchors:
    """One a process; safe for threads."""

    def __init__(self, db: Database, requests: Requests) -> None:
        self._db, self._requests = db, requests

    def heard(self, issuer: str, patient: str, planned: Iterable[Planned]) -> int:
        """The chart of this patient (FHIR id at this EHR) names these; how many requests moved or lost what they hung on."""
        moved = 0
        for one in planned:
            if not one.is_off and one.starts_at is None:
                continue
            for request in self._hanging(issuer, patient, one.reference):
                try:
                    self._requests.follow(request, None if one.is_off else one.starts_at, SYSTEM)
                    moved += 1
                except NotAllowed:
                    log.info("anchor_not_followed", request=request)  # closed between the two looks
        return moved

    def _hanging(self, issuer: str, patient: str, reference: str) -> list[str]:
        digests, subjects = self._requests.rows.digests.any("anchor", issuer, reference), self._requests.rows.digests.any("subject", issuer, patient)
        open_ones = [state.value for state in OPEN if may_do(state, Deed.FOLLOW, Party.SYSTEM)] + ["draft"]
        with self._db.reading() as session:
            return list(session.scalars(select(RequestRow.id).where(RequestRow.anchor.in_(digests), RequestRow.subject.in_(subjects), RequestRow.state.in_(open_ones))))
