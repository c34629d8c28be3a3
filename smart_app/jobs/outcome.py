"""What came of one try, decided from how the handler ended. Pure: nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from smart_app.jobs.types import Handler, Job, Later, LeaseLost, NeedsAttention

log = structlog.get_logger("priors.jobs")
TRIES = 5


@dataclass(frozen=True)
class Outcome:
    """What the row becomes: `done`, `attention` with a reason, or `waiting` for `wait` seconds."""

    state: str
    attempt: int
    reason: str = ""
    wait: float = 0.0


def outcome(handler: Handler, job: Job) -> Outcome | None:
    """Let the handler do it. None: the row was lost on the way, and what came of it is for another to say."""
    try:
        handler(job)
    except LeaseLost:
        log.warning("work_lost", kind=job.kind, attempt=job.attempt)
        return None
    except Later as later:
        return Outcome("waiting", job.attempt - 1, wait=later.seconds)
    except NeedsAttention as attention:
        return Outcome("attention", job.attempt, attention.reason[:64])
    except Exception as error:
        log.warning("work_failed", kind=job.kind, attempt=job.attempt, error=type(error).__name__)
        state = "attention" if job.attempt >= TRIES else "waiting"
        return Outcome(state, job.attempt, type(error).__name__[:64], 2.0**job.attempt)
    return Outcome("done", job.attempt)
