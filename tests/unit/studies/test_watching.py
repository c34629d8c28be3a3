"""Many tabs ask one question; nobody gets an answer that was given to somebody else's rights."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from smart_app.archives.fanout import Question
from smart_app.archives.types import Answer, SourceState
from smart_app.errors import TimedOut, Unreachable
from smart_app.studies.watching import Flights


class Source:
    def __init__(self, seconds: float = 0.1, state: SourceState = SourceState.OK, error: Exception | None = None) -> None:
        self.asked = 0
        self._seconds, self._state, self._error = seconds, state, error
        self._lock = threading.Lock()

    def question(self, *shared: str) -> Question:
        return Question("k", "K", "K", self.answer, watch=True, shared=shared)

    def answer(self, seconds: float) -> Answer:
        with self._lock:
            self.asked += 1
        time.sleep(self._seconds)
        if self._error:
            raise self._error
        return Answer("k", "K", "K", self._state)


def test_a_hundred_tabs_of_one_patient_ask_once() -> None:
    source, flights = Source(), Flights(30)
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda at: flights.shared(source.question("patient"), f"launch-{at}").call(5), range(100)))
    assert source.asked == 1
    assert all(answer is told[0] for answer in told)


def test_what_depends_on_who_asks_is_asked_for_each_launch_and_once_for_its_tabs() -> None:
    source, flights = Source(), Flights(30)
    for launch in ("a", "b", "a", "b"):
        flights.shared(source.question(), launch).call(5)
    assert source.asked == 2


def test_another_patient_is_another_question() -> None:
    source, flights = Source(), Flights(30)
    flights.shared(source.question("one"), "a").call(5)
    flights.shared(source.question("two"), "a").call(5)
    assert source.asked == 2


def test_an_answer_is_shared_for_its_time_only() -> None:
    source, flights = Source(0), Flights(0.05)
    flights.shared(source.question("p"), "a").call(5)
    time.sleep(0.1)
    flights.shared(source.question("p"), "a").call(5)
    assert source.asked == 2


@pytest.mark.parametrize("source", [Source(state=SourceState.FAILED), Source(error=Unreachable())])
def test_a_failure_is_everybodys_who_waits_and_is_not_kept(source: Source) -> None:
    flights = Flights(30)

    def ask(at: int) -> str:
        try:
            return flights.shared(source.question("p"), "a").call(5).state.value
        except Unreachable:
            return "unreachable"

    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(ask, range(5)))
    assert len(set(told)) == 1
    before = source.asked
    ask(0)
    assert source.asked == before + 1


def test_who_waits_for_another_waits_no_longer_than_its_own_time() -> None:
    source, flights = Source(1), Flights(30)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.shared(source.question("p"), "a").call, 5)
        time.sleep(0.1)
        with pytest.raises(TimedOut):
            flights.shared(source.question("p"), "a").call(0.1)
        assert first.result().state is SourceState.OK
