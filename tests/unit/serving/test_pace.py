"""How slowly a body may come."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from smart_app.serving.pace import Pace, PacedUnreader, TooSlow


def test_a_steady_slow_sender_goes_on() -> None:
    pace = Pace(1000, 20)
    for _ in range(1000):
        pace.note(1, 1000)


def test_a_drip_is_given_up_once_the_window_is_over() -> None:
    pace = Pace(1000, 20)
    for _ in range(19):
        pace.note(1, 1)
    with pytest.raises(TooSlow):
        pace.note(1, 1)


def test_what_came_fast_before_does_not_count_for_ever() -> None:
    pace = Pace(1000, 2)
    pace.note(2, 10_000_000)
    with pytest.raises(TooSlow):
        pace.note(2, 1)


def test_our_own_slowness_is_not_theirs() -> None:
    """Nothing was waited for: the bytes lay there."""
    pace = Pace(1000, 2)
    for _ in range(100_000):
        pace.note(0, 1)


def test_both_ways_of_reading_keep_the_pace() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = PacedUnreader(ours, Pace(10**9, 1e-9))
        theirs.sendall(b"abcdef")
        for read in (lambda: reader.receive_into(bytearray(3), 3), lambda: reader.chunk()):
            with pytest.raises(TooSlow):
                read()
        theirs.close()
        with suppress(TooSlow):
            assert reader.chunk() == b""
