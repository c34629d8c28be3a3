"""Asks every source of a launch's patient at once, and tells what is known after each answer.

What a source answered is kept in the holdings before it is told, so that a row on screen can be opened. A source that
fails does not take away what it told this launch before; its failure is shown beside it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain

import structlog

from launch.context import LaunchContext
from launch.errors import LaunchError, SessionEnded
from smart_app.archives.fanout import Fanout, Question
from smart_app.archives.registry import LaunchToken
from smart_app.archives.types import Answer, Candidate, SourceState
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.index.memory import Memory, standing
from smart_app.policy.gate import Policy
from smart_app.sources.base import CHART, Inquiry, Named, Source, owner
from smart_app.sources.chart_evidence import charts_read
from smart_app.studies.as_of import earliest, marked
from smart_app.studies.copies import with_copies
from smart_app.studies.desk import with_desk
from smart_app.studies.evidence import Whose, with_evidence
from smart_app.studies.last_answers import LastAnswers
from smart_app.studies.likeness import plain
from smart_app.studies.merge import Houses, fold
from smart_app.studies.purpose import with_purpose
from smart_app.studies.relevance import Relevance, reading, relevant
from smart_app.studies.restricted import Restriction, restriction, rows_of, told
from smart_app.studies.rows import Strip, StudyRow
from smart_app.studies.standing import standing_of
from smart_app.studies.strip import ANSWERED, is_whole, strip_of

log = structlog.get_logger("priors.studies")


@dataclass(frozen=True)
class Picture:
    """What is known at one moment: all rows, the strip, and plain sentences that belong to neither."""

    rows: tuple[StudyRow, ...]
    strip: Strip
    notes: tuple[str, ...]
    answered: int
    asked: int
    restricted: Restriction = field(default_factory=Restriction)
    """Studies that are there and are not among `rows`."""
    glass_broken: bool = False
    """Whether a row is there only because this launch's break-glass is open."""
    relevant_to: str = ""
    """What the rows' relevance is about, in words."""
    waiting: tuple[tuple[Named, Candidate], ...] = ()
    """Records that wait for a person, with their source."""


@dataclass(frozen=True)
class Step:
    """One step of the asking. `answer` is None for the first, before anyone has answered."""

    answer: Answer | None
    picture: Picture


Follow = Callable[[Inquiry, Sequence[tuple[str, str]]], Iterable[Question]]
SERIES_SECONDS = 5.0


def row_token(handle: str, uid: str) -> str:
    """Names a row in a URL without holding anything of it, and in this launch only."""
    return hashlib.sha256(f"{handle}|{uid}".encode()).hexdigest()[:32]


