"""One destination's share of connections, so that a dead archive cannot take every thread (safety.md F5, G18)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from smart_app.errors import Busy

PATIENCE = 2.0
"""Seconds a caller may wait for a seat. As many may wait as may sit, no more."""


class Bulkhead:
    def __init__(self, seats: int) -> None:
        self._room = threading.BoundedSemaphore(seats * 2)
        self._seats = threading.BoundedSemaphore(seats)

    def enter(self, left: float) -> Callable[[], None]:
        """Take a seat and return what gives it back (safe to call twice). :raises Busy: no seat in time."""
        if not self._room.acquire(blocking=False):
            raise Busy
        if not self._seats.acquire(timeout=max(0.0, min(PATIENCE, left))):
            self._room.release()
            raise Busy
        return _Once(self._leave)

    def _leave(self) -> None:
        self._seats.release()
        self._room.release()


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
