"""Stops asking a destination that has fallen silent, and tries again by itself (safety.md F5, F6, G18).

One a lane and a process. Silence is no answer at all: not reached, or out of time. An answer of any status closes it
again, since a server that answers, however badly, does not hold our threads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smart_app.errors import Paused

FAILURES = 5
WINDOW = 30.0
PROBE_EVERY = 15.0
HESITATION = 1.0


class Breaker:
    """Open after `FAILURES` silences within `WINDOW` seconds; open, it lets one call pass every `PROBE_EVERY` seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._silences: deque[float] = deque(maxlen=FAILURES)
        self._count = 0
        """Silences since the last answer, for the sentence."""
        self._next_probe: float | None = None
        """None: closed."""
        self._unheard: dict[int, float] = {}
        """When each call that has not heard a first word yet was made."""

    @property
    def is_open(self) -> bool:
        return self._next_probe is not None

    def admit(self) -> bool:
        """Before a call: whether this call is the probe. :raises Paused: it is not asked now."""
        with self._lock:
            if self._next_probe is None:
                return False
            now = self._now()
            if now < self._next_probe:
                raise Paused(self._count, self._next_probe - now)
            self._next_probe = now + PROBE_EVERY
            return True

    def recheck(self) -> None:
        """After a wait for a seat, by who is not the probe. :raises Paused: it has opened meanwhile."""
        with self._lock:
            if self._next_probe is not None:
                raise Paused(self._count, max(0.0, self._next_probe - self._now()))

    @property
    def hesitates(self) -> bool:
        """Whether somebody has been waiting for a first word for a while, or it was silent last: no place to queue up at."""
        with self._lock:
            first = next(iter(self._unheard.values()), None)
            return bool(self._silences) or (first is not None and self._now() - first > HESITATION)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Around a call, until its first word or its failure."""
        mark = object()
        with self._lock:
            self._unheard[id(mark)] = self._now()
        try:
            yield
        finally:
            with self._lock:
                del self._unheard[id(mark)]

    def answered(self) -> None:
        with self._lock:
            self._silences.clear()
            self._count = 0
            self._next_probe = None

    def silent(self) -> None:
        with self._lock:
            now = self._now()
            self._count += 1
            self._silences.append(now)
            many = len(self._silences) == FAILURES and now - self._silences[0] <= WINDOW
            if self._next_probe is None and many:
                self._next_probe = now + PROBE_EVERY
