"""Seats and waiting room of one destination."""

from __future__ import annotations

import threading
import time

import pytest

from smart_app.errors import Busy
from smart_app.outbound.bulkhead import Bulkhead
from tests.peers import wait_until


def test_seats_come_back_once_each() -> None:
    bulkhead = Bulkhead(2)
    leave = bulkhead.enter(1)
    bulkhead.enter(1)
    leave()
    leave()
    bulkhead.enter(1)
    with pytest.raises(Busy):
        bulkhead.enter(0.05)


def test_who_waits_gets_the_next_seat() -> None:
    bulkhead = Bulkhead(1)
    leave = bulkhead.enter(1)
    threading.Timer(0.1, leave).start()
    began = time.monotonic()
    bulkhead.enter(2)
    assert 0.05 < time.monotonic() - began < 1


def test_nobody_waits_beyond_what_is_left() -> None:
    bulkhead = Bulkhead(1)
    bulkhead.enter(1)
    began = time.monotonic()
    with pytest.raises(Busy):
        bulkhead.enter(0.1)
    assert time.monotonic() - began < 0.5


def test_nobody_queues_up_where_the_waiting_room_is_closed() -> None:
    bulkhead = Bulkhead(1)
    bulkhead.enter(1)
    with pytest.raises(Busy):
        bulkhead.enter(60, crowd=False)


def test_who_holds_no_web_thread_waits_longer_and_fills_no_waiting_room() -> None:
    bulkhead = Bulkhead(1)
    seats = [bulkhead.enter(1)]
    waiting = [threading.Thread(target=lambda given=given: seats.append(bulkhead.enter(60, patience=given))) for given in (60, 60, 60, None)]
    for one in waiting:
        one.start()
        time.sleep(0.02)
    for at in range(len(waiting)):
        assert len(seats) == at + 1
        seats[at]()
        wait_until(lambda at=at: len(seats) == at + 2, "the next one sits")
    for one in waiting:
        one.join()
