"""Asks every source at once under one deadline. Each source gets an Answer, whatever happens to it.

A silent source costs the others nothing: answers are yielded as they come, and at the deadline the rest have timed out.
What comes later is dropped.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smart_app.archives.qido import state_of
from smart_app.archives.types import Answer, SourceState
from smart_app.clock import Clock
from smart_app.errors import AppError, Busy

log = logging.getLogger(__name__)

GRACE = 0.25
"""Seconds past a call's own deadline in which its own, better worded answer may still arrive."""


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

    def failed(self, state: SourceState, code: str) -> Answer:
        return Answer(self.source, self.name, self.organization, state, fault_code=code)


class Fanout:
    """Threads of one process for asking; at most `max_threads` alive, so that hung sources cannot eat the worker."""

    def __init__(self, clock: Clock, *, max_threads: int = 64) -> None:
        self._clock = clock
        self._free = threading.BoundedSemaphore(max_threads)

    def ask(self, questions: Sequence[Question], deadline: float) -> Iterator[Answer]:
        """One Answer a question, in the order of arrival, all within `deadline` seconds (+ GRACE)."""
        asked_at = self._clock()
        end = time.monotonic() + deadline
        arrived: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        waiting = {question.source: question for question in questions}
        for question in questions:
            if not self._free.acquire(blocking=False):
                arrived.put(question.failed(SourceState.FAILED, Busy.fault.code))
                continue
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._answer, question, end, arrived), name=f"ask-{question.source}", daemon=True).start()
        while waiting:
            try:
                answer = arrived.get(timeout=max(0.0, end + GRACE - time.monotonic()))
            except queue.Empty:
                break
            if waiting.pop(answer.source, None) is not None:
                yield self._stamped(answer, asked_at)
        for question in waiting.values():
            yield self._stamped(question.failed(SourceState.TIMEOUT, "timeout"), asked_at)

    def _answer(self, question: Question, end: float, arrived: queue.SimpleQueue[Answer]) -> None:
        try:
            answer = question.call(max(0.001, end - time.monotonic()))
            if answer.source != question.source:
                raise ValueError("an answer under another source's name")
        except AppError as error:
            answer = question.failed(state_of(error), error.fault.code)
        except Exception as error:
            # The type only: the text of a stranger's exception may hold what a log must not.
            log.error("source failed unexpectedly", extra={"source": question.source, "kind": type(error).__name__})
            answer = question.failed(SourceState.FAILED, "unexpected")
        finally:
            self._free.release()
        arrived.put(answer)

    def _stamped(self, answer: Answer, asked_at: datetime) -> Answer:
        return replace(answer, asked_at=answer.asked_at or asked_at, answered_at=answer.answered_at or self._clock())
