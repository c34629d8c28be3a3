"""What sources answered, kept and audited in one transaction, before anybody is told.

Either both are written or neither: what cannot be audited is not held, and not shown. One commit for all answers that came
together, since a commit is a write to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import structlog

from launch.context import LaunchContext
from smart_app.archives.types import Answer, SourceState
from smart_app.audit.events import Event, Outcome, RowWithheld, SourceAnswered, Who
from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.holdings.store import Holdings
from smart_app.sources.base import owner
from smart_app.studies.last_answers import LastAnswers
from smart_app.studies.strip import ANSWERED, is_whole

log = structlog.get_logger("priors.studies")
NOT_FAILED = ANSWERED | {SourceState.NO_IDENTIFIER, SourceState.ASKING}


class Keeper:
    """One a process. `reference` makes `HV-7Q2M` from a name."""

    def __init__(self, database: Database, holdings: Holdings, audit: AuditLog, reference: Callable[[str], str], last: LastAnswers) -> None:
        self._database = database
        self._holdings = holdings
        self._audit = audit
        self._reference = reference
        self._last = last

    def keep(self, ctx: LaunchContext, who: Who, answers: Sequence[Answer], earlier: Callable[[], dict[str, Answer]]) -> tuple[Answer, ...]:
        """The answers as they are kept: with a reference if they are not whole, and with what a source told before if it failed now.

        :param earlier: what is held of this launch now. :raises AuditUnavailable: nothing was kept.
        """
        before = earlier() if any(answer.state not in NOT_FAILED for answer in answers) else {}
        kept = tuple(self._as_kept(answer, before.get(answer.source)) for answer in answers)
        with self._database.transaction() as session:
            for answer in kept:
                self._holdings.save_answer(ctx.handle, answer, session)
            self._audit.record_all((event for answer in kept for event in _events(answer, who, ctx.patient_id)), session)
        for answer in kept:
            if answer.state in ANSWERED and owner(answer.source) == answer.source and answer.fault_code is None and answer.answered_at is not None:
                self._last.note(answer.source, answer.answered_at)
            log.info(
                "source_answered", source=answer.source, answered=answer.state.value, code=answer.fault_code, count=len(answer.studies),
                withheld=answer.withheld, unreadable=answer.unreadable, reference=answer.reference,
            )  # fmt: skip
        return kept

    def _as_kept(self, answer: Answer, before: Answer | None) -> Answer:
        if before is not None and answer.state not in NOT_FAILED:
            answer = replace(
                answer, studies=before.studies, withheld_studies=before.withheld_studies, candidates=before.candidates,
                reports=before.reports if answer.reports is None else answer.reports,
                evidence=before.evidence if answer.evidence is None else answer.evidence,
            )
        if answer.state is SourceState.ASKING or is_whole(answer):
            return answer
        return replace(answer, reference=self._reference(answer.name))


def _events(answer: Answer, who: Who, patient: str | None) -> Iterator[Event]:
    asking = answer.state is SourceState.ASKING
    outcome = Outcome.OK if asking or is_whole(answer) else Outcome.MINOR
    yield SourceAnswered(
        who=who, patient=patient, outcome=outcome, source=answer.source, state=answer.state.value, count=len(answer.studies) + len(answer.evidence or ()),
        withheld=answer.withheld, unreadable=answer.unreadable,
    )  # fmt: skip
    if answer.withheld and not asking:  # its final answer counts them again
        yield RowWithheld(who=who, patient=patient, source=answer.source, reason="another-patient", count=answer.withheld)
    if answer.candidates and not asking:
        yield RowWithheld(who=who, patient=patient, source=answer.source, reason="possible-match", count=len(answer.candidates), outcome=Outcome.MINOR)
