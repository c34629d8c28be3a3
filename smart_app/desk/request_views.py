"""One request at the desk over HTTP: its timeline, and everything that the desk may do with it. On the record before it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import Action, may, requires, unattended
from smart_app.audit.desk_events import RequestShown
from smart_app.audit.log import AuditLog
from smart_app.desk.asking import Asking, choices
from smart_app.desk.bulk import Bulk, Doing, Mark
from smart_app.desk.forms import WrongForm, given_of
from smart_app.desk.rows import row_of
from smart_app.desk.selection import NOBODY
from smart_app.desk.sender_links import DAYS, SenderLinks
from smart_app.desk.surroundings import Here, Surroundings
from smart_app.image_requests import words
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.queries import Work
from smart_app.image_requests.service import AlreadyAsked, NoSuchRequest, Requests
from smart_app.image_requests.telling import story
from smart_app.image_requests.types import ImageRequest, Party
from smart_app.image_requests.workflow import CLOSED, Act, Deed, can, may_do
from smart_app.web import current_roles
from smart_app.web.faults import NotHere

REQUEST = "<string(maxlength=16):request_id>"
DEEDS = {Doing.REMIND: Deed.REMIND, Doing.MOVE: Deed.MOVE, Doing.NOTE: Deed.NOTE, Doing.ASSIGN: Deed.ASSIGN}
ACTS = {Doing.SEND: Act.SEND, Doing.ACCEPT: Act.ACCEPT, Doing.DECLINE: Act.DECLINE, Doing.CANCEL: Act.CANCEL, Doing.REOPEN: Act.REOPEN}


@dataclass(frozen=True)
class Came:
    """A study that came for a request: its review page's id, and what it is without saying whose."""

    id: str
    about: str


def make_blueprint(
    requests: Requests, facilities: Facilities, work: Work, bulk: Bulk, asking: Asking, links: SenderLinks, around: Surroundings, audit: AuditLog,
    *, came: Callable[[str], tuple[Came, ...]] = lambda request: (),
) -> Blueprint:  # fmt: skip
    """`came`: what has come for a request; reviewers are led to it."""
    blueprint = Blueprint("desk_request", __name__)
    base = f"/l/<launch:handle>/desk/requests/{REQUEST}"

    @blueprint.get(base)
    @requires(Action.WORK_DESK)
    def page(handle: str, request_id: str) -> str:
        return show(around.here(), found(request_id))

    @blueprint.get(f"{base}/now")
    @requires(Action.WORK_DESK)
    @unattended
    def now(handle: str, request_id: str) -> Response:
        """What an open page asks: a number that grows with every change, and nothing of anybody."""
        return jsonify({"launch": around.here().ctx.handle, "version": found(request_id).version})

    @blueprint.post(f"{base}/do")
    @requires(Action.WORK_DESK)
    def do(handle: str, request_id: str) -> str | WerkzeugResponse:
        here, one = around.here(), found(request_id)
        try:
            doing = Doing(request.form.get("do", ""))
            given = given_of(request.form, doing, around.people.all())
            mark = Mark(one.id, int(request.form.get("version", "")))
        except (ValueError, WrongForm) as wrong:
            return refused(here, one, str(wrong) if isinstance(wrong, WrongForm) else "Nothing was changed: choose what to do.")
        outcome = bulk.one(doing, mark, here.actor, given)
        return redirect(at(here, one.id), 303) if outcome.is_done else refused(here, found(one.id), outcome.words, 409)

    @blueprint.post(f"{base}/ask")
    @requires(Action.WORK_DESK)
    def ask(handle: str, request_id: str) -> str | WerkzeugResponse:
        """The same images of another hospital, or of the patient."""
        here, one = around.here(), found(request_id)
        try:
            other = asking.another(one, request.form.get("whom", ""), here.actor)
        except WrongForm as wrong:
            return refused(here, one, str(wrong))
        except AlreadyAsked as asked:
            return refused(here, one, "The same request is already open.", 409, shows=asked.request)
        return redirect(at(here, other.id), 303)

    @blueprint.post(f"{base}/code")
    @requires(Action.WORK_DESK)
    def code(handle: str, request_id: str) -> str | WerkzeugResponse:
        here, one = around.here(), found(request_id)
        told = links.code(one, here.who)
        return refused(here, one, "No link of this request lives, so there is no code to tell.", 409) if told is None else show(here, one, code=told)

    @blueprint.post(f"{base}/link")
    @requires(Action.WORK_DESK)
    def link(handle: str, request_id: str) -> str | WerkzeugResponse:
        here, one, id = around.here(), found(request_id), request.form.get("link", "")
        days = request.form.get("days", "")
        done = links.revoke(one.id, id, here.actor) if request.form.get("do") == "revoke" else days.isdigit() and links.extend(one.id, id, int(days), here.actor)
        return redirect(at(here, one.id), 303) if done else refused(here, one, "Nothing was changed: this link has ended, or there is no such link.", 409)

    def found(id: str) -> ImageRequest:
        try:
            return requests.get(id)
        except NoSuchRequest:
            raise NotHere("no-such-request") from None

    def refused(here: Here, one: ImageRequest, problem: str, status: int = 400, *, shows: str = "") -> Response:
        return Response(show(here, one, problem=problem, shows=shows), status, mimetype="text/html")

    def show(here: Here, one: ImageRequest, *, problem: str = "", shows: str = "", code: str = "") -> str:
        audit.record(RequestShown(who=here.who, patient=one.asked.patient.id, request=one.id))
        frame = around.frame(here, "")
        return render_template("desk/request.html", problem=problem, shows=shows, code=code, **frame, **around_one(one, frame))

    def around_one(one: ImageRequest, frame: dict[str, Any]) -> dict[str, Any]:
        now = frame["now"]
        return {
            "one": one, "row": row_of(one, now), "story": story(one, requests.history(one.id), work.usual().get(one.asked.facility), None, now), "closed": one.state in CLOSED,
            "together": [other for other in requests.of_case(one.asked.case or one.id) if other.id != one.id],
            "doable": {doing.value for doing, act in ACTS.items() if can(one.state, act, Party.STAFF)} | {doing.value for doing, deed in DEEDS.items() if may_do(one.state, deed, Party.STAFF)},
            "choices": choices(facilities.all(), dict(words.ROUTES)), "people": around.people.all(), "nobody": NOBODY, "links": links.of(one.id), "receives": links.is_on, "came": came(one.id) if may(current_roles(), Action.REVIEW_INTAKE) and "intake.one" in current_app.view_functions else (), "days": DAYS,
        }  # fmt: skip

    def at(here: Here, id: str) -> str:
        return f"/l/{here.ctx.handle}/desk/requests/{id}"

    return blueprint
