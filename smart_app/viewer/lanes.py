"""Seats of an archive for whole series, and single images fetched from the end of a series while one stream brings its front."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from smart_app.archives.registry import ConfiguredArchive

log = structlog.get_logger("priors.viewer")

Leave = Callable[[], None]


class Seats:
    """At most half of the calls an archive allows at once are ours: the others are for what somebody waits for."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, archive: ConfiguredArchive) -> Leave | None:
        """A seat, given back by what is returned; None: all are taken."""
        with self._lock:
            taken = self._taken.get(archive.key, 0)
            if taken >= max(1, archive.limits.parallel // 2):
                return None
            self._taken[archive.key] = taken + 1
        return partial(self._leave, archive.key)

    def _leave(self, key: str) -> None:
        with self._lock:
            self._taken[key] -= 1


class Lanes:
    """`fetch` brings one instance. What a lane could not bring is `left` for the caller, who is told why."""

    def __init__(self, seats: Seats, archive: ConfiguredArchive, instances: tuple[str, ...], fetch: Callable[[str], None]) -> None:
        self._waiting = deque(instances)
        self._claimed: set[str] = set()
        self._failed: list[str] = []
        self._fetch = fetch
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        while len(self._threads) < len(instances) // 4 and (seat := seats.take(archive)) is not None:
            self._threads.append(threading.Thread(target=self._work, args=(seat,), name="lane", daemon=True))
        for one in self._threads:
            one.start()

    @property
    def count(self) -> int:
        return len(self._threads)

    def claim(self, instance: str) -> bool:
        """The stream has come to this instance: whether it is the stream's to bring."""
        with self._lock:
            if instance in self._claimed:
                return False
            self._claimed.add(instance)
            return True

    @property
    def nothing_unclaimed(self) -> bool:
        with self._lock:
            while self._waiting and self._waiting[0] in self._claimed:
                self._waiting.popleft()
            return not self._waiting

    def left(self) -> list[str]:
        """Waits for all lanes; then what they claimed and could not bring."""
        with self._lock:
            self._waiting.clear()
        for one in self._threads:
            one.join()
        return self._failed

    def stop(self) -> None:
        """Each lane ends after the instance it is at."""
        with self._lock:
            self._waiting.clear()

    def _next(self) -> str | None:
        with self._lock:
            while self._waiting:
                instance = self._waiting.pop()
                if instance not in self._claimed:
                    self._claimed.add(instance)
                    return instance
        return None

    def _work(self, leave: Leave) -> None:
        try:
            while (instance := self._next()) is not None:
                try:
                    self._fetch(instance)
                except Exception as error:  # the caller tries once more, and is told
                    log.info("lane_failed", kind=type(error).__name__)
                    with self._lock:
                        self._failed.append(instance)
                    return
        finally:
            leave()
