"""The EHR of the kill tests: it lets Priors in by backend services, has charts that move on, and keeps what Priors writes into them.

It runs in the test's own process, and is asked over HTTP by all. Stories change it from outside, as another department does.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, jsonify, request
from joserfc.jwk import ECKey

from sandbox.faults import Faults
from sandbox.partner.app import create_partner
from sandbox.writable import Resource, Shelf
from smart_app.parts import Parts

TOKEN = "theirs"
GRACE: Resource = {
    "resourceType": "Patient", "id": "p1", "active": True, "name": [{"use": "official", "family": "OKONJO", "given": ["Grace", "Adaeze"]}], "birthDate": "1966-10-30", "gender": "female",
    "identifier": [
        {"system": "urn:northgate", "value": "40018334", "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}},
        {"system": "urn:lakeside", "value": "LK-77"},
    ],
}  # fmt: skip
"""The chart of `hospital.PATIENT`, as the EHR has it."""
SURVIVOR: Resource = {
    **GRACE, "id": "p9", "identifier": [{**GRACE["identifier"][0], "value": "40999999"}, GRACE["identifier"][1]],
    "link": [{"type": "replaces", "other": {"reference": "Patient/p1"}}],
}  # fmt: skip
MERGED: Resource = {**GRACE, "active": False, "link": [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]}


@dataclass
class Charts:
    silent: bool = False
    held: dict[str, Resource] = field(default_factory=lambda: {GRACE["id"]: copy.deepcopy(GRACE)})


def configuration(folder: Path, url: str) -> dict[str, Any]:
    pem = folder / "backend.pem"
    pem.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    pem.chmod(0o600)
    return {
        "key": "northgate", "name": "Northgate", "issuer": f"{url}/fhir", "client_id": "priors", "allow_http": True, "write_requests": "task",
        "quirks": {"smart_configuration_url": f"{url}/smart-configuration"},
        "backend": {"client_id": "priors", "scopes": ["system/Patient.rs", "system/Task.crus", "system/ServiceRequest.crus"], "key": {"kid": "b", "pem": {"file": str(pem)}}},
    }  # fmt: skip


def create(shelf: Shelf) -> Flask:
    """`shelf`: what Priors writes."""
    app, charts = create_partner("EHR", faults=Faults(), token=TOKEN, shelf=shelf, transactions=False), Charts()

    @app.get("/smart-configuration")
    def smart_configuration() -> Response:
        return jsonify({"token_endpoint": f"{request.host_url}token", "capabilities": ["client-confidential-asymmetric", "permission-v2"]})

    @app.post("/token")
    def token() -> Response | tuple[Response, int]:
        if charts.silent or not request.form.get("client_assertion"):
            return jsonify({"error": "invalid_client"}), 503 if charts.silent else 401
        return jsonify({"access_token": TOKEN, "token_type": "bearer", "expires_in": 300, "scope": request.form["scope"]})

    @app.get("/fhir/Patient/<id>")
    def chart(id: str) -> Response | tuple[Response, int]:
        if charts.silent:
            return jsonify({"resourceType": "OperationOutcome"}), 503
        found = charts.held.get(id)
        return jsonify(found) if found else (jsonify({"resourceType": "OperationOutcome"}), 404)

    @app.get("/fhir/Patient")
    def like() -> Response:
        wanted = (request.args["family"], request.args["birthdate"])
        found = [{"resource": one} for one in charts.held.values() if (one["name"][0]["family"], one["birthDate"]) == wanted]
        return jsonify({"resourceType": "Bundle", "type": "searchset", "entry": found})

    @app.put("/charts")
    def move_on() -> Response:
        said = request.get_json()
        charts.silent = said["silent"]
        charts.held.update({one["id"]: one for one in said["charts"]})
        return jsonify({})

    return app


def moves_on(parts: Parts, *charts: Resource, silent: bool = False) -> None:
    """From now on the EHR has these charts so, and does not answer for any while it is silent."""
    (ehr,) = parts.settings.ehrs
    requests.put(f"{ehr.issuer.removesuffix('/fhir')}/charts", json={"charts": charts, "silent": silent}, timeout=10).raise_for_status()
