"""The gateway's routes: `/l/<launch>/dicomweb/<archive>/studies…` (PS3.18 10.4 and 10.6) and the outline. HTTP only.

Reads the launch, never writes the session and sets no cookie: a viewer asks hundreds of times.
"""

from __future__ import annotations

import json as codec
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from werkzeug.wsgi import wrap_file

from launch.context import LaunchContext
from smart_app.access import Action, requires
from smart_app.archives.wado import ArchiveFault, Place
from smart_app.errors import AppError, Fault, Side
from smart_app.viewer import accept as accepted
from smart_app.viewer.asking import Ask, Doorman, patient_key
from smart_app.viewer.catalogue import Catalogue, Found, narrowed
from smart_app.viewer.checks import Checks, plain
from smart_app.viewer.first import First
from smart_app.viewer.gateway import Gateway
from smart_app.viewer.outline import Outline
from smart_app.viewer.sent import Sent
from smart_app.web import current_launch, current_who, request_reference

JSON = "application/dicom+json"
DICOM = accepted.DICOM
FILE_PIECE = 1 << 20
FRAMES = re.compile(r"[1-9][0-9]{0,5}(,[1-9][0-9]{0,5}){0,199}")
NUMBERED = re.compile(r"0|[1-9][0-9]{0,5}")
NUMBER = r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?(?:[eE][+-]?[0-9]{1,2})?"
PICTURE_QUERY = {
    "window": re.compile(rf"{NUMBER},{NUMBER}(?:,(?:linear|linear-exact|sigmoid))?", re.IGNORECASE),
    "viewport": re.compile(r"[1-9][0-9]{0,3},[1-9][0-9]{0,3}(?:(?:,-?[0-9]{0,5}(?:\.[0-9]{1,4})?){4})?"),
    "quality": re.compile(r"100|[1-9][0-9]?"),
}
WRONG_QUERY = Fault("not-understood", Side.PERSON, "Priors could not read this request.", "Open the study again.", False, 400)
NOT_SERVED = Fault("not-acceptable", Side.PERSON, "Images are not available in the form asked for.", "Ask for another media type.", False, 406)

View = Callable[..., Response]
Form = TypeVar("Form")


class Routes:
    """The views, with what they need. Each is one line of meaning: who asks, what for, and how it is sent."""

    def __init__(self, doorman: Doorman, catalogue: Catalogue, checks: Checks, gateway: Gateway, outline: Outline, reads: Callable[[Ask, str, str, int], None]) -> None:
        self._doorman = doorman
        self._catalogue = catalogue
        self._checks = checks
        self._gateway = gateway
        self._outline = outline
        self._first = First(catalogue, gateway)
        self._note = reads

    def outline(self, handle: str, archive: str, study: str) -> Response:
        ask = self._ask(archive, study)
        response = jsonify(self._outline.of(ask))
        return _echo(response, ask.context)

    def first(self, handle: str, archive: str, study: str) -> Response:
        ask = self._ask(archive, study)
        sent = self._first.of(ask)
        return _send(sent, ask) if sent is not None else _echo(Response(status=204, content_type=DICOM), ask.context)

    def studies(self, handle: str, archive: str) -> Response:
        context, who = current_launch(), current_who()
        self._doorman.archive(archive)
        asks = [self._doorman.admit(context, who, archive, held.study_uid) for held in self._doorman.all_held(context, archive)]
        for ask in asks:
            self._note(ask, "", "search", 1)
        return self._rows(context, self._catalogue.studies(asks))

    def series(self, handle: str, archive: str, study: str) -> Response:
        ask = self._ask(archive, study)
        found = self._catalogue.series(ask)
        self._note(ask, "", "search", len(found.rows))
        return self._rows(ask.context, found)

    def instances(self, handle: str, archive: str, study: str, series: str | None = None) -> Response:
        ask = self._ask(archive, study)
        wanted = request.args.get("InstanceNumber", "") if series else ""
        found = self._catalogue.instances(ask, series, int(wanted) if NUMBERED.fullmatch(wanted) else None)
        self._note(ask, series or "", "search", len(found.rows))
        return self._rows(ask.context, found)

    def metadata(self, handle: str, archive: str, study: str, series: str | None = None, instance: str | None = None) -> Response:
        _accept(accepted.json)
        ask = self._ask(archive, study)
        judged = self._checks.metadata(ask, Place(study, series, instance))
        for uid, members in judged.series.items():
            self._note(ask, uid, "metadata", len(members))
        zipped = request.accept_encodings.quality("gzip") > 0
        response = Response((judged if zipped else plain(judged)).body, judged.status, content_type=JSON)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        if judged.withheld:
            response.headers["X-Priors-Withheld"] = str(judged.withheld)
        return _echo(response, ask.context)

    def retrieve(self, handle: str, archive: str, study: str, series: str | None = None, instance: str | None = None) -> Response:
        wanted = _accept(accepted.instances)
        ask = self._ask(archive, study)
        return _send(self._gateway.instances(ask, Place(study, series, instance), wanted), ask)

    def frames(self, handle: str, archive: str, study: str, series: str, instance: str, numbers: str) -> Response:
        if not FRAMES.fullmatch(numbers):
            raise AppError(WRONG_QUERY)
        wanted = _accept(accepted.pixels)
        ask = self._ask(archive, study)
        listed = tuple(int(number) for number in numbers.split(","))
        if wanted.single and len(listed) > 1:
            raise AppError(NOT_SERVED)
        return _send(self._gateway.frames(ask, Place(study, series, instance), listed, wanted), ask)

    def rendered(self, handle: str, archive: str, study: str, series: str, instance: str, number: int | None = None) -> Response:
        wanted = _accept(accepted.picture)
        query = _picture_query()
        ask = self._ask(archive, study)
        return _send(self._gateway.rendered(ask, Place(study, series, instance), wanted, query, number), ask)

    def thumbnail(self, handle: str, archive: str, study: str, series: str, instance: str | None = None) -> Response:
        wanted = _accept(accepted.picture)
        query = {"viewport": "128,128", **_picture_query()}
        ask = self._ask(archive, study)
        if instance is None:
            middle = request.args.get("middle", "")
            number = int(middle) if middle.isascii() and middle.isdecimal() and len(middle) < 7 else None
            return _send(self._gateway.thumbnail(ask, series, wanted, query, number), ask)
        return _send(self._gateway.rendered(ask, Place(study, series, instance), wanted, query), ask)

    def bulk(self, handle: str, archive: str, study: str, series: str, instance: str, token: str) -> Response:
        ask = self._ask(archive, study)
        return _send(self._gateway.bulk(ask, Place(study, series, instance), token), ask)

    def _ask(self, archive: str, study: str) -> Ask:
        return self._doorman.admit(current_launch(), current_who(), archive, study)

    def _rows(self, context: LaunchContext, found: Found) -> Response:
        _accept(accepted.json)
        rows = narrowed(found.rows, request.args)
        response = Response(codec.dumps(rows, ensure_ascii=False), content_type=JSON)
        if found.withheld:
            response.headers["X-Priors-Withheld"] = str(found.withheld)
        if found.partial:
            response.headers["Warning"] = '299 priors "The archive may hold more."'  # PS3.18 8.3.4.4
        return _echo(response, context)


