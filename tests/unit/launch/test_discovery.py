"""A smart-configuration that lies leads nowhere; one that is merely untidy is read, with a warning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from launch.discovery import Discovery
from launch.errors import EhrMisconfigured, EhrSilent, LaunchError
from launch.issuers import IssuerQuirks
from tests.unit.launch.ehr_sim import Reply
from tests.unit.launch.world import World, issuer_at

WELL_KNOWN = "/fhir/.well-known/smart-configuration"


def read(here: World, **issuer: Any) -> Any:
    return Discovery(here.outbound, here.clock).server(issuer_at(here.ehr, **issuer))


ENDPOINTS = ("token_endpoint", "authorization_endpoint", "jwks_uri")
LYING_URLS = {
    "elsewhere": "https://evil.test/x",
    "elsewhere without scheme": "//evil.test/x",
    "another port": "http://127.0.0.1:9/x",
    "user info": "http://a@{host}/x",
    "our host as user": "http://{host}@evil.test/x",
    "https on a plain port": "https://{host}/x",
    "fragment": "http://{host}/x#y",
    "file": "file:///etc/passwd",
    "javascript": "javascript:alert(1)",
    "backslash": "http://evil.test\\@{host}/x",
    "line break": "http://{host}/x\r\nHost: evil.test",
    "space": "http://{host}/ x",
    "broken bracket": "http://[::1/x",
    "metadata service": "http://169.254.169.254/latest",
    "longer than 2,048": "http://{host}/" + "x" * 2048,
    "climbing": "http://{host}/a/%2e%2e/x",
    "empty": "",
    "a number": 1,
    "a list": ["http://{host}/x"],
    "a dict": {},
    "false": False,
}


@pytest.mark.parametrize("name", LYING_URLS)
@pytest.mark.parametrize("field", ENDPOINTS)
def test_an_endpoint_off_the_allow_list_is_named(here: World, field: str, name: str) -> None:
    value = LYING_URLS[name]
    here.ehr.discovery = {field: value.replace("{host}", here.ehr.origin.removeprefix("http://")) if isinstance(value, str) else value}
    with pytest.raises(EhrMisconfigured) as caught:
        read(here)
    assert caught.value.detail == field
    assert len(here.ehr.calls) == 1


BROKEN: dict[str, tuple[Reply, type[LaunchError]]] = {
    "404": (Reply(b"", 404), EhrMisconfigured),
    "401": (Reply(b"{}", 401), EhrMisconfigured),
    "204": (Reply(b"", 204), EhrMisconfigured),
    "500": (Reply(b"", 500), EhrSilent),
    "503": (Reply(b"", 503), EhrSilent),
    "429": (Reply(b"", 429), EhrSilent),
    "301": (Reply(b"", 301, {"Location": "/elsewhere"}), EhrMisconfigured),
    "a page": (Reply(b"<html></html>"), EhrMisconfigured),
    "a list": (Reply([]), EhrMisconfigured),
    "null": (Reply(b"null"), EhrMisconfigured),
    "empty": (Reply(b""), EhrMisconfigured),
    "an empty object": (Reply({}), EhrMisconfigured),
    "cut": (Reply(b"{", cut=True), EhrSilent),
    "deep": (Reply(b'{"a":' * 50_000), EhrMisconfigured),
    "huge": (Reply(b" " * 600_000), EhrMisconfigured),
    "not UTF-8": (Reply(b'{"issuer": "\xff"}'), EhrMisconfigured),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_is_said(here: World, name: str) -> None:
    here.ehr.script[WELL_KNOWN], expected = BROKEN[name]
    with pytest.raises(expected):
        read(here)


@pytest.mark.parametrize("methods", [["plain"], [], "S256", {"S256": 1}, [["S256"]], ["s256"]])
def test_a_server_that_lists_pkce_without_s256_is_refused(here: World, methods: Any) -> None:
    here.ehr.discovery = {"code_challenge_methods_supported": methods}
    with pytest.raises(EhrMisconfigured, match="S256"):
        read(here)


def test_missing_pkce_is_tolerated_and_s256_is_sent_all_the_same(here: World) -> None:
    here.ehr.discovery = {"code_challenge_methods_supported": ...}
    assert "S256" in read(here).warnings[0]
    assert "code_challenge_method=S256" in here.begin()


def test_plain_beside_s256_is_a_warning(here: World) -> None:
    here.ehr.discovery = {"code_challenge_methods_supported": ["S256", "plain"]}
    assert read(here).warnings == ("code_challenge_methods_supported lists plain",)


def test_relative_urls_stand_on_the_fhir_base(here: World) -> None:
    here.ehr.discovery = {"token_endpoint": "../token", "jwks_uri": "/jwks", "authorization_endpoint": "auth"}
    server = read(here)
    assert server.token_endpoint == here.ehr.token_url
    assert server.jwks_uri == f"{here.ehr.origin}/jwks"
    assert server.authorization_endpoint == f"{here.ehr.fhir}/auth"


def test_what_is_not_asked_for_is_not_copied(here: World) -> None:
    here.ehr.discovery = {"verify": False, "proxies": {"https": "http://evil.test"}, "trust_env": True, "client_id": "evil", "timeout": 9999}
    server = read(here)
    assert not any(hasattr(server, name) for name in ("verify", "proxies", "client_id"))
    here.launch()


def test_without_an_authorize_page_no_launch_begins(here: World) -> None:
    here.ehr.discovery = {"authorization_endpoint": ...}
    with pytest.raises(EhrMisconfigured) as caught:
        here.begin()
    assert caught.value.detail == "authorization_endpoint"


@pytest.mark.parametrize(
    ("discovery", "style"),
    [
        ({"capabilities": ["permission-v2", "permission-v1"]}, "v2"),
        ({"capabilities": ["permission-v1"]}, "v1"),
        ({"capabilities": ["launch-ehr"]}, "v2"),
        ({"capabilities": ["launch-ehr"], "scopes_supported": ["openid", "patient/*.read"]}, "v1"),
        ({"capabilities": [], "scopes_supported": ["patient/Patient.read", "patient/Patient.rs"]}, "v2"),
        ({"capabilities": None, "scopes_supported": "patient/*.read"}, "v2"),
    ],
)
def test_scope_style_is_read_from_the_server(here: World, discovery: dict[str, Any], style: str) -> None:
    here.ehr.discovery = discovery
    assert read(here).scope_style == style
    assert read(here, quirks=replace(IssuerQuirks(), scope_style="v1")).scope_style == "v1"


def test_a_configuration_elsewhere_by_quirk(here: World) -> None:
    here.ehr.script["/oauth/smart.json"] = Reply(here.ehr.configuration())
    assert read(here, quirks=replace(IssuerQuirks(), smart_configuration_url=f"{here.ehr.origin}/oauth/smart.json")).token_endpoint
    assert [call.path for call in here.ehr.calls] == ["/oauth/smart.json"]


@pytest.mark.parametrize(
    ("control", "kept_seconds"),
    [(None, 86400), ("max-age=600", 600), ("public, max-age=999999", 86400), ("no-store", 60), ("max-age=0", 60), ("max-age=-5", 86400), ("max-age=1e9", 86400)],
)
def test_it_is_kept_as_long_as_it_says_but_a_day_at_most(here: World, control: str | None, kept_seconds: int) -> None:
    here.ehr.script[WELL_KNOWN] = Reply(here.ehr.configuration(), headers={"Cache-Control": control} if control else {})
    discovery, issuer = Discovery(here.outbound, here.clock), issuer_at(here.ehr)
    discovery.server(issuer)
    here.clock.forward(seconds=kept_seconds - 1)
    discovery.server(issuer)
    assert len(here.ehr.calls) == 1
    here.clock.forward(seconds=1)
    discovery.server(issuer)
    assert len(here.ehr.calls) == 2


def test_a_failed_read_is_not_remembered(here: World) -> None:
    discovery, issuer = Discovery(here.outbound, here.clock), issuer_at(here.ehr)
    here.ehr.script[WELL_KNOWN] = Reply(b"", 503)
    with pytest.raises(EhrSilent):
        discovery.server(issuer)
    here.ehr.script.clear()
    assert discovery.server(issuer).token_endpoint


@pytest.mark.parametrize("answer", [{"issuer": "https://evil.test", "jwks_uri": "/jwks"}, {"jwks_uri": "/jwks"}, {}, {"issuer": "{fhir}"}])
def test_an_openid_configuration_must_name_its_issuer_and_keys(here: World, answer: dict[str, Any]) -> None:
    here.ehr.discovery = {"jwks_uri": ...}
    filled = {name: value.replace("{fhir}", here.ehr.fhir) for name, value in answer.items()}
    here.ehr.script["/fhir/.well-known/openid-configuration"] = Reply(filled)
    with pytest.raises(EhrMisconfigured):
        here.launch()


def test_associated_servers_are_kept_as_they_are_named_and_odd_ones_cost_themselves(here: World) -> None:
    here.ehr.discovery = {
        "associated_endpoints": [
            {"url": "https://images.example.org/fhir/", "capabilities": ["smart-imaging-access", 7]}, {"url": "imaging"}, {"url": 7}, "x", None,
            {"url": "https://a b/"}, {"url": "http://[::1/x"}, {"capabilities": ["smart-imaging-access"]},
        ]
    }  # fmt: skip
    server = read(here)
    assert [(one.url, sorted(one.capabilities)) for one in server.associated] == [
        ("https://images.example.org/fhir", ["smart-imaging-access"]), (f"{here.ehr.origin}/fhir/imaging", []),
    ]  # fmt: skip
    here.ehr.discovery = {"associated_endpoints": {"url": "https://x"}}
    assert read(here).associated == ()
    assert len(here.ehr.calls) == 2, "nobody named there was asked"
