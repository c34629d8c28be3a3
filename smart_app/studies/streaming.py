"""One list as a stream of events, and how a stream ends early when its thread is needed. Audits before any patient data leaves.

The asking of a stream that handed over goes on without a web thread; its page comes back for the rest, to any worker.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import structlog

from launch.context import LaunchContext
from launch.errors import SessionEnded
from smart_app.archives.fanout import Bell
from smart_app.audit.events import SourceAnswered, Who
from smart_app.audit.log import AuditLog
from smart_app.breakglass.store import BreakGlass
from smart_app.errors import AppError
from smart_app.studies.listing import Listing, Picture, Step
from smart_app.studies.seats import StreamSeats
from smart_app.studies.telling import Matches, Telling

log = structlog.get_logger("priors.studies")


class Streaming:
    """One a process. `glass` where a rule lets somebody open restricted studies with a reason."""

    def __init__(self, listing: Listing, audit: AuditLog, seats: StreamSeats, glass: BreakGlass | None, matches: Matches) -> None:
        self._listing = listing
        self._audit = audit
        self._seats = seats
        self._glass = glass
        self._matches = matches

    def acting(self, who: Who, ctx: LaunchContext, broken: bool) -> Who:
        """Who is shown restricted rows (`broken`) is so for the reason given, also if they gave it after a stream began."""
        opened = self._glass.state(ctx.handle) if self._glass and broken else None
        return replace(who, purpose=opened.purpose, opening=opened.id) if opened else who

    def tell(self, ctx: LaunchContext, who: Who, only: str | None, elsewhere: frozenset[str]) -> Iterator[str]:
        """The events. Each answer is audited before a byte of it is sent; if that fails, the stream ends without it."""
        telling, bell = Telling(ctx, self._matches), Bell()
        seat = self._seats.take(bell.ring)
        broken = begun = False
        steps = self._listing.ask(ctx, lambda: self.acting(who, ctx, broken), only, elsewhere, bell)
        try:
            for step in steps:
                if step.picture.rows if not begun else step.picture.glass_broken and not broken:
                    self._record_shown(who, ctx, step.picture)
                if (step.answers or not begun) and (rows := telling.rows(step.picture)):
                    yield rows
                begun, broken = True, step.picture.glass_broken
                if strip := telling.strip(step.picture):
                    yield strip
                if seat.must_leave and step.pending:
                    seat.leave()
                    _go_on(steps)
                    yield telling.later(step.since, step.pending)
                    return
        except SessionEnded:
            yield telling.ended()  # signed out, or another user signed in, while sources were asked
        except AppError as error:
            log.error("list_broke_off", code=error.fault.code)  # the browser sees a stream without `done`, and says so
        else:
            yield telling.done()
        finally:
            seat.leave()

    def tell_rest(self, ctx: LaunchContext, who: Who, since: datetime, asked: frozenset[str]) -> Iterator[str]:
        """What has come meanwhile of a list whose stream had to hand over. Answers at once, whatever is still missing."""
        telling = Telling(ctx, self._matches)
        try:
            step = self._listing.rest_of(ctx, lambda: who, since, asked)
            if step is None:
                yield telling.later(since, asked, again=True)
                return
            self._record_shown(who, ctx, step.picture)
            yield telling.rows(step.picture, whole=True)
            yield telling.strip(step.picture)
        except SessionEnded:
            yield telling.ended()
        except AppError as error:
            log.error("list_broke_off", code=error.fault.code)
        else:
            yield telling.later(since, step.pending, again=True) if step.pending else telling.done()

    def _record_shown(self, who: Who, ctx: LaunchContext, picture: Picture) -> None:
        """What a page is told of earlier answers is patient data too."""
        acts = self.acting(who, ctx, picture.glass_broken)
        self._audit.record(SourceAnswered(who=acts, patient=ctx.patient_id, source="page", state="shown", count=len(picture.rows)))


def _go_on(steps: Iterator[Step]) -> None:
    """Take the rest of the answers, which keeps and audits them, without a web thread."""
    context = contextvars.copy_context()

    def take() -> None:
        try:
            for _ in steps:
                pass
        except (AppError, SessionEnded) as error:
            log.error("list_broke_off", code=error.fault.code if isinstance(error, AppError) else error.code)

    threading.Thread(target=context.run, args=(take,), name="list-rest", daemon=True).start()
