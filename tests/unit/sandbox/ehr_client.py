"""A small SMART client for the demo EHR's own tests: real sockets, each step in the open."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from joserfc import jwk, jwt

from sandbox.ehr.app import create_ehr
from sandbox.ehr.clients import BACKEND, DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.faults import Faults
from sandbox.serving import serve

CALLBACK = "http://app.localhost:1/cb/northgate"
SCOPE = "launch openid fhirUser online_access patient/Patient.rs patient/ImagingStudy.rs"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_KEY = jwk.ECKey.generate_key("P-384", {"kid": "k1", "use": "sig"}, private=True)
RSA_KEY = jwk.RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"}, private=True)
JWKS = {"keys": [CLIENT_KEY.as_dict(private=False), RSA_KEY.as_dict(private=False)]}

CLIENTS = (
    DemoClient("public-app", (CALLBACK,)),
    DemoClient("basic-app", (CALLBACK,), auth="client_secret_basic", secret="s3cret"),
    DemoClient("key-app", (CALLBACK,), auth="private_key_jwt", jwks=JWKS),
    DemoClient("backend-app", auth="private_key_jwt", jwks=JWKS, grants=BACKEND),
)


def _patient(identity: str, family: str) -> dict[str, Any]:
    mrn = {"type": {"coding": [{"code": "MR"}]}, "system": "https://mrn.example", "value": f"M-{identity}"}
    return {"resourceType": "Patient", "id": identity, "name": [{"use": "official", "family": family, "given": ["A"]}], "birthDate": "1951-08-09",
            "gender": "female", "identifier": [mrn]}  # fmt: skip


def _study(identity: str, patient: str, endpoint: str = "e1") -> dict[str, Any]:
    return {"resourceType": "ImagingStudy", "id": identity, "status": "available", "subject": {"reference": f"Patient/{patient}"},
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{len(identity)}"}], "endpoint": [{"reference": f"Endpoint/{endpoint}"}],
            "meta": {"lastUpdated": f"2026-05-{int(identity[-1]) + 10}T08:00:00Z"}}  # fmt: skip


def write_fixtures(folder: Path) -> Path:
    """Two patients, seven studies of the first, one of the second, one Endpoint, one Encounter."""
    resources = [_patient("p1", "Marchetti"), _patient("p2", "Parekh"), *(_study(f"s{n}", "p1") for n in range(7)), _study("t0", "p2"),
                 {"resourceType": "Endpoint", "id": "e1", "status": "active", "address": "{{dicomweb:kestrel}}"},
                 {"resourceType": "Encounter", "id": "v1", "status": "in-progress", "subject": {"reference": "Patient/p1"}}]  # fmt: skip
    (folder / "all").mkdir(parents=True)
    for one in resources:
        (folder / "all" / f"{one['resourceType']}-{one['id']}.json").write_text(json.dumps(one))
    return folder


@dataclass
class Ehr:
    base: str
    faults: Faults
    clock: list[float]

    @property
    def fhir(self) -> str:
        return f"{self.base}/fhir"

    def new_launch(self, patient: str = "p1", user: str = "dr-halloran") -> str:
        answer = requests.get(f"{self.base}/launch/{patient}", params={"user": user}, allow_redirects=False, timeout=5)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["launch"][0]

    def authorize(
        self, *, client: str = "public-app", scope: str = SCOPE, verifier: str, post: bool = False, **over: str
    ) -> requests.Response:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        values = {"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": scope, "state": "st", "nonce": "no", "aud": self.fhir,
                  "code_challenge": challenge, "code_challenge_method": "S256"} | over  # fmt: skip
        values = {name: value for name, value in values.items() if value}
        where = {"data": values} if post else {"params": values}
        return requests.request("POST" if post else "GET", f"{self.base}/oauth/authorize", **where, allow_redirects=False, timeout=5)

    def token(self, auth: tuple[str, str] | None = None, **form: str) -> requests.Response:
        return requests.post(f"{self.base}/oauth/token", data=form, auth=auth, timeout=5)

    def assertion(self, client: str, *, key: Any = CLIENT_KEY, alg: str = "ES384", **over: Any) -> dict[str, str]:
        claims = {
            "iss": client,
            "sub": client,
            "aud": f"{self.base}/oauth/token",
            "exp": int(time.time()) + 200,
            "jti": secrets.token_hex(8),
        } | over
        signed = jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def code(self, *, client: str = "public-app", verifier: str = "v" * 50, scope: str = SCOPE, patient: str = "p1", **over: str) -> str:
        answer = self.authorize(client=client, verifier=verifier, scope=scope, launch=self.new_launch(patient), **over)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(self, code: str, *, verifier: str = "v" * 50, client: str = "public-app", **form: str) -> requests.Response:
        own = {"client_id": client} if client == "public-app" else {}
        auth = ("basic-app", "s3cret") if client == "basic-app" else None
        return self.token(
            auth=auth, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier, **own, **form
        )

    def signed_in(self, patient: str = "p1", scope: str = SCOPE) -> dict[str, Any]:
        return self.exchange(self.code(patient=patient, scope=scope)).json()

    def get(self, path: str, token: str, **params: Any) -> requests.Response:
        return requests.get(
            f"{self.fhir}/{path}", params=params, headers={"Authorization": f"Bearer {token}"}, timeout=5, allow_redirects=False
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, options: EhrOptions | None = None, clients: tuple[DemoClient, ...] = CLIENTS) -> Iterator[Ehr]:
    """An EHR over `write_fixtures`, on a free port, with a clock the test may move (`ehr.clock[0] += 60`)."""
    port, faults, offset = free_port(), Faults(), [0.0]
    base = f"http://127.0.0.1:{port}"
    app = create_ehr(write_fixtures(folder), base, clients=clients, launch_url="http://app.localhost:1/launch", faults=faults, options=options,
                     dicomweb={"kestrel": "http://127.0.0.1:9/dicom-web"}, now=lambda: time.time() + offset[0])  # fmt: skip
    with serve(app, port=port):
        yield Ehr(base, faults, offset)
