"""Sheets over HTTP: for the chart one of its own patient's requests, for the desk any or many. Recorded before a byte leaves."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request

from smart_app.access import Action, requires
from smart_app.audit.dispatch_events import SheetExported
from smart_app.audit.log import AuditLog
from smart_app.dispatch.paper import LeftOut, Paper, Sheet
from smart_app.dispatch.sheets import NO_PRINTER, Sheets
from smart_app.errors import AppError
from smart_app.image_requests.service import NoSuchRequest
from smart_app.web import current_launch, current_who
from smart_app.web.faults import NotHere

NUMBER = "<string(maxlength=16):id>"


def make_blueprint(sheets: Sheets, paper: Paper, audit: AuditLog) -> Blueprint:
    blueprint = Blueprint("dispatch", __name__)

    @blueprint.get(f"/l/<launch:handle>/requests/{NUMBER}/sheet.pdf")
    @requires(Action.REQUEST_IMAGES)
    def of_chart(handle: str, id: str) -> Response:
        """A request of another patient does not exist here."""
        ctx = current_launch()
        return given([found(id, (ctx.issuer_key, ctx.patient_id or ""))])

    @blueprint.get(f"/l/<launch:handle>/desk/requests/{NUMBER}/sheet.pdf")
    @requires(Action.WORK_DESK)
    def of_desk(handle: str, id: str) -> Response:
        return given([found(id)])

    @blueprint.post("/l/<launch:handle>/desk/sheets")
    @requires(Action.WORK_DESK)
    def many(handle: str) -> Response:
        """One file for all that are ticked. A POST, since their numbers are in a form; it changes nothing."""
        ticked = [one.partition(":")[0] for one in request.form.getlist("request")]
        return given(*sheets.many(ticked))

    def found(id: str, patient: tuple[str, str] | None = None) -> Sheet:
        try:
            return sheets.of(id, patient)
        except NoSuchRequest:
            raise NotHere("no-such-request") from None

    def given(found: Sequence[Sheet], left_out: Sequence[LeftOut] = ()) -> Response:
        try:
            pdf = paper.pdf(found, left_out)
        except OSError:
            raise AppError(NO_PRINTER) from None
        for one in found:
            asked = one.request.asked
            audit.record(SheetExported(who=current_who(), patient=asked.patient.id, request=one.request.id, route=asked.route.kind.value))
        response = Response(pdf, mimetype="application/pdf")
        name = found[0].request.id if len(found) == 1 else "requests"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
