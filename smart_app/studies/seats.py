"""How many list streams may hold a web thread while they wait for slow archives, and who goes when there are too many.

Nobody is refused: a newcomer sits at once, and whoever has sat longest is asked to hand over. Its asking goes on without a
web thread, and its page comes back for the rest. So slow archives cannot take the threads that other pages need.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable


class Seat:
    """One stream's place. `must_leave` turns true when another one needs it."""

    def __init__(self, seats: StreamSeats, ring: Callable[[], None]) -> None:
        self._seats = seats
        self.ring = ring
        self.must_leave = False

    def leave(self) -> None:
        """Safe to call twice."""
        self._seats.left(self)


class StreamSeats:
    """One a process."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._taken: OrderedDict[Seat, None] = OrderedDict()

    def take(self, ring: Callable[[], None]) -> Seat:
        """:param ring: wakes the stream, so that it sees that it must leave."""
        seat, leaving = Seat(self, ring), []
        with self._lock:
            self._taken[seat] = None
            while len(self._taken) > self._count:
                oldest, _ = self._taken.popitem(last=False)
                oldest.must_leave = True
                leaving.append(oldest)
        for one in leaving:
            one.ring()
        return seat

    def left(self, seat: Seat) -> None:
        with self._lock:
            self._taken.pop(seat, None)
