"""The use case: what waits for this launch's patient, the comparison, and who may decide what.

Nothing a browser sends says what is decided on: the record is the one kept for this launch, and it must still be the
one that was looked at. A differing birth date needs two people, whoever asks and however (safety.md P5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic_core import to_json
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.archives.registry import Archives
from smart_app.archives.types import Candidate
from smart_app.audit.events import Event, MatchCompared, MatchConfirmed, MatchLeftOpen, MatchRejected, MatchUndone, Who
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.identity import people
from smart_app.identity.comparison import Comparison, compare_records
from smart_app.identity.crosswalk import crossed
from smart_app.identity.rulings import RecordKey, Ruling, State, key_of_candidate
from smart_app.matching.store import RulingStore, Subject

REASONS = {"birth-date": "Birth date differs", "patient-says-no": "Patient says no", "other-person": "Known to be another person", "other": "Other"}
MIN_REASON, MAX_REASON = 10, 500

NO_REASON = Fault("reason-missing", Side.PERSON, f"Say in at least {MIN_REASON} characters what makes you sure. Nothing was changed.", "Go back and write the reason.", False, 400)
SAME_PERSON = Fault("second-person", Side.PERSON, "The birth date differs, so a second person has to look. You were the first.",
                    "Ask a colleague to open this patient’s Images tab and compare.", False, 409)  # fmt: skip
CHANGED = Fault("record-changed", Side.ARCHIVE, "One of the two records has changed since you looked. Nothing was changed.", "Go back and compare again.", False, 409)
NOT_IN_USE = Fault("chart-not-in-use", Side.EHR, "The EHR says that this chart was merged into another, or is no longer in use, so nothing can be linked to it.",
                   "Open the patient’s current chart.", False, 409)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One record that waits, or was decided on, for this launch's patient."""

    id: str
    source: str
    source_name: str
    organization: str
    key: RecordKey
    candidate: Candidate
    facts: PatientFacts
    ruling: Ruling | None
    comparison: Comparison

    @property
    def seen(self) -> str:
        """Names what a person looked at: both records, as they were shown."""
        return hashlib.sha256(to_json([self.candidate.patient_id, self.candidate.name, self.key, people.standing(self.facts)])).hexdigest()[:32]

    @property
    def proposed_by(self) -> tuple[str, str, str] | None:
        """Who was first, while a second person is waited for."""
        waits = self.ruling is not None and self.ruling.state is State.PROPOSED and self.ruling.standing == people.standing(self.facts)
        return self.ruling.by[0] if waits and self.ruling is not None and self.ruling.by else None


