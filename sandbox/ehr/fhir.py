"""FHIR R4 read and search of the demo EHR: bearer token, scopes, patient compartment, pages.

A token for one patient never sees another: asking for another is 403, not an empty Bundle
(SMART Imaging Access, "Authorization").
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, request

from sandbox.ehr.fhir_faults import spoil
from sandbox.ehr.options import RESOURCES, WRITABLE, EhrOptions
from sandbox.ehr.records import Records, Resource, patients_of
from sandbox.ehr.scopes import allowed
from sandbox.ehr.store import Store, Token
from sandbox.writable import Conflict, Shelf

SHARED = frozenset({"Endpoint", "Practitioner", "Organization"})
"""Not in any patient's compartment: a scope on the type is enough."""


class Refused(Exception):
    """An answer other than 200, as an OperationOutcome."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def make_blueprint(records: Records, store: Store, base: str, options: EhrOptions) -> Blueprint:
    """Routes under /fhir; `base` is the FHIR base URL."""
    pages = Blueprint("fhir", __name__, url_prefix="/fhir")

    @pages.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        answer = _refusal(error.status, error.code, error.text)
        if error.status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer

    @pages.get("/metadata")
    def metadata() -> Response:
        return _fhir(_capabilities(base))

    @pages.get("/<kind>/<identity>")
    def read(kind: str, identity: str) -> Response:
        token = _bearer(store)
        own = kind == "Practitioner" and identity == token.context.user and "fhirUser" in token.scope.split()
        levels = frozenset({"user"}) if own else _levels(token, kind, "r", takes_writes=options.takes_writes)
        resource = records.read(kind, identity)
        if resource is None:
            raise Refused(404, "not-found", "no such resource")
        _check_compartment(token, levels, kind, patients_of(resource))
        return _fhir(resource)

    @pages.get("/<kind>")
    def search(kind: str) -> Response:
        token = _bearer(store)
        levels = _levels(token, kind, "s", takes_writes=options.takes_writes)
        wanted = {name: request.args.getlist(name) for name in request.args if not name.startswith("_include")}
        asked = frozenset(value.rpartition("Patient/")[2] for name in ("patient", "subject") for value in wanted.get(name, ()))
        if kind == "Patient":
            asked |= frozenset(wanted.get("_id", ()))
        _check_compartment(token, levels, kind, asked)
        try:
            found = records.search(kind, wanted)
        except ValueError as error:
            raise Refused(400, "value", "a search parameter could not be read") from error
        if levels == {"patient"} and kind not in SHARED:
            found = [one for one in found if token.context.patient in patients_of(one)]
        return _fhir(spoil(_page(records, found, base, kind, options.page_size), records, base, kind))

    if options.takes_writes:
        _add_writes(pages, records, store, base)
    return pages


def _add_writes(pages: Blueprint, records: Records, store: Store, base: str) -> None:
    """Apps whose scopes allow it write ServiceRequest, Task and Communication; the chart's own are not theirs to change."""
    shelf = Shelf(WRITABLE)

    @pages.errorhandler(Conflict)
    def conflict(error: Conflict) -> Response:
        return _refusal(error.status, "conflict", error.words)

    @pages.post("/<kind>")
    def create(kind: str) -> Response:
        _may_write(store, kind, "c")
        made, is_new = shelf.create(_body(kind), request.headers.get("If-None-Exist"))
        return _kept(records, made, base, 201 if is_new else 200)

    @pages.put("/<kind>/<identity>")
    def update(kind: str, identity: str) -> Response:
        _may_write(store, kind, "u")
        return _kept(records, shelf.update(kind, identity, _body(kind), request.headers.get("If-Match", "")), base, 200)


def _may_write(store: Store, kind: str, verb: str) -> None:
    token = _bearer(store)
    if kind not in WRITABLE or not allowed(token.scope.split(), kind, verb):
        raise Refused(403, "forbidden", f"the token's scopes do not allow writing {kind}")


def _body(kind: str) -> Resource:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("resourceType") != kind or not patients_of(body):
        raise Refused(400, "invalid", "the body is not such a resource of a patient")
    return body


