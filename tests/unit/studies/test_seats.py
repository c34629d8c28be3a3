"""Seats of list streams: a newcomer always sits, the one that sat longest is asked to go, and only then."""

from __future__ import annotations

from smart_app.studies.seats import StreamSeats


def test_the_longest_sitting_goes_when_there_are_too_many() -> None:
    seats, rung = StreamSeats(2), []
    first, second = (seats.take(lambda at=at: rung.append(at)) for at in (1, 2))
    assert not rung
    third = seats.take(lambda: rung.append(3))
    assert (first.must_leave, second.must_leave, third.must_leave, rung) == (True, False, False, [1])


def test_a_seat_given_back_spares_the_others() -> None:
    seats, rung = StreamSeats(1), []
    one = seats.take(lambda: rung.append(1))
    one.leave()
    one.leave()
    two = seats.take(lambda: rung.append(2))
    assert not rung
    assert not two.must_leave
