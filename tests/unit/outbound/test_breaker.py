"""A destination that falls silent is left alone for a while, tried again by itself, and trusted again once it answers."""

from __future__ import annotations

import socket

import pytest

from smart_app.errors import Busy, Paused, TimedOut, Unreachable
from smart_app.outbound import Outbound
from smart_app.outbound.breaker import FAILURES, HESITATION, PROBE_EVERY, WINDOW, Breaker
from tests.unit.outbound.conftest import ask, outbound_to, reply


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def silent(breaker: Breaker, times: int = FAILURES) -> None:
    for _ in range(times):
        breaker.silent()


def test_it_opens_after_so_many_silences_and_says_how_many_and_how_long(clock: Clock) -> None:
    breaker = Breaker(clock)
    silent(breaker, FAILURES - 1)
    assert breaker.admit() is False
    breaker.silent()
    clock.now += 3
    with pytest.raises(Paused) as caught:
        breaker.admit()
    assert (caught.value.failures, caught.value.again) == (FAILURES, PROBE_EVERY - 3)


def test_silences_far_apart_do_not_open_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(FAILURES * 2):
        breaker.silent()
        clock.now += WINDOW / (FAILURES - 1) + 0.1
    assert not breaker.is_open


def test_one_probe_at_a_time_and_a_failed_one_waits_again(clock: Clock) -> None:
    breaker = Breaker(clock)
    silent(breaker)
    clock.now += PROBE_EVERY
    assert breaker.admit() is True
    with pytest.raises(Paused):
        breaker.admit()
    breaker.silent()
    with pytest.raises(Paused):
        breaker.admit()
    clock.now += PROBE_EVERY
    assert breaker.admit() is True


def test_any_answer_closes_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    silent(breaker)
    breaker.answered()
    assert (breaker.admit(), breaker.is_open, breaker.hesitates) == (False, False, False)
    silent(breaker, FAILURES - 1)
    assert not breaker.is_open


def test_who_waited_for_a_seat_is_told_that_it_opened_meanwhile(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.recheck()
    silent(breaker)
    with pytest.raises(Paused):
        breaker.recheck()


def test_it_hesitates_while_somebody_waits_long_for_a_first_word(clock: Clock) -> None:
    breaker = Breaker(clock)
    with breaker.listening():
        assert not breaker.hesitates
        clock.now += HESITATION + 0.1
        assert breaker.hesitates
    assert not breaker.hesitates


def test_a_dead_archive_is_not_called_once_it_is_open(serve) -> None:
    peer = serve(reply(b"x"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outbound = Outbound([*outbound_to(peer)._lanes.values()], pin_localhost=True)
    lane = outbound._lanes["archive:a"]
    dead = Outbound([type(lane)("archive:a", lane.origins | {f"http://127.0.0.1:{port}"}, allow_loopback=True)], pin_localhost=True)
    for _ in range(FAILURES):
        with pytest.raises(Unreachable):
            dead.request("archive:a", "GET", f"http://127.0.0.1:{port}/", deadline=2, max_bytes=10)
    with pytest.raises(Paused):
        ask(dead, peer)
    assert peer.connections == 0


def test_an_error_status_is_an_answer(serve) -> None:
    peer = serve(reply(b"", status="503 X"))
    outbound = outbound_to(peer)
    assert [ask(outbound, peer).status for _ in range(FAILURES * 2)] == [503] * FAILURES * 2


def test_a_caller_in_a_hurry_proves_nothing(serve) -> None:
    peer = serve(lambda sock, head: bool(sock.recv(1)) and False)
    outbound = outbound_to(peer)
    for _ in range(FAILURES * 2):
        with pytest.raises(TimedOut):
            ask(outbound, peer, deadline=0.05)


def test_a_question_that_can_be_done_without_leaves_half_the_seats(serve) -> None:
    peer = serve(reply(b"x"))
    outbound = outbound_to(peer, parallel=2)
    ask(outbound, peer, patience=0)
    leave = outbound._bulkheads["archive:a"].enter(1)
    with pytest.raises(Busy):
        ask(outbound, peer, patience=0)
    leave()
    ask(outbound, peer, patience=0)
