"""How often and how much one address may try: a sliding count in this process. It slows guessing and filling of forms; it is no proof of anything."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

KEPT = 10_000
MOST_FORM = 50_000
"""Bytes of a form that a stranger may send: no thread waits for it. Longer ones are refused unread."""


class Pace:
    """At most `most` in `seconds` for one key. Safe for threads; forgets the oldest keys when there are too many."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._now = most, seconds, now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def is_over(self, key: str) -> bool:
        """Whether this key has had its share; asking costs nothing."""
        with self._lock:
            return len(self._recent(key)) >= self._most

    def count(self, key: str) -> None:
        with self._lock:
            self._recent(key).append(self._now())
            self._seen.move_to_end(key)
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)

    def _recent(self, key: str) -> deque[float]:
        times = self._seen.setdefault(key, deque())
        while times and times[0] <= self._now() - self._seconds:
            times.popleft()
        return times
