"""At least forty bad client assertions, each refused for its own reason and on the record; the good one once, over any number of workers."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from smart_app.fhir_api.assertions import LONGEST
from smart_app.fhir_api.client_keys import ClientKeys, lane_of
from smart_app.fhir_api.door import Asked
from smart_app.fhir_api.tokens import ApiTokens
from tests.unit.archives.scripted import Asked as Question
from tests.unit.archives.scripted import Say, outbound_to, scripted
from tests.unit.fhir_api.world import BASE, KEYS, ORIGIN, SCOPES, TOKEN, World
from tests.unit.launch.ehr_sim import MovingClock, rsa_key

P256 = ECKey.generate_key("P-256", private=True)


def _now(world: World, seconds: float = 0) -> int:
    return int((world.clock() + timedelta(seconds=seconds)).timestamp())


def _unsigned(world: World, alg: str) -> str:
    header, claims, _ = world.assertion("kestrel").split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "=="))
    return f"{base64.urlsafe_b64encode(json.dumps(head | {'alg': alg}).encode()).decode().rstrip('=')}.{claims}."


def _with_claims(world: World, **claims: Any) -> str:
    """The claims altered after signing."""
    header, body, signature = world.assertion("kestrel").split(".")
    found = json.loads(base64.urlsafe_b64decode(body + "==")) | claims
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip('=')}.{signature}"


def _hmac_with_public_key(world: World) -> str:
    """The old confusion: HS256 keyed with the public key."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"kestrel-1"}').decode().rstrip("=")
    signed = f"{head}.{world.assertion('kestrel').split('.')[1]}"
    mac = hmac.digest(KEYS["kestrel"].as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _payload(world: World, payload: bytes) -> str:
    return jws.serialize_compact({"alg": "ES384", "kid": "kestrel-1"}, payload, KEYS["kestrel"], algorithms=["ES384"])


BAD: dict[str, tuple[str, Callable[[World], str]]] = {
    "empty": ("form", lambda w: ""),
    "not a jwt": ("form", lambda w: "a.b"),
    "four parts": ("form", lambda w: w.assertion("kestrel") + ".x"),
    "not base64": ("form", lambda w: "!.!.!"),
    "header no object": ("form", lambda w: "W10." + w.assertion("kestrel").split(".", 1)[1]),
    "claims no object": ("form", lambda w: _payload(w, b"[]")),
    "claims no json": ("form", lambda w: _payload(w, b"{")),
    "deeply nested": ("form", lambda w: _payload(w, b"[" * 3000)),
    "too large": ("form", lambda w: w.assertion("kestrel", padding="x" * 9000)),
    "not ascii": ("form", lambda w: w.assertion("kestrel") + "é"),
    "none": ("header", lambda w: _unsigned(w, "none")),
    "None": ("header", lambda w: _unsigned(w, "None")),
    "no alg": ("header", lambda w: _unsigned(w, "")),
    "hmac with the public key": ("header", _hmac_with_public_key),
    "ES256": ("header", lambda w: w.assertion("kestrel", key=P256, alg="ES256")),
    "RS256": ("header", lambda w: w.assertion("kestrel", key=rsa_key(), alg="RS256")),
    "PS384": ("header", lambda w: w.assertion("kestrel", key=rsa_key(), alg="PS384")),
    "no kid": ("header", lambda w: w.assertion("kestrel", header={"kid": None})),
    "crit": ("header", lambda w: _crit(w)),
    "other typ": ("header", lambda w: w.assertion("kestrel", header={"typ": "at+jwt"})),
    "unknown kid": ("signature", lambda w: w.assertion("kestrel", header={"kid": "other"})),
    "another's kid and key": ("signature", lambda w: w.assertion("kestrel", header={"kid": "brannoc-1"}, key=KEYS["brannoc"])),
    "a stranger's key under our kid": ("signature", lambda w: w.assertion("kestrel", key=KEYS["stranger"])),
    "RS384 with a stranger's key": ("signature", lambda w: w.assertion("kestrel", key=rsa_key(), alg="RS384")),
    "its own jwk": ("signature", lambda w: w.assertion("kestrel", key=KEYS["stranger"], header={"jwk": KEYS["stranger"].as_dict(private=False)})),
    "its own jku": ("signature", lambda w: w.assertion("kestrel", key=KEYS["stranger"], header={"jku": "https://evil.example/jwks"})),
    "its own x5u": ("signature", lambda w: w.assertion("kestrel", key=KEYS["stranger"], header={"x5u": "https://evil.example/x5u"})),
    "signature cut": ("signature", lambda w: w.assertion("kestrel")[:-8]),
    "signature missing": ("signature", lambda w: w.assertion("kestrel").rpartition(".")[0] + "."),
    "signature zero": ("signature", lambda w: w.assertion("kestrel").rpartition(".")[0] + "." + "A" * 128),
    "claims altered": ("signature", lambda w: _with_claims(w, iss="kestrel", exp=_now(w, 200), jti="altered-after-signing")),
    "unknown client": ("unknown-client", lambda w: w.assertion("stranger")),
    "iss missing": ("unknown-client", lambda w: w.assertion("kestrel", iss=None)),
    "iss a list": ("unknown-client", lambda w: w.assertion("kestrel", iss=["kestrel"])),
    "sub missing": ("unknown-client", lambda w: w.assertion("kestrel", sub=None)),
    "sub another": ("unknown-client", lambda w: w.assertion("kestrel", sub="brannoc")),
    "client of another in iss": ("signature", lambda w: w.assertion("kestrel", iss="brannoc", sub="brannoc")),
    "aud missing": ("audience", lambda w: w.assertion("kestrel", aud=None)),
    "aud the base": ("audience", lambda w: w.assertion("kestrel", aud=BASE)),
    "aud another server": ("audience", lambda w: w.assertion("kestrel", aud="https://elsewhere.example/fhir/token")),
    "aud with a slash": ("audience", lambda w: w.assertion("kestrel", aud=TOKEN + "/")),
    "aud two": ("audience", lambda w: w.assertion("kestrel", aud=[TOKEN, "https://elsewhere.example/token"])),
    "aud empty": ("audience", lambda w: w.assertion("kestrel", aud=[])),
    "exp missing": ("expired", lambda w: w.assertion("kestrel", exp=None)),
    "exp past": ("expired", lambda w: w.assertion("kestrel", exp=_now(w, -11), iat=_now(w, -200))),
    "exp text": ("expired", lambda w: w.assertion("kestrel", exp=str(_now(w, 100)))),
    "exp true": ("expired", lambda w: w.assertion("kestrel", exp=True)),
    "exp beyond time": ("expired", lambda w: w.assertion("kestrel", exp=10**30)),
    "exp in an hour": ("too-long", lambda w: w.assertion("kestrel", exp=_now(w, 3600))),
    "exp too far without iat": ("too-long", lambda w: w.assertion("kestrel", exp=_now(w, 311), iat=None)),
    "iat in the future": ("iat", lambda w: w.assertion("kestrel", iat=_now(w, 60))),
    "iat long ago": ("iat", lambda w: w.assertion("kestrel", iat=_now(w, -200), exp=_now(w, 200))),
    "iat text": ("iat", lambda w: w.assertion("kestrel", iat="now")),
    "nbf in the future": ("nbf", lambda w: w.assertion("kestrel", nbf=_now(w, 60))),
    "jti missing": ("jti", lambda w: w.assertion("kestrel", jti=None)),
    "jti empty": ("jti", lambda w: w.assertion("kestrel", jti="")),
    "jti short": ("jti", lambda w: w.assertion("kestrel", jti="1")),
    "jti number": ("jti", lambda w: w.assertion("kestrel", jti=12345678)),
    "jti long": ("jti", lambda w: w.assertion("kestrel", jti="x" * 300)),
    "jti with a line": ("jti", lambda w: w.assertion("kestrel", jti="abcdefgh\nijkl")),
}


def _crit(world: World) -> str:
    header, claims, signature = world.assertion("kestrel").split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "==")) | {"crit": ["b64"], "b64": True}
    return f"{base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip('=')}.{claims}.{signature}"


