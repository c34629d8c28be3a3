"""The comparison over HTTP: pages that only show, and forms that decide. Each decision goes back to the list, which asks again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from launch.context import LaunchContext
from smart_app.access import Action, requires
from smart_app.audit.events import MatchCompared
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.rulings import State
from smart_app.matching.desk import MIN_REASON, NO_REASON, REASONS, Case, MatchDesk
from smart_app.web import current_launch, current_who
from smart_app.web.faults import NotHere

NAME = "<string(length=32):match>"


def make_blueprint(
    desk: MatchDesk, patient: Callable[[LaunchContext], PatientFacts], audit: AuditLog, clock: Clock, *, banner: Callable[[PatientFacts, date], dict[str, Any]], ehrs: dict[str, str]
) -> Blueprint:
    """`banner`: what the patient banner prints. `ehrs`: the name over the chart's column, by EHR key."""
    blueprint = Blueprint("matching", __name__)

    @blueprint.get("/l/<launch:handle>/matches")
    @requires(Action.DECIDE_MATCH)
    def overview(handle: str) -> str:
        ctx = current_launch()
        waiting, decided = desk.waiting(ctx), desk.decided(ctx)
        audit.record(MatchCompared(who=current_who(), patient=ctx.patient_id, source="page", match="all"))
        return render_template("matching/overview.html", waiting=waiting, decided=decided, State=State, **frame(ctx))

    @blueprint.get(f"/l/<launch:handle>/matches/{NAME}")
    @requires(Action.DECIDE_MATCH)
    def compare(handle: str, match: str) -> str:
        case = desk.compare(current_launch(), current_who(), match)
        if case is None:
            raise NotHere("no-such-match")
        return show(case)

    @blueprint.post(f"/l/<launch:handle>/matches/{NAME}/confirm")
    @requires(Action.DECIDE_MATCH)
    def confirm(handle: str, match: str) -> WerkzeugResponse:
        return decided(match, lambda: desk.confirm(current_launch(), current_who(), match, request.form.get("reason", ""), request.form.get("seen", "")), "confirm")

    @blueprint.post(f"/l/<launch:handle>/matches/{NAME}/reject")
    @requires(Action.DECIDE_MATCH)
    def reject(handle: str, match: str) -> WerkzeugResponse:
        return decided(match, lambda: desk.reject(current_launch(), current_who(), match, request.form.get("reason", ""), request.form.get("words", "")), "reject")

    @blueprint.post(f"/l/<launch:handle>/matches/{NAME}/undecided")
    @requires(Action.DECIDE_MATCH)
    def undecided(handle: str, match: str) -> WerkzeugResponse:
        return decided(match, lambda: desk.leave(current_launch(), current_who(), match) or None, "")

    @blueprint.post(f"/l/<launch:handle>/matches/{NAME}/undo")
    @requires(Action.DECIDE_MATCH)
    def undo(handle: str, match: str) -> WerkzeugResponse:
        return decided(match, lambda: desk.undo(current_launch(), current_who(), match) or None, "")

    def decided(match: str, decide: Callable[[], object], wrong: str) -> WerkzeugResponse:
        try:
            if decide() is None:
                raise NotHere("no-such-match")
        except AppError as error:
            if error.fault is not NO_REASON:
                raise
            case = desk.compare(current_launch(), current_who(), match)
            if case is None:
                raise NotHere("no-such-match") from None
            return Response(show(case, wrong), NO_REASON.status, mimetype="text/html")
        return redirect(f"/l/{current_launch().handle}/studies", 303)

    def show(case: Case, wrong: str = "") -> str:
        ctx = current_launch()
        mine = case.proposed_by is not None and case.proposed_by[:2] == (ctx.user.issuer, ctx.user.subject)
        return render_template(
            "matching/compare.html", case=case, reasons=REASONS, wrong=wrong, problem=NO_REASON.title, minimum=MIN_REASON, mine=mine, State=State, **frame(ctx)
        )

    def frame(ctx: LaunchContext) -> dict[str, Any]:
        facts = patient(ctx)
        return {"ctx": ctx, "patient": facts, "chart": ehrs.get(ctx.issuer_key, "This chart"), **banner(facts, clock().astimezone().date())}

    return blueprint
