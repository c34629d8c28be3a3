"""The board over HTTP: the page, what it asks by itself, one case looked for, opened, signed off, written about.

Whatever names patients is in the audit before it leaves. A case that this board was not shown does not exist here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from launch.context import LaunchContext
from launch.errors import LaunchError
from launch.session import BROWSER_COOKIE
from smart_app.access import Action, requires, unattended
from smart_app.audit.log import AuditLog
from smart_app.audit.preop_events import BoardShown, CaseDecided, CaseMessageSent, CaseShown
from smart_app.errors import AppError, Fault, OutboundError, Side
from smart_app.preop.board import DAYS, Board, Row, Shown
from smart_app.preop.looking import Looking
from smart_app.preop.opening import Opening
from smart_app.preop.readiness import Verdict
from smart_app.preop.store import Notes
from smart_app.preop.types import Case, Note, Said
from smart_app.web import current_launch, current_who
from smart_app.web.faults import NotHere

CASE = "/l/<launch:handle>/board/cases/<string(length=32):case>"
LONGEST = 1000
NO_LIST = Fault("no-list", Side.EHR, "The EHR did not give the surgical list, so nothing is known of any case.", "Try again in a minute, or look in the EHR.", True, 502)
NOT_READY = Fault("not-ready", Side.PERSON, "Nothing was signed off: imaging is missing, or has not been looked for.", "Go on without it with a reason, or ask for it.", False, 409)
NO_WORDS = Fault("no-words", Side.PERSON, "Nothing was written: there was no text.", "Go back, and choose a reason or write a message.", False, 400)
FINAL = Fault("case-changed", Side.EHR, "The EHR has cancelled this case, so nothing was signed off.", "Look at the list again.", False, 409)


@dataclass(frozen=True)
class Page:
    """What stands on the page besides the list. `watch` and `idle` are seconds."""

    site: str
    reasons: Sequence[str]
    watch: int
    idle: int


def make_blueprint(board: Board, opening: Opening, looking: Looking, notes: Notes, audit: AuditLog, page_of: Page) -> Blueprint:
    blueprint = Blueprint("preop", __name__)

    @blueprint.get("/l/<launch:handle>/board")
    @requires(Action.USE_BOARD)
    def page(handle: str) -> str:
        shown = read(day_of(request.args.get("day", "")))
        selected = next((row for row in shown.rows if row.id == request.args.get("case")), shown.rows[0] if shown.rows else None)
        return render_template("preop/board.html", selected=selected, chosen="case" in request.args, **filled(shown))

    @blueprint.post("/l/<launch:handle>/board/watch")
    @requires(Action.USE_BOARD)
    @unattended
    def watch(handle: str) -> Response:
        """What an open page asks: the table again when something in it has changed."""
        shown = board_of(day_of(request.form.get("day", "")))
        told = {"launch": handle, "known": shown.mark, "at": f"{shown.now.astimezone():%H:%M}"}
        if request.form.get("known") == shown.mark:
            return jsonify(told)
        recorded(shown)
        selected = next((row for row in shown.rows if row.id == request.form.get("case")), None)
        values = filled(shown) | {"selected": selected}
        side = {"side": render_template("preop/_side.html", **values)} if selected else {}
        return jsonify(told | side | {"rows": render_template("preop/_rows.html", **values), "views": render_template("preop/_summary.html", **values)})

    @blueprint.post(f"{CASE}/look")
    @requires(Action.USE_BOARD)
    @unattended
    def look(handle: str, case: str) -> Response:
        """Asks every source for this case, in a launch of its own, unless that was done already."""
        ctx, found = current_launch(), known(case)
        own = opening.open(ctx, request.cookies.get(BROWSER_COOKIE), current_who(), found)
        if board.one(ctx, found).readiness.verdict is Verdict.ASKING or "again" in request.form:
            looking.look(own, current_who())
        return jsonify({"launch": handle, "case": case, "done": True})

    @blueprint.post(f"{CASE}/open")
    @requires(Action.USE_BOARD)
    def open_case(handle: str, case: str) -> WerkzeugResponse:
        """To the case's own Images tab, its study, or a request for a kind of imaging that is already filled in."""
        found = known(case)
        own = opening.open(current_launch(), request.cookies.get(BROWSER_COOKIE), current_who(), found)
        row, wanted = board.one(current_launch(), found), request.form.get("kind", "")
        finding = next((one for one in row.readiness.findings if one.want.kind.key == wanted), None)
        if finding is None:
            return redirect(f"/l/{own.handle}/studies", 303)
        if "request" in request.form or not finding.opens or finding.row is None:
            return redirect(f"/l/{own.handle}/request?of={quote(f'want.{wanted}.{case}')}", 303)
        return redirect(f"/l/{own.handle}/studies/{finding.row.uid}", 303)

    @blueprint.post(f"{CASE}/decide")
    @requires(Action.USE_BOARD)
    def decide(handle: str, case: str) -> WerkzeugResponse:
        found = known(case)
        row = board.one(current_launch(), found)
        said = {"ready": Said.READY, "without": Said.WITHOUT, "withdraw": Said.WITHDRAWN}.get(request.form.get("do", ""))
        reason = " ".join(request.form.get("reason", "").split())[:LONGEST]
        if found.is_off:
            raise AppError(FINAL)
        if said is None or (said is Said.READY and not row.readiness.may_sign):
            raise AppError(NOT_READY)
        if said is Said.WITHOUT and not reason:
            raise AppError(NO_WORDS)
        left = row.readiness.short if said is not Said.WITHDRAWN else ()
        event = CaseDecided(who=current_who(), patient=found.patient, case=found.reference, said=said.value, without=len(left))
        notes.add(current_launch().issuer_key, found.reference, written(said, reason, left, found.title), lambda session: audit.record(event, session))
        return back(handle, case)

    @blueprint.post(f"{CASE}/say")
    @requires(Action.USE_BOARD)
    def say(handle: str, case: str) -> WerkzeugResponse:
        found, text = known(case), request.form.get("text", "").strip()[:LONGEST]
        if not text:
            raise AppError(NO_WORDS)
        event = CaseMessageSent(who=current_who(), patient=found.patient, case=found.reference)
        notes.add(current_launch().issuer_key, found.reference, written(Said.MESSAGE, text), lambda session: audit.record(event, session))
        return back(handle, case)

    def known(id: str) -> Case:
        found = board.case(current_launch(), id)
        if found is None:
            raise NotHere("no-such-case")
        return found

    def written(said: Said, text: str, left: tuple[str, ...] = (), procedure: str = "") -> Note:
        user = current_launch().user
        return Note(said, user.name or user.subject, user.issuer, user.subject, text, left, procedure)

    def back(handle: str, case: str) -> WerkzeugResponse:
        return redirect(f"/l/{handle}/board?day={day_of(request.form.get('day', ''))}&case={case}", 303)

    def read(day: str) -> Shown:
        shown = board_of(day)
        recorded(shown)
        return shown

    def board_of(day: str) -> Shown:
        try:
            return board.shown(current_launch(), day)
        except (OutboundError, LaunchError):
            raise AppError(NO_LIST) from None

    def recorded(shown: Shown) -> None:
        """The list as such, and for each patient that something was told of their imaging."""
        who = current_who()
        events: list[Any] = [BoardShown(who=who, day=shown.on.isoformat(), count=len(shown.rows), unread=shown.found.unread, cases=",".join(row.case.reference for row in shown.rows))]
        told = [row for row in shown.rows if row.readiness.findings]
        events += [CaseShown(who=who, patient=row.case.patient, case=row.case.reference, verdict=row.readiness.verdict.value, count=len(row.readiness.findings)) for row in told]
        audit.record_all(events)

    def filled(shown: Shown) -> dict[str, Any]:
        ctx: LaunchContext = current_launch()
        return {"ctx": ctx, "shown": shown, "days": {word: board.day(word).on for word in DAYS}, "Verdict": Verdict, "Said": Said, "page": page_of, "marks": MARKS, "looks": [row.id for row in shown.rows if _wants_a_look(row)]}

    return blueprint


MARKS = {
    Verdict.READY: ("ok", "ok"), Verdict.LOOK: ("part", "warn"), Verdict.RISK: ("urg", "bad"), Verdict.SIGNED: ("ok", "m2"), Verdict.CANCELLED: ("x", "m2"), Verdict.ASKING: ("load", "m2"),
}  # fmt: skip


def day_of(word: str) -> str:
    return word if word in DAYS else DAYS[0]


def _wants_a_look(row: Row) -> bool:
    return row.readiness.verdict is Verdict.ASKING
