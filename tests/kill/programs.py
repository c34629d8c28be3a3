"""Stories of programs: one that asks for a token and accepts, a partner that is asked by FHIR Task, the EHR that is told how it stands."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from smart_app import factory
from smart_app.audit.models import AuditRecord
from smart_app.fhir_api.models import ApiTokenRow, FhirCopyRow
from smart_app.image_requests.models import RequestEventRow
from smart_app.image_requests.types import Facility, Route, RouteKind, State
from smart_app.image_requests.workflow import Act
from smart_app.links.models import LinkRow
from smart_app.parts import Parts
from tests.kill.story import ASKED, STAFF, Programs, Story, ask, new, nothing
from tests.unit.intake.hospital import PATIENT

TOKEN = "theirs"
SCOPES = "system/Task.rus"
KESTREL = Facility("kestrel", "Kestrel Valley", routes=(Route(RouteKind.FHIR, "kestrel"),))
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def configuration(folder: Path, partner_url: str) -> dict[str, Any]:
    """A registered program of our own house, whose key lies here too; and a partner."""
    key = ECKey.generate_key("P-384", {"kid": "house-1", "use": "sig", "alg": "ES384"}, private=True)
    (folder / "house.key").write_text(json.dumps(key.as_dict(private=True)))
    (folder / "house.jwks").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    (folder / "partner-token").write_text(TOKEN)
    (folder / "partner-token").chmod(0o600)
    return {
        "api_clients": [{"key": "house", "name": "House", "client_id": "house", "jwks_file": str(folder / "house.jwks"), "scopes": SCOPES.split(), "all_facilities": True}],
        "partners": [
            {
                "key": "kestrel", "name": "Kestrel Valley", "fhir": f"{partner_url}/fhir", "poll_minutes": 0, "allow_http": True,
                "credential": {"kind": "bearer", "token": {"file": str(folder / "partner-token")}},
            }
        ],
    }  # fmt: skip


def registered(parts: Parts) -> None:
    """Three are asked, and the program has made the proof that it will show first."""
    ask(parts)
    _home(parts).joinpath("assertion").write_text(_assertion(parts))


def accept(parts: Parts) -> None:
    """Show the proof that was made first, and a new one if that is spent; then accept each Task that is not accepted."""
    call = _caller(parts)
    answer = _token(call, _home(parts).joinpath("assertion").read_text())
    if answer.status_code == 401:
        answer = _token(call, _assertion(parts))
    assert answer.status_code == 200, answer.text
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
    for request in sorted(one.id for one in parts.requests.of_patient(PATIENT.issuer, PATIENT.id)):
        there = call("GET", f"Task/{request}", bearer)
        if there.json["status"] != "accepted":
            patch = [{"op": "replace", "path": "/status", "value": "accepted"}]
            done = call("PATCH", f"Task/{request}", {**bearer, "If-Match": there.headers["ETag"], "Content-Type": "application/json-patch+json"}, json.dumps(patch))
            assert done.status_code == 200, done.text


def accepted_once(parts: Parts, programs: Programs) -> None:
    with parts.database.reading() as session:
        accepts = Counter(session.scalars(select(RequestEventRow.request).where(RequestEventRow.action == Act.ACCEPT.value)))
        tokens = session.scalar(select(func.count()).select_from(ApiTokenRow))
        given = session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.event == "ApiTokenGiven"))
    assert sorted(accepts.values()) == [1] * len(ASKED)
    assert (tokens or 0) <= (given or 0), "no token without its record"
    assert _token(_caller(parts), _home(parts).joinpath("assertion").read_text()).status_code == 401, "a proof serves once, whoever died meanwhile"


def ask_partner(parts: Parts) -> None:
    parts.facilities.save(KESTREL)
    for accession in ASKED:
        parts.requests.create(new(accession, KESTREL.routes[0], KESTREL.id), STAFF)


def asked_partner_once(parts: Parts, programs: Programs) -> None:
    assert len(programs.partner.all("Task")) == len(programs.partner.all("ServiceRequest")) == len(ASKED), "each is on their work list once"
    _known(parts, "partner:kestrel", {one["id"] for one in programs.partner.all("Task")})
    with parts.database.reading() as session:
        told = Counter(session.scalars(select(RequestEventRow.request).where(RequestEventRow.action == "tell")))
        links = Counter(session.scalars(select(LinkRow.request)))
    assert sorted(told.values()) == [1] * len(ASKED), "that it is there is told once"
    assert sorted(links.values()) == [1] * len(ASKED), "one way to send for each"


def told_ehr_once(parts: Parts, programs: Programs) -> None:
    tasks = programs.ehr.all("Task")
    assert len(tasks) == len(programs.ehr.all("ServiceRequest")) == len(ASKED), "each is in the chart once"
    assert {one["status"] for one in tasks} == {"cancelled"}, "as it stands now"
    _known(parts, "ehr:northgate", {one["id"] for one in tasks})


def asked_and_called_off(parts: Parts) -> None:
    ask(parts)
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        parts.requests.act(request.id, Act.CANCEL, STAFF, reason="not needed")


def _known(parts: Parts, place: str, ids: set[str]) -> None:
    with parts.database.reading() as session:
        assert set(session.scalars(select(FhirCopyRow.task_id).where(FhirCopyRow.place == place))) == ids, "and we know where"


def _home(parts: Parts) -> Path:
    return parts.settings.data_dir.parent


def _assertion(parts: Parts) -> str:
    key, now = ECKey.import_key(json.loads(_home(parts).joinpath("house.key").read_text())), int(time.time())
    claims = {"iss": "house", "sub": "house", "aud": f"{parts.settings.public_url}/fhir/token", "iat": now, "exp": now + 240, "jti": secrets.token_urlsafe(16)}
    return jwt.encode({"alg": "ES384", "kid": "house-1"}, claims, key, algorithms=["ES384"])


def _caller(parts: Parts) -> Callable[..., Any]:
    with patch.object(factory, "build", lambda settings, clock: parts):  # these very parts, and no second database to close
        client = factory.create_app(parts.settings).test_client(use_cookies=False)

    def call(method: str, path: str, headers: Mapping[str, str] | None = None, data: Any = None) -> Any:
        return client.open(f"/fhir/{path}", method=method, base_url=parts.settings.public_url, headers=dict(headers or {}), data=data)

    return call


def _token(call: Callable[..., Any], assertion: str) -> Any:
    form = {"grant_type": "client_credentials", "client_assertion_type": BEARER, "client_assertion": assertion, "scope": SCOPES}
    return call("POST", "token", None, form)


USES: Mapping[str, Callable[[Parts], None]] = {"accept": accept}
STORIES: Mapping[str, Story] = {
    "program": Story(registered, "accept", accept, frozenset({State.ACCEPTED}), proof=accepted_once),
    "partner": Story(ask_partner, "ehr", nothing, survivor="ehr", proof=asked_partner_once),
    "mirror": Story(asked_and_called_off, "ehr", nothing, frozenset({State.CANCELLED}), survivor="ehr", proof=told_ehr_once),
}
