"""Looks again, gently, for studies that arrived while a list is open. One a process.

Only sources that answered before are asked, and only those that are watched: one that is down is left in peace. A question
whose answer does not depend on who asks is asked once for all tabs of this worker for a while; every other only for its own launch.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from launch.context import LaunchContext
from launch.errors import SessionEnded
from smart_app.archives.fanout import Fanout, Question
from smart_app.archives.registry import LaunchToken
from smart_app.archives.types import Answer
from smart_app.audit.events import launch_id
from smart_app.clock import Clock
from smart_app.errors import TimedOut
from smart_app.holdings.store import Holdings
from smart_app.index.memory import Memory
from smart_app.sources.base import Inquiry, Source
from smart_app.studies.renewal import Arrival, arrivals, renewed
from smart_app.studies.strip import ANSWERED

log = structlog.get_logger("priors.studies")
REMEMBERED = 4096
"""Launches times sources whose last look is remembered; one forgotten only makes a bound longer."""


@dataclass(frozen=True)
class Look:
    """What one look told. `missed` names sources that did not answer it."""

    at: datetime
    missed: tuple[str, ...] = ()
    arrived: tuple[Arrival, ...] = ()
    withheld: tuple[tuple[str, int], ...] = ()
    """(source, rows of another patient more than before)."""


class Watch:
    def __init__(
        self,
        *,
        sources: Sequence[Source],
        fanout: Fanout,
        holdings: Holdings,
        memory: Memory,
        launch_token: Callable[[LaunchContext], LaunchToken],
        is_live: Callable[[str], bool],
        clock: Clock,
        deadline: float,
        seconds: int,
    ) -> None:
        """`seconds` between two looks of one tab: an answer is shared among tabs for half of them."""
        self._sources = tuple(sources)
        self._fanout = fanout
        self._holdings = holdings
        self._memory = memory
        self._launch_token = launch_token
        self._is_live = is_live
        self._clock = clock
        self._deadline = deadline
        self._flights = Flights(seconds / 2)
        self._looked: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, ctx: LaunchContext) -> Look:
        """Ask what may be asked, and keep what it adds. Asks nobody of a launch whose list was never filled.

        :raises SessionEnded: the launch ended meanwhile; nothing of what came after is kept.
        """
        began = self._clock()
        facts = self._holdings.patient(ctx.handle)
        before = {answer.source: answer for answer in self._holdings.answers(ctx.handle)}
        if facts is None or facts.id != ctx.patient_id:
            return Look(began)
        inquiry = Inquiry(ctx, facts, self._launch_token(ctx))
        questions = [
            self._flights.shared(question, launch_id(ctx.handle)) for source in self._sources for question in source.questions(inquiry)
            if question.watch and question.source in before and before[question.source].state in ANSWERED
        ]  # fmt: skip
        look = Look(began)
        for answer in self._fanout.ask(questions, self._deadline):
            look = self._heard(inquiry, before, answer, look)
        if not self._is_live(ctx.handle):
            self._holdings.forget(ctx.handle)
            raise SessionEnded
        return look

    def _heard(self, inquiry: Inquiry, before: dict[str, Answer], fresh: Answer, look: Look) -> Look:
        ctx = inquiry.context
        if fresh.state not in ANSWERED:
            log.info("watch_missed", source=fresh.source, answered=fresh.state.value, code=fresh.fault_code)
            return _missing(look, fresh)
        if fresh.fault_code is not None:
            look = _missing(look, fresh)  # it broke off: what it told is kept, but nobody has looked at the rest
        known = before[fresh.source]
        kept = renewed(known, fresh)
        seen = [study.uid for answer in before.values() for study in answer.studies]
        # Not there when last looked for: at the latest at the end of that look, at the earliest when it was asked.
        looked = self._remember(ctx, fresh.source, look.at) or known.asked_at
        if kept != known:
            # A person may have asked meanwhile: what that brought is added to, not replaced.
            now = next((one for one in self._holdings.answers(ctx.handle) if one.source == fresh.source), None)
            kept = renewed(now, fresh) if now is not None else kept
            self._holdings.save_answer(ctx.handle, kept)
            self._memory.settle(ctx, [kept])
            self._memory.remember(ctx, inquiry.facts, [kept])
            before[fresh.source] = kept
        found = arrivals(seen, kept, looked, self._clock())
        for one in found:
            log.info("study_arrived", source=one.source, within_seconds=one.within_seconds)
        more = kept.withheld - known.withheld
        withheld = (*look.withheld, (fresh.source, more)) if more > 0 else look.withheld
        return replace(look, arrived=(*look.arrived, *found), withheld=withheld)

    def _remember(self, ctx: LaunchContext, source: str, moment: datetime) -> datetime | None:
        """Notes this look, and returns when this process looked there for this launch before."""
        key = (launch_id(ctx.handle), source)
        with self._lock:
            earlier = self._looked.pop(key, None)
            self._looked[key] = moment
            while len(self._looked) > REMEMBERED:
                self._looked.popitem(last=False)
        return earlier


def _missing(look: Look, fresh: Answer) -> Look:
    return replace(look, missed=tuple(dict.fromkeys((*look.missed, fresh.name))))


class Flights:
    """One question under way for all who ask the same, its answer theirs for `seconds` more. Failures are not kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._flights: dict[Hashable, tuple[Future[Answer], float]] = {}
        self._lock = threading.Lock()

    def shared(self, question: Question, launch: str) -> Question:
        key = (question.source, *(question.shared or (launch,)))
        return replace(question, call=lambda seconds: self._call(key, question.call, seconds))

    def _call(self, key: Hashable, call: Callable[[float], Answer], seconds: float) -> Answer:
        with self._lock:
            now = time.monotonic()
            for old in [one for one, (flight, until) in self._flights.items() if flight.done() and until <= now]:
                del self._flights[old]
            known = self._flights.get(key)
            if known is None:
                mine: Future[Answer] = Future()
                self._flights[key] = (mine, 0)
        if known is not None:
            try:
                return known[0].result(timeout=seconds)
            except NotYet:
                raise TimedOut from None
        try:
            answer = call(seconds)
        except BaseException as error:
            with self._lock:
                del self._flights[key]
            mine.set_exception(error)
            raise
        with self._lock:
            if answer.state in ANSWERED:
                self._flights[key] = (mine, time.monotonic() + self._seconds)
            else:
                del self._flights[key]
        mine.set_result(answer)
        return answer
