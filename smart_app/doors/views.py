"""The doors over HTTP: image display by IHE IID, the landing of a launch that wants something, and what its page is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from launch.authorize import Binding
from launch.context import LaunchContext
from smart_app.access import Action, public, requires
from smart_app.audit.door_events import DoorUsed, OpenedElsewhere
from smart_app.audit.log import AuditLog
from smart_app.config_viewers import ExternalViewer
from smart_app.doors.invoking import Unusable, invoked
from smart_app.doors.landing import SENTENCES, Landing, Said, landing_of
from smart_app.doors.notes import Notes
from smart_app.doors.opening import Surroundings
from smart_app.doors.outward import Lacks, Numbers, address_of, viewers_for
from smart_app.doors.wishes import NotUnderstood, Wish, wish_of
from smart_app.errors import AppError, Fault, Side
from smart_app.web import NotHere, current_launch, current_who

NO_DISPLAY = Fault("no-image-display", Side.SETUP, "Priors does not open images by this address here.", "Open the Images tab from the patient’s chart. The administrator of Priors can set this address up.", False, 404)  # fmt: skip

SignIn = Callable[[Binding, dict[str, str]], Response]


def make_blueprint(
    around: Surroundings, audit: AuditLog, notes: Notes, patient_key: Callable[[LaunchContext], str], sign_in: SignIn | None, viewers: Sequence[ExternalViewer] = ()
) -> Blueprint:
    """`patient_key` lets a page tell that an answer is its own. `sign_in` begins a standalone launch at the EHR for image display; None: there is none."""
    blueprint = Blueprint("doors", __name__)

    @blueprint.get("/IHEInvokeImageDisplay")
    @public
    def invoke() -> ResponseReturnValue:
        """RAD-106 proves nobody: what is wanted is remembered, and shown after the sign-in if that chart has it."""
        if sign_in is None:
            raise AppError(NO_DISPLAY)
        try:
            wanted = invoked(request.args.items(multi=True))
        except Unusable as wrong:
            title = f"This request for images cannot be used. {wrong}"
            raise AppError(Fault("iid-unusable", Side.PERSON, title, "Ask the team of the system that you came from.", False, 400)) from None
        binding = Binding.new()
        return sign_in(binding, {"sought": notes.write(wanted.kept(), binding)})

    @blueprint.get("/l/<launch:handle>/open")
    @requires(Action.VIEW_STUDIES)
    def land(handle: str) -> ResponseReturnValue:
        ctx = current_launch()
        landing = _landing(ctx)
        study = landing.path.partition("studies/")[2]
        audit.record(DoorUsed(who=current_who(), patient=ctx.patient_id, said=landing.said.value, study=study))
        if landing.said is Said.OTHER_NUMBER:
            return render_template("doors/elsewhere.html", ctx=ctx)
        query = f"?door={landing.said}" if landing.path.startswith("studies") else ""
        return redirect(f"/l/{ctx.handle}/{landing.path}{query}", 303)

    @blueprint.get("/l/<launch:handle>/sought")
    @requires(Action.VIEW_STUDIES)
    def sought(handle: str) -> Response:
        """For the list's page: what to say, which rows were asked for, and the study if it is known by now."""
        ctx = current_launch()
        try:
            wish = _wish(ctx) or Wish()
        except NotUnderstood:
            wish = Wish()
        study = around.by_accession(ctx, wish.accession) if wish.accession else ""
        audit.record(DoorUsed(who=current_who(), patient=ctx.patient_id, said="told", study=study))
        whose = {"launch": ctx.handle, "patient": patient_key(ctx)}
        return jsonify(whose | told(wish, request.args.get("said", ""), study))

    @blueprint.get("/l/<launch:handle>/elsewhere/<key:viewer>/<key:archive>/<uid:study>")
    @requires(Action.VIEW_IMAGES)
    def elsewhere(handle: str, viewer: str, archive: str, study: str) -> ResponseReturnValue:
        """Sends the browser on to another viewer, after that is recorded. Only for what this launch may open here too."""
        ctx = current_launch()
        chosen = next((one for one in viewers_for(viewers, archive) if one.key == viewer), None)
        held = around.held(ctx, archive, study)
        if chosen is None or held is None:
            raise NotHere("no-such-way")
        try:
            address = address_of(chosen, Numbers(study, held.record.accession or "", held.patient_id.value))
        except Lacks as lacks:
            title = f"{chosen.name} cannot be opened for this study: it has no {lacks}."
            raise AppError(Fault("no-such-number", Side.ARCHIVE, title, "Open the study in Priors.", False, 409)) from None
        audit.record(OpenedElsewhere(who=current_who(), patient=ctx.patient_id, study=study, viewer=viewer))
        response = redirect(address, 303)
        response.set_data(b"")  # the default body repeats the address
        response.headers["Cache-Control"] = "no-store"
        return response

    def _landing(ctx: LaunchContext) -> Landing:
        try:
            wish = _wish(ctx)
        except NotUnderstood:
            return Landing("studies", Said.NOT_UNDERSTOOD)
        if wish is None:
            return Landing("studies", Said.ASKED)
        return landing_of(
            wish, around.facts(ctx), lambda resource: around.named(ctx, resource), lambda id: around.has_request(ctx, id), around.systems_of
        )

    return blueprint


def _wish(ctx: LaunchContext) -> Wish | None:
    return wish_of(ctx.fhir_context, ctx.app_context, ctx.sought, ctx.issuer)


def told(wish: Wish, said: str, study: str) -> dict[str, Any]:
    """`accession` only says that one was asked for: the number itself stays here."""
    return {
        "sentence": SENTENCES.get(Said(said), "") if said in set(Said) else "",
        "studies": list(wish.studies), "accession": bool(wish.accession), "study": study,
        "modalities": list(wish.modalities), "from": wish.since, "to": wish.until, "newest": wish.newest,
    }  # fmt: skip
