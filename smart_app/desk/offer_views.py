"""Who asks whether they may send, over HTTP: the list, and yes or no."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import Action, requires
from smart_app.audit.desk_events import DeskShown
from smart_app.audit.log import AuditLog
from smart_app.desk.offers import Offering
from smart_app.desk.surroundings import Here, Surroundings


def make_blueprint(offering: Offering, around: Surroundings, audit: AuditLog) -> Blueprint:
    blueprint = Blueprint("desk_offers", __name__)

    @blueprint.get("/l/<launch:handle>/desk/offers")
    @requires(Action.WORK_DESK)
    def page(handle: str) -> str:
        return show(around.here())

    @blueprint.post("/l/<launch:handle>/desk/offers/answer")
    @requires(Action.WORK_DESK)
    def answer(handle: str) -> Response | WerkzeugResponse:
        here, id, do = around.here(), request.form.get("offer", "")[:16], request.form.get("do", "")
        note = " ".join(request.form.get("text", "").split())[:500]
        if do == "decline" and not note:
            return Response(show(here, "Not done: say in a few words why, they are told."), 400, mimetype="text/html")
        if do not in ("allow", "decline"):
            return Response(show(here, "Nothing was changed: choose what to answer."), 400, mimetype="text/html")
        done = offering.allow(id, here.who) if do == "allow" else offering.decline(id, here.who, note)
        if not done:
            return Response(show(here, "Not done: somebody has answered already, or it is not there."), 409, mimetype="text/html")
        return redirect(f"/l/{here.ctx.handle}/desk/offers", 303)

    def show(here: Here, problem: str = "") -> str:
        found = offering.waiting()
        audit.record(DeskShown(who=here.who, view="offers", count=len(found)))
        return render_template("desk/offers.html", found=found, problem=problem, **around.frame(here, "offers"))

    return blueprint