def make_blueprint(
    doorman: Doorman, catalogue: Catalogue, checks: Checks, gateway: Gateway, outline: Outline, note: Callable[[Ask, str, str, int], None]
) -> Blueprint:
    """`note` is `Reads.note`."""
    blueprint = Blueprint("viewer", __name__)
    routes = Routes(doorman, catalogue, checks, gateway, outline, note)
    root = "/l/<launch:handle>/dicomweb/<key:archive>/studies"
    study, series, instance = "/<uid:study>", "/series/<uid:series>", "/instances/<uid:instance>"
    for rule, name, view in (
        ("/l/<launch:handle>/outline/<key:archive>/<uid:study>", "outline", routes.outline),
        ("/l/<launch:handle>/outline/<key:archive>/<uid:study>/first", "first", routes.first),
        (root, "search_studies", routes.studies),
        (f"{root}{study}", "study", routes.retrieve),
        (f"{root}{study}/metadata", "study_metadata", routes.metadata),
        (f"{root}{study}/series", "search_series", routes.series),
        (f"{root}{study}/instances", "search_instances", routes.instances),
        (f"{root}{study}{series}", "series", routes.retrieve),
        (f"{root}{study}{series}/metadata", "series_metadata", routes.metadata),
        (f"{root}{study}{series}/thumbnail", "series_thumbnail", routes.thumbnail),
        (f"{root}{study}{series}/instances", "search_series_instances", routes.instances),
        (f"{root}{study}{series}{instance}", "instance", routes.retrieve),
        (f"{root}{study}{series}{instance}/metadata", "instance_metadata", routes.metadata),
        (f"{root}{study}{series}{instance}/rendered", "rendered", routes.rendered),
        (f"{root}{study}{series}{instance}/thumbnail", "instance_thumbnail", routes.thumbnail),
        (f"{root}{study}{series}{instance}/frames/<string(maxlength=1400):numbers>", "frames", routes.frames),
        (f"{root}{study}{series}{instance}/frames/<int(min=1,max=999999):number>/rendered", "frame_rendered", routes.rendered),
        (f"{root}{study}{series}{instance}/bulkdata/<string(maxlength=1600):token>", "bulkdata", routes.bulk),
    ):
        blueprint.add_url_rule(rule, name, _marked(view), methods=["GET"])

    @blueprint.errorhandler(AppError)
    def failed(error: AppError) -> Response:
        """Always JSON here: no person looks at these answers. Upstream's Retry-After stays."""
        fault = error.fault
        body = {"code": fault.code, "title": doorman.named(fault.title, str((request.view_args or {}).get("archive", ""))), "action": fault.action, "reference": request_reference()}
        response = jsonify(error=body)
        response.status_code = fault.status
        if fault.status == 503:
            response.headers["Retry-After"] = (error.retry_after if isinstance(error, ArchiveFault) else None) or "2"
        return response

    return blueprint


def _marked(view: View) -> View:
    def marked(**values: Any) -> Response:
        return view(**values)

    return requires(Action.VIEW_IMAGES)(marked)


def _accept(reader: Callable[[str], Form]) -> Form:
    try:
        return reader(request.headers.get("Accept", ""))
    except accepted.NothingAcceptable:
        raise AppError(NOT_SERVED) from None


def _picture_query() -> dict[str, str]:
    """The parameters of a rendered picture, each in the standard's form; others are not passed on."""
    query = {name: request.args[name] for name in PICTURE_QUERY if name in request.args}
    if not all(PICTURE_QUERY[name].fullmatch(value) for name, value in query.items()):
        raise AppError(WRONG_QUERY)
    return query


def _send(sent: Sent, ask: Ask) -> Response:
    body = sent.body if sent.file is None else wrap_file(request.environ, sent.file, FILE_PIECE)
    response = Response(body, sent.status, content_type=sent.type, direct_passthrough=True)
    if sent.length is not None:
        response.content_length = sent.length
    if sent.instance:
        response.headers["X-Priors-Instance"] = sent.instance
    return _echo(response, ask.context)


def _echo(response: Response, context: LaunchContext) -> Response:
    response.headers["X-Priors-Patient"] = patient_key(context)
    response.headers["Cache-Control"] = "no-store"
    return response
