"""A person's marks over HTTP: read, saved, written to the archive, and the record of a picture that is taken out. The study's own check comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from smart_app.access import Action, requires
from smart_app.archives.dicom_json import is_uid
from smart_app.audit.log import AuditLog
from smart_app.audit.marks_events import MarksSaved, MarksShown, PictureExported
from smart_app.config import MarksSettings
from smart_app.errors import AppError, Fault, Side
from smart_app.marks.edge import MOST_BYTES, NotMarks, read
from smart_app.marks.filing import Filing
from smart_app.marks.store import Marks, Newer
from smart_app.marks.types import Kept, Mark
from smart_app.viewer.asking import Ask, Doorman, patient_key
from smart_app.viewer.checks import Checks
from smart_app.web import current_launch, current_who

NOT_MARKS = Fault("not-marks", Side.PERSON, "Priors could not read these marks, so nothing was saved.", "Reload the study, then mark it again.", False, 400)
NEWER = Fault("newer-marks", Side.PERSON, "Your marks on this study were changed in another window, so nothing was saved here.", "Take over what is there, then go on.", False, 409)
NO_EXPORT = Fault("no-export", Side.SETUP, "Pictures cannot be taken out here with the patient\u2019s name on them.", "Take it out without, or ask the image desk.", False, 403)
EXPORT_OFF = Fault("no-export", Side.SETUP, "Pictures cannot be taken out here.", "The image desk can say why.", False, 403)

AskOf = Callable[[str, str], Ask]


def make_blueprint(doorman: Doorman, checks: Checks, marks: Marks, filing: Filing, audit: AuditLog, settings: MarksSettings) -> Blueprint:
    blueprint = Blueprint("marks", __name__)

    def ask(archive: str, study: str) -> Ask:
        return doorman.admit(current_launch(), current_who(), archive, study)

    @blueprint.get("/l/<launch:handle>/marks/<key:archive>/<uid:study>")
    @requires(Action.VIEW_IMAGES)
    def shown(handle: str, archive: str, study: str) -> Response:
        given = ask(archive, study)
        kept = marks.of(given.context, study)
        if kept.marks:
            audit.record(MarksShown(who=given.who, patient=given.context.patient_id, study=study, count=len(kept.marks)))
        return jsonify(_told(given, kept, filing, settings))

    @blueprint.put("/l/<launch:handle>/marks/<key:archive>/<uid:study>")
    @requires(Action.VIEW_IMAGES)
    def saved(handle: str, archive: str, study: str) -> Response:
        given = ask(archive, study)
        wanted = _sent()
        _checked(given, wanted.marks, {mark.place for mark in marks.of(given.context, study).marks}, checks)

        def recorded(session: Session) -> None:
            audit.record(MarksSaved(who=given.who, patient=given.context.patient_id, study=study, count=len(wanted.marks)), session)

        try:
            version = marks.save(given.context, study, wanted, recorded)
        except Newer as newer:
            answer = jsonify(error={"code": NEWER.code, "title": NEWER.title, "action": NEWER.action}, now=_told(given, newer.kept, filing, settings))
            answer.status_code = NEWER.status
            return answer
        return jsonify(_told(given, Kept(version, wanted.marks), filing, settings))

    @blueprint.post("/l/<launch:handle>/marks/<key:archive>/<uid:study>/report")
    @requires(Action.VIEW_IMAGES)
    def report(handle: str, archive: str, study: str) -> Response:
        given = ask(archive, study)
        filing.ask(given, checks, _version())
        return jsonify(_told(given, marks.of(given.context, study), filing, settings))

    @blueprint.post("/l/<launch:handle>/marks/<key:archive>/<uid:study>/picture")
    @requires(Action.VIEW_IMAGES)
    def picture(handle: str, archive: str, study: str) -> Response:
        """Recorded before the browser makes the file: what it draws it has already been given."""
        given = ask(archive, study)
        series, instance, frame, identity = _picture()
        if settings.export == "off":
            raise AppError(EXPORT_OFF)
        if identity and settings.export != "with-identity":
            raise AppError(NO_EXPORT)
        checks.ensure(given, series, instance)
        audit.record(
            PictureExported(
                who=given.who, patient=given.context.patient_id, study=study, archive=archive, series=series, instance=instance, frame=frame,
                identity="with" if identity else "without",
            )
        )  # fmt: skip
        return jsonify(launch=handle, patient=patient_key(given.context), recorded=True)

    return blueprint


def _checked(ask: Ask, wanted: tuple[Mark, ...], known: set[tuple[str, str]], checks: Checks) -> None:
    """Every image that is newly marked is of this study and this patient, by the archive's own word. :raises AppError: 404 otherwise."""
    for series, instance in dict.fromkeys(mark.place for mark in wanted if mark.place not in known):
        checks.ensure(ask, series, instance)


def _told(ask: Ask, kept: Kept, filing: Filing, settings: MarksSettings) -> dict[str, Any]:
    rows = [
        {
            "id": mark.id, "kind": mark.kind, "name": mark.name, "series": mark.series, "instance": mark.instance, "frame": mark.frame, "points": mark.points,
            "values": [{"what": each.what, "value": each.value, "unit": each.unit} for each in mark.values],
        }
        for mark in kept.marks
    ]  # fmt: skip
    told = {"launch": ask.handle, "patient": patient_key(ask.context), "study": ask.study, "version": kept.version, "marks": rows, "days": settings.days}
    return {**told, "report": filing.state(ask, kept), "export": settings.export}


def _sent() -> Kept:
    body = request.get_data(cache=False) if (request.content_length or 0) <= MOST_BYTES else b""
    try:
        return read(body)
    except NotMarks:
        raise AppError(NOT_MARKS) from None


def _version() -> int:
    content = request.get_json(silent=True)
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise AppError(NOT_MARKS)
    return version


def _picture() -> tuple[str, str, int, bool]:
    content = request.get_json(silent=True)
    given = content if isinstance(content, dict) else {}
    series, instance, frame, identity = (given.get(name) for name in ("series", "instance", "frame", "identity"))
    if not is_uid(series) or not is_uid(instance) or not isinstance(frame, int) or isinstance(frame, bool) or not 1 <= frame <= 999_999 or not isinstance(identity, bool):
        raise AppError(NOT_MARKS)
    return str(series), str(instance), frame, identity
