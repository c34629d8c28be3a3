"""A launch from begin to open against EHRs on real sockets: the right way works, every wrong way is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from launch.authorize import Binding
from launch.errors import EhrMisconfigured, EhrSilent, LaunchError, MissingParameter, NoPatient, SignInBroken, SignInRefused, UnknownIssuer
from launch.issuers import ClientAuth, IssuerQuirks, SigningKey
from tests.unit.launch.ehr_sim import Reply, ec_key, rsa_key
from tests.unit.launch.world import World


def test_an_ehr_launch_opens_with_what_the_ehr_granted(here: World) -> None:
    opened = here.launch()
    context = opened.context
    assert context.patient_id == "chart-1"
    assert context.encounter_id == "enc-1"
    assert (context.user.issuer, context.user.subject, context.user.name) == (here.ehr.fhir, "dr-halloran", "Dr Ines Halloran")
    assert context.allows("ImagingStudy")
    assert not context.allows("DiagnosticReport")
    assert len(context.handle) >= 22
    assert here.ehr.token_calls[0].form["code_verifier"] not in here.begin()


def test_the_authorize_url_asks_what_smart_asks(here: World) -> None:
    asked = parse_qs(urlsplit(here.begin()).query)
    assert asked["aud"] == [here.ehr.fhir]
    assert asked["launch"] == ["launch-token"]
    assert asked["redirect_uri"] == ["https://priors.test/cb/northgate"]
    assert asked["scope"] == ["launch openid fhirUser online_access patient/Patient.rs patient/ImagingStudy.rs"]
    assert asked["code_challenge_method"] == ["S256"]


def test_aud_is_iss_as_the_ehr_wrote_it(here: World) -> None:
    url = here.smart.launcher.begin(here.ehr.fhir + "/", "launch-token", Binding.new())
    assert parse_qs(urlsplit(url).query)["aud"] == [here.ehr.fhir + "/"]


def test_a_standalone_launch_asks_for_a_patient(here: World) -> None:
    url = here.begin_sign_in(wants_patient=True)
    assert "launch/patient" in parse_qs(urlsplit(url).query)["scope"][0].split()
    assert "launch" not in parse_qs(urlsplit(url).query)
    assert here.complete(here.ehr.authorize(url)).context.patient_id == "chart-1"


def test_staff_sign_in_has_a_user_and_never_a_patient(here: World) -> None:
    url = here.begin_sign_in(wants_patient=False)
    scopes = parse_qs(urlsplit(url).query)["scope"][0].split()
    assert scopes == ["openid", "fhirUser", "online_access"]
    context = here.complete(here.ehr.authorize(url)).context  # the EHR sends one unasked
    assert context.patient_id is None
    assert context.encounter_id is None
    assert context.user.subject == "dr-halloran"


RSA_PEM = rsa_key("client").as_pem(private=True).decode()
EC_PEM = ec_key("client").as_pem(private=True).decode()


@pytest.mark.parametrize(("alg", "pem"), [("RS384", RSA_PEM), ("ES384", EC_PEM)])
def test_private_key_jwt_signs_anew_for_every_call(here: World, alg: str, pem: str) -> None:
    here.ehr.client_keys = {"ours": rsa_key("client") if alg == "RS384" else ec_key("client")}
    here.registered(auth=ClientAuth.PRIVATE_KEY_JWT, signing_key=SigningKey("ours", alg, pem))
    for _ in range(3):  # the sim refuses a jti that comes twice
        here.launch()
    assert len(here.ehr.jtis) == 3


def test_client_secret_basic(here: World) -> None:
    here.ehr.client_secret = "s3cret-of-ours"
    here.registered(auth=ClientAuth.BASIC, secret="s3cret-of-ours")
    assert here.launch().context.patient_id == "chart-1"
    assert "client_secret" not in here.ehr.token_calls[0].form


def test_a_v1_server_is_asked_in_v1(here: World) -> None:
    here.ehr.discovery = {"capabilities": ["launch-ehr", "permission-v1"]}
    scopes = parse_qs(urlsplit(here.begin()).query)["scope"][0].split()
    assert scopes == ["launch", "openid", "fhirUser", "online_access", "patient/Patient.read", "patient/ImagingStudy.read"]


def unknown_issuers() -> list[str]:
    """Ways to look like the one registered issuer without being it; `{}` is its FHIR base, `{host}` its host and port."""
    return [
        "{}x", "{}/x", "{}//", "{}/.", "{}/..", "{}/../fhir", "{}?", "{}?a=b", "{}#", "{}#a", " {}", "{} ", "{}%20", "{}%00", "{}\u200b",
        "http://{host}", "http://{host}/", "http://{host}/FHIR", "http://{host}/fhiR", "HTTP://{host}/fhir", "https://{host}/fhir",
        "http://{host}./fhir", "http://user@{host}/fhir", "http://user:pw@{host}/fhir", "http://evil.test@{host}/fhir",
        "http://{host}@evil.test/fhir", "http://evil.test/?{}", "http://evil.test/{}", "http://evil.test#{}", "http:/{host}/fhir",
        "http:///{host}/fhir", "//{host}/fhir", "{host}/fhir", "ftp://{host}/fhir", "file:///etc/passwd", "javascript:alert(1)", "data:,x",
        "http://localhost:1/fhir", "http://127.1/fhir", "http://2130706433/fhir", "http://0x7f.1/fhir", "http://[::1]/fhir",
        "http://169.254.169.254/latest", "http://{host}\\fhir", "http:\\\\{host}\\fhir", "http://{host}/fhir%2f", "http://{host}/%66hir",
        "http://{host};/fhir", "http://{host},evil.test/fhir", "http://{host}/fhir;x", "{}\\", "{}\t", "https://evil.test/fhir",
        "http://{host}.evil.test/fhir", "http://evil{host}/fhir", "http://\uff11\uff12\uff17.0.0.1/fhir", "", "null", "northgate", "*",
    ]  # fmt: skip


@pytest.mark.parametrize("form", unknown_issuers())
def test_an_unknown_issuer_is_refused_without_any_call(here: World, form: str) -> None:
    iss = form.replace("{host}", urlsplit(here.ehr.fhir).netloc).replace("{}", here.ehr.fhir)
    with pytest.raises(UnknownIssuer):
        here.smart.launcher.begin(iss, "launch-token", Binding.new())
    assert here.ehr.calls == []


# -- the callback --

Change = Callable[[World, dict[str, str]], None]


def other_browser(here: World, params: dict[str, str]) -> None:
    here.cookies.clear()
    here.cookies.update({Binding.new().name: Binding.new().value})


def other_value(here: World, params: dict[str, str]) -> None:
    for name in here.cookies:
        here.cookies[name] = Binding.new().value


def digest_instead(here: World, params: dict[str, str]) -> None:
    for name, value in here.cookies.items():
        here.cookies[name] = Binding(name, value).digest


def another_launch_of_this_browser(here: World, params: dict[str, str]) -> None:
    first = dict(here.cookies)
    here.begin()
    mine = next(value for name, value in here.cookies.items() if name not in first)
    here.cookies.update(dict.fromkeys(first, mine))


def used(here: World, params: dict[str, str]) -> None:
    here.complete(dict(params))


def late(here: World, params: dict[str, str]) -> None:
    here.clock.forward(minutes=11)


def exactly_ten(here: World, params: dict[str, str]) -> None:
    here.clock.forward(minutes=10)


HOSTILE_CALLBACKS: dict[str, tuple[Change, type[LaunchError]]] = {
    "state absent": (lambda w, p: p.pop("state") and None, MissingParameter),
    "state empty": (lambda w, p: p.update(state=""), MissingParameter),
    "state altered": (lambda w, p: p.update(state=p["state"][:-1] + ("A" if p["state"][-1] != "A" else "B")), SignInBroken),
    "state longer": (lambda w, p: p.update(state=p["state"] + "A"), SignInBroken),
    "state in upper case": (lambda w, p: p.update(state=p["state"].upper()), SignInBroken),
    "state as wildcard": (lambda w, p: p.update(state="%"), SignInBroken),
    "state as SQL": (lambda w, p: p.update(state="' OR 1=1 --"), SignInBroken),
    "state with NUL": (lambda w, p: p.update(state="a\0b"), SignInBroken),
    "state of nobody": (lambda w, p: p.update(state="x" * 43), SignInBroken),
    "state used before": (used, SignInBroken),
    "state eleven minutes old": (late, SignInBroken),
    "state ten minutes old": (exactly_ten, SignInBroken),
    "no cookies": (lambda w, p: w.cookies.clear(), SignInBroken),
    "another browser's cookies": (other_browser, SignInBroken),
    "another value of the cookie": (other_value, SignInBroken),
    "the stored digest as cookie": (digest_instead, SignInBroken),
    "the binding of another launch": (another_launch_of_this_browser, SignInBroken),
    "code absent": (lambda w, p: p.pop("code") and None, SignInBroken),
    "code empty": (lambda w, p: p.update(code=""), SignInBroken),
    "code with a line break": (lambda w, p: p.update(code="a\r\nb"), SignInBroken),
    "code of 4,097 characters": (lambda w, p: p.update(code="a" * 4097), SignInBroken),
    "iss of another server": (lambda w, p: p.update(iss=w.other.fhir), SignInBroken),
    "iss with a slash more": (lambda w, p: p.update(iss=w.ehr.fhir + "/"), SignInBroken),
    "iss empty": (lambda w, p: p.update(iss=""), SignInBroken),
    "iss in other case": (lambda w, p: p.update(iss=w.ehr.fhir.upper()), SignInBroken),
    "error and code": (lambda w, p: p.update(error="access_denied"), SignInRefused),
    "error with markup": (lambda w, p: p.update(error="<script>"), SignInRefused),
    "error of the server": (lambda w, p: p.update(error="server_error"), EhrSilent),
    "error without our iss": (lambda w, p: p.update(error="access_denied", iss="https://evil.test"), SignInBroken),
}


@pytest.mark.parametrize("name", HOSTILE_CALLBACKS)
def test_a_hostile_callback_is_refused_before_the_token_endpoint(here: World, name: str) -> None:
    change, expected = HOSTILE_CALLBACKS[name]
    params = here.ehr.authorize(here.begin())
    change(here, params)
    before = len(here.ehr.token_calls)
    with pytest.raises(expected) as caught:
        here.complete(params)
    assert len(here.ehr.token_calls) == before
    assert "<" not in caught.value.detail
    assert here.other.token_calls == []


def test_a_refused_state_is_spent(here: World) -> None:
    params = here.ehr.authorize(here.begin())
    with pytest.raises(SignInBroken):
        here.complete(params, cookies={})
    with pytest.raises(SignInBroken):
        here.complete(params)


def test_a_code_of_nobody_is_refused_by_the_ehr(here: World) -> None:
    params = here.ehr.authorize(here.begin())
    with pytest.raises(SignInRefused, match="invalid_grant"):
        here.complete({**params, "code": "forged"})


def test_the_attackers_code_in_the_victims_launch_fails_on_pkce(here: World) -> None:
    attackers = here.ehr.authorize(here.begin())
    victims = here.ehr.authorize(here.begin())
    with pytest.raises(SignInRefused):
        here.complete({**victims, "code": attackers["code"]})


# -- mix-up between two EHRs (RFC 9207, safety.md L2) --


def test_a_callback_swapped_to_the_other_issuer_sends_no_code_anywhere(here: World) -> None:
    params = here.ehr.authorize(here.begin())
    with pytest.raises(SignInBroken):
        here.complete(params, key="kestrel")
    assert here.ehr.token_calls == here.other.token_calls == []


def test_both_callbacks_swapped(here: World) -> None:
    first, second = here.ehr.authorize(here.begin()), here.other.authorize(here.begin(here.other))
    for params, key in ((first, "kestrel"), (second, "northgate")):
        with pytest.raises(SignInBroken):
            here.complete(params, key=key)
    assert here.ehr.token_calls == here.other.token_calls == []


def test_a_code_of_one_ehr_with_the_state_of_the_other(here: World) -> None:
    first, second = here.ehr.authorize(here.begin()), here.other.authorize(here.begin(here.other))
    with pytest.raises(SignInBroken):
        here.complete({"code": first["code"], "state": second["state"], "iss": here.ehr.fhir}, key="kestrel")
    assert here.other.token_calls == []


def test_a_promised_iss_must_come(here: World) -> None:
    here.ehr.discovery = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(SignInBroken, match="iss missing"):
        here.launch()
    assert here.launch(iss=here.ehr.fhir).context.patient_id == "chart-1"


def test_an_authorization_server_that_changes_under_way_is_refused(here: World) -> None:
    params = here.ehr.authorize(here.begin())
    here.clock.forward(minutes=1)
    here.ehr.discovery = {"issuer": f"{here.ehr.origin}/another"}
    here.registered()  # another worker, which reads the configuration anew
    with pytest.raises(SignInBroken, match="changed"):
        here.complete(params)
    assert here.ehr.token_calls == []


def test_an_unknown_callback_key(here: World) -> None:
    with pytest.raises(UnknownIssuer):
        here.complete({"state": "x", "code": "y"}, key="evil")


# -- the token answer (safety.md L7) --

ODD_ANSWERS: dict[str, tuple[dict[str, Any], type[LaunchError], str]] = {
    "no patient": ({"patient": ...}, NoPatient, ""),
    "patient null": ({"patient": None}, NoPatient, ""),
    "patient empty": ({"patient": ""}, NoPatient, ""),
    "patient a number": ({"patient": 17}, EhrMisconfigured, "patient"),
    "patient a list": ({"patient": ["chart-1"]}, EhrMisconfigured, "patient"),
    "patient a reference": ({"patient": "Patient/chart-1"}, EhrMisconfigured, "patient"),
    "patient climbing": ({"patient": "../Patient"}, EhrMisconfigured, "patient"),
    "patient with query": ({"patient": "1?_all=true"}, EhrMisconfigured, "patient"),
    "patient with line break": ({"patient": "chart-1\n"}, EhrMisconfigured, "patient"),
    "patient of 65 characters": ({"patient": "1" * 65}, EhrMisconfigured, "patient"),
    "no access token": ({"access_token": ...}, EhrMisconfigured, "access_token"),
    "access token null": ({"access_token": None}, EhrMisconfigured, "access_token"),
    "access token a number": ({"access_token": 1}, EhrMisconfigured, "access_token"),
    "access token empty": ({"access_token": ""}, EhrMisconfigured, "access_token"),
    "access token with CRLF": ({"access_token": "a\r\nX-Evil: 1"}, EhrMisconfigured, "access_token"),
    "access token with a space": ({"access_token": "a b"}, EhrMisconfigured, "access_token"),
    "access token beyond ASCII": ({"access_token": "tökén"}, EhrMisconfigured, "access_token"),
    "access token of 20 kB": ({"access_token": "a" * 20_000}, EhrMisconfigured, "access_token"),
    "no token type": ({"token_type": ...}, EhrMisconfigured, "token_type"),
    "token type DPoP": ({"token_type": "DPoP"}, EhrMisconfigured, "token_type"),
    "token type a list": ({"token_type": ["Bearer"]}, EhrMisconfigured, "token_type"),
    "expires_in zero": ({"expires_in": 0}, EhrMisconfigured, "expires_in"),
    "expires_in negative": ({"expires_in": -3600}, EhrMisconfigured, "expires_in"),
    "expires_in a word": ({"expires_in": "soon"}, EhrMisconfigured, "expires_in"),
    "expires_in true": ({"expires_in": True}, EhrMisconfigured, "expires_in"),
    "expires_in a list": ({"expires_in": [3600]}, EhrMisconfigured, "expires_in"),
    "expires_in infinite": ({"expires_in": float("inf")}, EhrMisconfigured, "expires_in"),
    "expires_in NaN": ({"expires_in": float("nan")}, EhrMisconfigured, "expires_in"),
    "scope a list": ({"scope": ["openid"]}, EhrMisconfigured, "scope"),
    "scope a number": ({"scope": 1}, EhrMisconfigured, "scope"),
    "scope of 20 kB": ({"scope": "a " * 10_000}, EhrMisconfigured, "scope"),
    "refresh token a dict": ({"refresh_token": {}}, EhrMisconfigured, "refresh_token"),
    "no id_token": ({"id_token": ...}, EhrMisconfigured, "id_token"),
    "id_token null": ({"id_token": None}, EhrMisconfigured, "id_token"),
    "id_token a dict": ({"id_token": {"sub": "x"}}, EhrMisconfigured, "id_token"),
    "id_token a word": ({"id_token": "yes"}, SignInBroken, ""),
    "error with 200": ({"error": "invalid_grant"}, SignInRefused, "invalid_grant"),
    "error of its own": ({"error": "epic_says_no"}, SignInRefused, "unspecified"),
    "error a dict": ({"error": {"a": 1}}, SignInRefused, "unspecified"),
    "expires_at smuggled": ({"expires_at": "x", "expires_in": 0}, EhrMisconfigured, "expires_in"),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_odd_token_answer_is_named_and_opens_nothing(here: World, name: str) -> None:
    here.ehr.answer, expected, detail = ODD_ANSWERS[name]
    with pytest.raises(expected) as caught:
        here.launch()
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [({"expires_in": "1800"}, 1800), ({"expires_in": 1800.0}, 1800), ({"expires_in": ...}, 3600), ({"expires_in": None}, 3600), ({"expires_in": 10**9}, 86400)],
)
def test_forgivable_lifetimes_are_read(here: World, answer: dict[str, Any], seconds: int) -> None:
    here.ehr.answer = answer
    assert (here.launch().tokens.expires_at - here.clock()).total_seconds() == seconds


def test_fewer_scopes_are_believed(here: World) -> None:
    here.ehr.answer = {"scope": "launch openid fhirUser patient/Patient.read"}
    context = here.launch().context
    assert context.allows("Patient")
    assert not context.allows("ImagingStudy")


def test_without_scope_the_asked_ones_hold(here: World) -> None:
    here.ehr.answer = {"scope": ...}
    assert here.launch().context.allows("ImagingStudy")


def test_another_tenant_in_the_answer_changes_nothing_of_ours(here: World) -> None:
    here.ehr.answer = {"tenant": "evil"}
    assert here.launch().context.tenant == "default"


def test_without_refresh_token_the_launch_ends_with_its_access_token(here: World) -> None:
    here.ehr.answer = {"refresh_token": ..., "expires_in": 600}
    assert (here.launch().context.expires_at - here.clock()).total_seconds() == 600
    here.ehr.answer = {}
    assert (here.launch().context.expires_at - here.clock()).total_seconds() == 8 * 3600


def test_odd_launch_context_is_dropped_not_trusted(here: World) -> None:
    here.ehr.answer = {
        "encounter": "../x",
        "need_patient_banner": "no",
        "smart_style_url": "javascript:alert(1)",
        "intent": 7,
        "fhirContext": ["x", {"reference": "ImagingStudy/1"}, None],
    }
    context = here.launch().context
    assert context.encounter_id is None
    assert context.need_patient_banner
    assert context.smart_style_url is None
    assert context.intent is None
    assert context.fhir_context == ({"reference": "ImagingStudy/1"},)


def test_the_patient_in_sub_quirk(here: World) -> None:
    here.ehr.answer = {"patient": ..., "sub": "chart-7"}
    with pytest.raises(NoPatient):
        here.launch()
    here.registered(quirks=replace(IssuerQuirks(), patient_in_sub=True))
    assert here.launch().context.patient_id == "chart-7"


# -- an EHR that is down, slow or lying at the token endpoint and the keys (safety.md L10) --

BROKEN_ENDPOINTS: dict[str, tuple[str, Reply, type[LaunchError]]] = {
    "token 500": ("/token", Reply(b"oops", 500), EhrSilent),
    "token 503": ("/token", Reply(b"", 503), EhrSilent),
    "token 429": ("/token", Reply(b"slow down", 429), EhrSilent),
    "token 404": ("/token", Reply(b"{}", 404), EhrMisconfigured),
    "token 403 with a token": ("/token", Reply({"access_token": "a", "token_type": "Bearer"}, 403), EhrMisconfigured),
    "token 302": ("/token", Reply(b"", 302, {"Location": "http://127.0.0.1:9/token"}), EhrMisconfigured),
    "token 307": ("/token", Reply(b"", 307, {"Location": "http://127.0.0.1:9/token"}), EhrMisconfigured),
    "token 307 with a token": ("/token", Reply({"access_token": "a", "token_type": "Bearer"}, 307), EhrMisconfigured),
    "token a login page": ("/token", Reply(b"<html>sign in</html>", headers={"Content-Type": "text/html"}), EhrMisconfigured),
    "token a form": ("/token", Reply(b"access_token=a&token_type=bearer"), EhrMisconfigured),
    "token a list": ("/token", Reply([]), EhrMisconfigured),
    "token null": ("/token", Reply(b"null"), EhrMisconfigured),
    "token empty": ("/token", Reply(b""), EhrMisconfigured),
    "token deep": ("/token", Reply(b"[" * 100_000), EhrMisconfigured),
    "token not UTF-8": ("/token", Reply(b'{"a":"\xff\xfe"}'), EhrMisconfigured),
    "token huge": ("/token", Reply(b" " * 600_000), EhrMisconfigured),
    "token cut": ("/token", Reply(b'{"access_token"', cut=True), EhrSilent),
    "jwks 500": ("/jwks", Reply(b"", 500), EhrSilent),
    "jwks 404": ("/jwks", Reply(b"", 404), EhrMisconfigured),
    "jwks a page": ("/jwks", Reply(b"<html>"), EhrMisconfigured),
    "jwks without keys": ("/jwks", Reply({}), EhrMisconfigured),
    "jwks keys a dict": ("/jwks", Reply({"keys": {}}), EhrMisconfigured),
    "jwks of none": ("/jwks", Reply({"keys": []}), SignInBroken),
    "jwks of rubbish": ("/jwks", Reply({"keys": [None, 1, "x", {}, {"kty": "EC"}, {"kty": "RSA", "n": "!", "e": 3}]}), SignInBroken),
    "jwks redirect": ("/jwks", Reply(b"", 302, {"Location": "http://127.0.0.1:9/"}), EhrMisconfigured),
    "jwks cut": ("/jwks", Reply(b'{"keys":', cut=True), EhrSilent),
}


@pytest.mark.parametrize("name", BROKEN_ENDPOINTS)
def test_a_broken_endpoint_is_said_and_opens_nothing(here: World, name: str) -> None:
    path, reply, expected = BROKEN_ENDPOINTS[name]
    params = here.ehr.authorize(here.begin())
    here.ehr.script[path] = reply
    with pytest.raises(expected) as caught:
        here.complete(params)
    assert params["code"] not in str(caught.value)


@pytest.mark.parametrize("path", ["/token", "/jwks", "/fhir/.well-known/smart-configuration"])
@pytest.mark.parametrize("reply", [Reply(b"{}", delay=2), Reply(b" " * 1000, drip=0.1)], ids=["slow", "drip"])
def test_one_deadline_for_the_whole_step(here: World, monkeypatch: pytest.MonkeyPatch, path: str, reply: Reply) -> None:
    import time

    monkeypatch.setattr("launch.http.Patience.__init__.__defaults__", (0.4,))
    here.ehr.script = {path: reply}
    began = time.monotonic()
    with pytest.raises(EhrSilent):
        here.launch()
    assert time.monotonic() - began < 1.5


def test_an_ehr_that_is_gone(here: World) -> None:
    here.ehr.stop()
    with pytest.raises(EhrSilent):
        here.begin()
