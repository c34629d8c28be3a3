"""Seats and waiting room of one destination."""

from __future__ import annotations

import threading
import time

import pytest

from smart_app.errors import Busy
from smart_app.outbound.bulkhead import Bulkhead


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
