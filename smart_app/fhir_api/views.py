"""The FHIR API over HTTP: a token in every request, OperationOutcome for every refusal, the audit before the answer.

401 without a live token, 404 for what does not exist for this client, 403 for what its scopes do not hold (safety.md, Z rows).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from smart_app.access import for_programs, public
from smart_app.audit.events import AccessDenied, Event, Who
from smart_app.audit.fhir_events import ApiRead
from smart_app.errors import AppError
from smart_app.fhir_api import answers, changes
from smart_app.fhir_api.changes import RefusedChange
from smart_app.fhir_api.door import Asked, Door, TokenRefused, known_as
from smart_app.fhir_api.mapping import ID, Resource
from smart_app.fhir_api.queries import BadQuery, Query, cursor, parse
from smart_app.fhir_api.reading import Said
from smart_app.fhir_api.scopes import SERVED, allows
from smart_app.fhir_api.served import Found, Served, Shown, numbers
from smart_app.fhir_api.tokens import Caller
from smart_app.image_requests.service import ChangedMeanwhile
from smart_app.image_requests.types import Actor, Party

log = structlog.get_logger("priors.fhir_api")
JSON = "application/fhir+json"
READABLE = (JSON, "application/json", "json")
LETTER = {"fhir_api.read": "r", "fhir_api.search": "s", "fhir_api.search_by_post": "s", "fhir_api.put": "u", "fhir_api.patch": "u"}
MOST_PROOF = 50_000
"""Bytes of a token request: no thread waits for it, and longer ones of strangers are refused unread."""
SINCE = "2026-11-24"
"""Date of this CapabilityStatement."""


class Refused(Exception):
    """An answer that is an OperationOutcome. `recorded`: it is a denied access."""

    def __init__(self, status: int, issue: str, words: str, reason: str = "") -> None:
        super().__init__(issue)
        self.status, self.issue, self.words, self.reason = status, issue, words, reason


def make_blueprint(door: Door, served: Served, base: str, who: Callable[[], Who]) -> Blueprint:
    """:param base: FHIR base URL of ours."""
    pages = Blueprint("fhir_api", __name__, url_prefix="/fhir")
    _add_faults(pages, door, who)

    @pages.before_request
    def let_in() -> None:
        letter = LETTER.get(request.endpoint or "")
        if letter is None:
            return  # metadata, discovery and the token endpoint itself
        caller = door.caller(request.headers.get("Authorization", ""))
        if caller is None:
            raise Refused(401, "login", "A valid access token is needed.", "no-token")
        g.caller = caller
        kind = (request.view_args or {}).get("kind", "")
        if letter not in SERVED.get(kind, ""):
            raise Refused(404 if kind not in SERVED else 405, "not-supported", "This is not served here.", "not-served")
        if not allows(caller.scopes, kind, letter):
            raise Refused(403, "forbidden", "The scopes of this token do not allow it.", "scope")
        wanted = request.args.get("_format", JSON)
        accepts = request.accept_mimetypes
        if wanted not in READABLE or (accepts and not accepts.best_match(READABLE[:2])):
            raise Refused(406, "not-supported", "Only FHIR JSON is served.")

    @pages.get("/metadata")
    @public
    def metadata() -> Response:
        return _fhir(answers.capabilities(base, SINCE))

    @pages.get("/.well-known/smart-configuration")
    @public
    def smart_configuration() -> Response:
        return jsonify(answers.smart_configuration(base))

    @pages.post("/token")
    @for_programs
    def token() -> Response:
        request.max_content_length = MOST_PROOF
        try:
            answer = jsonify(door.token(_token_form(), who()))
        except TokenRefused as refused:
            log.info("token_refused", code=refused.code, reason=refused.reason)
            answer = jsonify(error=refused.code)
            answer.status_code = 401 if refused.code == "invalid_client" else 400
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Pragma"] = "no-cache"
        return answer

    @pages.get("/<kind>/<id>")
    @for_programs
    def read(kind: str, id: str) -> Response:
        shown = served.read(kind, id, g.caller) if ID.fullmatch(id) else None
        if shown is None:
            raise _missing()
        door.record(_read_event(shown, who(), g.caller, kind, "read"))
        return _one(shown.resource)

    @pages.get("/<kind>")
    @for_programs
    def search(kind: str) -> Response:
        return _search(kind, list(request.args.items(multi=True)))

    @pages.post("/<kind>/_search")
    @for_programs
    def search_by_post(kind: str) -> Response:
        return _search(kind, [*request.args.items(multi=True), *request.form.items(multi=True)])

    @pages.put("/<kind>/<id>")
    @for_programs
    def put(kind: str, id: str) -> Response:
        return _change(id, changes.from_put, READABLE[:2])

    @pages.patch("/<kind>/<id>")
    @for_programs
    def patch(kind: str, id: str) -> Response:
        return _change(id, changes.from_patch, ("application/json-patch+json",))

    def _search(kind: str, given: Sequence[tuple[str, str]]) -> Response:
        try:
            query = parse(kind, given, numbers(base), strict="handling=strict" in request.headers.get("Prefer", ""))
        except BadQuery as bad:
            raise Refused(400, "value", f"This could not be read: {bad.name}.") from None
        found = served.search(query, g.caller)
        door.record_all(_search_events(found, who(), g.caller, kind))
        return _fhir(_bundle(base, query, found))

    def _change(id: str, reader: Callable[[Any, Resource], Said], types: Sequence[str]) -> Response:
        if request.mimetype not in types:
            raise Refused(415, "not-supported", f"The body has to be {types[0]}.")
        if (version := changes.version_of(request.headers.get("If-Match", ""))) is None:
            raise Refused(400, "required", 'If-Match is needed, with the version that this change was decided on: W/"3".')
        body, caller = request.get_json(silent=True), g.caller
        identity = who()
        actor = Actor(Party.PARTNER, subject=caller.client.client_id, name=caller.client.name, address=identity.address, request_id=identity.request_id)
        try:
            shown = served.change(id, lambda served_now: reader(body, served_now), version, caller, actor) if ID.fullmatch(id) else None
        except ChangedMeanwhile:
            raise Refused(412, "conflict", "The Task was changed since this version. Read it again.") from None
        except RefusedChange as refused:
            raise Refused({"conflict": 412, "invalid": 400}.get(refused.issue, 422), refused.issue, refused.words) from None
        if shown is None:
            raise _missing()
        return _one(shown.resource)

    return pages


def _add_faults(pages: Blueprint, door: Door, who: Callable[[], Who]) -> None:
    @pages.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        if error.reason:
            caller: Caller | None = g.get("caller")
            log.info("refused", code=error.issue, reason=error.reason)
            door.record(AccessDenied(who=known_as(who(), caller.client if caller else None), action=str(request.endpoint), reason=error.reason))
        answer = _fhir(answers.outcome(error.issue, error.words))
        answer.status_code = error.status
        if error.status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer

    @pages.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        answer = _fhir(answers.outcome("not-supported" if error.code in (404, 405) else "invalid", "Priors could not read this request."))
        answer.status_code = error.code or 500
        return answer

    @pages.errorhandler(AppError)
    def expected(error: AppError) -> Response:
        log.warning("fault", code=error.fault.code, status=error.fault.status)
        answer = _fhir(answers.outcome("transient" if error.fault.retryable else "exception", f"{error.fault.title} {error.fault.action}"))
        answer.status_code = error.fault.status
        return answer


def _missing() -> Refused:
    return Refused(404, "not-found", "This is not here.", "not-theirs")


def _token_form() -> Asked:
    form = request.form
    fields = {"grant_type": "grant_type", "scope": "scope", "client_id": "client_id", "assertion_type": "client_assertion_type", "assertion": "client_assertion"}
    return Asked(**{ours: form.get(name, "") for ours, name in fields.items()}, repeated=any(len(form.getlist(name)) > 1 for name in form))


def _read_event(shown: Shown, who: Who, caller: Caller, kind: str, how: str) -> Event:
    patient = shown.about.asked.patient
    return ApiRead(who=known_as(who, caller.client, patient.issuer), patient=patient.id, what=kind, how=how, request=shown.about.id)


def _search_events(found: Found, who: Who, caller: Caller, kind: str) -> list[Event]:
    """One a patient; without any, one that says that somebody looked."""
    counts: dict[tuple[str, str], int] = {}
    for shown in (*found.matches, *found.included):
        patient = shown.about.asked.patient
        counts[patient.issuer, patient.id] = counts.get((patient.issuer, patient.id), 0) + 1
    events: list[Event] = [
        ApiRead(who=known_as(who, caller.client, issuer), patient=id, what=kind, how="search", count=count) for (issuer, id), count in counts.items()
    ]
    return events or [ApiRead(who=known_as(who, caller.client), what=kind, how="search", count=0)]


def _bundle(base: str, query: Query, found: Found) -> Mapping[str, Any]:
    own = [(name, value) for name, value in query.used if name != "_cursor"]
    links = [f"{base}/{query.kind}" + (f"?{urlencode(query.used)}" if query.used else ""), ""]
    if found.last is not None:
        links[1] = f"{base}/{query.kind}?{urlencode([*own, ('_cursor', cursor(found.last.updated_at, found.last.id))])}"
    return answers.searchset(base, [one.resource for one in found.matches], [one.resource for one in found.included], found.total, links[0], links[1])


def _one(resource: Resource) -> Response:
    answer = _fhir(resource)
    meta = resource.get("meta", {})
    if "versionId" in meta:
        answer.headers["ETag"] = f'W/"{meta["versionId"]}"'
    if "lastUpdated" in meta:
        answer.headers["Last-Modified"] = format_datetime(datetime.fromisoformat(meta["lastUpdated"]).astimezone(UTC), usegmt=True)
    return answer


def _fhir(content: Mapping[str, Any]) -> Response:
    answer = jsonify(content)
    answer.headers["Content-Type"] = f"{JSON}; charset=utf-8"
    return answer
