"""The Images tab over HTTP: the page at once, the list as a stream of events. Audits before any patient data leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context

from launch.context import LaunchContext
from launch.errors import SessionEnded
from smart_app.access import Action, requires, unattended
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.types import Candidate
from smart_app.audit.events import Event, Outcome, RequestPrepared, RowWithheld, SourceAnswered, StudyArrived, Who
from smart_app.audit.log import AuditLog
from smart_app.breakglass.reasons import REASONS
from smart_app.breakglass.store import BreakGlass
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.sources.chart import Chart
from smart_app.studies import dates, waiting
from smart_app.studies.listing import Listing, Picture, Step
from smart_app.studies.request_sheet import sheet_of
from smart_app.studies.rows import MatchRow, StudyRow
from smart_app.studies.strip import is_whole
from smart_app.studies.watching import Look, Watch
from smart_app.web import current_launch, current_who, with_wasm
from smart_app.web.faults import NotHere

log = structlog.get_logger("priors.studies")

NO_PATIENT_FACTS = Fault("patient-unread", Side.EHR, "The EHR did not give the patient's record, so nothing is shown.",
                         "Open the Images tab again from the patient’s chart.", True, 502)  # fmt: skip


def patient_key(ctx: LaunchContext) -> str:
    """What each answer carries so that a page can tell it is its own: names the patient only to who knows the launch."""
    return hashlib.sha256(f"{ctx.handle}{ctx.patient_id}".encode()).hexdigest()[:16]


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
    listing: Listing, watch: Watch, holdings: Holdings, chart: Chart, audit: AuditLog, clock: Clock, pace: Pace, *, match_id: MatchId,
    glass: BreakGlass | None = None,
) -> Blueprint:  # fmt: skip
    """`chart` is asked only when the launch's patient has not been read yet. `glass` where a rule lets somebody open restricted studies with a
    reason. `match_id` names a candidate's comparison.
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
        events = stream_with_context(tell(ctx, who, only, frozenset(request.args.getlist("asking"))))
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
            told |= {"rows": [_row(row, ctx) for row in picture.rows], "strip": _strip(picture, ctx, matches(picture, ctx)), "arrived": arrived}
        audit.record_all(events)
        return jsonify(told)

    @blueprint.get("/l/<launch:handle>/request")
    @requires(Action.REQUEST_IMAGES)
    def ask_for(handle: str) -> str:
        """The form, filled in. It names its row by a token of this launch, so that no address holds anything of the patient."""
        ctx, wanted = current_launch(), request.args.get("of")
        facts = patient(ctx)
        row = listing.asked_for(ctx, f"request?of={wanted}") if wanted is not None else None
        if wanted is not None and row is None:
            raise NotHere("no-such-row")
        about = row.kind if row is not None else "other"
        audit.record(RequestPrepared(who=current_who(), patient=ctx.patient_id, about=about, study=row.uid if row is not None and is_uid(row.uid) else ""))
        sheet = sheet_of(row, facts, asked_by=ctx.user.name or "", born=dates.in_words(facts.birth_date) if facts.birth_date else "unknown")
        return render_template("studies/request.html", ctx=ctx, sheet=sheet, patient=facts, idle_seconds=pace.idle_seconds)


    def show(ctx: LaunchContext, open_study: str | None) -> str:
        facts = patient(ctx)
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

    def matches(picture: Picture, ctx: LaunchContext) -> tuple[MatchRow, ...]:
        return waiting.rows_of(picture.waiting, lambda source, candidate: match_id(ctx, source, candidate))

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
        """Who is shown restricted rows is so for the reason given, also if they gave it after this stream began."""
        opened = glass.state(ctx.handle) if glass and picture.glass_broken else None
        return replace(who, purpose=opened.purpose, opening=opened.id) if opened else who

    def tell(ctx: LaunchContext, who: Who, only: str | None, elsewhere: frozenset[str]) -> Iterator[str]:
        """The events. Each answer is audited before a byte of it is sent; if that fails, the stream ends without it."""
        echo = {"launch": ctx.handle, "patient": patient_key(ctx)}
        shown: dict[str, StudyRow] = {}
        try:
            for step in listing.ask(ctx, only, elsewhere):
                if step.answer is not None or step.picture.rows:
                    audit.record_all(_events(step, acting(who, ctx, step.picture), ctx.patient_id))
                    if rows := _rows(step, shown, ctx):
                        yield _event("rows", echo | rows)
                yield _event("strip", echo | _strip(step.picture, ctx, matches(step.picture, ctx)))
        except SessionEnded:
            yield _event("ended", echo)  # signed out, or another user signed in, while sources were asked
        except AppError as error:
            log.error("list_broke_off", code=error.fault.code)  # the browser sees a stream without `done`, and says so
        else:
            yield _event("done", echo)

    return blueprint


def _events(step: Step, who: Who, patient: str | None) -> Iterator[Event]:
    answer = step.answer
    if answer is None:  # rows of earlier answers, which the page has got already and must be able to lose
        yield SourceAnswered(who=who, patient=patient, source="page", state="shown", count=len(step.picture.rows))
        return
    outcome = Outcome.OK if is_whole(answer) else Outcome.MINOR
    yield SourceAnswered(
        who=who, patient=patient, outcome=outcome, source=answer.source, state=answer.state.value, count=len(answer.studies) + len(answer.evidence or ()),
        withheld=answer.withheld, unreadable=answer.unreadable,
    )  # fmt: skip
    if answer.withheld:
        yield RowWithheld(who=who, patient=patient, source=answer.source, reason="another-patient", count=answer.withheld)
    if answer.candidates:
        yield RowWithheld(who=who, patient=patient, source=answer.source, reason="possible-match", count=len(answer.candidates), outcome=Outcome.MINOR)


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
    """Names what is shown without telling it: equal as long as no row differs."""
    return hashlib.sha256(repr((picture.rows, picture.relevant_to)).encode()).hexdigest()[:16]


def _rows(step: Step, shown: dict[str, StudyRow], ctx: LaunchContext) -> dict[str, Any]:
    """Rows that are new or have changed, and those that are no longer there; empty when there is neither."""
    now = {row.uid: row for row in step.picture.rows}
    changed = [row for uid, row in now.items() if shown.get(uid) != row]
    gone = [uid for uid in shown if uid not in now]
    shown.clear()
    shown.update(now)
    found: dict[str, Any] = {"rows": [_row(row, ctx) for row in changed]} if changed or gone else {}
    return found | ({"gone": gone} if gone else {})


def _row(row: StudyRow, ctx: LaunchContext) -> dict[str, Any]:
    hospitals = list(dict.fromkeys(source.organization for source in row.sources))
    words = [row.title, row.modality, *row.modalities, row.hospital, *row.regions, row.date, row.iso_date, row.report]
    return {
        "uid": row.uid, "sort": row.sort, "date": row.iso_date, "modalities": list(row.modalities), "regions": list(row.regions),
        "hospitals": hospitals, "text": " ".join(words).lower(), "html": render_template("studies/_row.html", row=row, launch=ctx),
    }  # fmt: skip


def _strip(picture: Picture, ctx: LaunchContext, matches: tuple[MatchRow, ...]) -> dict[str, Any]:
    strip = picture.strip
    return {
        "tone": strip.tone, "none_found": strip.none_found, "answered": picture.answered, "asked": picture.asked,
        "relevant_to": picture.relevant_to,
        "html": render_template("studies/_strip.html", strip=strip, launch=ctx),
        "notes_html": render_template("studies/_notes.html", strip=strip, notes=picture.notes, matches=matches, launch=ctx, restricted=picture.restricted),
    }  # fmt: skip


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
