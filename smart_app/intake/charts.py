"""Reads an item's chart again, and turns an item back into review when the chart is not as it was: in one transaction with its audit record.

Used by the decisions of people and by the work that stores, so that both mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from smart_app.audit.events import Who
from smart_app.audit.intake_events import IntakeTurnedBack
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.image_requests.types import Patient
from smart_app.intake import withdrawals
from smart_app.intake.chart_now import Became, NotTold, Now, Read, look, look_holds, sentence
from smart_app.intake.deciding import decide
from smart_app.intake.items import Items
from smart_app.intake.received import Halt, Line, Received, Standing
from smart_app.intake.types import ItemState

Settle = Callable[[Session, str], None]
SOUND = frozenset({Became.SAME, Became.UNREAD})
"""Nothing that the EHR said speaks against the chart."""

REST = "the rest was not stored: the chart is not as it was, so somebody has to look again"
"""In the history of what is stored in part: the request is told it, so it says nothing of the chart."""


@dataclass(frozen=True)
class Charts:
    """One a process; safe for threads. `read` asks the EHR; never call it inside a transaction."""

    items: Items
    audit: AuditLog
    clock: Clock
    read: Read
    namespaces: Mapping[str, str]
    """DICOM issuer by identifier system."""
    tenant: str
    may_read: Callable[[str], bool]
    """Whether Priors may read the charts of an EHR by itself; where not, a reviewer says that they have looked."""
    archive: str | None
    """Key of the archive that stores."""

    def now(self, patient: Patient) -> Now:
        """:raises NotTold: the EHR did not say."""
        return look(patient, self.read, self.namespaces)

    def before_storing(self, item: Received) -> Now | None:
        """None: the chart is as it was when somebody decided. Else what has become of it: nothing may be stored. :raises NotTold:"""
        if item.content.patient is None:
            return Now(Became.UNREAD)
        now = self.now(item.content.patient)
        if now.became is Became.SAME or (now.became is Became.UNREAD and look_holds(item.content.looked_at, self.clock())):
            return None
        return now

    def turn_back(
        self, session: Session, id: str, now: Now, *, by: Who | None = None, still: Callable[[Received], bool] = lambda _: True, settle: Settle = lambda session, request: None,
    ) -> None:  # fmt: skip
        """Into review, matched anew, with all that was said of it gone. Nothing where it is known already, or where it is not as `still` wants it.

        :param settle: told of the item's request before the record is written: items, requests, records are locked in this order everywhere.
        :raises NoSuchItem:
        """
        before = self.items.get(id, session, lock=True)
        halt = Halt(now.became.value, sentence(now), now.patient if now.became is Became.REPLACED else None)
        if not still(before) or (before.content.halt == halt and before.state is ItemState.IN_REVIEW):
            return
        stored = any(one.stage.is_stored for one in self.items.instances(id, session))
        who = by or Who(self.tenant, before.content.patient.issuer if before.content.patient else "", "", "Priors", "", "", "")
        _, after = self.items.change(session, id, lambda item: self._turned(session, item, now, halt, stored), line=Line(self.clock(), REST if stored else halt.words, who.name))
        if after.request is not None:
            settle(session, after.request)
        patient = after.content.patient
        self.audit.record(
            IntakeTurnedBack(who=who, patient=patient.id if patient else None, item=id, became=now.became.value, state=after.state.value, standing=after.standing.value), session
        )

    def not_told(self, session: Session, id: str, error: NotTold, *, still: Callable[[Received], bool]) -> None:
        """The item says that it waits for the EHR. Once: it is asked again and again."""
        before = self.items.get(id, session, lock=True)
        word, words = error.fault.code, f"{error.fault.title} It is safely kept, and the EHR is asked again every half a minute."
        if still(before) and (before.content.halt is None or before.content.halt.word != word):
            self.items.change(session, id, lambda item: replace(item, content=replace(item.content, halt=Halt(word, words))), line=Line(self.clock(), words, "Priors"))

    def told_again(self, session: Session, id: str, *, still: Callable[[Received], bool]) -> None:
        """The EHR answers again, and the chart is as it was."""
        before = self.items.get(id, session, lock=True)
        if still(before) and before.content.halt is not None:
            self.items.change(session, id, lambda item: replace(item, content=replace(item.content, halt=None)), line=Line(self.clock(), "the EHR answers again; the chart is as it was", "Priors"))

    def _turned(self, session: Session, item: Received, now: Now, halt: Halt, stored: bool) -> Received:
        fresh, patient = (now.patient if now.became is Became.CHANGED else None), item.content.patient
        verdict = withdrawals.weighed(session, self.archive, item, decide(fresh or patient, item.content.wanted, item.summary, self.namespaces))
        content = replace(item.content, opinions=(), halt=halt, looked_at=None)
        same_numbers = fresh is not None and patient is not None and fresh.identifiers == patient.identifiers
        if stored and now.became is not Became.UNREAD and (not same_numbers or verdict.standing is Standing.OTHER):
            # What is in the archive lies there under the earlier number: the rest goes under no other, so that no study lies under two.
            return replace(item, state=ItemState.STORED_IN_PART, content=content, tries=0)
        state = ItemState.SET_ASIDE if verdict.standing is Standing.OTHER else ItemState.IN_REVIEW
        return replace(item, state=state, standing=verdict.standing, tries=0, content=replace(content, patient=fresh or patient, why=verdict.why))
