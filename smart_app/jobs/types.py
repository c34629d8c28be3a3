"""What a piece of work is, and how its handler says what came of it. Handlers are called again after any crash: each repeats safely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Job:
    """`key` is the id of what it is about: a job carries nothing else, so that nothing of a patient lies in a queue."""

    kind: str
    key: str
    attempt: int
    """1 at the first try."""
    heartbeat: Callable[[], None]
    """To be called at least every 15 s in long work. :raises LeaseLost: somebody else has it now; stop at once."""


Handler = Callable[[Job], None]
"""Returns when it is done and need not be done again. Any exception but these is tried again with back-off, five times in all."""


class Later(Exception):
    """Not yet: again after `seconds`. Counts as no failed try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class NeedsAttention(Exception):
    """Trying again will not help: a person must look. `reason` is a fixed word, shown on the desk."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LeaseLost(Exception):
    """This worker was too slow to say that it lives; another has taken the row."""


@dataclass(frozen=True)
class Claim:
    """A row as one worker holds it. `number` counts how often the row was claimed: who holds an earlier number holds nothing."""

    kind: str
    key: str
    number: int
    attempt: int


@dataclass(frozen=True)
class Sign:
    """The last sign of life of a running row, as anybody can read it."""

    claim: Claim
    beat: int


@dataclass(frozen=True)
class Stuck:
    """Work that waits for a person, or for a worker that knows its kind."""

    kind: str
    key: str
    reason: str
    """A fixed word, or the name of the exception."""
    attempt: int
    since: datetime
