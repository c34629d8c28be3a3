"""What came without a request, as the desk sees it: an emergency ahead of its patient, a second opinion, a site that asked whether it may send.

Images and decisions are the reviewers'; who works at the desk sees that it is there, how urgent it is, and whether anybody has said whose it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template

from smart_app.access import Action, may, requires
from smart_app.audit.desk_events import DeskShown
from smart_app.audit.log import AuditLog
from smart_app.desk.surroundings import Surroundings
from smart_app.web import current_roles


@dataclass(frozen=True)
class Arrived:
    """One received study that answers no request and waits."""

    id: str
    at: datetime
    sender: str
    how: str
    """By which kind of link, in words."""
    title: str
    images: int
    is_urgent: bool
    patient: str
    """Name of the patient of the chart, once somebody has said whose it is."""
    stands: str


def make_blueprint(waiting: Callable[[], tuple[Arrived, ...]], around: Surroundings, audit: AuditLog) -> Blueprint:
    blueprint = Blueprint("desk_arrivals", __name__)

    @blueprint.get("/l/<launch:handle>/desk/unasked")
    @requires(Action.WORK_DESK)
    def page(handle: str) -> str:
        here, found = around.here(), waiting()
        audit.record(DeskShown(who=here.who, view="unasked", count=len(found)))
        may_review = may(current_roles(), Action.REVIEW_INTAKE)
        return render_template("desk/unasked.html", found=found, may_review=may_review, **around.frame(here, "unasked"))

    return blueprint
