"""Asks every source at once under one deadline. Each source gets an Answer, whatever happens to it.

A silent source costs the others nothing: answers are given out as they come, and at the deadline the rest have timed out.
What comes later is dropped. A source may tell what it has before it knows that this is all: an answer whose state is `asking`.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smart_app.archives.qido import notes_of, state_of
from smart_app.archives.types import Answer, SourceState
from smart_app.clock import Clock
from smart_app.errors import AppError, Busy

log = logging.getLogger(__name__)

TOGETHER = 0.002
"""Seconds in which answers that follow the first are waited for: each round of telling costs a write to disk and a drawing."""
GRACE = 0.25
"""Seconds past a call's own deadline in which its own, better worded answer may still arrive."""
Tell = Callable[[Answer], None]


@dataclass(frozen=True)
class Question:
    """One source to ask. `call` gets the seconds it may take."""

    source: str
    name: str
    organization: str
    call: Callable[[float], Answer]
    watch: bool = False
    """Cheap enough to be asked again and again while a list is open."""
    shared: tuple[Hashable, ...] = ()
    """Names the question where its answer does not depend on who asks: whoever asks the same may have it. Empty: nobody else may."""
    early: Callable[[float, Tell], Answer] | None = None
    """Instead of `call`, where the source can tell rows before it knows that there are no more."""

    def failed(self, state: SourceState, code: str, notes: tuple[str, ...] = ()) -> Answer:
        return Answer(self.source, self.name, self.organization, state, fault_code=code, notes=notes)


class Fanout:
    """Threads of one process for asking. One source has at most `share` of them, so that a hung one leaves room for all others.

    Where there are more sources than threads, a question waits for its turn: only if that does not come in time was it not asked.
    """

    def __init__(self, clock: Clock, *, max_threads: int = 256, share: int = 48) -> None:
        self._clock = clock
        self._max_threads = max_threads
        self._share = share
        self._lock = threading.Lock()
        self._used: Counter[str] = Counter()
        self._queue: deque[Job] = deque()

    def ask(self, questions: Sequence[Question], deadline: float) -> Iterator[Answer]:
        """One final Answer a question, in the order of arrival, all within `deadline` seconds (+ GRACE)."""
        asking = self.begin(questions, deadline)
        while asking.waiting:
            yield from (answer for answer in asking.more() if answer.state is not SourceState.ASKING)

    def begin(self, questions: Sequence[Question], deadline: float) -> Asking:
        """The same for who wants to hear what is told before it is final, and what came together."""
        asking = Asking(questions, deadline, self._clock)
        for question in questions:
            job = Job(question, asking, contextvars.copy_context())
            with self._lock:
                refused = self._used[question.source] >= self._share
                if not refused:
                    self._queue.append(job)
            if refused:
                asking.arrived.put(question.failed(SourceState.FAILED, Busy.fault.code))
        self._start()
        return asking

    def _start(self) -> None:
        """Begin what waits and has room, in order. What is over by time is dropped: whoever asked says that it was not asked."""
        ready: list[Job] = []
        with self._lock:
            kept: deque[Job] = deque()
            while self._queue and self._used.total() < self._max_threads:
                job = self._queue.popleft()
                if time.monotonic() >= job.asking.end:
                    continue
                if self._used[job.question.source] >= self._share:
                    kept.append(job)
                    continue
                self._used[job.question.source] += 1
                ready.append(job)
            self._queue.extendleft(reversed(kept))
            while self._queue and time.monotonic() >= self._queue[0].asking.end:
                self._queue.popleft()
        for job in ready:
            job.asking.begun.add(job.question.source)
            name = f"ask-{job.question.source}"
            threading.Thread(target=job.context.run, args=(self._answer, job.question, job.asking), name=name, daemon=True).start()

    def _answer(self, question: Question, asking: Asking) -> None:
        def tell(answer: Answer) -> None:
            asking.arrived.put(replace(answer, source=question.source, state=SourceState.ASKING))

        try:
            left = max(0.001, asking.end - time.monotonic())
            answer = question.early(left, tell) if question.early else question.call(left)
            if answer.source != question.source:
                raise ValueError("an answer under another source's name")
        except AppError as error:
            answer = question.failed(state_of(error), error.fault.code, notes_of(error))
        except Exception as error:
            # The type only: the text of a stranger's exception may hold what a log must not.
            log.error("source failed unexpectedly", extra={"source": question.source, "kind": type(error).__name__})
            answer = question.failed(SourceState.FAILED, "unexpected")
        finally:
            with self._lock:
                self._used[question.source] -= 1
        asking.arrived.put(answer)
        self._start()


@dataclass(frozen=True)
class Job:
    """A question that waits for a thread."""

    question: Question
    asking: Asking
    context: contextvars.Context


class Bell:
    """Wakes whoever waits for the answers of a round; may be rung before there is a round."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: Asking | None = None
        self._rung = False

    def ring(self) -> None:
        with self._lock:
            self._rung = True
            if self._asking is not None:
                self._asking.ring()

    def hang(self, asking: Asking) -> None:
        with self._lock:
            self._asking = asking
            if self._rung:
                asking.ring()


class Asking:
    """One round of questions under way."""

    def __init__(self, questions: Sequence[Question], deadline: float, clock: Clock) -> None:
        self.asked_at: datetime = clock()
        self.end = time.monotonic() + deadline
        self.arrived: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self.waiting = {question.source: question for question in questions}
        """Who has not given a final answer."""
        self.begun: set[str] = set()
        """Who has been asked; the others wait for a thread."""
        self._told: dict[str, Answer] = {}
        self._clock = clock

    def ring(self) -> None:
        """Make whoever waits in `more` return, from any thread."""
        self.arrived.put(None)

    def more(self) -> tuple[Answer, ...]:
        """What has arrived, together; waits for the first. At the deadline the rest have timed out. Empty: somebody rang."""
        try:
            found = [self.arrived.get(timeout=max(0.0, self.end + GRACE - time.monotonic()))]
        except queue.Empty:
            return self._late()
        together = time.monotonic() + TOGETHER
        while len(found) < len(self.waiting) or not self.arrived.empty():
            try:
                found.append(self.arrived.get(timeout=max(0.0, together - time.monotonic())))
            except queue.Empty:
                break
        latest: dict[str, Answer] = {}
        for answer in found:
            if answer is not None and answer.source in self.waiting:
                latest[answer.source] = answer
                if answer.state is not SourceState.ASKING:
                    del self.waiting[answer.source]
                    self._told.pop(answer.source, None)
                else:
                    self._told[answer.source] = answer
        return tuple(self._stamped(answer) for answer in latest.values())

    def _late(self) -> tuple[Answer, ...]:
        late = []
        for question in self.waiting.values():
            told = self._told.get(question.source)
            if question.source not in self.begun:
                late.append(question.failed(SourceState.FAILED, Busy.fault.code))
            elif told is None:
                late.append(question.failed(SourceState.TIMEOUT, "timeout"))
            else:
                late.append(replace(told, state=SourceState.PARTIAL, more_exist=True, fault_code="timeout"))
        self.waiting.clear()
        return tuple(self._stamped(answer) for answer in late)

    def _stamped(self, answer: Answer) -> Answer:
        return replace(answer, asked_at=answer.asked_at or self.asked_at, answered_at=answer.answered_at or self._clock())
