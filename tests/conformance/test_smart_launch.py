"""SMART App Launch 2.2 for a client, one requirement a test, in the order of the specification. The EHR is a real socket.

The list re-makes what certification suites check of a client: what its requests hold, and what it does with the answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from launch.context import LaunchContext
from launch.errors import EhrMisconfigured, SignInBroken, UnknownIssuer
from launch.issuers import BackendClient, ClientAuth, SigningKey
from tests.unit.launch.ehr_sim import Call, ec_key, rsa_key
from tests.unit.launch.world import World, world

KEYS = {"RS384": rsa_key("client"), "ES384": ec_key("client")}


@dataclass
class Seen:
    """One launch of each kind, with everything the EHR saw of it."""

    here: World
    authorize: dict[str, str]
    standalone: dict[str, str]
    token: Call
    context: LaunchContext


def query(url: str) -> dict[str, str]:
    values = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(found) == 1 for found in values.values()), "no parameter twice"
    return {name: found[0] for name, found in values.items()}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def seen(here: World) -> Seen:
    url = here.begin()
    context = here.complete(here.ehr.authorize(url)).context
    return Seen(here, query(url), query(here.begin_sign_in(wants_patient=True)), here.ehr.token_calls[0], context)


def signed(here: World, alg: str) -> tuple[dict[str, Any], dict[str, Any], Call]:
    """Header, claims and the call of a private_key_jwt launch."""
    here.ehr.client_keys = {"ours": KEYS[alg]}
    here.registered(auth=ClientAuth.PRIVATE_KEY_JWT, signing_key=SigningKey("ours", alg, KEYS[alg].as_pem(private=True).decode()))
    here.launch()
    call = here.ehr.token_calls[-1]
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in call.form["client_assertion"].split(".")[:2])
    return header, claims, call


# -- launch and discovery --


def test_launch_01_only_registered_issuers(here: World) -> None:
    from launch.authorize import Binding

    with pytest.raises(UnknownIssuer):
        here.smart.launcher.begin("https://other.test/fhir", "x", Binding.new())
    assert here.ehr.calls == []


def test_discovery_01_well_known_under_the_fhir_base(seen: Seen) -> None:
    first = seen.here.ehr.calls[0]
    assert (first.method, first.path) == ("GET", "/fhir/.well-known/smart-configuration")


def test_discovery_02_asked_for_as_json(seen: Seen) -> None:
    assert seen.here.ehr.calls[0].headers["accept"] == "application/json"


def test_discovery_03_without_credentials(seen: Seen) -> None:
    assert not {"authorization", "cookie"} & seen.here.ehr.calls[0].headers.keys()


def test_discovery_04_relative_urls_against_the_fhir_base(here: World) -> None:
    here.ehr.discovery = {"token_endpoint": "../token"}
    assert here.launch().context.patient_id == "chart-1"


# -- the authorization request --

AUTHORIZE: dict[str, Callable[[Seen], bool]] = {
    "01_response_type_is_code": lambda s: s.authorize["response_type"] == "code",
    "02_client_id_is_ours": lambda s: s.authorize["client_id"] == "priors",
    "03_redirect_uri_is_the_registered_one": lambda s: s.authorize["redirect_uri"] == "https://priors.test/cb/northgate",
    "04_launch_is_passed_on_unchanged": lambda s: s.authorize["launch"] == "launch-token",
    "05_scope_has_launch": lambda s: "launch" in s.authorize["scope"].split(),
    "06_scope_has_openid_and_fhirUser": lambda s: {"openid", "fhirUser"} <= set(s.authorize["scope"].split()),
    "07_state_has_122_bits_at_least": lambda s: len(s.authorize["state"]) >= 43,
    "08_aud_is_the_fhir_base": lambda s: s.authorize["aud"] == s.here.ehr.fhir,
    "09_challenge_method_is_S256": lambda s: s.authorize["code_challenge_method"] == "S256",
    "10_challenge_is_base64url_of_sha256": lambda s: len(s.authorize["code_challenge"]) == 43 and "=" not in s.authorize["code_challenge"],
    "11_nonce_is_sent_and_is_not_the_state": lambda s: len(s.authorize["nonce"]) >= 22 and s.authorize["nonce"] != s.authorize["state"],
    "12_no_secret_and_no_verifier_travels": lambda s: not {"client_secret", "code_verifier", "client_assertion"} & s.authorize.keys(),
    "13_standalone_has_no_launch_parameter": lambda s: "launch" not in s.standalone,
    "14_standalone_asks_launch_patient": lambda s: "launch/patient" in s.standalone["scope"].split(),
    "15_every_request_has_its_own_state_nonce_and_challenge": lambda s: all(
        s.authorize[name] != s.standalone[name] for name in ("state", "nonce", "code_challenge")
    ),
    "16_resource_scopes_are_v2": lambda s: all("." not in x or x.rpartition(".")[2] in ("r", "rs") for x in s.authorize["scope"].split()),
}


@pytest.mark.parametrize("requirement", AUTHORIZE)
def test_authorize(seen: Seen, requirement: str) -> None:
    assert AUTHORIZE[requirement](seen)


# -- the token request --

TOKEN: dict[str, Callable[[Seen], bool]] = {
    "01_is_a_form_post": lambda s: s.token.method == "POST" and s.token.headers["content-type"].startswith("application/x-www-form-urlencoded"),
    "02_grant_type": lambda s: s.token.form["grant_type"] == "authorization_code",
    "03_redirect_uri_as_authorized": lambda s: s.token.form["redirect_uri"] == s.authorize["redirect_uri"],
    "04_verifier_is_43_to_128_unreserved": lambda s: 43 <= len(s.token.form["code_verifier"]) <= 128
    and all(c.isalnum() or c in "-._~" for c in s.token.form["code_verifier"]),
    "05_verifier_fits_the_challenge": lambda s: base64.urlsafe_b64encode(hashlib.sha256(s.token.form["code_verifier"].encode()).digest())
    .rstrip(b"=")
    .decode()
    == s.authorize["code_challenge"],
    "06_public_client_sends_client_id_and_no_authorization": lambda s: s.token.form["client_id"] == "priors" and "authorization" not in s.token.headers,
    "07_nothing_more_is_sent": lambda s: s.token.form.keys() == {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"},
    "08_once_per_code": lambda s: len(s.here.ehr.token_calls) == 1,
}


@pytest.mark.parametrize("requirement", TOKEN)
def test_token(seen: Seen, requirement: str) -> None:
    assert TOKEN[requirement](seen)


def test_token_09_basic_authenticates_in_the_header_only(here: World) -> None:
    here.ehr.client_secret = "s3cret"
    here.registered(auth=ClientAuth.BASIC, secret="s3cret")
    here.launch()
    call = here.ehr.token_calls[0]
    assert base64.b64decode(call.headers["authorization"].removeprefix("Basic ")) == b"priors:s3cret"
    assert not {"client_id", "client_secret"} & call.form.keys()


@pytest.mark.parametrize("alg", KEYS)
def test_assertion_01_header(here: World, alg: str) -> None:
    assert signed(here, alg)[0] == {"alg": alg, "kid": "ours", "typ": "JWT"}


@pytest.mark.parametrize("alg", KEYS)
def test_assertion_02_claims(here: World, alg: str) -> None:
    _, claims, _ = signed(here, alg)
    assert claims["iss"] == claims["sub"] == "priors"
    assert claims["aud"] == here.ehr.token_url
    assert 0 < claims["exp"] - here.clock().timestamp() <= 300
    assert len(claims["jti"]) >= 22


def test_assertion_03_type_and_no_client_id(here: World) -> None:
    _, _, call = signed(here, "ES384")
    assert call.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert not {"client_id", "client_secret"} & call.form.keys()
    assert "authorization" not in call.headers


def test_assertion_04_jti_is_new_each_time(here: World) -> None:
    first, second = signed(here, "ES384")[1]["jti"], signed(here, "ES384")[1]["jti"]
    assert first != second


def test_assertion_05_our_jwks_verifies_it(here: World) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    _, _, call = signed(here, "RS384")
    keys = KeySet.import_key_set(dict(here.smart.jwks))  # type: ignore[arg-type]
    assert jwt.decode(call.form["client_assertion"], keys, algorithms=["RS384"]).claims["sub"] == "priors"


# -- the answer --


def test_answer_01_the_granted_scope_is_read_back(here: World) -> None:
    here.ehr.answer = {"scope": "launch openid fhirUser patient/Patient.rs"}
    context = here.launch().context
    assert context.scopes == {"launch", "openid", "fhirUser", "patient/Patient.rs"}


def test_answer_02_launch_context(seen: Seen) -> None:
    assert (seen.context.patient_id, seen.context.encounter_id, seen.context.need_patient_banner) == ("chart-1", "enc-1", True)


def test_answer_03_the_user_is_issuer_and_subject_of_a_verified_id_token(seen: Seen) -> None:
    assert (seen.context.user.issuer, seen.context.user.subject) == (seen.here.ehr.fhir, "dr-halloran")
    assert seen.context.user.fhir_user == f"{seen.here.ehr.fhir}/Practitioner/p1"


def test_answer_04_an_unverifiable_id_token_opens_nothing(here: World) -> None:
    here.ehr.claims = {"nonce": "of-another-sign-in"}
    with pytest.raises(SignInBroken):
        here.launch()


def test_answer_05_without_id_token_nobody_is_signed_in(here: World) -> None:
    here.ehr.answer = {"id_token": ...}
    with pytest.raises(EhrMisconfigured):
        here.launch()


# -- refresh --


def test_refresh_01_request(here: World) -> None:
    context, _ = here.opened()
    here.clock.forward(hours=1)
    here.smart.broker.provider(context).access_token()
    assert here.ehr.token_calls[-1].form.keys() == {"grant_type", "refresh_token", "client_id"}


def test_refresh_02_confidential_clients_authenticate_again(here: World) -> None:
    here.ehr.client_secret = "s3cret"
    here.registered(auth=ClientAuth.BASIC, secret="s3cret")
    context, _ = here.opened()
    here.clock.forward(hours=1)
    here.smart.broker.provider(context).access_token()
    assert here.ehr.token_calls[-1].headers["authorization"].startswith("Basic ")


def test_refresh_03_the_new_refresh_token_replaces_the_old(here: World) -> None:
    context, _ = here.opened()
    before = here.store.tokens(context.handle)
    here.clock.forward(hours=1)
    here.smart.broker.provider(context).access_token()
    after = here.store.tokens(context.handle)
    assert before is not None
    assert after is not None
    assert after.refresh_token not in (None, before.refresh_token)


# -- backend services --


@pytest.fixture
def backend(here: World) -> Call:
    here.ehr.client_keys = {"ours": KEYS["ES384"]}
    key = SigningKey("ours", "ES384", KEYS["ES384"].as_pem(private=True).decode())
    here.registered(backend=BackendClient("priors-backend", ("system/ImagingStudy.rs",), key))
    here.smart.broker.backend_provider("northgate").access_token()
    return here.ehr.token_calls[0]


def test_backend_01_request(backend: Call) -> None:
    assert backend.form.keys() == {"grant_type", "scope", "client_assertion_type", "client_assertion"}
    assert backend.form["grant_type"] == "client_credentials"


def test_backend_02_system_scopes_only(backend: Call) -> None:
    assert all(scope.startswith("system/") for scope in backend.form["scope"].split())


def test_backend_03_its_own_client_id(backend: Call) -> None:
    claims = json.loads(base64.urlsafe_b64decode(backend.form["client_assertion"].split(".")[1] + "=="))
    assert claims["iss"] == claims["sub"] == "priors-backend"
