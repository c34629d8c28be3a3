"""The work list over HTTP: the page, the same page for words looked for, and what an open page asks by itself. Audited before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from launch.context import LaunchContext
from smart_app.access import Action, requires, unattended
from smart_app.audit.desk_events import DeskShown
from smart_app.audit.log import AuditLog
from smart_app.desk.board import Board, Shown
from smart_app.desk.rows import rows_of
from smart_app.desk.selection import NOBODY, SORTS, STANDING, TITLES, WORK, Selection, View
from smart_app.desk.words import MONTHS, STANDINGS
from smart_app.image_requests.types import Urgency
from smart_app.web import current_launch, current_who

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HEADS = {"due": "Due", "patient": "Patient", "": "Wanted", "from": "From", "state": "State", "updated": "Last event", "owner": "Owner"}
assert set(SORTS) < set(HEADS)


@dataclass(frozen=True)
class Pace:
    """Seconds between two looks of an open page, and until it is blanked unused."""

    watch_seconds: int
    idle_seconds: int


def make_blueprint(board: Board, audit: AuditLog, pace: Pace, *, site: str) -> Blueprint:
    """`site`: the hospital's name in the page head."""
    blueprint = Blueprint("desk", __name__)

    @blueprint.get("/l/<launch:handle>/desk")
    @requires(Action.WORK_DESK)
    def page(handle: str) -> str:
        return show(replace(Selection.of(request.args), words=""))  # words may name a patient: never out of an address

    @blueprint.post("/l/<launch:handle>/desk/find")
    @requires(Action.WORK_DESK)
    def find(handle: str) -> str:
        return show(Selection.of(request.form))

    @blueprint.post("/l/<launch:handle>/desk/watch")
    @requires(Action.WORK_DESK)
    @unattended
    def watch(handle: str) -> Response:
        """What an open page asks: only a mark is compared unless something has changed since `known`."""
        ctx, known = current_launch(), request.form.get("known", "")
        if known == board.mark():
            return jsonify({"launch": ctx.handle, "known": known})
        selection = Selection.of(request.form)
        shown = board.read(selection, me(ctx))
        told(shown, selection)
        around = frame(ctx, shown, selection)
        return jsonify(
            {
                "launch": ctx.handle, "known": shown.mark, "at": f"{shown.at.astimezone():%H:%M}", "total": shown.total,
                "rows": render_template("desk/_rows.html", **around), "views": render_template("desk/_views.html", **around),
            }
        )  # fmt: skip

    def show(selection: Selection) -> str:
        ctx = current_launch()
        shown = board.read(selection, me(ctx))
        told(shown, selection)
        return render_template("desk/page.html", **frame(ctx, shown, selection))

    def told(shown: Shown, selection: Selection) -> None:
        names = ",".join(one.id for one in shown.rows)
        searched = "yes" if selection.words else ""
        audit.record(DeskShown(who=current_who(), view=selection.view.value, count=len(shown.rows), searched=searched, requests=names))

    def frame(ctx: LaunchContext, shown: Shown, selection: Selection) -> dict[str, Any]:
        return {
            "ctx": ctx, "site": site, "today": in_full(shown.at), "shown": shown, "rows": rows_of(shown.rows, shown.at), "selection": selection,
            "title": TITLES[selection.view], "titles": TITLES, "View": View, "work": WORK, "standing": STANDING, "standings": STANDINGS,
            "urgencies": Urgency, "nobody": NOBODY, "heads": HEADS, "pace": pace,
        }  # fmt: skip

    return blueprint


def me(ctx: LaunchContext) -> str:
    """How an owner is named."""
    return ctx.user.name or ctx.user.subject


def in_full(at: datetime) -> str:
    """`Thursday 21 May 2026, 09:44`"""
    here = at.astimezone()
    return f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]} {here.year}, {here:%H:%M}"
