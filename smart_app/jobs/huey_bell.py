"""The bell of several machines: one queue in Redis, kept by Huey's storage. A ring is one byte: no id, no task, nothing to unpickle.

Huey itself loses a task whose worker is killed (it is gone once it is read), and its messages are pickles, which whoever reaches the
Redis could write. Here neither matters: what is to be done stands in the database. See decision 17.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from huey.storage import RedisStorage
from redis import ConnectionPool, RedisError

from smart_app.jobs.bell import Wake

log = structlog.get_logger("priors.jobs")
QUEUE = "priors_work"
ENOUGH = 64
"""Rings that lie unheard. More would say nothing more."""
AWAY_SECONDS = 2.0


class RedisBell:
    """Rings and hears in threads of its own, so that a Redis that hangs keeps nobody waiting."""

    def __init__(self, url: str, password: str | None = None) -> None:
        pool = ConnectionPool.from_url(url, password=password, socket_connect_timeout=2, socket_timeout=4)
        self._queue: Any = RedisStorage(QUEUE, connection_pool=pool, read_timeout=1)
        self._due, self._lock = threading.Event(), threading.Lock()
        self._ringer: threading.Thread | None = None

    def ring(self) -> None:
        self._due.set()
        with self._lock:
            if self._ringer is None:
                self._ringer = threading.Thread(target=self._ring, name="work-ring", daemon=True)
                self._ringer.start()

    def listen(self, wake: Wake) -> Callable[[], None]:
        ended = threading.Event()
        threading.Thread(target=self._hear, args=(wake, ended), name="work-hear", daemon=True).start()
        return ended.set

    def _ring(self) -> None:
        while self._due.wait():
            self._due.clear()
            try:
                if self._queue.queue_size() < ENOUGH:
                    self._queue.enqueue(b"1")
            except RedisError as error:
                log.warning("bell_away", side="ringing", error=type(error).__name__)  # workers look by themselves

    def _hear(self, wake: Wake, ended: threading.Event) -> None:
        away = False
        while not ended.is_set():
            try:
                heard = self._queue.dequeue()
                if heard is not None and not ended.is_set():
                    wake()
                away = False
            except RedisError as error:
                if not away:
                    log.warning("bell_away", side="hearing", error=type(error).__name__)
                away = True
                ended.wait(AWAY_SECONDS)
