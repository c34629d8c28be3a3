"""A request that begins at the desk, over HTTP: find the patient at the EHR, see who it is, say what is wanted."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from launch.errors import LaunchError
from smart_app.access import Action, requires
from smart_app.audit.desk_events import PatientSought
from smart_app.audit.log import AuditLog
from smart_app.desk.asking import PATIENT, Asking, choices
from smart_app.desk.forms import WrongForm
from smart_app.desk.new_form import MODALITIES, SECOND_OPINION, invitation_of, request_of
from smart_app.desk.patients import Found, Patients
from smart_app.desk.surroundings import Here, Surroundings
from smart_app.errors import OutboundError
from smart_app.image_requests import words
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import AlreadyAsked
from smart_app.image_requests.types import Basis, Patient, Urgency
from smart_app.image_requests.workflow import NotAllowed
from smart_app.web.faults import NotHere

SAID = {
    Found.NONE: "The EHR has no patient with this number. Check the number; nobody was chosen.",
    Found.OTHER_BIRTH_DATE: "The EHR has a patient with this number, but with another birth date. Check both; nobody was chosen.",
    Found.SEVERAL: "The EHR has more than one patient with this number. Ask from the patient’s chart instead.",
    Found.REPLACED: "This record was merged into another, or is not used any more. Ask from the patient’s chart instead.",
}
SILENT = "The EHR could not be asked. Their side or the network; nothing was changed. Try again in a minute, or ask from the patient’s chart."


def make_blueprint(patients: Patients, asking: Asking, facilities: Facilities, around: Surroundings, audit: AuditLog) -> Blueprint:
    blueprint = Blueprint("desk_new", __name__)

    @blueprint.get("/l/<launch:handle>/desk/new")
    @requires(Action.WORK_DESK)
    def page(handle: str) -> str:
        return first(around.here())

    @blueprint.post("/l/<launch:handle>/desk/new/find")
    @requires(Action.WORK_DESK)
    def find(handle: str) -> str | Response:
        here = around.here()
        if not patients.may_ask(here.ctx.issuer_key):
            raise NotHere("no-backend")
        try:
            search = patients.find(here.ctx.issuer_key, request.form.get("number", ""), request.form.get("born", ""), here.ctx.handle)
        except ValueError:
            return answer(first(here, "Give the number as the chart has it, and the whole birth date."), 400)
        except (OutboundError, LaunchError):
            return answer(first(here, SILENT), 502)
        audit.record(PatientSought(who=here.who, patient=search.patient.id if search.patient else None, count=search.named))
        return second(here, search.patient, search.token) if search.patient is not None else answer(first(here, SAID[search.found]), 404)

    @blueprint.post("/l/<launch:handle>/desk/new")
    @requires(Action.WORK_DESK)
    def ask(handle: str) -> str | WerkzeugResponse:
        here, token = around.here(), request.form.get("patient", "")
        patient = patients.opened(token, here.ctx.handle)
        if patient is None or patient.issuer != here.ctx.issuer_key:
            raise NotHere("no-such-patient")
        do = request.form.get("do", "")
        try:
            if do == "invite":
                made = asking.ask(invitation_of(request.form, patient), PATIENT, here.actor, send=True)
            else:
                made = asking.ask(request_of(request.form, patient), request.form.get("whom", ""), here.actor, send=do != "draft")
        except (WrongForm, NotAllowed) as wrong:
            problem = str(wrong) if isinstance(wrong, WrongForm) else "Nothing was sent: it is not known whom to ask, or how."
            return answer(second(here, patient, token, problem), 400)
        except AlreadyAsked as asked:
            return answer(second(here, patient, token, "The same request is already open.", asked.request), 409)
        return redirect(f"/l/{here.ctx.handle}/desk/requests/{made.id}", 303)

    def answer(page: str, status: int) -> Response:
        return Response(page, status, mimetype="text/html")

    def first(here: Here, problem: str = "") -> str:
        return render_template("desk/new_patient.html", problem=problem, may_ask=patients.may_ask(here.ctx.issuer_key), **around.frame(here, "new"))

    def second(here: Here, patient: Patient, token: str, problem: str = "", shows: str = "") -> str:
        given: Any = request.form
        return render_template(
            "desk/new_request.html", patient=patient, token=token, problem=problem, shows=shows, given=given, choices=choices(facilities.all(), dict(words.ROUTES)),
            second_opinion=SECOND_OPINION, modalities=MODALITIES, urgencies=Urgency, bases=Basis, **around.frame(here, "new"),
        )  # fmt: skip

    return blueprint
