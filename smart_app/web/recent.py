"""A launch that was proven a moment ago need not be read again for each of a series' hundred images.

Only reading pixels profits: every other request asks the database. What ends a launch in this process is known here at
once; what another process ends, within `SECONDS`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from flask import has_request_context, request

from launch.context import LaunchContext
from smart_app.clock import Clock

SECONDS = 1.0
KEPT = 512
PIXELS = "viewer"
"""Name of the blueprint whose requests come by the hundred."""


class Launches(Protocol):
    """The part of the session store that is asked on each request."""

    def find(self, handle: str, browser: str | None, *, use: bool = True) -> LaunchContext | None: ...

    def has_ended(self, handle: str, browser: str | None) -> bool: ...


class Recent:
    """Stands before the session store. One a process; safe for threads. A refusal is never remembered."""

    def __init__(self, clock: Clock, now: Callable[[], float] = time.monotonic) -> None:
        """A proof is good while both the calendar and the machine's own time say so: the calendar may be set."""
        self._clock, self._now = clock, now
        self._launches: Launches | None = None
        self._known: OrderedDict[tuple[str, str], tuple[float, datetime, LaunchContext]] = OrderedDict()
        self._ended = 0
        self._lock = threading.Lock()

    def before(self, launches: Launches) -> Recent:
        self._launches = launches
        return self

    def find(self, handle: str, browser: str | None, *, use: bool = True) -> LaunchContext | None:
        assert self._launches is not None
        if browser is None or not has_request_context() or request.blueprint != PIXELS or request.method != "GET":
            return self._launches.find(handle, browser, use=use)
        with self._lock:
            known = self._known.get((handle, browser))
            ended = self._ended
        if known is not None and self._now() < known[0] and self._clock() < known[1]:
            return known[2]
        found = self._launches.find(handle, browser, use=use)
        with self._lock:
            if found is not None and ended == self._ended:  # nothing ended while it was being read
                self._known[handle, browser] = (self._now() + SECONDS, self._clock() + timedelta(seconds=SECONDS), found)
                self._known.move_to_end((handle, browser))
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return found

    def has_ended(self, handle: str, browser: str | None) -> bool:
        assert self._launches is not None
        return self._launches.has_ended(handle, browser)

    def forget(self, handle: str) -> None:
        """This launch has ended."""
        with self._lock:
            self._ended += 1
            for key in [key for key in self._known if key[0] == handle]:
                del self._known[key]
