"""Reports over HTTP: those of a study, one document as blocks, and a PDF as a file to take away. The study's own check comes first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from smart_app.access import Action, requires
from smart_app.errors import AppError
from smart_app.reports.service import Document, Reports
from smart_app.reports.types import Shown, Told
from smart_app.viewer.asking import NOT_IN_LIST, Ask, Doorman, patient_key
from smart_app.web import current_launch, current_who

ROOT = "/l/<launch:handle>/reports/<key:archive>/<uid:study>"
NAME = "<string(maxlength=400):document>"


def make_blueprint(doorman: Doorman, reports: Reports) -> Blueprint:
    blueprint = Blueprint("reports", __name__)

    def ask(archive: str, study: str) -> Ask:
        return doorman.admit(current_launch(), current_who(), archive, study)

    @blueprint.get(ROOT)
    @requires(Action.VIEW_IMAGES)
    def beside(handle: str, archive: str, study: str) -> Response:
        given = ask(archive, study)
        return _answer(given, _told(reports.of(given)))

    @blueprint.get(f"{ROOT}/{NAME}")
    @requires(Action.VIEW_IMAGES)
    def document(handle: str, archive: str, study: str, document: str) -> Response:
        given = ask(archive, study)
        found = reports.document(given, document)
        form = found.form
        return _answer(given, {"kind": form.kind, "sentence": form.sentence, "author": form.author, "blocks": [block.told() for block in form.blocks]})

    @blueprint.get(f"{ROOT}/{NAME}/file")
    @requires(Action.VIEW_IMAGES)
    def file(handle: str, archive: str, study: str, document: str) -> Response:
        """Only what its bytes say is a PDF, and never inside our page."""
        given = ask(archive, study)
        found: Document = reports.document(given, document)
        if found.form.kind != "file":
            raise AppError(NOT_IN_LIST)
        response = Response(found.content, content_type="application/pdf")
        response.headers["Content-Disposition"] = 'attachment; filename="report.pdf"'
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def _answer(ask: Ask, told: dict[str, Any]) -> Response:
    response = jsonify(launch=ask.handle, patient=patient_key(ask.context), study=ask.study, **told)
    response.headers["Cache-Control"] = "no-store"
    return response


def _told(found: Told) -> dict[str, Any]:
    return {"state": found.state, "mark": found.mark, "sentence": found.sentence, "notes": found.notes, "reports": [_one(one) for one in found.reports]}


def _one(one: Shown) -> dict[str, Any]:
    return {
        "mark": one.mark, "tone": one.tone, "said": one.said, "title": one.title, "date": one.date, "signed": one.signed, "sure": one.sure, "why": one.why,
        "superseded": one.superseded, "blocks": [block.told() for block in one.blocks],
        "papers": [{"id": paper.id, "title": paper.title, "kind": paper.kind} for paper in one.papers],
    }  # fmt: skip
