"""Runs what is due in a few threads: woken by the bell, and looking by itself, because a bell may forget.

One thread tells the database that the others live; one looks for rows that the bell forgot or a dead worker left. What may be run
is given to it; nothing here knows what the work is. A database that is away is waited for.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from smart_app.jobs.ledger import Ledger
from smart_app.jobs.outcome import Outcome, outcome
from smart_app.jobs.types import Claim, Handler, Job, LeaseLost

log = structlog.get_logger("priors.jobs")
LOOK_SECONDS = 5.0
"""Nothing that is due lies longer than this unseen, bell or no bell."""


class Hold:
    """One row while a thread of ours runs its handler. `beat` is called by the worker, `check` by the handler."""

    def __init__(self, ledger: Ledger, claim: Claim, steady: Callable[[], float]) -> None:
        self._ledger, self._claim, self._steady = ledger, claim, steady
        self._last, self._lost = steady(), False

    def beat(self) -> None:
        """Tell the database; what it cannot be told for a whole lease is lost, since others must think so."""
        asked = self._steady()
        try:
            self._ledger.beat(self._claim)
            self._last = asked
        except LeaseLost:
            self._lost = True
        except Exception as error:
            _failed(error)

    @property
    def is_lost(self) -> bool:
        return self._lost or self._steady() - self._last > self._ledger.lease

    def check(self) -> None:
        """:raises LeaseLost: it is not ours any more."""
        if self.is_lost:
            self._lost = True
            raise LeaseLost


class Worker:
    """Started once, stopped once. `periods`: kinds that come again, with their seconds."""

    def __init__(
        self, ledger: Ledger, handlers: Mapping[str, Handler], *, periods: Mapping[str, int] | None = None, threads: int = 2,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._ledger, self._handlers, self._periods, self._steady = ledger, handlers, periods or {}, steady
        self._holder = f"{socket.gethostname()[:32]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._threads = [threading.Thread(target=self._run, name=f"work-{n}", daemon=True) for n in range(threads)]
        self._aside = [threading.Thread(target=target, name=f"work-{target.__name__}", daemon=True) for target in (self._beat, self._look)]
        self._holds: set[Hold] = set()
        self._rung, self._turn = threading.Condition(), 0
        self._stopping, self._stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        self._end_listening = self._ledger.bell.listen(self._wake)
        for thread in (*self._threads, *self._aside):
            thread.start()

    def stop(self, seconds: float = 25.0) -> bool:
        """Take nothing new and wait for what runs. True: all of it ended. What did not is repeated by another, as after a crash."""
        self._stopping.set()
        self._end_listening()
        self._wake()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._stopped.set()
        for thread in self._aside:
            thread.join(max(0.1, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _wake(self) -> None:
        with self._rung:
            self._turn += 1
            self._rung.notify_all()

    def _run(self) -> None:
        while not self._stopping.is_set():
            turn = self._turn
            try:
                claim = self._ledger.claim(self._handlers.keys(), self._holder)
                if claim is not None:
                    self._do(claim)
                    continue
            except Exception as error:  # a thread that ended here would be missed by nobody
                _failed(error)
                self._stopping.wait(1)
                continue
            self._wait(turn)

    def _wait(self, turn: int) -> None:
        with self._rung:
            self._rung.wait_for(lambda: self._turn != turn or self._stopping.is_set(), LOOK_SECONDS)

    def _do(self, claim: Claim) -> None:
        hold = Hold(self._ledger, claim, self._steady)
        self._holds.add(hold)
        try:
            came = outcome(self._handlers[claim.kind], Job(claim.kind, claim.key, claim.attempt, hold.check))
            if came is not None:
                self._settle(claim, came, hold)
        finally:
            self._holds.discard(hold)

    def _settle(self, claim: Claim, came: Outcome, hold: Hold) -> None:
        """A database that is away is waited for as long as the row is ours; after that the work is done again, by whoever comes."""
        while True:
            try:
                return self._ledger.settle(claim, came)
            except SQLAlchemyError as error:
                log.warning("work_not_settled", kind=claim.kind, error=type(error).__name__)
            if hold.is_lost or self._stopped.wait(1):
                return None

    def _beat(self) -> None:
        while not self._stopped.wait(self._ledger.lease / 3):
            for hold in tuple(self._holds):
                hold.beat()

    def _look(self) -> None:
        while not self._stopped.wait(min(LOOK_SECONDS, self._ledger.lease / 3)):
            try:
                if not self._stopping.is_set():
                    for kind, seconds in self._periods.items():
                        self._ledger.every(kind, seconds)
                self._ledger.release_silent()
            except Exception as error:
                _failed(error)
            self._wake()


def _failed(error: Exception) -> None:
    event = "work_database_away" if isinstance(error, SQLAlchemyError) else "work_interrupted"
    log.warning(event, error=type(error).__name__)
