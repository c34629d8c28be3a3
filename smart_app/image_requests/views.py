"""Requests in the chart over HTTP: the form, what came of it, and the timeline. Only requests of the launch's own patient exist here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from launch.context import LaunchContext
from smart_app.access import Action, requires, unattended
from smart_app.audit.events import RequestPrepared
from smart_app.audit.log import AuditLog
from smart_app.audit.request_events import RequestSeen
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests import words
from smart_app.image_requests.asking import Asking, Outcome
from smart_app.image_requests.form import MODALITIES, REGIONS, Appointment, Prefill, Wish, needed_by, parsed
from smart_app.image_requests.patients import as_patient
from smart_app.image_requests.queries import Work
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.telling import Progress, story
from smart_app.image_requests.types import Actor, Basis, Happened, ImageRequest, Party, Patient, Urgency
from smart_app.image_requests.workflow import Act, Deed, NotAllowed, can, may_do
from smart_app.web import NotHere, current_launch, current_who, new_reference

ID = "<string(length=11):request_id>"
NOT_NOW = Fault("request-moved-on", Side.PERSON, "The request has moved on since you looked, so that was not done.", "Open it again to see where it stands.", False, 409)
NO_REASON = Fault("request-reason", Side.PERSON, "Say why. Nothing was changed.", "Go back and write the reason.", False, 400)


@dataclass(frozen=True)
class Chart:
    """What the requests must know of the list and of the chart, by launch."""

    patient: Callable[[LaunchContext], PatientFacts]
    prefill: Callable[[LaunchContext, str | None], Prefill | None]
    """By the token in a row's address; None: this launch has no such row."""
    appointments: Callable[[LaunchContext], tuple[Appointment, ...]]
    banner: Callable[[PatientFacts, date], dict[str, Any]]
    patient_key: Callable[[LaunchContext], str]
    idle_seconds: int
    watch_seconds: int


@dataclass(frozen=True)
class Stall:
    """What will be done at a time if nothing comes."""

    at: datetime
    mark: str
    words: str


@dataclass(frozen=True)
class WayBack:
    """What is known of the way back. `is_on`: senders can be given a link."""

    is_on: bool
    progress: Callable[[str], Progress | None] = lambda request: None
    stalls: Callable[[ImageRequest, Sequence[Happened]], tuple[Stall, ...]] = lambda request, history: ()


