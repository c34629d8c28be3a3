"""The Images tab over HTTP: the page at once, the list as a stream of events. Audits before any patient data leaves."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import structlog
from flask import Blueprint, Response, render_template, request, stream_with_context

from launch.context import LaunchContext
from launch.errors import SessionEnded
from smart_app.access import Action, requires
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.fanout import Bell
from smart_app.audit.events import RequestPrepared, SourceAnswered, Who
from smart_app.audit.log import AuditLog
from smart_app.breakglass.reasons import REASONS
from smart_app.breakglass.store import BreakGlass
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.sources.chart import Chart
from smart_app.studies import dates
from smart_app.studies.listing import Listing, Picture, Step
from smart_app.studies.request_sheet import sheet_of
from smart_app.studies.seats import StreamSeats
from smart_app.studies.telling import Telling, patient_key
from smart_app.web import current_launch, current_who, with_wasm
from smart_app.web.faults import NotHere

log = structlog.get_logger("priors.studies")

NO_PATIENT_FACTS = Fault("patient-unread", Side.EHR, "The EHR did not give the patient's record, so nothing is shown.",
                         "Open the Images tab again from the patient’s chart.", True, 502)  # fmt: skip


def make_blueprint(
    listing: Listing, holdings: Holdings, chart: Chart, audit: AuditLog, clock: Clock, seats: StreamSeats, warm: Callable[[LaunchContext, PatientFacts], None],
    *, idle_seconds: int, glass: BreakGlass | None = None,
) -> Blueprint:  # fmt: skip
    """`chart` is asked only when the launch's patient has not been read yet. `warm` opens connections to whom the list will ask. `idle_seconds`: after these the page blanks itself.
    `glass` where a rule lets somebody open restricted studies with a reason.
    """
    blueprint = Blueprint("studies", __name__)

    @blueprint.get("/l/<launch:handle>/studies")
    @requires(Action.VIEW_STUDIES)
    @with_wasm
    def page(handle: str) -> str:
        return show(current_launch(), None)

    @blueprint.get("/l/<launch:handle>/studies/<uid:study>")
    @requires(Action.VIEW_STUDIES)
    @with_wasm
    def study(handle: str, study: str) -> str:
        return show(current_launch(), study)

    @blueprint.get("/l/<launch:handle>/studies/stream")
    @requires(Action.VIEW_STUDIES)
    def stream(handle: str) -> Response:
        ctx, who = current_launch(), current_who()
        only = request.args.get("source")
        if only is not None and only not in {source.key for source in listing.sources(ctx)}:
            raise NotHere("no-such-source")
        asking, since = frozenset(request.args.getlist("asking")), request.args.get("since")
        events = stream_with_context(tell(ctx, who, only, asking) if since is None else tell_rest(ctx, who, moment(since), asking))
        return Response(events, mimetype="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @blueprint.get("/l/<launch:handle>/request")
    @requires(Action.REQUEST_IMAGES)
    def ask_for(handle: str) -> str:
        """The form, filled in. It names its row by a token of this launch, so that no address holds anything of the patient."""
        ctx, wanted = current_launch(), request.args.get("of")
        facts = patient(ctx)
        row = next((one for one in listing.known(ctx).rows if one.request and one.request == f"request?of={wanted}"), None)
        if wanted is not None and row is None:
            raise NotHere("no-such-row")
        about = row.kind if row is not None else "other"
        audit.record(RequestPrepared(who=current_who(), patient=ctx.patient_id, about=about, study=row.uid if row is not None and is_uid(row.uid) else ""))
        sheet = sheet_of(row, facts, asked_by=ctx.user.name or "", born=dates.in_words(facts.birth_date) if facts.birth_date else "unknown")
        return render_template("studies/request.html", ctx=ctx, sheet=sheet, patient=facts, idle_seconds=idle_seconds)

    def show(ctx: LaunchContext, open_study: str | None) -> str:
        facts = patient(ctx)
        warm(ctx, facts)
        known = listing.known(ctx)
        audit.record(
            SourceAnswered(who=current_who(), patient=ctx.patient_id, source="page", state="shown", count=len(known.rows))
        )  # the banner and earlier rows are patient data too
        today = clock().astimezone().date()
        key = patient_key(ctx)
        base = f"/l/{ctx.handle}"
        return render_template(
            "studies/page.html", ctx=ctx, patient=facts, patient_age=dates.age(facts.birth_date, today), patient_key=key, rows=known.rows,
            born=dates.in_words(facts.birth_date) if facts.birth_date else "unknown", strip=known.strip, notes=known.notes, open_study=open_study,
            restricted=known.restricted, glass=glass.state(ctx.handle) if glass else None, reasons=REASONS if glass else {}, glass_minutes=glass.minutes if glass else 0,
            boot={"launch": ctx.handle, "patient": key, "studies": f"{base}/studies", "stream": f"{base}/studies/stream", "open": open_study, "idle_seconds": idle_seconds},
        )  # fmt: skip

    def patient(ctx: LaunchContext) -> PatientFacts:
        facts = holdings.patient(ctx.handle)
        if facts is None:
            try:
                facts = chart.patient(ctx)
            except AppError:
                raise AppError(NO_PATIENT_FACTS) from None
            holdings.save_patient(ctx.handle, facts)
        if facts.id != ctx.patient_id:
            raise AppError(NO_PATIENT_FACTS)
        return facts

    def acting(who: Who, ctx: LaunchContext, broken: bool) -> Who:
        """Who is shown restricted rows is so for the reason given, also if they gave it after this stream began."""
        opened = glass.state(ctx.handle) if glass and broken else None
        return replace(who, purpose=opened.purpose, opening=opened.id) if opened else who

    def shown(who: Who, ctx: LaunchContext, picture: Picture) -> None:
        """What this page is told of earlier answers is patient data too."""
        acts = acting(who, ctx, picture.glass_broken)
        audit.record(SourceAnswered(who=acts, patient=ctx.patient_id, source="page", state="shown", count=len(picture.rows)))

    def tell(ctx: LaunchContext, who: Who, only: str | None, elsewhere: frozenset[str]) -> Iterator[str]:
        """The events. Each answer is audited before a byte of it is sent; if that fails, the stream ends without it.

        When its seat is needed, the stream ends early: the asking goes on without it, and the page comes back for the rest.
        """
        telling, bell = Telling(ctx), Bell()
        seat = seats.take(bell.ring)
        broken = begun = False
        steps = listing.ask(ctx, lambda: acting(who, ctx, broken), only, elsewhere, bell)
        try:
            for step in steps:
                if step.picture.rows if not begun else step.picture.glass_broken and not broken:
                    shown(who, ctx, step.picture)
                if (step.answers or not begun) and (rows := telling.rows(step.picture)):
                    yield rows
                begun, broken = True, step.picture.glass_broken
                if strip := telling.strip(step.picture):
                    yield strip
                if seat.must_leave and step.pending:
                    seat.leave()
                    _go_on(steps)
                    yield telling.later(step)
                    return
        except SessionEnded:
            yield telling.ended()  # signed out, or another user signed in, while sources were asked
        except AppError as error:
            log.error("list_broke_off", code=error.fault.code)  # the browser sees a stream without `done`, and says so
        else:
            yield telling.done()
        finally:
            seat.leave()

    def tell_rest(ctx: LaunchContext, who: Who, since: datetime, asked: frozenset[str]) -> Iterator[str]:
        """What has come meanwhile of a list whose stream had to hand over. Answers at once, whatever is still missing."""
        telling = Telling(ctx)
        try:
            step = listing.rest_of(ctx, lambda: who, since, asked)
            if step.answers or not step.pending:
                shown(who, ctx, step.picture)
                yield telling.rows(step.picture, whole=True)
            yield telling.strip(step.picture)
        except SessionEnded:
            yield telling.ended()
        except AppError as error:
            log.error("list_broke_off", code=error.fault.code)
        else:
            yield telling.later(step) if step.pending else telling.done()

    return blueprint


def moment(text: str) -> datetime:
    """:raises NotHere: no moment with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotHere("no-such-round") from None
    if found.tzinfo is None:
        raise NotHere("no-such-round")
    return found


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
