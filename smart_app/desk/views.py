"""The work list over HTTP: the page, the same for words looked for, what an open page asks by itself, saved views, and the list as a file.

Whatever names patients is in the audit before it leaves. Words that may name one come in a POST only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import Action, requires, unattended
from smart_app.audit.desk_events import DeskExported, DeskShown
from smart_app.audit.log import AuditLog
from smart_app.desk.board import Board, Shown
from smart_app.desk.bulk import Bulk, Doing, Outcome, marks_of
from smart_app.desk.export import as_csv
from smart_app.desk.forms import WrongForm, given_of
from smart_app.desk.rows import STEPS, rows_of
from smart_app.desk.saved import TooManyViews
from smart_app.desk.selection import NOBODY, Selection
from smart_app.desk.surroundings import Here, Surroundings
from smart_app.image_requests.types import ImageRequest, State, Urgency
from smart_app.image_requests.workflow import CLOSED
from smart_app.web.faults import NotHere

HEADS = {"due": "Due", "patient": "Patient", "": "Wanted", "from": "From", "state": "State", "updated": "Last event", "owner": "Owner"}
IN_ONE_RECORD = 500


def make_blueprint(board: Board, bulk: Bulk, around: Surroundings, audit: AuditLog, *, has_sheets: bool) -> Blueprint:
    blueprint = Blueprint("desk", __name__)

    @blueprint.get("/l/<launch:handle>/desk")
    @requires(Action.WORK_DESK)
    def page(handle: str) -> str:
        here = around.here()
        around.arrived(here)
        chosen = request.args.get("saved")
        if chosen is None:
            return show(here, replace(Selection.of(request.args), words=""))  # words may name a patient: never out of an address
        view = next((one for one in around.saved.of(here.person) if one.id == chosen), None)
        if view is None:
            raise NotHere("no-such-view")
        return show(here, view.selection, current=view.id)

    @blueprint.post("/l/<launch:handle>/desk/find")
    @requires(Action.WORK_DESK)
    def find(handle: str) -> str:
        return show(around.here(), Selection.of(request.form))

    @blueprint.post("/l/<launch:handle>/desk/watch")
    @requires(Action.WORK_DESK)
    @unattended
    def watch(handle: str) -> Response:
        """What an open page asks: only a mark is compared unless something has changed since `known`."""
        here, known = around.here(), request.form.get("known", "")
        if known == board.mark():
            return jsonify({"launch": here.ctx.handle, "known": known})
        selection = Selection.of(request.form)
        shown = read(here, selection)
        values = filled(here, shown, selection, request.form.get("current", ""))
        at = {"launch": here.ctx.handle, "known": shown.mark, "at": f"{shown.at.astimezone():%H:%M}"}
        return jsonify(at | {"rows": render_template("desk/_rows.html", **values), "views": render_template("desk/_views.html", **values)})

    @blueprint.post("/l/<launch:handle>/desk/bulk")
    @requires(Action.WORK_DESK)
    def many(handle: str) -> str | Response:
        """Does one thing to all that are ticked, and shows the list again with what came of each."""
        here, marks = around.here(), marks_of(request.form.getlist("request"))
        selection = Selection.of(request.form)
        try:
            doing = Doing(request.form.get("do", ""))
            given = given_of(request.form, doing, around.people.all())
        except (ValueError, WrongForm) as wrong:
            problem = str(wrong) if isinstance(wrong, WrongForm) else "Choose what to do with them."
            return Response(show(here, selection, problem=problem), 400, mimetype="text/html")
        if not marks:
            return Response(show(here, selection, problem="No request is ticked."), 400, mimetype="text/html")
        return show(here, selection, outcomes=bulk.run(doing, marks, here.actor, given))

    @blueprint.post("/l/<launch:handle>/desk/export")
    @requires(Action.WORK_DESK)
    def export(handle: str) -> Response:
        here, selection = around.here(), Selection.of(request.form)
        found = board.everything(selection, here.actor)
        taken(here, "csv", found.requests)
        name = f"requests-{around.frame(here, '')['now'].astimezone():%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(as_csv(found.requests, found.unsearched), mimetype="text/csv", headers=headers)

    @blueprint.post("/l/<launch:handle>/desk/phone-list")
    @requires(Action.WORK_DESK)
    def phone_list(handle: str) -> str:
        """Whom to call about what, on paper. Codes are not on it: they are told from the request's own page, on the record."""
        here, marks = around.here(), {one.id for one in marks_of(request.form.getlist("request"))}
        found = tuple(one for one in board.everything(Selection.of(request.form), here.actor).requests if one.id in marks)
        taken(here, "phone-list", found)
        return render_template("desk/phone_list.html", requests=sorted(found, key=_place), rows={row.id: row for row in rows_of(found, around.frame(here, "")["now"])}, **around.frame(here, ""))

    @blueprint.post("/l/<launch:handle>/desk/views")
    @requires(Action.WORK_DESK)
    def save(handle: str) -> WerkzeugResponse | str | Response:
        here, selection = around.here(), Selection.of(request.form)
        try:
            view = around.saved.save(here.person, request.form.get("title", ""), selection)
        except (ValueError, TooManyViews) as wrong:
            problem = "You have 30 views already: remove one first." if isinstance(wrong, TooManyViews) else "Give the view a name."
            return Response(show(here, selection, problem=problem), 400, mimetype="text/html")
        return redirect(f"/l/{here.ctx.handle}/desk?saved={view.id}", 303)

    @blueprint.post("/l/<launch:handle>/desk/views/remove")
    @requires(Action.WORK_DESK)
    def remove(handle: str) -> WerkzeugResponse:
        here = around.here()
        if not around.saved.remove(here.person, request.form.get("saved", "")):
            raise NotHere("no-such-view")
        return redirect(f"/l/{here.ctx.handle}/desk", 303)

    def show(here: Here, selection: Selection, *, current: str = "", problem: str = "", outcomes: tuple[Outcome, ...] = ()) -> str:
        shown = read(here, selection)
        return render_template("desk/page.html", problem=problem, outcomes=outcomes, **filled(here, shown, selection, current))

    def read(here: Here, selection: Selection) -> Shown:
        shown = board.read(selection, here.actor)
        names = ",".join(one.id for one in shown.rows)
        searched = "yes" if selection.words else ""
        audit.record(DeskShown(who=here.who, view=selection.view.value, count=len(shown.rows), searched=searched, requests=names))
        return shown

    def taken(here: Here, what: str, found: tuple[ImageRequest, ...]) -> None:
        names = [one.id for one in found]
        parts = [names[at : at + IN_ONE_RECORD] for at in range(0, len(names), IN_ONE_RECORD)] or [[]]
        audit.record_all([DeskExported(who=here.who, what=what, count=len(part), requests=",".join(part)) for part in parts])

    def filled(here: Here, shown: Shown, selection: Selection, current: str) -> dict[str, Any]:
        closed = "closed" if selection.states and CLOSED.issuperset(selection.states) else ""
        return around.frame(here, current or closed or selection.view.value, shown.counts) | {
            "shown": shown, "rows": rows_of(shown.rows, shown.at), "selection": selection, "title": selection.title, "states": State, "urgencies": Urgency,
            "nobody": NOBODY, "heads": HEADS, "steps": STEPS, "me": here.person, "has_sheets": has_sheets,
        }  # fmt: skip

    return blueprint


def _place(one: ImageRequest) -> tuple[str, str]:
    return (one.facility.name.casefold() if one.facility else "\uffff", one.id)
