"""Break-glass over HTTP: open with a reason, end, and the auditors' list. Only a POST of our own page changes anything."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as Answered

from launch.context import LaunchContext
from smart_app.access import Action, requires
from smart_app.breakglass.reasons import understood
from smart_app.breakglass.review import Review
from smart_app.breakglass.store import BreakGlass
from smart_app.errors import AppError, Fault, Side
from smart_app.web import NotHere, current_launch, current_who

NO_REASON = Fault("no-reason", Side.PERSON, "Nothing was opened: a reason is needed.",
                  "Go back, choose a reason, and say in a few words why it cannot wait.", False, 400)  # fmt: skip


def make_blueprint(glass: BreakGlass, review: Review, openable: Callable[[LaunchContext], int]) -> Blueprint:
    """`openable` counts the restricted studies of the launch's patient that its user may open with a reason."""
    blueprint = Blueprint("breakglass", __name__)

    @blueprint.post("/l/<launch:handle>/break-glass")
    @requires(Action.BREAK_GLASS)
    def begin(handle: str) -> Answered:
        ctx, code = current_launch(), request.form.get("reason", "")
        if not glass.is_open(handle):
            count = openable(ctx)
            if not count:
                raise NotHere("nothing-to-break-glass-for")
            text = understood(code, request.form.get("text", ""))
            if text is None:
                raise AppError(NO_REASON)
            glass.open(ctx, current_who(), code, text, count)
        return redirect(f"/l/{handle}/studies", 303)

    @blueprint.post("/l/<launch:handle>/break-glass/end")
    @requires(Action.BREAK_GLASS)
    def end(handle: str) -> Answered:
        if not glass.is_open(handle):
            raise NotHere("no-break-glass")
        glass.end(handle, current_who())
        return redirect(f"/l/{handle}/studies", 303)

    @blueprint.get("/l/<launch:handle>/audit/break-glass")
    @requires(Action.READ_AUDIT)
    def listed(handle: str) -> str | Response:
        cases = review.cases(current_who())
        if request.accept_mimetypes.best == "application/json":
            return jsonify(openings=[case.as_json() for case in cases])
        return render_template("break_glass.html", ctx=current_launch(), cases=cases)

    return blueprint
