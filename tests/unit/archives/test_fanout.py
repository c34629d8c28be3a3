"""All sources at once: the fastest is shown first, a silent one delays nobody, each gets an Answer."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from smart_app.archives.fanout import Bell, Fanout, Question, Tell
from smart_app.archives.types import Answer, SourceState, StudyRecord
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
    first = fan.begin([*held, question("c")], 5)
    assert first.begun == {"a", "b"}
    release.set()
    heard = []
    while first.waiting:
        heard += [(answer.source, answer.fault_code) for answer in first.more()]
    assert sorted(heard) == [("a", None), ("b", None), ("c", None)]
    time.sleep(0.05)
    assert [answer.state for answer in fan.ask([question("d")], 1)] == [SourceState.EMPTY]


def test_one_hung_source_has_no_more_than_its_share_of_the_threads() -> None:
    fan, release = fanout(share=2), threading.Event()
    hung = Question("hung", "hung", "hung", lambda deadline: (release.wait(5), Answer("hung", "hung", "hung", SourceState.EMPTY))[1])
    held = [fan.begin([hung], 5) for _ in range(2)]
    assert [answer.fault_code for answer in fan.ask([hung], 5)] == ["busy"]
    assert [answer.state for answer in fan.ask([question("well")], 5)] == [SourceState.EMPTY]
    release.set()
    assert [answer.state for asking in held for answer in asking.more()] == [SourceState.EMPTY] * 2


def early(key: str, then: threading.Event, final: SourceState = SourceState.OK) -> Question:
    study = StudyRecord("2.25.1", key, key, key)

    def call(seconds: float, tell: Tell) -> Answer:
        tell(Answer(key, key, key, SourceState.OK, studies=(study,)))
        then.wait(seconds + 1)
        return Answer(key, key, key, final, studies=(study,))

    return Question(key, key, key, lambda seconds: call(seconds, lambda answer: None), early=call)


def test_rows_are_told_while_the_end_is_not_proven_and_earn_no_word() -> None:
    then = threading.Event()
    asking = fanout().begin([early("a", then)], 5)
    (first,) = asking.more()
    assert (first.state, len(first.studies), list(asking.waiting)) == (SourceState.ASKING, 1, ["a"])
    then.set()
    assert [answer.state for answer in asking.more()] == [SourceState.OK]
    assert [answer.state for answer in fanout().ask([early("a", then)], 5)] == [SourceState.OK], "who wants final words gets no other"


def test_what_was_told_before_the_deadline_is_a_part() -> None:
    asking = fanout().begin([early("a", threading.Event())], 0.1)
    answers = [*asking.more(), *asking.more()]
    assert [(answer.state, answer.more_exist, answer.fault_code, len(answer.studies)) for answer in answers] == [
        (SourceState.ASKING, False, None, 1), (SourceState.PARTIAL, True, "timeout", 1)]  # fmt: skip


def test_a_bell_wakes_who_waits_whenever_it_is_rung() -> None:
    held = threading.Event()
    question = Question("a", "a", "a", lambda deadline: (held.wait(5), Answer("a", "a", "a", SourceState.EMPTY))[1])
    for before in (True, False):
        bell, asking = Bell(), fanout().begin([question], 5)
        if before:
            bell.ring()
        bell.hang(asking)
        if not before:
            bell.ring()
        assert asking.more() == ()
        assert list(asking.waiting) == ["a"]
    held.set()


def test_more_sources_than_threads_are_all_asked() -> None:
    """A network of 500 archives is no reason to call an honest one failed."""
    fan = fanout(max_threads=8)
    answers = list(fan.ask([question(f"s{n}") for n in range(500)], 20))
    assert {answer.state for answer in answers} == {SourceState.EMPTY}
    assert len(answers) == 500


def test_whose_turn_never_came_was_not_asked_and_that_is_our_side() -> None:
    fan, release = fanout(max_threads=1), threading.Event()
    hung = Question("hung", "hung", "hung", lambda deadline: (release.wait(5), Answer("hung", "hung", "hung", SourceState.EMPTY))[1])
    told = {answer.source: (answer.state, answer.fault_code) for answer in fan.ask([hung, question("honest")], 0.1)}
    assert told == {"hung": (SourceState.TIMEOUT, "timeout"), "honest": (SourceState.FAILED, "busy")}
    release.set()