def test_bad_assertions_are_refused_in_one_word(world: World) -> None:
    assert len(BAD) >= 40
    for name, (reason, make) in BAD.items():
        answer = world.ask_token(make(world))
        assert (answer.status_code, answer.json) == (401, {"error": "invalid_client"}), name
        assert answer.headers["Cache-Control"] == "no-store"
        last = world.audited("ApiTokenRefused")[-1]
        assert last["reason"] == f"invalid_client: {reason}", name
    assert len(world.audited("ApiTokenRefused")) == len(BAD)
    assert world.audited("ApiTokenGiven") == []
    world.token("kestrel")
    assert world.audited("ApiTokenGiven") == [{"scopes": SCOPES, "patient": None, "subject": "kestrel"}]


@pytest.mark.parametrize(("form", "status", "error"), [
    ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"), ({"grant_type": ""}, 400, "unsupported_grant_type"),
    ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, 401, "invalid_client"), ({"client_id": "brannoc"}, 401, "invalid_client"),
    ({"scope": ""}, 400, "invalid_scope"), ({"scope": "system/Observation.rs user/Task.rs patient/Task.r system/Task.cd"}, 400, "invalid_scope"),
])  # fmt: skip
def test_other_token_requests_are_refused(world: World, form: dict[str, str], status: int, error: str) -> None:
    answer = world.ask_token(world.assertion("kestrel"), **form)
    assert (answer.status_code, answer.json) == (status, {"error": error})