def _kept(records: Records, made: Resource, base: str, status: int) -> Response:
    records.put(made)
    answer = _fhir(made)
    answer.status_code = status
    answer.headers["Location"] = f"{base}/{made['resourceType']}/{made['id']}/_history/{made['meta']['versionId']}"
    answer.headers["ETag"] = f'W/"{made["meta"]["versionId"]}"'
    return answer


def _bearer(store: Store) -> Token:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    token = store.by_access(value) if scheme.lower() == "bearer" else None
    if token is None or token.revoked or store.now() >= token.expires:
        raise Refused(401, "login", "a valid access token is needed")
    g.token = token
    return token


def _levels(token: Token, kind: str, verb: str, *, takes_writes: bool = False) -> frozenset[str]:
    if kind not in RESOURCES and not (takes_writes and kind in WRITABLE):
        raise Refused(404, "not-supported", "this resource type is not served here")
    levels = allowed(token.scope.split(), kind, verb)
    if not levels:
        raise Refused(403, "forbidden", f"the token's scopes do not allow this on {kind}")
    return levels


def _check_compartment(token: Token, levels: frozenset[str], kind: str, patients: frozenset[str]) -> None:
    if kind in SHARED or levels != {"patient"}:
        return
    if token.context.patient is None or patients - {token.context.patient}:
        raise Refused(403, "forbidden", "the token is for another patient")


def _page(records: Records, found: list[Resource], base: str, kind: str, size: int) -> dict[str, Any]:
    try:
        count = max(1, min(int(request.args.get("_count", size)), 200))
        offset = max(0, int(request.args.get("_offset", 0)))
    except ValueError as error:
        raise Refused(400, "value", "_count is a number") from error
    shown = found[offset : offset + count]
    entries = [{"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in shown]
    if "ImagingStudy:endpoint" in request.args.getlist("_include"):
        entries += _endpoints(records, shown, base)
    links = [{"relation": "self", "url": _link(base, kind, offset)}]
    if offset + count < len(found):
        links.append({"relation": "next", "url": _link(base, kind, offset + count)})
    return {"resourceType": "Bundle", "id": str(uuid.uuid4()), "type": "searchset", "total": len(found), "link": links, "entry": entries}


def _endpoints(records: Records, studies: list[Resource], base: str) -> list[dict[str, Any]]:
    """Endpoints that these studies refer to, each once, of the study and of its series."""
    references: dict[str, None] = {}
    for study in studies:
        for holder in (study, *(one for one in study.get("series", ()) if isinstance(one, dict))):
            for one in holder.get("endpoint", ()):
                references.setdefault(str(one.get("reference", "")))
    found = [records.read("Endpoint", text.rpartition("/")[2]) for text in references if "Endpoint/" in text]
    return [{"fullUrl": f"{base}/Endpoint/{one['id']}", "resource": one, "search": {"mode": "include"}} for one in found if one]


def _link(base: str, kind: str, offset: int) -> str:
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != "_offset"]
    return f"{base}/{kind}?{urlencode([*pairs, ('_offset', str(offset))])}"


def _refusal(status: int, code: str, words: str) -> Response:
    answer = _fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]})
    answer.status_code = status
    return answer


def _fhir(content: dict[str, Any]) -> Response:
    answer = jsonify(content)
    answer.headers["Content-Type"] = "application/fhir+json; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _capabilities(base: str) -> dict[str, Any]:
    parameters = [
        {"name": "_id", "type": "token"},
        {"name": "identifier", "type": "token"},
        {"name": "patient", "type": "reference"},
        {"name": "_lastUpdated", "type": "date"},
    ]
    of_people = [{"name": "family", "type": "string"}, {"name": "birthdate", "type": "date"}]
    served = [
        {
            "type": name,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": parameters + (of_people if name == "Patient" else []),
            **({"searchInclude": ["ImagingStudy:endpoint"]} if name == "ImagingStudy" else {}),
        }
        for name in RESOURCES
    ]
    oauth = base.removesuffix("/fhir") + "/oauth"
    uris = [{"url": name, "valueUri": f"{oauth}/{name}"} for name in ("authorize", "token")]
    security = {
        "service": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}]}],
        "extension": [{"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-05-01",
        "kind": "instance",
        "software": {"name": "Demo EHR"},
        "implementation": {"description": "Demo EHR, synthetic patients", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "security": security, "resource": served}],
    }
