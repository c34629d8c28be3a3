"""Images that came before their patient: looks again and again whether the chart exists by now, and links them when one fits alone.

Linking stores nothing: who must look before anything is stored is decided by the same rules as ever (`deciding`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from launch.errors import LaunchError
from smart_app.audit.events import Who
from smart_app.audit.intake_events import IntakeDecided
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.identity.match import day_of
from smart_app.image_requests.types import Patient
from smart_app.intake import withdrawals
from smart_app.intake.deciding import Verdict, decide
from smart_app.intake.items import ItemChanged, Items
from smart_app.intake.received import Line, Received, Standing
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Job, Later

log = structlog.get_logger("priors.intake")

KIND, EVERY = "awaited", 60
MOST = 200
FITS = frozenset({Standing.CERTAIN, Standing.BELOW})
"""Another birth date, or another person's, is never linked without a person."""


@dataclass(frozen=True)
class Awaited:
    """`like` names everybody of a family name and birth date (ISO) whom the EHRs know now."""

    db: Database
    items: Items
    audit: AuditLog
    clock: Clock
    like: Callable[[str, str], Sequence[Patient]]
    namespaces: Mapping[str, str]
    tenant: str
    archive: str | None = None
    """The one that stores."""

    def handle(self, job: Job) -> None:
        """:raises Later: an EHR did not answer."""
        waiting = [one for one in self.items.in_state(ItemState.IN_REVIEW, limit=MOST) if one.standing is Standing.UNLINKED]
        for item in waiting:
            job.heartbeat()
            try:
                found = self._fitting(item)
            except (AppError, LaunchError):
                raise Later(EVERY) from None
            if len(found) == 1:
                self._link(item, *found[0])

    def _fitting(self, item: Received) -> list[tuple[Patient, Verdict]]:
        """Who fits, of all whom the files may mean. None where the files name nobody, or several."""
        named = item.summary.persons
        born = day_of(named[0].said.birth_date or "") if len(named) == 1 else None
        if born is None or not named[0].said.name:
            return []
        # Every group of a PN (alphabetic, ideographic, phonetic) begins with the family name (PS3.5 6.2.1).
        families = dict.fromkeys(family for group in named[0].said.name.split("=") if (family := group.partition("^")[0].strip()))
        people = {(one.issuer, one.id): one for family in families for one in self.like(family, born)}
        judged = [(one, decide(one, item.content.wanted, item.summary, self.namespaces)) for one in people.values()]
        return [(one, verdict) for one, verdict in judged if verdict.standing in FITS and verdict.why != "nothing-said"]

    def _link(self, item: Received, patient: Patient, verdict: Verdict) -> None:
        def change(before: Received, verdict: Verdict) -> Received:
            content = replace(before.content, patient=patient, why=verdict.why, opinions=())
            return replace(before, standing=verdict.standing, subject=self.items.digest("subject", patient.issuer, patient.id), content=content)

        who = Who(self.tenant, patient.issuer, "", "Priors", "", "", "")
        try:
            with self.db.transaction() as session:
                line = Line(self.clock(), f"the chart of {patient.name} exists now; linked", "Priors")
                weighed = withdrawals.weighed(session, self.archive, item, verdict)
                _, after = self.items.change(session, item.id, lambda before: change(before, weighed), version=item.version, line=line)
                event = IntakeDecided(who=who, patient=patient.id, item=item.id, action="link", state=after.state.value, standing=after.standing.value)
                self.audit.record(event, session)
        except ItemChanged:
            return  # a person was quicker
        log.info("inbound_linked", standing=verdict.standing.value, after_s=round((self.clock() - item.arrived_at).total_seconds()))
