"""All sources at once: the fastest is shown first, a silent one delays nobody, each gets an Answer."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from smart_app.archives.fanout import Fanout, Question
from smart_app.archives.types import Answer, SourceState
from smart_app.errors import NotApproved


def question(key: str, seconds: float = 0, *, error: Exception | None = None, says: str | None = None) -> Question:
    def call(deadline: float) -> Answer:
        time.sleep(seconds)
        if error:
            raise error
        return Answer(says or key, key, key, SourceState.EMPTY)

    return Question(key, key, key, call)


def fanout(**options: int) -> Fanout:
    return Fanout(lambda: datetime(2026, 5, 21, tzinfo=UTC), **options)


def test_answers_come_as_they_arrive_and_the_hung_one_times_out() -> None:
    begun = time.monotonic()
    moments = [(answer.source, answer.state, time.monotonic() - begun) for answer in fanout().ask([question("hung", 5), question("slow", 0.2), question("fast")], 0.5)]
    assert [(source, state) for source, state, _ in moments] == [
        ("fast", SourceState.EMPTY), ("slow", SourceState.EMPTY), ("hung", SourceState.TIMEOUT)]  # fmt: skip
    assert moments[0][2] < 0.15
    assert moments[2][2] < 1


def test_every_error_is_an_answer() -> None:
    asked = [question("a", error=NotApproved()), question("b", error=RuntimeError("secret")), question("c", says="a-liar")]
    states = {answer.source: (answer.state, answer.fault_code) for answer in fanout().ask(asked, 2)}
    assert states == {
        "a": (SourceState.NOT_APPROVED, "not-approved"), "b": (SourceState.FAILED, "unexpected"), "c": (SourceState.FAILED, "unexpected")}  # fmt: skip


def test_threads_are_bounded_and_given_back() -> None:
    fan = fanout(max_threads=2)
    release = threading.Event()
    held = [Question(key, key, key, lambda deadline, key=key: (release.wait(5), Answer(key, key, key, SourceState.OK))[1]) for key in "ab"]
    first = fan.ask([*held, question("c")], 5)
    assert next(first).fault_code == "busy"
    release.set()
    assert {answer.source for answer in first} == {"a", "b"}
    time.sleep(0.05)
    assert [answer.state for answer in fan.ask([question("d")], 1)] == [SourceState.EMPTY]
