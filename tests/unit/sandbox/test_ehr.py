"""The demo EHR keeps the rules that Priors' tests lean on: if it were lax here, they would prove nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, jsonify
from joserfc import jwk, jwt

from sandbox.ehr.clients import DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.ehr.trouble import KINDS, Troubles
from sandbox.faults import Faults, install
from sandbox.serving import serve
from tests.unit.sandbox.ehr_client import CALLBACK, JWKS, RSA_KEY, SCOPE, Ehr, running


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    with running(tmp_path_factory.mktemp("ehr") / "f") as started:
        yield started


@pytest.fixture(autouse=True)
def _well(ehr: Ehr) -> Iterator[None]:
    yield
    ehr.faults.clear()
    ehr.clock[0] = 0.0


def _query(answer: requests.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_discovery_names_what_smart_requires(ehr: Ehr) -> None:
    found = requests.get(f"{ehr.fhir}/.well-known/smart-configuration", timeout=5).json()
    assert found["issuer"] == ehr.fhir
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-ehr", "launch-standalone", "permission-v2", "client-confidential-asymmetric"} <= set(found["capabilities"])
    assert found["authorization_response_iss_parameter_supported"] is True


def test_ehr_launch_needs_no_login_and_answers_with_context(ehr: Ehr) -> None:
    answer = ehr.authorize(verifier="v" * 50, launch=ehr.new_launch())
    assert answer.status_code == 302
    assert _query(answer)["state"] == "st"
    assert _query(answer)["iss"] == ehr.fhir
    token = ehr.exchange(_query(answer)["code"]).json()
    assert (token["patient"], token["encounter"], token["need_patient_banner"]) == ("p1", "v1", True)
    assert token["scope"] == SCOPE
    keys = jwk.KeySet.import_key_set(requests.get(f"{ehr.base}/oauth/jwks", timeout=5).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ehr.fhir, "public-app", "no")
    assert claims["fhirUser"] == f"{ehr.fhir}/Practitioner/dr-halloran"
    assert claims["priors_roles"] == ["clinician"]


def test_a_launch_is_spent_once_and_gets_old(ehr: Ehr) -> None:
    launch = ehr.new_launch()
    assert "code" in _query(ehr.authorize(verifier="v" * 50, launch=launch))
    assert _query(ehr.authorize(verifier="v" * 50, launch=launch))["error"] == "invalid_request"
    old = ehr.new_launch()
    ehr.clock[0] = 301
    assert "code" not in _query(ehr.authorize(verifier="v" * 50, launch=old))


@pytest.mark.parametrize(
    "over",
    [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"code_challenge_method": ""}, {"aud": "https://other.example/fhir"}],
)
def test_authorize_refuses(ehr: Ehr, over: dict[str, str]) -> None:
    refused = _query(ehr.authorize(verifier="v" * 50, launch=ehr.new_launch(), **over))
    assert refused["error"] == "invalid_request"
    assert refused["state"] == "st"
    assert refused["iss"] == ehr.fhir


@pytest.mark.parametrize("over", [{"client": "nobody"}, {"redirect_uri": "http://evil.example/cb"}])
def test_authorize_never_redirects_to_strangers(ehr: Ehr, over: dict[str, str]) -> None:
    answer = ehr.authorize(verifier="v" * 50, launch="x", **over)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_wrong_verifier_and_replayed_code(ehr: Ehr) -> None:
    assert ehr.exchange(ehr.code(), verifier="w" * 50).json()["error"] == "invalid_grant"
    code = ehr.code()
    token = ehr.exchange(code).json()["access_token"]
    assert ehr.get("Patient/p1", token).status_code == 200
    assert ehr.exchange(code).status_code == 400
    assert ehr.get("Patient/p1", token).status_code == 401, "a replayed code revokes what it gave"


def test_refresh_rotates_and_reuse_revokes_everything(ehr: Ehr) -> None:
    first = ehr.signed_in()
    second = ehr.token(grant_type="refresh_token", refresh_token=first["refresh_token"], client_id="public-app").json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["patient"] == "p1"
    assert ehr.token(grant_type="refresh_token", refresh_token=first["refresh_token"], client_id="public-app").status_code == 400
    assert ehr.get("Patient/p1", second["access_token"]).status_code == 401
    assert ehr.token(grant_type="refresh_token", refresh_token=second["refresh_token"], client_id="public-app").status_code == 400


def test_a_refresh_token_used_by_many_at_once_is_a_theft(ehr: Ehr) -> None:
    first = ehr.signed_in()
    with ThreadPoolExecutor(8) as pool:
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": "public-app"}
        answers = list(pool.map(lambda _: ehr.token(**form), range(8)))
    won = [one.json() for one in answers if one.status_code == 200]
    assert len(won) == 1
    assert ehr.get("Patient/p1", won[0]["access_token"]).status_code == 401


def test_no_refresh_token_unless_asked_to_stay(ehr: Ehr) -> None:
    assert "refresh_token" not in ehr.signed_in(scope="launch openid patient/Patient.rs")


def test_tokens_expire(ehr: Ehr) -> None:
    token = ehr.signed_in()["access_token"]
    ehr.clock[0] = 601
    assert ehr.get("Patient/p1", token).status_code == 401


def test_basic_client(ehr: Ehr) -> None:
    assert ehr.exchange(ehr.code(client="basic-app"), client="basic-app").json()["patient"] == "p1"
    bare = ehr.token(
        grant_type="authorization_code",
        code=ehr.code(client="basic-app"),
        redirect_uri=CALLBACK,
        code_verifier="v" * 50,
        client_id="basic-app",
    )
    assert bare.json()["error"] == "invalid_client"


def test_private_key_client(ehr: Ehr) -> None:
    proof = ehr.assertion("key-app")
    assert ehr.exchange(ehr.code(client="key-app"), client="key-app", **proof).json()["patient"] == "p1"
    assert ehr.exchange(ehr.code(client="key-app"), client="key-app", **proof).json()["error"] == "invalid_client", (
        "an assertion works once"
    )
    rsa = ehr.assertion("key-app", key=RSA_KEY, alg="RS384")
    assert ehr.exchange(ehr.code(client="key-app"), client="key-app", **rsa).json()["patient"] == "p1"


@pytest.mark.parametrize(
    "over", [{"aud": "https://other.example/token"}, {"exp": 1}, {"exp": 9_999_999_999}, {"iss": "someone"}, {"jti": None}]
)
def test_wrong_assertions(ehr: Ehr, over: dict[str, object]) -> None:
    answer = ehr.exchange(ehr.code(client="key-app"), client="key-app", **ehr.assertion("key-app", **over))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == "invalid_client"


def test_assertion_by_an_unregistered_key(ehr: Ehr) -> None:
    stranger = jwk.ECKey.generate_key("P-384", {"kid": "k1"}, private=True)
    assert (
        ehr.exchange(ehr.code(client="key-app"), client="key-app", **ehr.assertion("key-app", key=stranger)).json()["error"]
        == "invalid_client"
    )


def test_backend_services(ehr: Ehr) -> None:
    token = ehr.token(
        grant_type="client_credentials", scope="system/ImagingStudy.rs patient/Patient.rs", **ehr.assertion("backend-app")
    ).json()
    assert token["scope"] == "system/ImagingStudy.rs"
    assert "refresh_token" not in token
    assert ehr.get("ImagingStudy", token["access_token"], patient="p2").json()["total"] == 1


def test_standalone_picker_then_token(ehr: Ehr) -> None:
    scope = "launch/patient openid fhirUser patient/Patient.rs"
    page = ehr.authorize(verifier="v" * 50, scope=scope)
    assert page.status_code == 200
    assert 'name="demo_patient"' in page.text
    agreed = ehr.authorize(verifier="v" * 50, scope=scope, post=True, demo_user="clerk-moss", demo_patient="p2")
    assert ehr.exchange(_query(agreed)["code"]).json()["patient"] == "p2"


def test_staff_sign_in_has_no_patient(ehr: Ehr) -> None:
    scope = "openid fhirUser patient/ImagingStudy.rs user/ImagingStudy.rs"
    assert 'name="demo_patient"' not in ehr.authorize(verifier="v" * 50, scope=scope).text
    agreed = ehr.authorize(verifier="v" * 50, scope=scope, post=True, demo_user="auditor-reyes")
    token = ehr.exchange(_query(agreed)["code"]).json()
    assert "patient" not in token
    assert token["scope"] == "openid fhirUser user/ImagingStudy.rs"


def test_patient_compartment(ehr: Ehr) -> None:
    token = ehr.signed_in()["access_token"]
    assert ehr.get("Patient/p1", token).status_code == 200
    for path, params in (
        ("Patient/p2", {}),
        ("ImagingStudy/t0", {}),
        ("ImagingStudy", {"patient": "p2"}),
        ("ImagingStudy", {"subject": "Patient/p2"}),
    ):
        assert ehr.get(path, token, **params).status_code == 403, path
    assert ehr.get("Condition", token, patient="p1").status_code == 403, "no scope for it"
    assert {one["resource"]["subject"]["reference"] for one in ehr.get("ImagingStudy", token).json()["entry"]} == {"Patient/p1"}
    assert requests.get(f"{ehr.fhir}/Patient/p1", timeout=5).status_code == 401


def test_pages_includes_and_filters(ehr: Ehr) -> None:
    token = ehr.signed_in()["access_token"]
    seen, link = [], f"{ehr.fhir}/ImagingStudy?patient=p1&_count=3&_include=ImagingStudy:endpoint"
    while link:
        bundle = requests.get(link, headers={"Authorization": f"Bearer {token}"}, timeout=5).json()
        seen += [one["resource"]["id"] for one in bundle["entry"] if one["search"]["mode"] == "match"]
        included = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "include"]
        assert [one["address"] for one in included] == ["http://127.0.0.1:9/dicom-web"]
        link = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None)
    assert seen == [f"s{n}" for n in range(7)]
    assert ehr.get("ImagingStudy", token, _lastUpdated="gt2026-05-14").json()["total"] == 3
    assert ehr.get("ImagingStudy", token, identifier="urn:dicom:uid|urn:oid:2.25.2").json()["total"] == 7
    assert ehr.get("ImagingStudy", token, identifier="other|urn:oid:2.25.2").json()["total"] == 0
    assert ehr.get("ImagingStudy", token, _lastUpdated="gtnonsense").status_code == 400


def test_introspection_and_revocation(ehr: Ehr) -> None:
    token = ehr.signed_in()
    told = requests.post(f"{ehr.base}/oauth/introspect", data={"token": token["access_token"], "client_id": "public-app"}, timeout=5).json()
    assert (told["active"], told["patient"], told["sub"], told["iss"]) == (True, "p1", "dr-halloran", ehr.fhir)
    stranger = requests.post(
        f"{ehr.base}/oauth/introspect", data={"token": token["access_token"]}, auth=("basic-app", "s3cret"), timeout=5
    ).json()
    assert stranger == {"active": False}
    requests.post(
        f"{ehr.base}/oauth/revoke", data={"token": token["refresh_token"], "client_id": "public-app"}, timeout=5
    ).raise_for_status()
    assert ehr.get("Patient/p1", token["access_token"]).status_code == 401


def test_faults_in_token_and_redirect(ehr: Ehr) -> None:
    ehr.faults.add("token", "no-patient", times=1)
    assert "patient" not in ehr.signed_in()
    ehr.faults.add("token", "other-patient", text="p2", times=1)
    assert ehr.signed_in()["patient"] == "p2"
    ehr.faults.add("authorize", "swapped-iss", times=1)
    assert _query(ehr.authorize(verifier="v" * 50, launch=ehr.new_launch()))["iss"] == "https://other-ehr.example/fhir"
    ehr.faults.add("smart-configuration", "status", status=500, times=1)
    assert requests.get(f"{ehr.fhir}/.well-known/smart-configuration", timeout=5).status_code == 500


def test_faults_in_searches(ehr: Ehr) -> None:
    token = ehr.signed_in()["access_token"]
    ehr.faults.add("search-ImagingStudy", "wrong-patient", times=1)
    assert "Patient/p2" in {one["resource"]["subject"]["reference"] for one in ehr.get("ImagingStudy", token).json()["entry"]}
    ehr.faults.add("search-ImagingStudy", "foreign-next", location="http://127.0.0.1:9/steal", times=1)
    assert ehr.get("ImagingStudy", token).json()["link"][1]["url"] == "http://127.0.0.1:9/steal"
    ehr.faults.add("search-ImagingStudy", "endless")
    links = {ehr.get("ImagingStudy", token, _again=n).json()["link"][1]["url"] for n in range(3)}
    assert len(links) == 3
    ehr.faults.clear()
    ehr.faults.add("read-Patient", "status", status=401, times=1)
    assert ehr.get("Patient/p1", token).status_code == 401
    assert ehr.get("Patient/p1", token).status_code == 200


def test_v1_server_drops_v2_scopes(tmp_path: Path) -> None:
    with running(tmp_path / "f", EhrOptions(scope_style="v1", id_token_alg="ES384", token_seconds=5)) as old:
        found = requests.get(f"{old.fhir}/.well-known/smart-configuration", timeout=5).json()
        assert "permission-v2" not in found["capabilities"]
        token = old.signed_in(scope="launch openid patient/Patient.rs patient/ImagingStudy.read")
        assert token["scope"] == "launch openid patient/ImagingStudy.read"
        assert token["expires_in"] == 5
        assert old.get("ImagingStudy", token["access_token"]).status_code == 200
        assert old.get("Patient/p1", token["access_token"]).status_code == 403


def test_every_chart_page_opens(ehr: Ehr) -> None:
    for path in (
        "/",
        "/chart/p1",
        "/chart/p1/results",
        "/chart/p1/orders",
        "/chart/p1/images",
        "/schedule",
        "/faults",
        "/smart-style.json",
        "/healthz",
    ):
        assert requests.get(ehr.base + path, timeout=5).status_code == 200, path
    page = requests.get(f"{ehr.base}/chart/p1/images", timeout=5)
    assert '<iframe src="/launch/p1"' in page.text
    assert "style=" not in page.text
    assert "<script" not in page.text
    assert "frame-src 'self' http://app.localhost:1" in page.headers["Content-Security-Policy"]
    assert requests.get(f"{ehr.base}/chart/nobody", timeout=5).status_code == 404


def test_switching_the_user_changes_who_launches(ehr: Ehr) -> None:
    browser = requests.Session()
    away = browser.post(f"{ehr.base}/user", data={"user": "rev-okafor", "back": "//evil.example"}, allow_redirects=False, timeout=5)
    assert away.headers["Location"] == "/"
    launched = browser.get(f"{ehr.base}/launch/p1", allow_redirects=False, timeout=5)
    answer = ehr.authorize(verifier="v" * 50, launch=_query(launched)["launch"])
    token = ehr.exchange(_query(answer)["code"]).json()
    told = requests.post(f"{ehr.base}/oauth/introspect", data={"token": token["access_token"], "client_id": "public-app"}, timeout=5).json()
    assert told["sub"] == "rev-okafor"
    browser.close()


def test_a_clients_keys_may_be_fetched_from_it(tmp_path: Path) -> None:
    app = Flask("client")
    served = []

    @app.get("/jwks.json")
    def jwks() -> object:
        served.append(1)
        return jsonify(JWKS)

    with serve(app) as server:
        remote = DemoClient("key-app", (CALLBACK,), auth="private_key_jwt", jwks_uri=f"http://app.localhost:{server.port}/jwks.json")
        with running(tmp_path / "f", clients=(DemoClient("public-app", (CALLBACK,)), remote)) as remote_ehr:
            for _ in range(3):
                code = remote_ehr.code(client="key-app")
                assert remote_ehr.exchange(code, client="key-app", **remote_ehr.assertion("key-app")).json()["patient"] == "p1"
    assert len(served) == 1, "read once, then remembered for a while"


def test_the_faults_page_breaks_and_heals_an_archive() -> None:
    told, archive = Faults(), Flask("archive")
    install(archive, told, lambda: "search-studies")
    archive.add_url_rule("/studies", "studies", lambda: "[]")
    with serve(archive) as server:
        troubles = Troubles(Faults(), {"kestrel": ("Kestrel", server.url), "gone": ("Gone", "http://127.0.0.1:9")})
        for kind in KINDS:
            troubles.apply("kestrel", kind.key)
            assert [one.state for one in troubles.systems()] == ["well", kind.key, "unreachable"]
        troubles.apply("kestrel", "down")
        assert requests.get(f"{server.url}/studies", timeout=5).status_code == 503
        troubles.apply("kestrel", "well")
        assert requests.get(f"{server.url}/studies", timeout=5).status_code == 200
        troubles.apply("ehr", "refuses")
        assert troubles.systems()[0].state == "refuses"
