"""Pages of the desk that name no patient, over HTTP: work that needs a person, how long hospitals take, and the directory of hospitals."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import Action, requires
from smart_app.audit.desk_events import FacilitySaved, WorkTriedAgain
from smart_app.audit.log import AuditLog
from smart_app.desk.attention import troubles
from smart_app.desk.directory import ROWS, WAYS, facility_of
from smart_app.desk.emergency import EmergencyLinks, Standing
from smart_app.desk.forms import WrongForm
from smart_app.desk.surroundings import Here, Surroundings
from smart_app.image_requests.facilities import Facilities, plain
from smart_app.image_requests.queries import Work
from smart_app.image_requests.types import Facility
from smart_app.jobs.ledger import Ledger
from smart_app.web.faults import NotHere

DAYS = 90
SHOWN = 200
"""Hospitals on one page of the directory; the rest are found by their name."""


def make_blueprint(ledger: Ledger, work: Work, facilities: Facilities, around: Surroundings, audit: AuditLog, emergency: EmergencyLinks) -> Blueprint:
    blueprint = Blueprint("desk_site", __name__)

    @blueprint.get("/l/<launch:handle>/desk/attention")
    @requires(Action.WORK_DESK)
    def attention(handle: str) -> str:
        return render_template("desk/attention.html", troubles=troubles(ledger.attention()), **around.frame(around.here(), "attention"))

    @blueprint.post("/l/<launch:handle>/desk/attention/again")
    @requires(Action.WORK_DESK)
    def again(handle: str) -> WerkzeugResponse:
        """Try it five times more. Pressed twice, it is tried once."""
        here, kind, key = around.here(), request.form.get("kind", "")[:32], request.form.get("key", "")[:160]
        if not ledger.again(kind, key):
            raise NotHere("no-such-work")
        audit.record(WorkTriedAgain(who=here.who, kind=kind, key=key))
        return redirect(f"/l/{here.ctx.handle}/desk/attention", 303)

    @blueprint.get("/l/<launch:handle>/desk/hospitals")
    @requires(Action.WORK_DESK)
    def hospitals(handle: str) -> str:
        names = {one.id: one for one in facilities.all(retired=True)}
        return render_template("desk/hospitals.html", found=work.by_facility(DAYS), names=names, days=DAYS, **around.frame(around.here(), "hospitals"))

    @blueprint.get("/l/<launch:handle>/desk/facilities")
    @requires(Action.WORK_DESK)
    def directory(handle: str) -> str:
        here, asked = around.here(), request.args.get("find", "").strip()[:80]
        wanted = plain(asked).split()
        found = [one for one in facilities.all(retired=True) if all(word in plain(f"{one.name} {one.place} {one.note}") for word in wanted)]
        return render_template("desk/facilities.html", found=found[:SHOWN], more=len(found) - SHOWN, asked=asked, **around.frame(here, "facilities"))

    @blueprint.get("/l/<launch:handle>/desk/facilities/new")
    @requires(Action.WORK_DESK)
    def new(handle: str) -> str:
        return edited(around.here(), None)

    @blueprint.get("/l/<launch:handle>/desk/facilities/<string(maxlength=40):facility>")
    @requires(Action.WORK_DESK)
    def one(handle: str, facility: str) -> str:
        return edited(around.here(), known(facility))

    @blueprint.post("/l/<launch:handle>/desk/facilities/save")
    @requires(Action.WORK_DESK)
    def save(handle: str) -> Response | WerkzeugResponse:
        here, id = around.here(), request.form.get("facility", "")
        before = known(id) if id else None
        try:
            made = facility_of(request.form, before)
        except WrongForm as wrong:
            return Response(edited(here, before, str(wrong)), 400, mimetype="text/html")
        facilities.save(made)
        audit.record(FacilitySaved(who=here.who, facility=made.id, is_new="" if before else "yes"))
        return redirect(f"/l/{here.ctx.handle}/desk/facilities", 303)

    @blueprint.post("/l/<launch:handle>/desk/facilities/<string(maxlength=40):facility>/emergency")
    @requires(Action.WORK_DESK)
    def ahead(handle: str, facility: str) -> str:
        """A link to send ahead of a patient; with `link`, the code of one that was just made."""
        here, chosen, id = around.here(), known(facility), request.form.get("link", "")
        if not emergency.is_on:
            raise NotHere("receiving-off")
        standing = emergency.code(chosen, id, here.who) if id else emergency.make(chosen, here.who)
        if standing is None:
            raise NotHere("no-such-link")
        return edited(here, chosen, standing=standing)

    def known(id: str) -> Facility:
        found = facilities.get(id)
        if found is None:
            raise NotHere("no-such-facility")
        return found

    def edited(here: Here, facility: Facility | None, problem: str = "", standing: Standing | None = None) -> str:
        return render_template(
            "desk/facility.html", facility=facility, ways=WAYS, rows=ROWS, problem=problem, ahead=standing, takes_ahead=emergency.is_on, **around.frame(here, "facilities")
        )

    return blueprint