class MatchDesk:
    """One a process."""

    def __init__(
        self, archives: Archives, holdings: Holdings, rulings: RulingStore, audit: AuditLog, patient: Callable[[LaunchContext], PatientFacts], clock: Clock
    ) -> None:
        """`patient` gives the launch's patient as it was read when the launch began."""
        self._archives = archives
        self._holdings = holdings
        self._rulings = rulings
        self._audit = audit
        self._patient = patient
        self._clock = clock

    def name(self, ctx: LaunchContext, source: str, candidate: Candidate) -> str:
        """How a candidate is called in this patient's pages."""
        return self._rulings.name(Subject.of(ctx), key_of_candidate(source, candidate))

    def waiting(self, ctx: LaunchContext) -> tuple[Case, ...]:
        facts, rulings = self._patient(ctx), self._rulings.of(Subject.of(ctx))
        settled = {ruling.key for ruling in rulings if ruling.state is State.REJECTED or ruling.holds(facts)}
        found = [(answer.source, candidate) for answer in self._holdings.answers(ctx.handle) for candidate in answer.candidates]
        open_ones = [(source, candidate) for source, candidate in found if key_of_candidate(source, candidate) not in settled]
        return tuple(self._case(ctx, source, candidate, facts, rulings, open_ones) for source, candidate in open_ones)

    def decided(self, ctx: LaunchContext) -> tuple[Case, ...]:
        """Decisions that can be undone, the latest first."""
        facts, rulings = self._patient(ctx), self._rulings.of(Subject.of(ctx))
        kept = [ruling for ruling in reversed(rulings) if ruling.state is not State.UNDONE]
        return tuple(self._case(ctx, ruling.key.source, ruling.candidate, facts, rulings, ()) for ruling in kept)

    def compare(self, ctx: LaunchContext, who: Who, name: str) -> Case | None:
        """The comparison, recorded before it is shown; None when no such record waits for this patient."""
        case = self._find(ctx, name)
        if case is not None:
            self._audit.record(MatchCompared(who=who, patient=ctx.patient_id, source=case.source, match=case.id))
        return case

    def confirm(self, ctx: LaunchContext, who: Who, name: str, reason: str, seen: str) -> State | None:
        """Say that the two are one: a link at once, or a proposal where a second person is needed; None: no such record waits.

        :raises AppError: no reason, the same person twice, a record that changed, or a chart that is not in use.
        """
        case = self._find(ctx, name)
        if case is None:
            return None
        reason = " ".join(reason.split())[:MAX_REASON]
        if len(reason) < MIN_REASON:
            raise AppError(NO_REASON)
        if not people.in_use(case.facts):
            raise AppError(NOT_IN_USE)
        if seen != case.seen:
            raise AppError(CHANGED)
        me = (ctx.user.issuer, ctx.user.subject, ctx.user.name or "")
        standing = people.standing(case.facts)

        def change(before: Ruling | None) -> Ruling:
            if before is not None and before.holds(case.facts):
                return before
            fresh = Ruling(case.id, case.key, State.CONFIRMED, standing, case.candidate, reason, (me,), self._clock())
            if not case.comparison.needs_second:
                return fresh
            if before is None or before.state is not State.PROPOSED or before.standing != standing or not before.by:
                return replace(fresh, state=State.PROPOSED)
            if before.by[0][:2] == me[:2]:
                raise AppError(SAME_PERSON)
            return replace(fresh, reason=f"{before.reason} / {reason}", by=(before.by[0], me))

        def event(after: Ruling) -> Event:
            counts = case.comparison
            return MatchConfirmed(
                who=who, patient=ctx.patient_id, source=case.source, match=case.id, stage=after.state.value, differing=counts.differing, decisive=counts.decisive
            )

        return self._decide(ctx, case, change, event).state

    def reject(self, ctx: LaunchContext, who: Who, name: str, reason: str, words: str) -> State | None:
        """Say that the two are not one. Remembered: the record is not offered again until somebody undoes it."""
        case = self._find(ctx, name)
        if case is None:
            return None
        if reason not in REASONS or (reason == "other" and len(words.strip()) < MIN_REASON):
            raise AppError(NO_REASON)
        me = (ctx.user.issuer, ctx.user.subject, ctx.user.name or "")
        text = REASONS[reason] + (f": {' '.join(words.split())[:MAX_REASON]}" if words.strip() else "")
        made = Ruling(case.id, case.key, State.REJECTED, people.standing(case.facts), case.candidate, text, (me,), self._clock())

        def change(before: Ruling | None) -> Ruling:
            return before if before is not None and before.state is State.REJECTED else made

        return self._decide(ctx, case, change, lambda _: MatchRejected(who=who, patient=ctx.patient_id, source=case.source, match=case.id, reason=reason)).state

    def leave(self, ctx: LaunchContext, who: Who, name: str) -> bool:
        """Nothing is decided, and that somebody looked is recorded."""
        case = self._find(ctx, name)
        if case is not None:
            self._audit.record(MatchLeftOpen(who=who, patient=ctx.patient_id, source=case.source, match=case.id))
        return case is not None

    def undo(self, ctx: LaunchContext, who: Who, name: str) -> bool:
        """Take a decision back. What rests on it is no longer served, in any launch, from this moment."""
        case = next((case for case in self.decided(ctx) if case.id == name), None)
        if case is None:
            return False

        def change(before: Ruling | None) -> Ruling:
            assert before is not None
            return replace(before, state=State.UNDONE, at=self._clock())

        was = case.ruling.state.value if case.ruling else ""
        self._decide(ctx, case, change, lambda _: MatchUndone(who=who, patient=ctx.patient_id, source=case.source, match=case.id, was=was))
        return True

    def _decide(self, ctx: LaunchContext, case: Case, change: Callable[[Ruling | None], Ruling], event: Callable[[Ruling], Event]) -> Ruling:
        def record(after: Ruling, session: Session) -> None:
            self._audit.record(event(after), session)

        return self._rulings.decide(Subject.of(ctx), case.key, change, record)

    def _find(self, ctx: LaunchContext, name: str) -> Case | None:
        return next((case for case in (*self.waiting(ctx), *self.decided(ctx)) if case.id == name), None)

    def _case(
        self, ctx: LaunchContext, source: str, candidate: Candidate, facts: PatientFacts, rulings: tuple[Ruling, ...], waiting: Sequence[tuple[str, Candidate]]
    ) -> Case:
        key = key_of_candidate(source, candidate)
        archive = self._archives.by_key(source)
        own = crossed(facts, archive).ids if archive is not None else ()
        others = sum(1 for one, other in waiting if one == source and other != candidate)
        return Case(
            id=self._rulings.name(Subject.of(ctx), key, rulings), source=source, source_name=archive.name if archive else source,
            organization=archive.organization if archive else source, key=key, candidate=candidate, facts=facts,
            ruling=next((ruling for ruling in rulings if ruling.key == key and ruling.state is not State.UNDONE), None),
            comparison=compare_records(facts, candidate, own, others=others),
        )  # fmt: skip