def test_a_repeated_field_is_refused(world: World) -> None:
    body = f"grant_type=client_credentials&scope=system/Task.r&scope=system/Task.u&client_assertion_type=x&client_assertion={world.assertion('kestrel')}"
    answer = world.client.post("/fhir/token", base_url=ORIGIN, data=body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json) == (400, {"error": "invalid_request"})


def test_good_ones_pass_at_their_limits(world: World) -> None:
    most = LONGEST.total_seconds()
    for claims in ({"exp": _now(world, most)}, {"exp": _now(world, most + 8), "iat": _now(world, 8)}, {"iat": None}, {"aud": [TOKEN]}, {"exp": _now(world, -8), "iat": _now(world, -100)}):
        assert world.ask_token(world.assertion("kestrel", **claims)).status_code == 200, claims
    assert world.ask_token(world.assertion("kestrel"), "system/Task.read system/Observation.r").json["scope"] == "system/Task.rs"
    assert world.ask_token(world.assertion("kestrel"), "system/*.cruds").json["scope"] == SCOPES
    assert world.ask_token(world.assertion("kestrel"), client_id="kestrel").status_code == 200


def test_an_assertion_is_good_once_whatever_worker_it_reaches(world: World) -> None:
    assertion = world.assertion("kestrel")
    other = ApiTokens(world.parts.database, {}, world.clock)
    until = world.clock() + timedelta(minutes=5)
    assert [tokens.first_use("kestrel", "one-and-the-same", until) for tokens in (other, other)] == [True, False]
    assert other.first_use("brannoc", "one-and-the-same", until), "another client's jti is another"
    assert [world.ask_token(assertion).status_code for _ in range(3)] == [200, 401, 401]
    assert world.audited("ApiTokenRefused")[-1]["reason"] == "invalid_client: used-before"


def test_sixteen_workers_at_once_and_one_gets_in(database: Any) -> None:
    clock, found = MovingClock(), []
    barrier = threading.Barrier(16)

    def use() -> None:
        tokens = ApiTokens(database, {}, clock)
        barrier.wait()
        found.append(tokens.first_use("kestrel", "race", clock() + timedelta(minutes=5)))

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 15 + [True]


def test_a_token_is_kept_as_its_digest(world: World) -> None:
    from sqlalchemy import text

    token = world.token("kestrel")
    with world.parts.database.engine.connect() as connection:
        rows = repr(connection.execute(text("SELECT * FROM api_tokens")).all())
    assert token not in rows
    assert "kestrel" in rows
    assert Asked().assertion == ""


def test_published_keys_are_read_once_and_again_for_a_new_one(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from smart_app.config_partners import ApiClient

    new = ECKey.generate_key("P-384", {"kid": "new", "use": "sig", "alg": "ES384"}, private=True)
    published, fails = [KEYS["kestrel"]], False

    def answer(asked: Question) -> Say:
        return Say(500) if fails else Say(200, json.dumps({"keys": [key.as_dict(private=False) for key in published]}).encode())

    with scripted(answer) as server:
        clock = MovingClock()
        client = ApiClient(key="kestrel", name="K", client_id="kestrel", jwks_url=f"{server.base}/jwks", scopes=("system/Task.r",), facilities=("kestrel",))
        keys = ClientKeys(outbound_to(client_kestrel=server.base), clock)
        assert lane_of(client) == "client:kestrel"
        assert len(keys.candidates(client, "kestrel-1", "ES384")) == 1
        assert keys.candidates(client, "new", "ES384") == []
        assert keys.candidates(client, "kestrel-1", "RS384") == []
        assert len(server.asked) == 1, "a forged key id within the minute asks nobody"
        published.append(new)
        clock.forward(minutes=1)
        assert len(keys.candidates(client, "new", "ES384")) == 1
        fails = True
        clock.forward(minutes=30)
        assert keys.candidates(client, "forged", "ES384") == []
        assert len(keys.candidates(client, "new", "ES384")) == 1, "a server that is down takes no key away within the hour"
        clock.forward(hours=1)
        assert keys.candidates(client, "new", "ES384") == []
        assert len(server.asked) == 4
    assert isinstance(rsa_key(), RSAKey)
