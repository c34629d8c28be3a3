"""Looks for one case's imaging: in its own launch, through the same list that the Images tab is made of, so that identity is judged by the same code.

What was found is told anew each time from what that launch holds; a board keeps no copy of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from launch.context import LaunchContext
from launch.errors import LaunchError
from smart_app.audit.events import SeriesRead, StudyOpened, Who
from smart_app.audit.models import AuditRecord
from smart_app.audit.report import Line, line_of
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirClient
from smart_app.holdings.store import Holdings
from smart_app.preop import records
from smart_app.preop.readiness import Known, Readiness, assess
from smart_app.preop.rules import Rule, asked_of
from smart_app.preop.store import Kept, decision
from smart_app.preop.types import Case, Coded, History, Note
from smart_app.studies.listing import Listing
from smart_app.studies.strip import is_whole

ANSWERED = frozenset({"ok", "empty"})
SEEN_SINCE = timedelta(days=90)
KINDS = (("Condition", ("code", "bodySite")), ("Procedure", ("code", "bodySite")))
ASIDE = ("purpose",)
"""Side questions of a chart that say nothing of imaging."""


class Viewed:
    """Who has opened which study of a patient, from the audit. One a process."""

    def __init__(self, db: Database, clock: Clock, *, tenant: str) -> None:
        self._db, self._clock, self._tenant = db, clock, tenant

    def of(self, issuer: str, patient: str) -> Mapping[str, str]:
        """Study UID → `Dr Sato today 15:12`, the last look."""
        wanted = (
            select(AuditRecord)
            .where(AuditRecord.tenant == self._tenant, AuditRecord.patient == patient, AuditRecord.issuer == issuer, AuditRecord.at >= self._clock() - SEEN_SINCE)
            .where(AuditRecord.event.in_((StudyOpened.__name__, SeriesRead.__name__)))
            .order_by(AuditRecord.sequence)
        )
        with self._db.reading() as session:
            lines = [line_of(record) for record in session.scalars(wanted)]
        return {str(line.details.get("study", "")): _by(line, self._clock()) for line in lines}


def _by(line: Line, now: datetime) -> str:
    at, today = line.time.astimezone(), now.astimezone().date()
    when = f"{at:%H:%M}" if at.date() == today else f"{at:%-d %b}"
    return f"{line.name or 'somebody'} {when}"


@dataclass(frozen=True)
class Looking:
    """One a process. `client` asks a launch's EHR."""

    listing: Listing
    holdings: Holdings
    kept: Kept
    viewed: Viewed
    client: Callable[[LaunchContext], FhirClient]
    rules: tuple[Rule, ...]
    clock: Clock

    def look(self, own: LaunchContext, who: Who) -> None:
        """Ask every source for this launch's patient, to the end; what each says is kept and audited as it comes. :raises SessionEnded:"""
        self.kept.save_history(own.handle, self._history(own))
        for _ in self.listing.ask(own, lambda: who):
            pass

    def readiness(self, case: Case, own: LaunchContext | None, notes: Sequence[Note]) -> Readiness:
        """What is known of it now. `own`: the case's launch; None: nobody has looked."""
        history = self.kept.history(own.handle) if own is not None else History()
        asked = asked_of(case.codes, history.told, self.rules)
        known = self._known(own, history) if own is not None and self.holdings.saved(own.handle) else None
        return assess(case, asked, known, decision(notes), self.clock())

    def _known(self, own: LaunchContext, history: History) -> Known:
        picture = self.listing.settled(own)
        silent = [chip.name for chip in picture.strip.chips if chip.state not in ANSWERED]
        beside = [answer for answer in self.holdings.answers(own.handle) if "/" in answer.source and answer.source.partition("/")[2] not in ASIDE]
        if not silent and not all(is_whole(answer) for answer in beside):
            silent = ["the chart"]
        seen = self.viewed.of(own.user.issuer, own.patient_id or "")
        return Known(picture.rows, tuple(silent), len(picture.waiting), picture.restricted.count, history.is_whole, seen, len(picture.strip.chips))

    def _history(self, own: LaunchContext) -> History:
        """Conditions and earlier procedures; what cannot be read is said not to be whole, and a rule may then be missing."""
        told, whole = list[Coded](), True
        for kind, names in KINDS:
            try:
                for page in self.client(own).search(kind, [("patient", own.patient_id or ""), ("_count", "200")], deadline=8):
                    whole = whole and not page.ended
                    for entry in page.entries:
                        resource = entry.get("resource") if isinstance(entry, Mapping) else None
                        if isinstance(resource, Mapping) and resource.get("resourceType") == kind and records.is_of(resource, own.patient_id or "", own.issuer):
                            told += [one for name in names for one in records.coded(resource.get(name))]
            except (OutboundError, LaunchError):
                whole = False
        return History(tuple(told[:500]), whole and len(told) <= 500)
