"""The Images tab over HTTP: the page at once, the list as a stream of events. Audits before any patient data leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context

from launch.context import LaunchContext
from launch.errors import SessionEnded
from smart_app.access import Action, requires, unattended
from smart_app.archives.types import Candidate
from smart_app.audit.events import Event, RowWithheld, SourceAnswered, StudyArrived, Who
from smart_app.audit.log import AuditLog
from smart_app.breakglass.reasons import REASONS
from smart_app.breakglass.store import BreakGlass
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.sources.chart import Chart
from smart_app.studies import dates, waiting
from smart_app.studies.listing import Listing, Picture
from smart_app.studies.rows import MatchRow
from smart_app.studies.seats import StreamSeats
from smart_app.studies.streaming import Streaming
from smart_app.studies.telling import patient_key, row_told, strip_told
from smart_app.studies.watching import Look, Watch
from smart_app.web import current_launch, current_who, with_wasm
from smart_app.web.faults import NotHere

log = structlog.get_logger("priors.studies")

NO_PATIENT_FACTS = Fault("patient-unread", Side.EHR, "The EHR did not give the patient's record, so nothing is shown.",
                         "Open the Images tab again from the patient’s chart.", True, 502)  # fmt: skip


Warm = Callable[[LaunchContext, PatientFacts], None]


@dataclass(frozen=True)
class Pace:
    """Seconds that the page keeps to: until it blanks itself unused, and between two looks for new studies (0: none)."""

    idle_seconds: int
    watch_seconds: int = 0


def banner(facts: PatientFacts, today: date) -> dict[str, Any]:
    """What the patient banner prints beside name, sex and MRN."""
    return {"patient_age": dates.age(facts.birth_date, today), "born": dates.in_words(facts.birth_date) if facts.birth_date else "unknown"}


MatchId = Callable[[LaunchContext, str, Candidate], str]


def make_blueprint(
    listing: Listing, watch: Watch, holdings: Holdings, chart: Chart, audit: AuditLog, clock: Clock, pace: Pace, seats: StreamSeats, warm: Warm,
    *, match_id: MatchId, glass: BreakGlass | None = None,
) -> Blueprint:  # fmt: skip
    """`chart` is asked only when the launch's patient has not been read yet. `warm` opens connections to whom the list will ask. `glass` where a
    rule lets somebody open restricted studies with a reason. `match_id` names a candidate's comparison.
    """
    blueprint = Blueprint("studies", __name__)

    def matches(picture: Picture, ctx: LaunchContext) -> tuple[MatchRow, ...]:
        return waiting.rows_of(picture.waiting, lambda source, candidate: match_id(ctx, source, candidate))

    streaming = Streaming(listing, audit, seats, glass, matches)

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
        told = streaming.tell(ctx, who, only, asking) if since is None else streaming.tell_rest(ctx, who, _moment(since), asking)
        events = stream_with_context(told)
        return Response(events, mimetype="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @blueprint.get("/l/<launch:handle>/studies/relevance")
    @requires(Action.VIEW_STUDIES)
    def relevance(handle: str) -> Response:
        """What matters to someone who reads the study `to`; without it, what the chart is open for."""
        ctx, to = current_launch(), request.args.get("to")
        try:
            words, found = listing.beside(ctx, to) if to is not None else listing.matters(ctx)
        except KeyError:
            raise NotHere("no-such-study") from None
        who = acting(current_who(), ctx, listing.known(ctx))
        audit.record(SourceAnswered(who=who, patient=ctx.patient_id, source="relevance", state="shown", count=len(found)))
        told = {uid: [one.key, one.sentence] for uid, one in found.items()}
        return jsonify({"launch": ctx.handle, "patient": patient_key(ctx), "to": to or "", "words": words, "rows": told})

    @blueprint.get("/l/<launch:handle>/studies/watch")
    @requires(Action.VIEW_STUDIES)
    @unattended
    def look_again(handle: str) -> Response:
        """What is new since the page that asks last heard: `known` is what it was told then."""
        ctx, who = current_launch(), current_who()
        if not pace.watch_seconds:
            raise NotHere("no-watch")
        echo = {"launch": ctx.handle, "patient": patient_key(ctx)}
        try:
            look = watch.look(ctx)
        except SessionEnded:
            return jsonify(echo | {"ended": True})
        picture = listing.settled(ctx)
        who = acting(who, ctx, picture)
        told: dict[str, Any] = echo | {"at": look.at.astimezone().strftime("%H:%M"), "missed": list(look.missed), "known": _mark(picture)}
        events = list(_look_events(look, who, ctx.patient_id))
        if told["known"] != request.args.get("known"):
            events.append(SourceAnswered(who=who, patient=ctx.patient_id, source="watch", state="shown", count=len(picture.rows)))
            shown = {row.uid for row in picture.rows}  # what a rule hides is not named either
            arrived = {one.uid: _arrival(one.within_seconds, look) for one in look.arrived if one.uid in shown}
            strip = strip_told(picture, ctx, matches(picture, ctx))
            told |= {"rows": [row_told(row, ctx) for row in picture.rows], "strip": strip, "arrived": arrived}
        audit.record_all(events)
        return jsonify(told)

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
            "studies/page.html", ctx=ctx, patient=facts, patient_key=key, rows=known.rows, **banner(facts, today), matches=matches(known, ctx),
            strip=known.strip, notes=known.notes, open_study=open_study, relevant_to=known.relevant_to,
            restricted=known.restricted, glass=glass.state(ctx.handle) if glass else None, reasons=REASONS if glass else {}, glass_minutes=glass.minutes if glass else 0,
            boot={"launch": ctx.handle, "patient": key, "studies": f"{base}/studies", "stream": f"{base}/studies/stream", "open": open_study,
                  "idle_seconds": pace.idle_seconds, "watch_seconds": pace.watch_seconds},
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

    def acting(who: Who, ctx: LaunchContext, picture: Picture) -> Who:
        return streaming.acting(who, ctx, picture.glass_broken)

    return blueprint


def _moment(text: str) -> datetime:
    """:raises NotHere: no moment with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotHere("no-such-round") from None
    if found.tzinfo is None:
        raise NotHere("no-such-round")
    return found


def _look_events(look: Look, who: Who, patient: str | None) -> Iterator[Event]:
    for one in look.arrived:
        yield StudyArrived(
            who=who, patient=patient, source=one.source, study=one.uid, within_seconds=one.within_seconds, study_seconds=one.study_seconds
        )  # fmt: skip
    for source, count in look.withheld:
        yield RowWithheld(who=who, patient=patient, source=source, reason="another-patient", count=count)


def _arrival(within: int | None, look: Look) -> str:
    found = f"Found {look.at.astimezone().strftime('%H:%M')}"
    return found if within is None else f"{found}, within {max(1, within)} s of arriving"


def _mark(picture: Picture) -> str:
    """Names what is shown without telling it: equal as long as no row differs, and no word about what was not found."""
    strip = picture.strip
    words = (strip.tone, strip.headline, strip.detail, strip.none_found, strip.chart_unread, [(chip.key, chip.state, chip.word) for chip in strip.chips])
    told = (picture.rows, picture.relevant_to, words, picture.restricted, picture.waiting)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
