"""Every step at which a process of ours is killed, by name. The product knows nothing of them: see decision 17.

A step is a function of the product (a seam) and a point in it. `victim` wraps the seam in the process that is to die, so a
name that no longer exists, or a step that is never reached, fails the test: no step is passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Point(StrEnum):
    """Where in a call of the seam."""

    ENTER = "enter"
    """Nothing of it is done."""
    COMMIT = "commit"
    """All is written, and the database has not been told to keep it."""
    COMMITTED = "committed"
    """The database keeps it, and nobody here knows yet."""
    LEAVE = "leave"
    """It is done, and who called has not been told."""


@dataclass(frozen=True)
class Step:
    scenario: str
    """Which story of `stories` gets there."""
    seam: str
    """`module:Class.method`."""
    point: Point
    nth: int = 1
    """At the n-th time in the life of the process."""

    @property
    def name(self) -> str:
        number = f"#{self.nth}" if self.nth > 1 else ""
        return f"{self.scenario}:{self.seam.rpartition(':')[2]}:{self.point}{number}"


def _all(scenario: str, seam: str, *points: Point, nth: int = 1) -> tuple[Step, ...]:
    return tuple(Step(scenario, seam, point, nth) for point in points)


ENTER, COMMIT, COMMITTED, LEAVE = Point.ENTER, Point.COMMIT, Point.COMMITTED, Point.LEAVE
LEDGER, WORKER = "smart_app.jobs.ledger:Ledger", "smart_app.jobs.worker:Worker"
REQUESTS = "smart_app.image_requests.service:Requests"
RECORDER = "tests.kill.effects:Recorder"

STEPS: tuple[Step, ...] = (
    # A process starts on an empty database, or on one that is used.
    *_all("start", "smart_app.migrations.schema:upgrade", ENTER, COMMIT, COMMITTED, LEAVE),
    # Somebody asks for images: request, event, audit, and two pieces of work in one transaction.
    *_all("ask", f"{REQUESTS}.create", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("ask", f"{REQUESTS}._change", ENTER, LEAVE),
    *_all("ask", f"{LEDGER}.add", ENTER, LEAVE),
    *_all("ask", f"{LEDGER}.add", ENTER, LEAVE, nth=2),
    *_all("ask", "smart_app.audit.log:AuditLog.record", ENTER, LEAVE),
    *_all("ask", "smart_app.jobs.bell:InProcess.ring", ENTER),
    # Somebody changes one.
    *_all("change", f"{REQUESTS}.act", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("change", f"{REQUESTS}._note_down", ENTER, LEAVE),
    *_all("change", f"{LEDGER}.add", LEAVE),
    # A worker does what is due.
    *_all("work", f"{LEDGER}.claim", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{LEDGER}.claim", COMMIT, COMMITTED, nth=3),
    *_all("work", f"{RECORDER}.take_effect", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{RECORDER}.take_effect", COMMITTED, nth=4),
    *_all("work", f"{LEDGER}.settle", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{LEDGER}.settle", ENTER, COMMITTED, nth=3),
    *_all("work", f"{WORKER}._do", ENTER, LEAVE),
    *_all("long", f"{LEDGER}.beat", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("long", f"{LEDGER}.beat", COMMITTED, nth=3),
    # A worker puts off what cannot be done yet, and one that fails.
    *_all("later", f"{LEDGER}.settle", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("failing", f"{LEDGER}.settle", COMMIT, COMMITTED),
    # A worker finds what a dead one left.
    *_all("left", f"{LEDGER}.release_silent", COMMIT, COMMITTED, LEAVE),
    # Work that comes again.
    *_all("periods", f"{LEDGER}.every", ENTER, COMMIT, COMMITTED, LEAVE),
    # It is told to stop, and is killed all the same.
    *_all("stop", f"{WORKER}.stop", ENTER, LEAVE),
)
