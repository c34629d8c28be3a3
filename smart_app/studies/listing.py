"""Asks every source of a launch's patient at once, and tells what is known after each answer.

What a source answered is kept in the holdings before it is told, so that a row on screen can be opened. A source that
fails does not take away what it told this launch before; its failure is shown beside it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from launch.context import LaunchContext
from launch.errors import LaunchError, SessionEnded
from smart_app.archives.fanout import Bell, Fanout, Question
from smart_app.archives.registry import LaunchToken
from smart_app.archives.types import Answer, Candidate, PurposeRecord, SourceState
from smart_app.audit.events import Who
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.image_requests.form import Appointment
from smart_app.index.memory import Memory, standing
from smart_app.policy.gate import Policy
from smart_app.sources.base import CHART, Inquiry, Named, Source, owner
from smart_app.sources.chart_evidence import charts_read
from smart_app.studies.as_of import earliest, marked
from smart_app.studies.beside import Asked, Origins, Reading
from smart_app.studies.copies import with_copies
from smart_app.studies.desk import with_desk
from smart_app.studies.evidence import Whose, with_evidence
from smart_app.studies.keeping import Keeper
from smart_app.studies.last_answers import LastAnswers
from smart_app.studies.likeness import plain
from smart_app.studies.merge import Houses, fold
from smart_app.studies.purpose import with_purpose
from smart_app.studies.received import with_origins
from smart_app.studies.relevance import Relevance, reading, relevant
from smart_app.studies.reported import with_reports
from smart_app.studies.requested import with_requests
from smart_app.studies.restricted import Restriction, restriction, rows_of, told
from smart_app.studies.rows import Strip, StudyRow
from smart_app.studies.standing import standing_of
from smart_app.studies.strip import ANSWERED, is_whole, strip_of

GIVEN_UP = timedelta(seconds=10)
"""Past the deadline of a round that went on without a stream: then the process that asked is gone."""
Unsealed = dict[str, tuple[bytes, Answer]]


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
    """One step of the asking. `answers` are those that came together; none at first, and when the bell was rung."""

    answers: tuple[Answer, ...]
    picture: Picture
    pending: tuple[str, ...]
    """Questions without a final answer, by the source of the answer."""
    since: datetime
    """When this round began."""


Follow = Callable[[Inquiry, Sequence[tuple[str, str]]], Iterable[Question]]
SERIES_SECONDS = 5.0
LAST_SECONDS = 0.2
ASKABLE = frozenset({"study", "known", "requested"})


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
        keeper: Keeper,
        memory: Memory,
        policy: Policy,
        launch_token: Callable[[LaunchContext], LaunchToken],
        is_live: Callable[[str], bool],
        clock: Clock,
        deadline: float,
        last: LastAnswers,
        then: Follow | None = None,
        asked: Asked = lambda context: (),
        origins: Origins = lambda context: {},
        planned: Callable[[LaunchContext, Sequence[PurposeRecord]], object] = lambda context, records: None,
    ) -> None:
        """`sources` in the strip's order; `patient` reads the launch's patient from the EHR. `is_live` tells whether a handle's launch goes on; `deadline` is the whole list's, in seconds; `then` is asked when all have answered, for the series of studies in part. `asked`: requests for the patient's images; `origins`: where stored studies came from, by UID; `planned` is told of what the chart has planned."""
        self._sources = tuple(sources)
        self._houses = houses
        self._read_patient = patient
        self._fanout = fanout
        self._holdings = holdings
        self._memory = memory
        self._policy = policy
        self._launch_token = launch_token
        self._is_live = is_live
        self._keeper = keeper
        self._clock = clock
        self._deadline = deadline
        self._then = then
        self._last = last
        self._asked = asked
        self._origins = origins
        self._planned = planned
        self._last_read: tuple[float, Mapping[str, datetime]] = (0.0, {})

    def sources(self, ctx: LaunchContext) -> tuple[Named, ...]:
        """Who is asked, in the strip's order: the chart, then the others as configured."""
        return tuple(named for source in self._sources if (named := source.named(ctx)) is not None)

    def known(self, ctx: LaunchContext) -> Picture:
        """What earlier answers told, of this launch and, at its first look, from before it. Asks nobody; every source counts as being asked."""
        keys = frozenset(source.key for source in self.sources(ctx))
        facts = self._holdings.patient(ctx.handle)
        if facts is not None and facts.id == ctx.patient_id:
            self._memory.bring(ctx, facts, keys)
        return self._picture(ctx, keys, {})

    def asked_for(self, ctx: LaunchContext, token: str) -> StudyRow | None:
        """The row that `row_token` names, by all that this launch was told; None: this launch has none that could be asked for."""
        rows = self._picture(ctx, frozenset(), {}).rows
        return next((row for row in rows if row.kind in ASKABLE and row_token(ctx.handle, row.uid) == token), None)

    def appointments(self, ctx: LaunchContext) -> tuple[Appointment, ...]:
        """What is planned for the patient and begins at a known time, the next first."""
        now = self._clock()
        answers = self._policy.judge(ctx, {answer.source: answer for answer in self._holdings.answers(ctx.handle)}).answers
        records = [one for answer in answers.values() for one in answer.purpose or () if one.kind == "appointment" and one.active]
        found = [Appointment(one.reference, one.title, one.starts_at) for one in records if one.starts_at is not None and one.starts_at > now]
        return tuple(sorted(found, key=lambda one: one.starts_at))

    def settled(self, ctx: LaunchContext) -> Picture:
        """The same after all have been asked: what each said last stands."""
        return self._picture(ctx, frozenset(), {})

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

    def ask(
        self, ctx: LaunchContext, who: Callable[[], Who], only: str | None = None, elsewhere: frozenset[str] = frozenset(), bell: Bell | None = None
    ) -> Iterator[Step]:
        """Ask all sources, or `only` one again. First the state before any answer, then a step for what came together, until all have answered.

        Each answer is kept and audited before its step is yielded. `who` says, at that moment, for whom.
        :param elsewhere: sources that the same page is still asking in another stream: what they said before earns no word now.
        :param bell: rung from outside, it yields a step without answers.

        :raises KeyError: `only` names no source. :raises SessionEnded: the launch ended meanwhile; nothing of what came after is kept.
        """
        sources = {source.key: source for source in self.sources(ctx)}
        asked = set(sources) if only is None else {sources[only].key}
        waiting, since, unsealed, beside = frozenset(asked), self._clock(), Unsealed(), Reading(ctx, self._asked, self._origins)
        elsewhere -= asked
        known = self._holdings.patient(ctx.handle)
        if known is None:  # the EHR is asked first, which may take its time
            yield Step((), self._picture(ctx, elsewhere | waiting, unsealed, beside), tuple(waiting), since)
        facts, failure = self._patient(ctx, known)
        if facts is None:
            rounds: Iterator[tuple[tuple[Answer, ...], frozenset[str]]] = iter(
                [(tuple(self._unasked(source, failure) for key, source in sources.items() if key in asked), frozenset())]
            )
        else:
            rounds = self._answers(ctx, Inquiry(ctx, facts, self._launch_token(ctx)), asked, bell)
        said: dict[str, Answer] = {}
        try:
            for answers, waiting in rounds:
                kept = self._keep(ctx, who(), answers, unsealed) if answers else ()
                said |= {answer.source: answer for answer in kept}
                self._memory.settle(ctx, [answer for answer in kept if answer.state is not SourceState.ASKING])
                yield Step(kept, self._picture(ctx, elsewhere | waiting, unsealed, beside), tuple(waiting), since)
        finally:
            # What other launches may be told later delays nobody who looks now; it is also taken in when the page has gone.
            if facts is not None:
                self._memory.remember(ctx, facts, [_final(answer) for answer in said.values()])

    def rest_of(self, ctx: LaunchContext, who: Callable[[], Who], since: datetime, asked: frozenset[str]) -> Step | None:
        """What has come of the questions `asked` in a round that began at `since` and goes on without a stream, here or in another worker.

        None: nothing is new. What nobody can answer any more is kept as lost.
        """
        sources = {source.key: source for source in self.sources(ctx)}
        asked = frozenset(key for key in asked if owner(key) in sources)
        saved, unsealed = self._holdings.saved(ctx.handle), Unsealed()
        over = self._clock() > since + timedelta(seconds=self._deadline) + GIVEN_UP
        if not over and not any(key in saved and saved[key] >= since for key in asked):
            return None
        answers = {answer.source: answer for answer in self._holdings.answers(ctx.handle, unsealed)}
        told = tuple(answers[key] for key in asked if key in answers and saved.get(key, since) >= since)
        pending = asked - {answer.source for answer in told if answer.state is not SourceState.ASKING}
        if over and pending:
            told += self._keep(ctx, who(), [self._unasked(sources[owner(key)], "lost", key) for key in pending], unsealed)
            pending = frozenset()
        return Step(told, self._picture(ctx, pending, unsealed), tuple(pending), since)

    def _answers(self, ctx: LaunchContext, inquiry: Inquiry, asked: set[str], bell: Bell | None) -> Iterator[tuple[tuple[Answer, ...], frozenset[str]]]:
        """(answers that came together, who is still waited for). At first none: all are being asked while that is drawn and told."""
        end = time.monotonic() + self._deadline
        questions = [question for source in self._sources if (named := source.named(ctx)) and named.key in asked for question in source.questions(inquiry)]
        # What names studies goes out first; what is asked beside it can follow.
        asking = self._fanout.begin(sorted(questions, key=lambda question: owner(question.source) != question.source), self._deadline)
        if bell is not None:
            bell.hang(asking)
        yield (), frozenset(asking.waiting)
        while asking.waiting:
            answers = asking.more()
            yield answers, frozenset(asking.waiting)
        for answer in self._follow(ctx, inquiry, asked, end):
            yield (answer,), frozenset()

    def _follow(self, ctx: LaunchContext, inquiry: Inquiry, asked: set[str], end: float) -> Iterator[Answer]:
        """When all have answered: which series the holders of studies in part have. What is left of the deadline is for it."""
        left = min(end - time.monotonic(), SERIES_SECONDS)
        if self._then is None or left <= 0:
            return
        rows = self._picture(ctx, frozenset(), {}).rows
        wanted = [(row.archive, row.uid) for row in rows if row.count_state == "part" and row.archive is not None and row.archive in asked]
        if wanted:
            yield from self._fanout.ask(list(self._then(inquiry, wanted)), left)

    def _keep(self, ctx: LaunchContext, who: Who, answers: Sequence[Answer], unsealed: Unsealed) -> tuple[Answer, ...]:
        kept = self._keeper.keep(ctx, who, answers, lambda: {one.source: one for one in self._holdings.answers(ctx.handle, unsealed)})
        if not self._is_live(ctx.handle):
            # Whoever ended it has forgotten what there was then; this answer came after, or at the same moment.
            self._holdings.forget(ctx.handle)
            raise SessionEnded
        if planned := [one for answer in kept for one in answer.purpose or () if one.kind == "appointment"]:
            self._planned(ctx, planned)
        return kept

    def _patient(self, ctx: LaunchContext, facts: PatientFacts | None) -> tuple[PatientFacts | None, str]:
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

    def _unasked(self, source: Named, code: str, key: str = "") -> Answer:
        now = self._clock()
        return Answer(key or source.key, source.name, source.organization, SourceState.FAILED, asked_at=now, answered_at=now, fault_code=code)

    def _picture(self, ctx: LaunchContext, waiting: frozenset[str], unsealed: Unsealed, read_beside: Reading | None = None) -> Picture:
        answers = {answer.source: answer for answer in self._holdings.answers(ctx.handle, unsealed)}
        sources = self.sources(ctx)
        # A source or archive that left the configuration is no longer shown, and no longer opened from.
        shown = {source.key for source in sources}
        answers = {key: answer if key in waiting else _final(answer) for key, answer in answers.items() if owner(key) in shown}
        answers = standing(answers)
        judged = self._policy.judge(ctx, answers)
        may = judged.answers
        said, today = tuple(may.values()), self._today()
        whose = Whose(self._own(sources), self._houses.local, lambda uid: row_token(ctx.handle, uid), today)
        rows = with_copies(told(marked(fold(said, self._houses, today), may, waiting, today), judged.opened), said, self._houses)
        rows = with_reports(with_evidence(rows, said, standing_of(sources, may, waiting, self._houses.local), whose), said, whose)
        beside = (read_beside or Reading(ctx, self._asked, self._origins)).now(is_last=not waiting)
        closed = {one.uid for one in judged.hidden}  # what a rule hides is not told by way of a request either
        asked = [one for one in beside.requests if not {one.asked.about, one.asked.wanted.study_uid} & closed]
        rows = with_origins(with_requests(rows, asked, self._clock()), beside.origins, self._own(sources))
        in_part = sum(row.count_state == "part" for row in rows)
        read = charts_read(sources, (one for one in answers.values() if one.source not in waiting), is_whole)
        # The strip counts what sources said, shown or not: a restricted study is still a study.
        strip = strip_of(sources, answers, waiting, len(rows) + len(judged.hidden), in_part, read)
        strip = replace(strip, earlier=earliest(said, today) if waiting else "")
        rows, relevant_to = with_purpose(rows, said, self._houses, today)
        strip = with_desk(strip, sources, {key: answer for key, answer in answers.items() if key not in waiting}, self._last_answers(), self._clock())
        rows += rows_of(judged.hidden, answers)
        notes = tuple(note for key, answer in answers.items() if key not in shown for note in answer.notes)
        answered = sum(1 for source in sources if source.key in answers and source.key not in waiting and answers[source.key].state in ANSWERED)
        matches = tuple((source, candidate) for source in sources if source.key in answers for candidate in answers[source.key].candidates)
        return Picture(rows, strip, notes, answered, len(sources), restriction(judged.hidden), bool(judged.opened), relevant_to, matches)

    def _last_answers(self) -> Mapping[str, datetime]:
        """Good to the minute, and asked for at every step of every list: read once for steps that follow close."""
        good_until, read = self._last_read
        if time.monotonic() >= good_until:
            read = self._last.all()
            self._last_read = (time.monotonic() + LAST_SECONDS, read)
        return read

    def _own(self, sources: Sequence[Named]) -> frozenset[str]:
        """Organizations of this chart: what it says without a place is theirs."""
        return frozenset(plain(source.organization) for source in sources if source.key.startswith(CHART) or source.key in self._houses.local)

    def _today(self) -> date:
        """The site's own day: the server's time zone."""
        return self._clock().astimezone().date()


def _final(answer: Answer) -> Answer:
    """What was told while its source was asked, and whose end never came (a page left, a process stopped), is only a part."""
    if answer.state is not SourceState.ASKING:
        return answer
    return replace(answer, state=SourceState.PARTIAL, more_exist=True, fault_code="cut")
