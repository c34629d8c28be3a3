"""Signing in at the demo EHR, which knows nothing of our code: every client authentication, every role, refresh and withdrawal."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from launch.errors import SessionEnded
from sandbox.ehr.app import create_ehr
from sandbox.ehr.clients import BACKEND, DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.faults import Faults
from sandbox.serving import serve
from smart_app import factory
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.parts import Parts
from tests.peers import free_port
from tests.unit.launch.ehr_sim import MovingClock, ec_key, rsa_key
from tests.unit.sandbox.ehr_client import write_fixtures

ORIGIN = "https://priors.test"
CALLBACK = f"{ORIGIN}/cb/northgate"
PUBLIC_KEYS = {"keys": [rsa_key("ours").as_dict(private=False), ec_key("ours").as_dict(private=False)]}
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "public": ({}, {}),
    "client_secret_basic": ({"auth": "client_secret_basic", "secret": "s3cret-of-ours"}, {"client_secret": {"env": "TEST_SECRET"}}),
    "private_key_jwt RS384": (
        {"auth": "private_key_jwt", "jwks": PUBLIC_KEYS},
        {"client_key": {"kid": rsa_key("ours").kid, "alg": "RS384", "pem": {"env": "TEST_RSA"}}},
    ),
    "private_key_jwt ES384": (
        {"auth": "private_key_jwt", "jwks": PUBLIC_KEYS},
        {"client_key": {"kid": ec_key("ours").kid, "alg": "ES384", "pem": {"env": "TEST_EC"}}},
    ),
}
ROLES = [{"role": role, "claim": "priors_roles", "equals": role} for role in ("staff", "reviewer", "administrator", "auditor")]


@dataclass
class Hospital:
    """The demo EHR, the product, and one browser."""

    base: str
    client: FlaskClient
    parts: Parts
    clock: MovingClock

    def get(self, path: str) -> Any:
        return self.client.get(path, base_url=ORIGIN)

    def authorize_url(self, path: str) -> str:
        first = self.get(path)
        second = self.get(first.location)
        assert second.status_code == 303, second.text
        return str(second.location)

    def launch(self, patient: str = "p1") -> str:
        """From the chart; the handle of the launch."""
        opened = requests.get(f"{self.base}/launch/{patient}", params={"user": "dr-halloran"}, allow_redirects=False, timeout=5)
        agreed = requests.get(self.authorize_url("/launch?" + urlsplit(opened.headers["Location"]).query), allow_redirects=False, timeout=5)
        return self.come_back(agreed)

    def sign_in(self, user: str, query: str = "?as=staff", **more: str) -> str:
        url = self.authorize_url(f"/sign-in/northgate{query}")
        form = {**dict(parse_qsl(urlsplit(url).query)), "demo_user": user, **more}
        return self.come_back(requests.post(url.partition("?")[0], data=form, allow_redirects=False, timeout=5))

    def come_back(self, agreed: requests.Response) -> str:
        done = self.get("/cb/northgate?" + urlsplit(agreed.headers["Location"]).query)
        assert done.status_code == 303, done.text
        return str(done.location).split("/")[2]


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hospital]]:
    monkeypatch.setenv("TEST_SEALING", base64.urlsafe_b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("TEST_SECRET", "s3cret-of-ours")
    monkeypatch.setenv("TEST_RSA", rsa_key("ours").as_pem(private=True).decode())
    monkeypatch.setenv("TEST_EC", ec_key("ours").as_pem(private=True).decode())
    made: list[Parts] = []
    build = factory.build
    monkeypatch.setattr(factory, "build", lambda *given: made.append(build(*given)) or made[-1])

    with ExitStack() as stack:

        def start(way: str = "public", *, options: EhrOptions | None = None, **ehr: Any) -> Hospital:
            port, clock = free_port(), MovingClock()
            base = f"http://127.0.0.1:{port}"
            theirs, ours = WAYS[way]
            clients = (DemoClient("priors", (CALLBACK,), **theirs), DemoClient("backend", auth="private_key_jwt", jwks=PUBLIC_KEYS, grants=BACKEND))
            app = create_ehr(
                write_fixtures(tmp_path / "fixtures"),
                base,
                clients=clients,
                launch_url=f"{ORIGIN}/launch",
                faults=Faults(),
                options=options,
                dicomweb={"kestrel": "http://127.0.0.1:9/dicom-web"},
                now=lambda: clock().timestamp(),
            )
            stack.enter_context(serve(app, port=port))
            entry = {
                "key": "northgate",
                "name": "Northgate",
                "issuer": f"{base}/fhir",
                "client_id": "priors",
                "client_auth": way.split()[0],
                "allow_http": True,
                "roles": ROLES,
                **ours,
                **ehr,
            }
            settings = Settings.model_validate(
                {
                    "public_url": ORIGIN,
                    "development": True,
                    "data_dir": tmp_path / "data",
                    "sealing_keys": [{"id": "k", "env": "TEST_SEALING"}],
                    "ehrs": [entry],
                }
            )
            client = create_app(settings, clock).test_client()
            return Hospital(base, client, made[-1], clock)

        yield start


@pytest.mark.parametrize("way", WAYS)
def test_a_chart_opens_whatever_the_client_authentication(hospital: Callable[..., Hospital], way: str) -> None:
    here = hospital(way)
    handle = here.launch()
    assert "MARCHETTI" in here.get(f"/l/{handle}/studies").text.upper()
    context = here.parts.store.find(handle, here.client.get_cookie("__Host-ix", domain="priors.test").value)  # type: ignore[union-attr]
    assert context is not None
    tokens = here.parts.smart.broker.provider(context)
    first = tokens.access_token()
    assert tokens.refreshed(first) != first


@pytest.mark.parametrize("alg", ["RS256", "ES384"])
def test_id_tokens_of_either_kind(hospital: Callable[..., Hospital], alg: str) -> None:
    assert hospital(options=EhrOptions(id_token_alg=alg)).launch()


def test_an_old_server_is_asked_in_the_old_syntax(hospital: Callable[..., Hospital]) -> None:
    here = hospital(options=EhrOptions(scope_style="v1"))
    scopes = parse_qs(urlsplit(here.authorize_url("/sign-in/northgate")).query)["scope"][0].split()
    assert "patient/ImagingStudy.read" in scopes
    assert here.launch()


def test_a_server_that_promises_iss_and_forgets_it(hospital: Callable[..., Hospital]) -> None:
    here = hospital(options=EhrOptions(advertise_iss=True, send_iss=False))
    with pytest.raises(AssertionError):
        here.launch()
    assert here.parts.store.live_launches() == 0


STAFF = {
    "clerk-moss": (403, 403),
    "rev-okafor": (403, 403),
    "admin-lind": (403, 200),
    "auditor-reyes": (200, 403),
}


@pytest.mark.parametrize("user", STAFF)
def test_staff_sign_in_gives_their_roles_and_no_chart(hospital: Callable[..., Hospital], user: str) -> None:
    here = hospital()
    handle = here.sign_in(user)
    audit, setup = STAFF[user]
    assert here.get(f"/l/{handle}/home").status_code == 200
    assert here.get(f"/l/{handle}/audit").status_code == audit
    assert here.get(f"/l/{handle}/setup").status_code == setup
    assert here.get(f"/l/{handle}/studies").status_code == 404


def test_a_standalone_launch_lets_the_ehr_choose_the_patient(hospital: Callable[..., Hospital]) -> None:
    here = hospital()
    handle = here.sign_in("dr-halloran", "", demo_patient="p2")
    assert "PAREKH" in here.get(f"/l/{handle}/studies").text.upper()


def test_a_withdrawn_grant_ends_the_launch(hospital: Callable[..., Hospital]) -> None:
    here = hospital()
    handle = here.launch()
    context = here.parts.store.find(handle, here.client.get_cookie("__Host-ix", domain="priors.test").value)  # type: ignore[union-attr]
    tokens = here.parts.store.tokens(handle)
    assert context is not None
    assert tokens is not None
    for _ in range(2):  # somebody else has our refresh token and uses it: the EHR withdraws the grant
        requests.post(
            f"{here.base}/oauth/token", data={"grant_type": "refresh_token", "refresh_token": tokens.refresh_token, "client_id": "priors"}, timeout=5
        )
    with pytest.raises(SessionEnded):
        here.parts.smart.broker.provider(context).refreshed(tokens.access_token)
    assert here.get(f"/l/{handle}/studies").status_code == 401


def test_backend_services_work_without_a_person(hospital: Callable[..., Hospital]) -> None:
    key = {"kid": ec_key("ours").kid, "alg": "ES384", "pem": {"env": "TEST_EC"}}
    here = hospital(backend={"client_id": "backend", "scopes": ["system/ImagingStudy.rs"], "key": key})
    token = here.parts.smart.broker.backend_provider("northgate").access_token()
    answer = requests.get(f"{here.base}/fhir/ImagingStudy", params={"patient": "p1"}, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert answer.json()["total"] == 7
