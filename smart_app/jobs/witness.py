"""Decides which running rows have been left by their worker: those whose beat has not moved for a lease, by our own steady clock.

No time is compared between machines or with the database, so that no clock that jumps can end a lease early or keep one for ever.
The price: who has just come watches for a whole lease before it takes anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from smart_app.jobs.types import Sign


class Witness:
    """One a process; safe for threads."""

    def __init__(self, lease: float, steady: Callable[[], float] = time.monotonic) -> None:
        self._lease, self._steady = lease, steady
        self._first_seen: dict[Sign, float] = {}
        self._lock = threading.Lock()

    def silent(self, signs: Iterable[Sign]) -> tuple[Sign, ...]:
        """Of the signs as they stand now, those that have stood for longer than a lease."""
        now = self._steady()
        with self._lock:
            self._first_seen = {sign: self._first_seen.get(sign, now) for sign in signs}
            return tuple(sign for sign, since in self._first_seen.items() if now - since > self._lease)
