"""The doorbell: wakes whoever works, and carries nothing. It may forget: rows are found without it, only later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import event
from sqlalchemy.orm import Session

Wake = Callable[[], None]


class Bell(Protocol):
    def ring(self) -> None:
        """There is work. Never waits and never raises: the caller has somebody's request to answer."""

    def listen(self, wake: Wake) -> Callable[[], None]:
        """Call `wake` at each ring, from any thread. :returns: what ends it."""


class InProcess:
    """For one process that takes work and does it."""

    def __init__(self) -> None:
        self._wakes: tuple[Wake, ...] = ()
        self._lock = threading.Lock()

    def ring(self) -> None:
        for wake in self._wakes:
            wake()

    def listen(self, wake: Wake) -> Callable[[], None]:
        with self._lock:
            self._wakes = (*self._wakes, wake)

        def end() -> None:
            with self._lock:
                self._wakes = tuple(one for one in self._wakes if one is not wake)

        return end


_RINGS = "priors_rings"


def after_commit(session: Session, bell: Bell) -> None:
    """Ring once this transaction stands, however often it was asked for in it."""
    if session.info.get(_RINGS):
        return
    session.info[_RINGS] = True

    def rung(committed: Session) -> None:
        committed.info[_RINGS] = False
        bell.ring()

    event.listen(session, "after_commit", rung, once=True)
