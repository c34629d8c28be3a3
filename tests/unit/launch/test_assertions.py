"""Client assertions and our published keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from launch.assertions import public_jwks, sign_assertion
from launch.issuers import SigningKey
from tests.unit.launch.ehr_sim import ec_key, rsa_key

NOW = datetime(2026, 5, 21, 9, 0, tzinfo=UTC)
EC = SigningKey("ec", "ES384", ec_key("client").as_pem(private=True).decode())
RSA = SigningKey("rsa", "RS384", rsa_key("client").as_pem(private=True).decode())


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
def test_an_assertion_is_what_smart_asks_for_and_verifies_with_our_published_key(key: SigningKey) -> None:
    token = sign_assertion(key, client_id="priors", token_url="https://ehr.test/token", now=NOW)
    read = jwt.decode(token, KeySet.import_key_set(public_jwks([EC, RSA])), algorithms=["RS384", "ES384"])
    assert read.header == {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
    claims = read.claims
    assert claims["iss"] == claims["sub"] == "priors"
    assert claims["aud"] == "https://ehr.test/token"
    assert claims["iat"] == NOW.timestamp()
    assert 0 < claims["exp"] - claims["iat"] <= 300


def test_no_jti_comes_twice() -> None:
    tokens = [sign_assertion(EC, client_id="priors", token_url="https://ehr.test/token", now=NOW) for _ in range(200)]
    jtis = {jwt.decode(token, ec_key("client"), algorithms=["ES384"]).claims["jti"] for token in tokens}
    assert len(jtis) == 200


def test_published_keys_are_public_and_named_once() -> None:
    document = public_jwks([EC, RSA, EC])
    assert [key["kid"] for key in document["keys"]] == ["ec", "rsa"]
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert not any(private & key.keys() for key in document["keys"])
    assert all(key["use"] == "sig" for key in document["keys"])
    assert "PRIVATE" not in json.dumps(document)


@pytest.mark.parametrize(
    "key",
    [
        SigningKey("k", "ES384", ECKey.generate_key("P-256").as_pem(private=True).decode()),
        SigningKey("k", "RS384", EC.pem),
        SigningKey("k", "ES384", RSA.pem),
        SigningKey("k", "RS256", RSA.pem),
        SigningKey("k", "HS256", RSA.pem),
        SigningKey("k", "ES384", "not a key"),
        SigningKey("k", "ES384", ec_key("client").as_pem(private=False).decode()),
    ],
    ids=["wrong curve", "EC as RSA", "RSA as EC", "RS256", "HS256", "rubbish", "public half"],
)
def test_a_key_that_does_not_fit_is_refused_at_the_start(key: SigningKey) -> None:
    with pytest.raises(ValueError):
        public_jwks([key])


def test_keys_do_not_show_themselves() -> None:
    assert "PRIVATE" not in repr(EC)
