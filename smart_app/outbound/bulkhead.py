"""One destination's share of connections, so that a dead archive cannot take every thread (safety.md F5, G18)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from smart_app.errors import Busy

PATIENCE = 2.0
"""Seconds a caller may wait for a seat, unless it says otherwise. As many may wait as may sit, no more."""


class Bulkhead:
    def __init__(self, seats: int) -> None:
        self._seats = seats
        self._taken = 0
        self._waiting = 0
        self._change = threading.Condition()

    def enter(self, left: float, *, patience: float | None = None, crowd: bool = True) -> Callable[[], None]:
        """Take a seat and return what gives it back (safe to call twice).

        :param patience: seconds this caller can wait: one that holds no web thread may wait longer, and does not fill the waiting room.
            0: a call that can be done without; it sits only while half the seats stay free for others.
        :param crowd: false closes the waiting room: whoever would wait is told at once.
        :raises Busy: no seat in time.
        """
        with self._change:
            if patience == 0:
                if (self._taken + 1) * 2 > self._seats or self._waiting:
                    raise Busy
            elif self._taken >= self._seats:
                self._wait(min(PATIENCE if patience is None else patience, left), outside=patience is not None, crowd=crowd)
            self._taken += 1
        return _Once(self._leave)

    def _wait(self, seconds: float, *, outside: bool, crowd: bool) -> None:
        if not outside and (not crowd or self._waiting >= self._seats):
            raise Busy
        counted = 0 if outside else 1
        self._waiting += counted
        try:
            if not self._change.wait_for(lambda: self._taken < self._seats, timeout=max(0.0, seconds)):
                raise Busy
        finally:
            self._waiting -= counted

    def _leave(self) -> None:
        with self._change:
            self._taken -= 1
            self._change.notify()


class _Once:
    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._lock = threading.Lock()
        self._done = False

    def __call__(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
        self._action()