def make_blueprint(requests: Requests, asking: Asking, work: Work, audit: AuditLog, clock: Clock, chart: Chart, way_back: WayBack) -> Blueprint:
    blueprint = Blueprint("image_requests", __name__)

    @blueprint.get("/l/<launch:handle>/request")
    @requires(Action.REQUEST_IMAGES)
    def ask_for(handle: str) -> str:
        """The form, filled in. It names its row by a token of this launch, so that no address holds anything of the patient."""
        ctx, filled = current_launch(), prefilled(request.args.get("of"))
        audit.record(RequestPrepared(who=current_who(), patient=ctx.patient_id, about=filled.kind, study=filled.study_uid))
        return form(filled, {}, {}, bare="bare" in request.args)

    @blueprint.get("/l/<launch:handle>/requests/places")
    @requires(Action.REQUEST_IMAGES)
    def places(handle: str) -> str:
        """Hospitals of the directory by name: nothing of a patient is in it."""
        return render_template("image_requests/_places.html", places=asking.found(request.args.get("find", "")[:100]))

    @blueprint.post("/l/<launch:handle>/requests")
    @requires(Action.REQUEST_IMAGES)
    def ask(handle: str) -> ResponseReturnValue:
        ctx, bare = current_launch(), request.form.get("bare") == "yes"
        filled = prefilled(request.form.get("of") or None)
        given = {name: request.form.get(name, "") for name in request.form}
        wish = parsed(given, request.form.getlist("to"), filled, chart.appointments(ctx))
        if not wish.problems:
            try:
                done = asking.ask(wish, patient_of(ctx), filled.about, actor())
            except KeyError:
                wish = Wish(wish.to, wish.wanted, problems={"to": "One of these hospitals is no longer in the directory. Choose again."})
            else:
                audit.record_all([RequestSeen(who=current_who(), patient=ctx.patient_id, request=one.request.id, page="sent") for one in done])
                return sent(done, bare=bare)
        return form(filled, given, wish.problems, bare=bare, chosen=wish.to), 400

    @blueprint.get(f"/l/<launch:handle>/requests/{ID}")
    @requires(Action.REQUEST_IMAGES)
    def timeline(handle: str, request_id: str) -> str:
        return render_template("image_requests/timeline.html", **told(seen(request_id)))

    @blueprint.get(f"/l/<launch:handle>/requests/{ID}/now")
    @requires(Action.REQUEST_IMAGES)
    @unattended
    def now(handle: str, request_id: str) -> Response:
        """What has changed since the page that asks last heard."""
        found = mine(request_id)
        progress = way_back.progress(found.id)
        mark = f"{found.version}.{progress.received if progress else 0}"
        answer: dict[str, Any] = {"launch": handle, "patient": chart.patient_key(current_launch()), "known": mark}
        if mark != request.args.get("known"):
            page = told(seen(request_id))
            answer |= {"main": render_template("image_requests/_story.html", **page), "side": render_template("image_requests/_details.html", **page), "word": page["story"].word, "pill": render_template("image_requests/_pill.html", **page)}
        return jsonify(answer)

    @blueprint.post(f"/l/<launch:handle>/requests/{ID}/cancel")
    @requires(Action.REQUEST_IMAGES)
    def cancel(handle: str, request_id: str) -> ResponseReturnValue:
        return done(request_id, lambda one: requests.act(one, Act.CANCEL, actor(), reason=reason()))

    @blueprint.post(f"/l/<launch:handle>/requests/{ID}/note")
    @requires(Action.REQUEST_IMAGES)
    def note(handle: str, request_id: str) -> ResponseReturnValue:
        return done(request_id, lambda one: requests.note(one, reason(), actor()))

    def form(filled: Prefill, given: dict[str, str], problems: dict[str, str] | Any, *, bare: bool, chosen: tuple[str, ...] = ()) -> str:
        """`given` is what a person had written already; it is not lost when something is wrong with it."""
        ctx, at = current_launch(), clock()
        facts = chart.patient(ctx)
        defaults = {one.value: found.astimezone().strftime("%Y-%m-%dT%H:%M") if (found := needed_by(one, at)) else "" for one in Urgency}
        return render_template(
            "image_requests/_form.html" if bare else "image_requests/form.html", ctx=ctx, filled=filled, given=given, problems=problems, bare=bare, chosen=chosen,
            of=request.values.get("of", ""), places=asking.places(filled), case=given.get("case") or new_reference("CS", 8), like=request.values.get("like", ""), defaults=defaults, appointments=chart.appointments(ctx),
            urgencies=words.URGENCIES, bases={one: said for one, said in words.BASES.items() if one is not Basis.PATIENT}, modalities=MODALITIES, regions=REGIONS,
            receives=way_back.is_on, moment=lambda when: words.moment(when, at), asked_by=ctx.user.name or "not stated", **frame(ctx, facts),
        )  # fmt: skip

    def sent(done: tuple[Outcome, ...], *, bare: bool) -> str:
        ctx = current_launch()
        page = "image_requests/_sent.html" if bare else "image_requests/sent.html"
        return render_template(page, ctx=ctx, done=done, receives=way_back.is_on, **frame(ctx, chart.patient(ctx)))

    def told(found: ImageRequest) -> dict[str, Any]:
        ctx = current_launch()
        usual, progress = work.usual().get(found.facility.id if found.facility else None), way_back.progress(found.id)
        history, at = requests.history(found.id), clock()
        made = story(found, history, usual, progress, at)
        others = tuple(one for one in requests.of_case(found.asked.case) if one.id != found.id)
        allowed = {"cancel": can(found.state, Act.CANCEL, Party.CLINICIAN), "note": may_do(found.state, Deed.NOTE, Party.CLINICIAN)}
        mark = f"{found.version}.{progress.received if progress else 0}"
        return {"ctx": ctx, "story": made, "others": others, "whom": words.whom, "states": words.STATES, "allowed": allowed, "known": mark,
                "stalls": [(words.moment(one.at, at).removeprefix("Today "), one.mark, one.words) for one in way_back.stalls(found, history)], **frame(ctx, chart.patient(ctx))}

    def frame(ctx: LaunchContext, facts: PatientFacts) -> dict[str, Any]:
        seconds = min(chart.watch_seconds or 30, 10)
        return {
            "patient": facts, "patient_key": chart.patient_key(ctx), "idle_seconds": chart.idle_seconds, "look_seconds": seconds,
            **chart.banner(facts, clock().astimezone().date()),
        }  # fmt: skip

    def prefilled(of: str | None) -> Prefill:
        if like := request.values.get("like"):
            return like_of(mine(like))
        filled = chart.prefill(current_launch(), of)
        if filled is None:
            raise NotHere("no-such-row")
        return filled

    def mine(request_id: str) -> ImageRequest:
        """The request, if it is about this launch's patient, or was made from a chart that the EHR merged into this one. Any other does not exist here."""
        ctx = current_launch()
        try:
            found = requests.get(request_id)
        except NoSuchRequest:
            raise NotHere("no-such-request") from None
        about = found.asked.patient
        if about.issuer != ctx.issuer_key or (about.id != ctx.patient_id and about.id not in chart.patient(ctx).retired):
            raise NotHere("no-such-request")
        return found

    def seen(request_id: str) -> ImageRequest:
        found = mine(request_id)
        audit.record(RequestSeen(who=current_who(), patient=found.asked.patient.id, request=found.id, page="timeline"))
        return found

    def done(request_id: str, change: Callable[[str], None]) -> ResponseReturnValue:
        found = mine(request_id)
        try:
            change(found.id)
        except NotAllowed as refused:
            raise AppError(NO_REASON if refused.why == "reason" else NOT_NOW) from None
        return Response(status=303, headers={"Location": f"/l/{current_launch().handle}/requests/{found.id}"})

    def reason() -> str:
        return " ".join(request.form.get("words", "").split())[:500]

    def actor() -> Actor:
        who = current_who()
        return Actor(Party.CLINICIAN, who.issuer, who.subject, who.name, who.address, who.request_id, who.launch)

    def patient_of(ctx: LaunchContext) -> Patient:
        return as_patient(chart.patient(ctx), ctx.issuer_key)

    return blueprint


def like_of(found: ImageRequest) -> Prefill:
    """The same images, of somebody else."""
    asked, wanted = found.asked, found.asked.wanted
    return Prefill(
        heading=f"Request: {words.title(found)}", source=f"Filled in from request {found.id}.", title=wanted.title, modality=wanted.modality, region=wanted.region,
        date_from=wanted.date_from, date_to=wanted.date_to, accession=wanted.accession, study_uid=wanted.study_uid, missing=wanted.missing, urgency=asked.urgency,
        thin=wanted.thin, why=asked.why, about=asked.about, kind="request",
    )  # fmt: skip
