"""Wrong id_tokens, each wrong in one way, none accepted (safety.md L6, G9). The right ones in all their forms are."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from joserfc.jwk import OctKey

from launch.assembly import assemble
from launch.errors import SignInBroken
from launch.issuers import IssuerDirectory, IssuerQuirks
from tests.unit.launch.ehr_sim import ec_key, rsa_key, sign
from tests.unit.launch.world import World, issuer_at

ACCESS = "the-access-token"


@dataclass
class Draft:
    """A right token, about to be spoiled."""

    header: dict[str, Any]
    claims: dict[str, Any]
    key: Any
    here: World

    def token(self) -> str:
        return sign(self.header, self.claims, self.key)


def draft(here: World) -> Draft:
    claims = here.ehr.right_claims({"client_id": "priors", "nonce": "the-nonce"})
    return Draft({"alg": "ES384", "kid": ec_key().kid}, claims, ec_key(), here)


def verify(here: World, token: str, **issuer: Any) -> Any:
    ours = issuer_at(here.ehr, **issuer)
    launcher = assemble(IssuerDirectory([ours]), here.store, here.outbound, here.clock, lifetime=here.store._idle).launcher
    server = launcher._discovery.server(ours)
    return launcher._id_tokens.verify(ours, server, token, nonce="the-nonce", access_token=ACCESS)


def claims(**changes: Any) -> Callable[[Draft], str]:
    def spoil(d: Draft) -> str:
        d.claims = {name: value for name, value in {**d.claims, **changes}.items() if value is not ...}
        return d.token()

    return spoil


def at(name: str, seconds: float) -> Callable[[Draft], str]:
    return lambda d: claims(**{name: d.here.clock().timestamp() + seconds})(d)


def header(**changes: Any) -> Callable[[Draft], str]:
    def spoil(d: Draft) -> str:
        d.header = {name: value for name, value in {**d.header, **changes}.items() if value is not ...}
        return d.token()

    return spoil


def b64(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(alg: str) -> Callable[[Draft], str]:
    return lambda d: f"{b64({**d.header, 'alg': alg})}.{b64(d.claims)}."


def signed_by(key: Any, alg: str, **more: Any) -> Callable[[Draft], str]:
    def spoil(d: Draft) -> str:
        d.header, d.key = {**d.header, "alg": alg, **more}, key
        return d.token()

    return spoil


def hmac_with_public_key(form: str) -> Callable[[Draft], str]:
    def spoil(d: Draft) -> str:
        public = ec_key().as_pem(private=False) if form == "pem" else json.dumps(ec_key().as_dict(private=False)).encode()
        signing_input = f"{b64({**d.header, 'alg': 'HS256'})}.{b64(d.claims)}"
        import hmac

        return f"{signing_input}.{b64(hmac.new(public, signing_input.encode(), hashlib.sha256).digest())}"

    return spoil


def parts(change: Callable[[list[str]], list[str]]) -> Callable[[Draft], str]:
    return lambda d: ".".join(change(d.token().split(".")))


def swapped_payload(d: Draft) -> str:
    head, _, signature = d.token().split(".")
    return f"{head}.{b64({**d.claims, 'sub': 'somebody-else'})}.{signature}"


def payload(raw: bytes) -> Callable[[Draft], str]:
    return lambda d: sign(d.header, raw, d.key)


def published(change: Callable[[dict[str, Any]], Any]) -> Callable[[Draft], str]:
    """A right token, and a key set in which its key may not have signed it."""

    def spoil(d: Draft) -> str:
        keys = change(ec_key().as_dict(private=False))
        d.here.ehr.published = keys if isinstance(keys, list) else [keys]
        return d.token()

    return spoil


def short_rsa(d: Draft) -> str:
    weak = rsa_key("weak", 1024)
    d.here.ehr.published = [weak.as_dict(private=False)]
    return signed_by(weak, "RS256", kid=weak.kid)(d)


def other_issuers_token(d: Draft) -> str:
    """A perfectly right token of the other EHR, for the same client id."""
    d.here.other.signing_key = ec_key("other")
    d.claims["iss"] = d.here.other.fhir
    return signed_by(ec_key("other"), "ES384", kid=ec_key("other").kid)(d)


WRONG: dict[str, Callable[[Draft], str]] = {
    # who says it
    "iss absent": claims(iss=...),
    "iss null": claims(iss=None),
    "iss a list": lambda d: claims(iss=[d.claims["iss"]])(d),
    "iss of another": claims(iss="https://evil.test"),
    "iss with a slash more": lambda d: claims(iss=d.claims["iss"] + "/")(d),
    "iss in upper case": lambda d: claims(iss=d.claims["iss"].upper())(d),
    "iss cut short": lambda d: claims(iss=d.claims["iss"][:-1])(d),
    "token of the other EHR": other_issuers_token,
    # for whom
    "aud absent": claims(aud=...),
    "aud another client": claims(aud="another"),
    "aud empty list": claims(aud=[]),
    "aud a dict": claims(aud={"priors": True}),
    "aud a number": claims(aud=1),
    "aud contains us as part": claims(aud="priors-test"),
    "aud a list with a number": claims(aud=["priors", 1], azp="priors"),
    "aud of another, azp us": claims(aud="another", azp="priors"),
    "aud several, azp absent": claims(aud=["priors", "another"]),
    "aud several, azp another": claims(aud=["priors", "another"], azp="another"),
    "aud us, azp another": claims(azp="another"),
    "aud us, azp null": claims(azp=None),
    "aud us, azp a list": claims(azp=["priors"]),
    # when
    "exp absent": claims(exp=...),
    "exp null": claims(exp=None),
    "exp as text": lambda d: claims(exp=str(d.claims["exp"]))(d),
    "exp true": claims(exp=True),
    "exp passed": at("exp", -61),
    "exp zero": claims(exp=0),
    "exp negative": claims(exp=-1),
    "exp infinite": claims(exp=float("inf")),
    "exp NaN": claims(exp=float("nan")),
    "exp beyond floats": claims(exp=10**400),
    "exp before iat": lambda d: claims(exp=d.claims["iat"] - 1)(d),
    "iat absent": claims(iat=...),
    "iat as text": lambda d: claims(iat=str(d.claims["iat"]))(d),
    "iat in the future": at("iat", 120),
    "iat two hours old": at("iat", -7200),
    "nbf in the future": at("nbf", 120),
    "nbf as text": claims(nbf="now"),
    # which sign-in, which person
    "nonce absent": claims(nonce=...),
    "nonce of another": claims(nonce="another"),
    "nonce null": claims(nonce=None),
    "nonce a list": claims(nonce=["the-nonce"]),
    "nonce in upper case": claims(nonce="THE-NONCE"),
    "nonce cut short": claims(nonce="the-nonc"),
    "sub absent": claims(sub=...),
    "sub empty": claims(sub=""),
    "sub a number": claims(sub=1),
    "sub of 256 characters": claims(sub="x" * 256),
    "sub with a line break": claims(sub="a\nb"),
    "at_hash of another token": claims(at_hash="x" * 32),
    "at_hash null": claims(at_hash=None),
    # signed how
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg empty": unsigned(""),
    "alg a list": unsigned(["ES384"]),  # type: ignore[arg-type]
    "alg unknown": unsigned("XX999"),
    "HS256 keyed with the public key as PEM": hmac_with_public_key("pem"),
    "HS256 keyed with the public key as JWK": hmac_with_public_key("jwk"),
    "HS384 with an empty key": signed_by(OctKey.import_key(b"x" * 48), "HS384"),
    "alg not allowed for this EHR": signed_by(rsa_key(), "PS256", kid=rsa_key().kid),
    "signature absent": parts(lambda p: [p[0], p[1], ""]),
    "signature of zeros": parts(lambda p: [p[0], p[1], b64(bytes(96))]),
    "signature altered": parts(lambda p: [p[0], p[1], ("A" if p[2][0] != "A" else "B") + p[2][1:]]),
    "signature cut short": parts(lambda p: [p[0], p[1], p[2][:-8]]),
    "payload swapped": swapped_payload,
    "another key, same kid": signed_by(ec_key("attacker"), "ES384"),
    "another key in the header": lambda d: signed_by(ec_key("attacker"), "ES384", jwk=ec_key("attacker").as_dict(private=False))(d),
    "another key in the header, no kid": lambda d: signed_by(ec_key("attacker"), "ES384", kid="x", jwk=ec_key("attacker").as_dict(private=False))(d),
    "key by jku": lambda d: signed_by(ec_key("attacker"), "ES384", jku=f"{d.here.other.origin}/jwks")(d),
    "key by x5u": lambda d: signed_by(ec_key("attacker"), "ES384", x5u=f"{d.here.other.origin}/x5u")(d),
    "key by x5c": lambda d: signed_by(ec_key("attacker"), "ES384", x5c=["MIIB"])(d),
    "RSA key of 1,024 bits": short_rsa,
    "right key, other algorithm named": parts(lambda p: [b64({"alg": "ES256", "kid": "ec-one"}), *p[1:]]),
    # which key
    "kid unknown": header(kid="nobody"),
    "kid a number": header(kid=1),
    "kid a list": header(kid=["ec-one"]),
    "kid climbing": header(kid="../../dev/null"),
    "kid of 300 characters": header(kid="k" * 300),
    "no kid and two keys": lambda d: (published(lambda k: [k, ec_key("second").as_dict(private=False)])(d), header(kid=...)(d))[1],
    "key is for encryption": published(lambda k: {**k, "use": "enc"}),
    "key is for another alg": published(lambda k: {**k, "alg": "ES256"}),
    "key may not verify": published(lambda k: {**k, "key_ops": ["encrypt"]}),
    "key ops not a list": published(lambda k: {**k, "key_ops": "verify"}),
    "key on another curve": published(lambda k: {**ec_key("p256", "P-256").as_dict(private=False), "kid": k["kid"]}),
    "key off the curve": published(lambda k: {**k, "x": k["y"]}),
    "key is symmetric": published(lambda k: {"kty": "oct", "k": "AAAA", "kid": k["kid"]}),
    # the envelope
    "crit unknown": header(crit=["exp"], exp=1),
    "crit empty": header(crit=[]),
    "crit b64": header(crit=["b64"], b64=True),
    "b64 true without crit": header(b64=True),
    "typ at+jwt": header(typ="at+jwt"),
    "typ logout+jwt": header(typ="logout+jwt"),
    "typ a number": header(typ=1),
    "zip": header(zip="DEF"),
    "enc": header(enc="A256GCM"),
    "empty": lambda d: "",
    "two parts": parts(lambda p: p[:2]),
    "four parts": parts(lambda p: [*p, p[2]]),
    "five parts, like a JWE": parts(lambda p: [*p, p[2], p[2]]),
    "header not JSON": parts(lambda p: [b64(b"{"), *p[1:]]),
    "header a list": parts(lambda p: [b64(["alg"]), *p[1:]]),
    "header a word": parts(lambda p: [b64("alg"), *p[1:]]),
    "header without alg": parts(lambda p: [b64({"kid": "ec-one"}), *p[1:]]),
    "header deep": parts(lambda p: [b64(b"[" * 6000), *p[1:]]),
    "payload not JSON": payload(b"{"),
    "payload a list": payload(b"[]"),
    "payload null": payload(b"null"),
    "payload empty": payload(b""),
    "payload deep": payload(b"[" * 8000),
    "payload not UTF-8": payload(b'{"iss":"\xff"}'),
    "beyond ASCII": lambda d: d.token() + "ä",
    "of 20 kB": claims(padding="x" * 20_000),
    "a JSON serialization": lambda d: json.dumps(dict(zip(("protected", "payload", "signature"), d.token().split("."), strict=True))),
}


def test_there_are_enough_wrong_ones() -> None:
    assert len(WRONG) >= 60


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_id_token_is_refused(here: World, name: str) -> None:
    token = WRONG[name](draft(here))
    with pytest.raises(SignInBroken) as caught:
        verify(here, token)
    assert caught.value.reason.startswith("id_token: ")
    assert all(call.path != "/x5u" for call in here.other.calls)
    assert here.other.calls == [], "nothing in a token may make us call anywhere"


def at_hash(d: Draft) -> str:
    digest = hashlib.sha384(ACCESS.encode()).digest()
    return claims(at_hash=b64(digest[:24]))(d)


def one_key_without_kid(d: Draft) -> str:
    public = ec_key().as_dict(private=False)
    d.here.ehr.published = [{name: value for name, value in public.items() if name != "kid"}, rsa_key().as_dict(private=False)]
    return header(kid=...)(d)


def by_rsa(alg: str) -> Callable[[Draft], str]:
    def make(d: Draft) -> str:
        d.here.ehr.published = [{"kty": "unheard-of", "kid": "x"}, rsa_key().as_dict(private=False)]
        return signed_by(rsa_key(), alg, kid=rsa_key().kid)(d)

    return make


def by_p256(d: Draft) -> str:
    key = ec_key("p256", "P-256")
    d.here.ehr.published = [key.as_dict(private=False)]
    return signed_by(key, "ES256", kid=key.kid)(d)


RIGHT: dict[str, Callable[[Draft], str]] = {
    "ES384": Draft.token,
    "ES256": by_p256,
    "RS256": by_rsa("RS256"),
    "RS384": by_rsa("RS384"),
    "aud as a list": claims(aud=["priors"]),
    "aud several, azp us": claims(aud=["another", "priors"], azp="priors"),
    "azp us": claims(azp="priors"),
    "exp passed within the leeway": lambda d: claims(exp=d.claims["iat"] + 5, iat=d.claims["iat"] - 50)(d),
    "times as fractions": lambda d: claims(iat=d.claims["iat"] - 0.5)(d),
    "at_hash right": at_hash,
    "typ JWT": header(typ="JWT"),
    "an unknown header member": header(**{"x-vendor": "1"}),
    "its own jku, which is ignored": header(jku="https://evil.test/jwks"),
    "no kid and one key that fits": one_key_without_kid,
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_id_token_is_read(here: World, name: str) -> None:
    assert verify(here, RIGHT[name](draft(here)))["sub"] == "dr-halloran"


def test_algorithms_are_the_issuers_own(here: World) -> None:
    with pytest.raises(SignInBroken, match="alg"):
        verify(here, draft(here).token(), quirks=replace(IssuerQuirks(), id_token_algs=("RS256",)))


def test_a_listed_symmetric_algorithm_stays_refused(here: World) -> None:
    with pytest.raises(SignInBroken, match="alg"):
        verify(here, hmac_with_public_key("pem")(draft(here)), quirks=replace(IssuerQuirks(), id_token_algs=("HS256", "none")))


def test_without_an_issuer_in_its_configuration_the_fhir_base_is_meant(here: World) -> None:
    here.ehr.discovery = {"issuer": ...}
    assert verify(here, draft(here).token())["iss"] == here.ehr.fhir
    with pytest.raises(SignInBroken, match="iss"):
        verify(here, claims(iss="https://evil.test")(draft(here)))


def test_a_rotated_key_is_found_and_unknown_kids_do_not_hammer(here: World) -> None:
    ours = issuer_at(here.ehr)
    launcher = here.smart.launcher
    server = launcher._discovery.server(ours)

    def check(token: str) -> Any:
        return launcher._id_tokens.verify(ours, server, token, nonce="the-nonce", access_token=ACCESS)

    def fetches() -> int:
        return sum(call.path == "/jwks" for call in here.ehr.calls)

    check(draft(here).token())
    here.ehr.signing_key = ec_key("rotated")
    for _ in range(20):
        with pytest.raises(SignInBroken):
            check(header(kid="forged")(draft(here)))
    assert fetches() == 1, "within the first minute the set is fresh"
    here.clock.forward(seconds=61)
    assert check(signed_by(ec_key("rotated"), "ES384", kid=ec_key("rotated").kid)(draft(here)))
    assert fetches() == 2
    for _ in range(20):
        with pytest.raises(SignInBroken):
            check(header(kid="forged")(draft(here)))
    assert fetches() == 2
    here.clock.forward(hours=1)
    with pytest.raises(SignInBroken):
        check(header(kid="forged")(draft(here)))
    assert fetches() == 3, "kept for an hour"


def test_keys_through_the_openid_configuration(here: World) -> None:
    from tests.unit.launch.ehr_sim import Reply

    here.ehr.discovery = {"jwks_uri": ...}
    path = "/fhir/.well-known/openid-configuration"
    here.ehr.script[path] = Reply({"issuer": here.ehr.fhir, "jwks_uri": f"{here.ehr.origin}/jwks"})
    assert verify(here, draft(here).token())["sub"] == "dr-halloran"
