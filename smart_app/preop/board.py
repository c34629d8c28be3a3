"""The board: one day's cases with how ready each is, for who looks. Reads the EHR when what was read is too old, and keeps nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from launch.context import LaunchContext
from launch.errors import LaunchError
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.preop.looking import Looking
from smart_app.preop.opening import Opening
from smart_app.preop.readiness import Readiness, Verdict, age
from smart_app.preop.schedule import Day
from smart_app.preop.store import Kept, Notes, case_id
from smart_app.preop.types import Case, Note, SurgicalList

FRESH = timedelta(seconds=60)
DAYS = ("today", "tomorrow")


@dataclass(frozen=True)
class Row:
    """One case as it is printed."""

    id: str
    case: Case
    time: str
    age: str
    readiness: Readiness
    own: LaunchContext | None
    notes: tuple[Note, ...]

    @property
    def messages(self) -> tuple[Note, ...]:
        return tuple(one for one in self.notes if one.said.value == "message")


@dataclass(frozen=True)
class Shown:
    day: str
    on: date
    rows: tuple[Row, ...]
    found: SurgicalList
    read_at: datetime
    now: datetime
    stale: bool = False
    """The EHR did not answer now; this is what it said before."""

    @property
    def counts(self) -> dict[Verdict, int]:
        return {verdict: count for verdict in Verdict if (count := sum(row.readiness.verdict is verdict for row in self.rows))}

    @property
    def incomplete(self) -> str:
        """What keeps this from being the whole list, a sentence; empty: nothing."""
        found, parts = self.found, list[str]()
        if found.unread:
            parts.append(f"{found.unread} of {len(found.cases) + self.unnamed} cases could not be read.")
        if found.failed:
            parts.append(f"The EHR did not give: {', '.join(found.failed)}. A case may be missing.")
        if found.cut:
            parts.append("The EHR has more than was read. A case may be missing.")
        if self.stale:
            parts.append(f"The EHR did not answer now: this is the list of {self.read_at.astimezone():%H:%M}.")
        return " ".join(parts)

    @property
    def unnamed(self) -> int:
        """Cases that are not in the table at all."""
        return self.found.unread - sum(bool(row.case.problem) and not row.case.name for row in self.rows)

    @property
    def mark(self) -> str:
        """Equal as long as nothing has changed that the table shows."""
        told = [(row.case, row.readiness, row.notes, row.own.handle if row.own else "") for row in self.rows]
        return hashlib.sha256(repr((told, self.incomplete)).encode()).hexdigest()[:16]


class Board:
    """One a process. `read` reads a day's list from the EHR."""

    def __init__(self, kept: Kept, notes: Notes, opening: Opening, looking: Looking, read: Callable[[LaunchContext, Day], SurgicalList], clock: Clock) -> None:
        self._kept, self._notes, self._opening, self._looking, self._read, self._clock = kept, notes, opening, looking, read, clock

    def day(self, word: str) -> Day:
        """`today` or `tomorrow` in the site's own clock."""
        return Day(self._clock().astimezone().date() + timedelta(days=DAYS.index(word)))

    def shown(self, ctx: LaunchContext, word: str) -> Shown:
        """:raises OutboundError, LaunchError: there is no list: the EHR does not answer, and has not before."""
        day, now = self.day(word), self._clock()
        name, stale = day.on.isoformat(), False
        kept = self._kept.get(ctx.handle, name)
        if kept is None or now - kept[1] > FRESH:
            try:
                self._kept.save(ctx.handle, name, self._read(ctx, day))
            except (OutboundError, LaunchError):
                if kept is None:
                    raise
                stale = True
            kept = self._kept.get(ctx.handle, name) or kept
        assert kept is not None
        own = {one.patient_id: one for one in self._opening.store.derived(ctx.handle)}
        rows = tuple(self.row(ctx, case, own.get(case.patient)) for case in kept[0].cases)
        return Shown(word, day.on, rows, kept[0], kept[1], now, stale)

    def row(self, ctx: LaunchContext, case: Case, own: LaunchContext | None) -> Row:
        notes = self._notes.of(ctx.issuer_key, case.reference)
        at = f"{case.starts_at.astimezone():%H:%M}" if case.starts_at else "?"
        return Row(case_id(ctx.handle, case.reference), case, at, age(case.born, self._clock().astimezone().date()), self._looking.readiness(case, own, notes), own, notes)

    def case(self, ctx: LaunchContext, id: str) -> Case | None:
        return self._kept.case(ctx.handle, id)

    def one(self, ctx: LaunchContext, case: Case) -> Row:
        return self.row(ctx, case, self._opening.existing(ctx, case))
