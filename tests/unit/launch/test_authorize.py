"""Scopes in both syntaxes, and secrets that are never the same twice."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from launch.authorize import Binding, Way, as_v1, begin, scopes_for
from launch.discovery import SmartServer
from launch.issuers import ClientAuth, Issuer

NOW = datetime(2026, 5, 21, 9, 0, tzinfo=UTC)
SERVER = SmartServer("https://ehr.test/token", "https://ehr.test/authorize?tenant=7", "https://ehr.test", None, frozenset(), (), "v2", False)


def issuer(*scopes: str) -> Issuer:
    return Issuer("ehr", "EHR", "https://ehr.test/fhir", "priors", ClientAuth.PUBLIC, "https://p.test/cb/ehr", (), scopes)


@pytest.mark.parametrize(
    ("v2", "v1"),
    [
        ("patient/Patient.rs", "patient/Patient.read"),
        ("patient/Patient.r", "patient/Patient.read"),
        ("patient/*.s", "patient/*.read"),
        ("user/Task.cud", "user/Task.write"),
        ("system/Task.cruds", "system/Task.*"),
        ("patient/Observation.rs?category=x", "patient/Observation.read"),
        ("patient/Patient.read", "patient/Patient.read"),
        ("openid", "openid"),
        ("launch/patient", "launch/patient"),
        ("patient/Patient.", "patient/Patient."),
        ("patient/Patient.sr", "patient/Patient.sr"),
    ],
)
def test_v2_in_v1(v2: str, v1: str) -> None:
    assert as_v1(v2) == v1


def test_context_scopes_follow_the_way() -> None:
    asked = issuer("launch", "launch/patient", "launch/imagingstudy", "patient/Patient.rs", "openid")
    assert scopes_for(asked, Way.EHR, "v2") == ("launch", "launch/imagingstudy", "openid", "fhirUser", "patient/Patient.rs")
    assert scopes_for(asked, Way.STANDALONE, "v2") == ("launch/patient", "openid", "fhirUser", "patient/Patient.rs")
    assert scopes_for(asked, Way.STAFF, "v2") == ("openid", "fhirUser")


def test_ten_thousand_launches_share_no_secret() -> None:
    states, nonces, verifiers, challenges = set(), set(), set(), set()
    for _ in range(10_000):
        pending, _ = begin(issuer("openid"), SERVER, Way.EHR, launch="x", binding=Binding("b", "v"), now=NOW)
        states.add(pending.state)
        nonces.add(pending.nonce)
        verifiers.add(pending.verifier)
        challenges.add(hashlib.sha256(pending.verifier.encode()).digest())
    assert len(states) == len(nonces) == len(verifiers) == len(challenges) == 10_000
    assert not states & nonces & verifiers
    assert all(len(verifier) == 43 for verifier in verifiers)




def test_the_url_carries_the_challenge_and_keeps_the_endpoints_own_query() -> None:
    pending, url = begin(issuer("openid"), SERVER, Way.EHR, launch="a b&c=d", binding=Binding.new(), now=NOW)
    asked = dict(parse_qsl(urlsplit(url).query))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    assert asked["launch"] == "a b&c=d"
    assert asked["tenant"] == "7"
    assert pending.verifier not in url


def test_a_pending_launch_shows_no_secret() -> None:
    binding = Binding.new()
    pending, _ = begin(issuer("openid"), SERVER, Way.EHR, launch="x", binding=binding, now=NOW)
    for secret in (pending.state, pending.nonce, pending.verifier, binding.value):
        assert secret not in repr(pending) + repr(binding)
    assert pending.binding == hashlib.sha256(binding.value.encode()).hexdigest()
