"""The auditor's page: who saw what, when. A reading of the audit is itself in the audit before the page is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from launch.context import LaunchContext
from smart_app.audit.events import Who
from smart_app.audit.report import AuditReports, Line, Question

View = Callable[..., Any]
SHOWN = 500
WORDS = {
    "AppStarted": "Priors started",
    "LaunchOpened": "Opened Priors",
    "LaunchRefused": "Could not open Priors",
    "LaunchEnded": "Closed Priors",
    "SourceAnswered": "Asked for studies",
    "StudyArrived": "A new study appeared in an open list",
    "RowWithheld": "Row of another patient withheld",
    "StudyOpened": "Opened a study",
    "SeriesRead": "Read a series",
    "InstanceWithheld": "Image of another patient withheld",
    "MatchCompared": "Compared two records",
    "MatchConfirmed": "Said that two records are one person’s",
    "MatchRejected": "Said that two records are two people’s",
    "MatchUndone": "Took a decision about a record back",
    "MatchLeftOpen": "Left a possible match undecided",
    "AccessDenied": "Was refused",
    "AuditRead": "Read these records",
    "BreakGlassOpened": "Opened restricted studies with a reason",
    "BreakGlassEnded": "Restricted studies were closed again",
    "DeskShown": "Saw the work list of the image desk",
    "DeskExported": "Took the work list out",
    "RequestShown": "Opened a request",
    "CodeShown": "Was shown the code of a link",
    "PatientSought": "Looked for a patient by number",
    "WorkTriedAgain": "Had failed work tried again",
    "FacilitySaved": "Changed the directory of hospitals",
    "IntakeListed": "Saw the list of what arrived",
    "IntakeSeen": "Saw received images and whose they are",
    "IntakeDecided": "Decided on received images",
    "IntakeStored": "Received images were stored and read back",
    "IntakeWithdrawn": "Took a stored study out of every view, or showed it again",
    "IntakeExpired": "Received files were removed: their time was over",
    "IndexForgotten": "Had the index forget a patient",
}


@dataclass(frozen=True)
class Row:
    """One record in the words of the page."""

    when: str
    who: str
    what: str
    patient: str
    about: str
    outcome: int
    id: str


def make_blueprint(
    reports: AuditReports, *, auditors_only: Callable[[View], View], launch: Callable[[], LaunchContext], who: Callable[[], Who]
) -> Blueprint:
    """`auditors_only` marks the view for the access check; `launch` and `who` are those of the request."""
    blueprint = Blueprint("audit", __name__)

    @blueprint.get("/l/<launch:handle>/audit")
    @auditors_only
    def audit(handle: str) -> str | Response:
        given = {name: request.args.get(name, "").strip()[:128] for name in ("patient", "who", "from", "to", "sort")}
        question = _question(given, launch().tenant)
        asked = question.about != "everything"
        lines = reports.read(question, who()) if asked else ()
        if request.accept_mimetypes.best == "application/json":
            return jsonify(records=[line.as_json() for line in lines])
        return render_template(
            "audit.html", ctx=launch(), query=given, records=[_row(line) for line in lines], more=len(lines) == SHOWN, asked=asked
        )

    return blueprint


def _question(given: dict[str, str], tenant: str) -> Question:
    """Dates are whole days in UTC, `to` included. What is no date does not narrow."""
    until = _day(given["to"])
    return Question(
        tenant,
        patient=given["patient"],
        user=given["who"],
        since=_day(given["from"]),
        until=until + timedelta(days=1) if until else None,
        sort=given["sort"] or "-at",
        limit=SHOWN,
    )


def _day(text: str) -> datetime | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None


def _row(line: Line) -> Row:
    facts = [f"{name} {value}" for name, value in line.details.items()]
    return Row(
        line.time.strftime("%d %b %Y %H:%M:%S"), line.name or line.user or "Priors", WORDS.get(line.event, line.event), line.patient,
        ", ".join(facts), line.outcome, line.request_id,
    )  # fmt: skip
