"""The demo partner as one Flask application: FHIR for programs, and the page on which its desk answers (`desk`).

Faults (`sandbox.faults`, endpoints `create`, `transaction`, `read`, `search`, `update`): all of HTTP_KINDS, and `lose`: done, and never answered.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, Response, jsonify, request

from sandbox import small_pages
from sandbox.faults import Faults, current_fault, install
from sandbox.partner import desk
from sandbox.serving import Broken
from sandbox.writable import Conflict, Resource, Shelf

KINDS = ("ServiceRequest", "Task")


def create_partner(name: str, *, faults: Faults, token: str | None = None, shelf: Shelf | None = None, transactions: bool = True, portal: str = "") -> Flask:
    """`portal`: origin of those who ask, where "Send images" leads to. `token`: the bearer that programs have to show. `shelf` is what the hospital holds: a test looks there."""
    app, held = Flask(__name__, static_folder=None), shelf or Shelf(KINDS)
    install(app, faults, lambda: request.endpoint if request.path.startswith("/fhir") else None)

    @app.before_request
    def known() -> Response | None:
        if token is None or not request.path.startswith("/fhir") or request.headers.get("Authorization") == f"Bearer {token}":
            return None
        return _outcome(401, "login", "a token is needed")

    @app.after_request
    def lose(response: Response) -> Response:
        if current_fault("lose"):
            response.response = _nothing()
        return response

    @app.errorhandler(Conflict)
    def conflict(error: Conflict) -> Response:
        return _outcome(error.status, "conflict", error.words)

    @app.post("/fhir")
    def transaction() -> Response:
        if not transactions:
            return _outcome(400, "not-supported", "no transactions here")
        done = held.transaction(request.get_json())
        entries = [{"response": {"status": "201 Created" if is_new else "200 OK", "location": _location(one), "etag": _tag(one)}} for one, is_new in done]
        return _fhir({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

    @app.post("/fhir/<kind>")
    def create(kind: str) -> Response:
        body = request.get_json()
        if kind not in held.kinds or body.get("resourceType") != kind:
            return _outcome(400, "invalid", "not such a resource")
        made, is_new = held.create(body, request.headers.get("If-None-Exist"))
        answer = _fhir(made, 201 if is_new else 200)
        answer.headers["Location"], answer.headers["ETag"] = _location(made), _tag(made)
        return answer

    @app.get("/fhir/<kind>")
    def search(kind: str) -> Response:
        found = held.by_identifier(kind, request.args["identifier"]) if kind in held.kinds and "identifier" in request.args else held.all(kind)
        entries = [{"fullUrl": f"{request.host_url}fhir/{kind}/{one['id']}", "resource": one} for one in found]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})

    @app.get("/fhir/<kind>/<id>")
    def read(kind: str, id: str) -> Response:
        found = held.read(kind, id)
        return _fhir(found) if found is not None else _outcome(404, "not-found", "no such resource")

    @app.put("/fhir/<kind>/<id>")
    def update(kind: str, id: str) -> Response:
        return _fhir(held.update(kind, id, request.get_json(), request.headers.get("If-Match", "")))

    small_pages.install(app, forms=portal)
    app.register_blueprint(desk.make_blueprint(name, held))
    return app


def _nothing() -> Iterator[bytes]:
    raise Broken
    yield b""


def _fhir(content: Resource, status: int = 200) -> Response:
    answer = jsonify(content)
    answer.status_code, answer.headers["Content-Type"] = status, "application/fhir+json"
    return answer


def _outcome(status: int, code: str, words: str) -> Response:
    return _fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]}, status)


def _location(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}/_history/{resource['meta']['versionId']}"


def _tag(resource: Resource) -> str:
    return f'W/"{resource["meta"]["versionId"]}"'
