"""A hospital with one chart and three archives, scripted on real sockets, and Priors between them as it is shipped."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.audit.models import AuditRecord
from smart_app.clock import Clock, utc_now
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.parts import Parts, build
from smart_app.web.assets import Asset
from smart_app.web.csrf import Csrf
from tests.unit.archives.scripted import Asked, Say, Scripted, fhir, rows, scripted

ARCHIVES = {"northgate": "Northgate", "kestrel": "Kestrel Cancer Centre", "brannoc": "St Brannoc"}
NAMES = ["northgate", "kestrel", "brannoc"]
SAME_NUMBER = "40771953"
"""The patient's MRN at Northgate, and another person's at Kestrel."""
Answer = Callable[[Asked], Say]


def patient(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": "p1", "name": [{"family": "Marchetti", "given": ["Rosalind"]}], "birthDate": "1951-08-09", "gender": "female",
        "identifier": [
            {"system": "urn:northgate", "value": SAME_NUMBER, "type": {"coding": [{"code": "MR"}]}},
            {"system": "urn:kestrel", "value": "K-9"},
            {"system": "urn:brannoc", "value": "B-5"},
        ],
    } | fields  # fmt: skip


def study(
    uid: str, patient_id: str, *, day: str = "20260112", issuer: str | None = None, images: int = 184, text: str = "CT head", born: str | None = "19510809", sex: str | None = "F",
    name: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    named: dict[str, Any] = {"00100021": {"vr": "LO", "Value": [issuer]}} if issuer else {}
    named |= {"00100030": {"vr": "DA", "Value": [born]}} if born else {}
    named |= {"00100040": {"vr": "CS", "Value": [sex]}} if sex else {}
    named |= {"00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]}} if name else {}
    return named | {
        "0020000D": {"vr": "UI", "Value": [uid]}, "00100020": {"vr": "LO", "Value": [patient_id]}, "00080020": {"vr": "DA", "Value": [day]},
        "00080061": {"vr": "CS", "Value": ["CT"]}, "00081030": {"vr": "LO", "Value": [text]}, "00201208": {"vr": "IS", "Value": [images]},
    }  # fmt: skip


def once(*datasets: Any) -> Answer:
    return lambda asked: rows(*datasets) if asked.one("offset") == "0" else Say(204)


def bundle(*resources: Any) -> Say:
    return fhir({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]})


@dataclass
class World:
    """Answers may be replaced at any time. `ehr` maps resource types to answers."""

    parts: Parts
    client: FlaskClient
    ehr: dict[str, Answer]
    archives: dict[str, Answer]
    servers: dict[str, Scripted]
    cookie: str
    handle: str = "L" + "a" * 31
    opened: list[str] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(f"/l/{self.handle}{path}", base_url="http://app.localhost:8000", headers={"Cookie": f"{BROWSER_COOKIE}={self.cookie}"}, **options)

    def post(self, path: str, token: str | None = None, **form: str) -> Any:
        """As a form of our own page does it."""
        form["csrf"] = Csrf(self.parts.keyring, "http://app.localhost:8000").token(self.handle, self.cookie) if token is None else token
        headers = {"Cookie": f"{BROWSER_COOKIE}={self.cookie}", "Origin": "http://app.localhost:8000", "Sec-Fetch-Site": "same-origin"}
        return self.client.post(f"/l/{self.handle}{path}", base_url="http://app.localhost:8000", headers=headers, data=form)

    def stream(self, query: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Events as they come."""
        response = self.get(f"/studies/stream{query}")
        assert response.status_code == 200, response.text
        assert response.mimetype == "text/event-stream"
        for piece in response.iter_encoded():
            event, data = piece.decode().rstrip("\n").split("\n")
            yield event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def asked(self, archive: str) -> list[str | None]:
        return [asked.one("PatientID") for asked in self.servers[archive].asked]

    def audited(self, event: str) -> list[dict[str, Any]]:
        with self.parts.database.reading() as session:
            records = session.query(AuditRecord).order_by(AuditRecord.sequence).all()
            return [json.loads(record.details) | {"patient": record.patient} for record in records if record.event == event]


@contextmanager
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, scopes: str = "patient/*.rs", deadline: float = 5, clock: Clock = utc_now, stores: str = "", also: Sequence[dict[str, Any]] = (), **more: Any) -> Iterator[World]:
    """`more` are further top-level settings, `also` further EHRs; `stores`: the archive that takes received images, reviewed by grant and lindqvist."""
    monkeypatch.setenv("PRIORS_TEST_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    ehr: dict[str, Answer] = {
        "Patient": lambda asked: fhir(patient()), "ImagingStudy": lambda asked: bundle(), "DiagnosticReport": lambda asked: bundle(),
        "Endpoint": lambda asked: Say(404), **dict.fromkeys(("ServiceRequest", "Procedure", "Encounter", "DocumentReference"), lambda asked: bundle()),
    }  # fmt: skip
    archives: dict[str, Answer] = dict.fromkeys(NAMES, lambda asked: Say(204))
    with ExitStack() as stack:
        servers = {key: stack.enter_context(scripted(lambda asked, key=key: archives[key](asked))) for key in NAMES}
        servers["ehr"] = stack.enter_context(scripted(lambda asked: ehr.get(asked.path.split("/")[2], lambda asked: bundle())(asked)))
        settings = Settings.model_validate(
            {
                "public_url": "http://app.localhost:8000", "development": True, "data_dir": tmp_path, "sealing_keys": [{"id": "k", "env": "PRIORS_TEST_KEY"}],
                "list_deadline": deadline,
                "ehrs": [{"key": "northgate", "name": "Northgate", "issuer": f"{servers['ehr'].base}/fhir", "client_id": "c",
                          "roles": [{"role": "reviewer", "users": ["grant", "lindqvist"]}, {"role": "staff", "users": ["amsel"]}, {"role": "surgical-team", "users": ["sato"]}] if stores else []}, *also],
                "archives": [
                    {"key": key, "name": ARCHIVES[key], "dicomweb": f"{servers[key].base}/rs", "patient_id_issuer": key.upper(),
                     "identifier_systems": [f"urn:{key}"], "local": key == "northgate", "stores": key == stores}
                    for key in NAMES
                ],
            }
            | more
        )  # fmt: skip
        app = create_app(settings, clock)
        app.jinja_env.globals["asset"] = lambda entry: Asset("/static/x.js", ())
        parts = build(settings, clock)  # a second process on the same database, as far as the app can tell
        made = World(parts, app.test_client(use_cookies=False), ehr, archives, servers, "")
        now = clock()
        context = LaunchContext(
            made.handle, "northgate", f"{servers['ehr'].base}/fhir", User(f"{servers['ehr'].base}/fhir", "dr-halloran", name="Dr Halloran"), "p1", None,
            frozenset(scopes.split()), now, now + timedelta(hours=1),
        )  # fmt: skip
        made.cookie = parts.store.open_launch(None, context, TokenSet("CANARY-TOKEN", now + timedelta(hours=1)))
        yield made
        parts.database.engine.dispose()