class Listing:
    """The use case behind the Images tab. One a process."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        houses: Houses,
        patient: Callable[[LaunchContext], PatientFacts],
        fanout: Fanout,
        holdings: Holdings,
        memory: Memory,
        policy: Policy,
        launch_token: Callable[[LaunchContext], LaunchToken],
        is_live: Callable[[str], bool],
        reference: Callable[[str], str],
        clock: Clock,
        deadline: float,
        last: LastAnswers,
        then: Follow | None = None,
    ) -> None:
        """`sources` in the strip's order; `patient` reads the launch's patient from the EHR. `is_live` tells whether a handle's launch goes on; `reference` makes `HV-7Q2M` from a name; `deadline` is the whole list's, in seconds; `then` is asked when all have answered, for the series of studies in part."""
        self._sources = tuple(sources)
        self._houses = houses
        self._read_patient = patient
        self._fanout = fanout
        self._holdings = holdings
        self._memory = memory
        self._policy = policy
        self._launch_token = launch_token
        self._is_live = is_live
        self._reference = reference
        self._clock = clock
        self._deadline = deadline
        self._then = then
        self._last = last

    def sources(self, ctx: LaunchContext) -> tuple[Named, ...]:
        """Who is asked, in the strip's order: the chart, then the others as configured."""
        return tuple(named for source in self._sources if (named := source.named(ctx)) is not None)

    def known(self, ctx: LaunchContext) -> Picture:
        """What earlier answers told, of this launch and, at its first look, from before it. Asks nobody; every source counts as being asked."""
        keys = frozenset(source.key for source in self.sources(ctx))
        facts = self._holdings.patient(ctx.handle)
        if facts is not None and facts.id == ctx.patient_id:
            self._memory.bring(ctx, facts, keys)
        return self._picture(ctx, keys)

    def asked_for(self, ctx: LaunchContext, request: str) -> StudyRow | None:
        """The row whose request this is, by all that this launch was told; None: this launch has none."""
        return next((row for row in self._picture(ctx, frozenset()).rows if request and row.request == request), None)

    def settled(self, ctx: LaunchContext) -> Picture:
        """The same after all have been asked: what each said last stands."""
        return self._picture(ctx, frozenset())

    def matters(self, ctx: LaunchContext) -> tuple[str, dict[str, Relevance]]:
        """What the chart is open for, in words, and each study's reason to be looked at."""
        picture = self.known(ctx)
        return picture.relevant_to, {row.uid: Relevance(row.relevance_key, row.relevance) for row in picture.rows if row.relevance}

    def beside(self, ctx: LaunchContext, uid: str) -> tuple[str, dict[str, Relevance]]:
        """What matters to someone who reads this study: the words for it, and each other study's reason.

        :raises KeyError: this launch's list does not hold it.
        """
        rows = self.known(ctx).rows
        by_uid = {copy.uid: row for row in rows for copy in row.copies} | {row.uid: row for row in rows}
        purpose = reading(by_uid[uid])
        return purpose.words, relevant(purpose, rows)

    def ask(self, ctx: LaunchContext, only: str | None = None, elsewhere: frozenset[str] = frozenset()) -> Iterator[Step]:
        """Ask all sources, or `only` one again. First the state before any answer, then a step an answer, until all have answered.

        :param elsewhere: sources that the same page is still asking in another stream: what they said before earns no word now.

        :raises KeyError: `only` names no source. :raises SessionEnded: the launch ended meanwhile; nothing of what came after is kept.
        """
        sources = {source.key: source for source in self.sources(ctx)}
        end = time.monotonic() + self._deadline
        asked = set(sources) if only is None else {sources[only].key}
        waiting = set(asked)
        elsewhere -= asked
        yield Step(None, self._picture(ctx, elsewhere | waiting))
        facts, failure = self._patient(ctx)
        if facts is None:
            answers: Iterator[Answer] = (self._unasked(sources[key], failure) for key in sources if key in asked)
        else:
            inquiry = Inquiry(ctx, facts, self._launch_token(ctx))
            questions = [question for source in self._sources if (named := source.named(ctx)) and named.key in asked for question in source.questions(inquiry)]
            waiting |= {question.source for question in questions}
            answers = chain(self._fanout.ask(questions, self._deadline), self._follow(ctx, inquiry, asked, end))
        told: list[Answer] = []
        try:
            for answer in answers:
                waiting.discard(answer.source)
                kept = self._keep(ctx, answer)
                self._memory.settle(ctx, kept)
                if not self._is_live(ctx.handle):
                    # Whoever ended it has forgotten what there was then; this answer came after, or at the same moment.
                    self._holdings.forget(ctx.handle)
                    raise SessionEnded
                told.append(kept)
                yield Step(kept, self._picture(ctx, elsewhere | waiting))
        finally:
            # No row waits for it; also when the page has gone away meanwhile.
            if facts is not None:
                for kept in told:
                    self._memory.remember(ctx, facts, kept)

    def _follow(self, ctx: LaunchContext, inquiry: Inquiry, asked: set[str], end: float) -> Iterator[Answer]:
        """When all have answered: which series the holders of studies in part have. What is left of the deadline is for it."""
        left = min(end - time.monotonic(), SERIES_SECONDS)
        if self._then is None or left <= 0:
            return
        rows = self._picture(ctx, frozenset()).rows
        wanted = [(row.archive, row.uid) for row in rows if row.count_state == "part" and row.archive is not None and row.archive in asked]
        if wanted:
            yield from self._fanout.ask(list(self._then(inquiry, wanted)), left)

    def _patient(self, ctx: LaunchContext) -> tuple[PatientFacts | None, str]:
        facts = self._holdings.patient(ctx.handle)
        if facts is None:
            try:
                facts = self._read_patient(ctx)
            except OutboundError:
                return None, "patient-unread"
            except LaunchError as error:
                return None, error.code
            self._holdings.save_patient(ctx.handle, facts)
        if facts.id != ctx.patient_id:
            raise ValueError("the patient kept for this launch is not the launch's patient")
        return facts, ""

    def _unasked(self, source: Named, code: str) -> Answer:
        now = self._clock()
        return Answer(source.key, source.name, source.organization, SourceState.FAILED, asked_at=now, answered_at=now, fault_code=code)

    def _keep(self, ctx: LaunchContext, answer: Answer) -> Answer:
        """The answer as it is kept: with a reference if it is not whole, and with what the source told before if it failed now."""
        failed = answer.state not in ANSWERED and answer.state is not SourceState.NO_IDENTIFIER
        before = next((one for one in self._holdings.answers(ctx.handle) if one.source == answer.source), None) if failed else None
        if before is not None:
            answer = replace(
                answer, studies=before.studies, withheld_studies=before.withheld_studies, candidates=before.candidates,
                reports=before.reports if answer.reports is None else answer.reports,
                evidence=before.evidence if answer.evidence is None else answer.evidence,
            )
        if not is_whole(answer):
            answer = replace(answer, reference=self._reference(answer.name))
        log.info(
            "source_answered", source=answer.source, answered=answer.state.value, code=answer.fault_code, count=len(answer.studies),
            withheld=answer.withheld, unreadable=answer.unreadable, reference=answer.reference,
        )  # fmt: skip
        self._holdings.save_answer(ctx.handle, answer)
        if answer.state in ANSWERED and owner(answer.source) == answer.source and answer.fault_code is None:
            self._last.note(answer.source, answer.answered_at or self._clock())
        return answer

    def _picture(self, ctx: LaunchContext, waiting: frozenset[str]) -> Picture:
        answers = {answer.source: answer for answer in self._holdings.answers(ctx.handle)}
        sources = self.sources(ctx)
        # A source or archive that left the configuration is no longer shown, and no longer opened from.
        shown = {source.key for source in sources}
        answers = {key: answer for key, answer in answers.items() if owner(key) in shown}
        answers = standing(answers)
        judged = self._policy.judge(ctx, answers)
        may = judged.answers
        said, today = tuple(may.values()), self._today()
        whose = Whose(self._own(sources), self._houses.local, lambda uid: row_token(ctx.handle, uid), today)
        rows = with_copies(told(marked(fold(said, self._houses, today), may, waiting, today), judged.opened), said, self._houses)
        rows = with_evidence(rows, said, standing_of(sources, may, waiting, self._houses.local), whose)
        in_part = sum(row.count_state == "part" for row in rows)
        read = charts_read(sources, (one for one in answers.values() if one.source not in waiting), is_whole)
        # The strip counts what sources said, shown or not: a restricted study is still a study.
        strip = strip_of(sources, answers, waiting, len(rows) + len(judged.hidden), in_part, read)
        strip = replace(strip, earlier=earliest(said, today) if waiting else "")
        rows, relevant_to = with_purpose(rows, said, self._houses, today)
        strip = with_desk(strip, sources, {key: answer for key, answer in answers.items() if key not in waiting}, self._last.all(), self._clock())
        rows += rows_of(judged.hidden, answers)
        notes = tuple(note for key, answer in answers.items() if key not in shown for note in answer.notes)
        answered = sum(1 for source in sources if source.key in answers and source.key not in waiting and answers[source.key].state in ANSWERED)
        matches = tuple((source, candidate) for source in sources if source.key in answers for candidate in answers[source.key].candidates)
        return Picture(rows, strip, notes, answered, len(sources), restriction(judged.hidden), bool(judged.opened), relevant_to, matches)

    def _own(self, sources: Sequence[Named]) -> frozenset[str]:
        """Organizations of this chart: what it says without a place is theirs."""
        return frozenset(plain(source.organization) for source in sources if source.key.startswith(CHART) or source.key in self._houses.local)

    def _today(self) -> date:
        """The site's own day: the server's time zone."""
        return self._clock().astimezone().date()
