"""Priors with two registered programs and requests to two facilities, asked over its WSGI interface as programs ask."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select

from smart_app.audit.models import AuditRecord
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.image_requests.types import Actor, Facility, ImageRequest, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.parts import Parts, build
from tests.unit.launch.ehr_sim import MovingClock

ORIGIN = "https://priors.example"
BASE = f"{ORIGIN}/fhir"
TOKEN = f"{BASE}/token"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATIENT = Patient("northgate", "p1", "CANARY, Rosalind Jane", "CANARY", "Rosalind Jane", "1951-08-09", "Female", "40771953")
OTHER = Patient("northgate", "p2", "PAREKH, Anil", "PAREKH", "Anil", "1970-01-02", "Male", "5550001")
KESTREL = Facility("kestrel", "Kestrel Valley", "Harrow", (Route(RouteKind.FHIR, "kestrel"),), phone="+1 555 0100")
BRANNOC = Facility("brannoc", "St Brannoc", "Wells", (Route(RouteKind.EMAIL, "images@brannoc.example"),))
STAFF, SENDER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.SENDER, name="Kestrel Valley")
KEYS = {name: ECKey.generate_key("P-384", {"kid": f"{name}-1", "use": "sig", "alg": "ES384"}, private=True) for name in ("kestrel", "brannoc", "house", "stranger")}
SCOPES = "system/Task.rus system/ServiceRequest.rs system/Patient.r system/Organization.r"


@dataclass
class World:
    parts: Parts
    client: FlaskClient
    clock: MovingClock

    def assertion(self, name: str, *, header: Mapping[str, Any] | None = None, key: Any = None, alg: str = "ES384", **claims: Any) -> str:
        """A good one of this client, but for what is given; None takes a claim out."""
        now = int(self.clock().timestamp())
        given = {"iss": name, "sub": name, "aud": TOKEN, "iat": now, "exp": now + 240, "jti": secrets.token_urlsafe(16)} | claims
        head = {"alg": alg, "kid": f"{name}-1", "typ": "JWT"} | dict(header or {})
        return jwt.encode({k: v for k, v in head.items() if v is not None}, {k: v for k, v in given.items() if v is not None}, key or KEYS[name], algorithms=[alg])

    def ask_token(self, assertion: str, scope: str = SCOPES, **form: str) -> Any:
        fields = {"grant_type": "client_credentials", "client_assertion_type": BEARER, "client_assertion": assertion, "scope": scope} | form
        return self.client.post("/fhir/token", base_url=ORIGIN, data=fields)

    def token(self, name: str, scope: str = SCOPES) -> str:
        answer = self.ask_token(self.assertion(name), scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json["access_token"])

    def ask(self, method: str, path: str, token: str | None, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Authorization": f"Bearer {token}"} if token else {})
        if body is not None:
            sent.setdefault("Content-Type", "application/fhir+json")
        data = json.dumps(body) if body is not None else None
        return self.client.open(path if path.startswith("http") else f"/fhir/{path}", method=method, base_url=ORIGIN, headers=sent, data=data)

    def request(self, patient: Patient = PATIENT, facility: Facility | None = KESTREL, title: str = "CT head", **more: Any) -> ImageRequest:
        route = facility.routes[0] if facility else Route(RouteKind.PATIENT)
        new = NewRequest(patient, more.pop("wanted", None) or Wanted(title, "CT", "head"), route, facility.id if facility else None, **more)
        return self.parts.requests.create(new, STAFF)

    def subject(self, patient: str) -> str:
        """Id of this patient in our FHIR API."""
        return self.parts.requests.rows.digests.now("subject", "northgate", patient)

    def audited(self, event: str) -> list[dict[str, Any]]:
        with self.parts.database.reading() as session:
            rows = session.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.sequence))
            return [json.loads(row.details) | {"patient": row.patient, "subject": row.subject} for row in rows]


def settings(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Settings:
    monkeypatch.setenv("API_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    clients = []
    for name, may in (("kestrel", {"facilities": ["kestrel"]}), ("brannoc", {"facilities": ["brannoc"]}), ("house", {"all_facilities": True})):
        file = folder / f"{name}.jwks"
        file.write_text(json.dumps({"keys": [KEYS[name].as_dict(private=False)]}))
        clients.append({"key": name, "name": name.title(), "client_id": name, "jwks_file": str(file), "scopes": SCOPES.split(), **may})
    ehr = {"key": "northgate", "name": "Northgate", "issuer": "http://127.0.0.1:9/fhir", "client_id": "priors", "allow_http": True}
    return Settings.model_validate(
        {"public_url": ORIGIN, "development": True, "data_dir": folder / "data", "sealing_keys": [{"id": "k", "env": "API_KEY"}], "ehrs": [ehr], "api_clients": clients} | more
    )


def build_world(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> World:
    clock = MovingClock()
    given = settings(folder, monkeypatch, **more)
    app, parts = create_app(given, clock), build(given, clock)
    for facility in (KESTREL, BRANNOC):
        parts.facilities.save(facility)
    return World(parts, app.test_client(use_cookies=False), clock)
