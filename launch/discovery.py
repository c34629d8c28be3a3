"""Reads an issuer's smart-configuration (SMART 2.2, "Retrieve .well-known/smart-configuration") by allow-list.

Copies only the fields named here; every endpoint must be approved by the issuer's lane, so a lying document leads
nowhere. Cached at most 24 hours. Connects only through the `Http` it is given.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from launch.clock import Clock
from launch.errors import EhrFaulty, EhrMisconfigured
from launch.http import MAX_DOCUMENT, Answer, Http, Patience, ehr_faults, lane_of
from launch.issuers import Issuer

MAX_AGE = timedelta(hours=24)
MIN_AGE = timedelta(minutes=1)
MAX_URL = 2048
MAX_ASSOCIATED = 20
OPTIONAL_SCOPES = ("launch/imagingstudy",)
_MAX_AGE_SECONDS = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])")
_V2_SCOPE = re.compile(r"^(?:patient|user|system)/[A-Za-z*]+\.c?r?u?d?s?(?:\?|$)")
_V1_SCOPE = re.compile(r"^(?:patient|user|system)/[A-Za-z*]+\.(?:read|write|\*)$")


@dataclass(frozen=True)
class Associated:
    """Another server that this one names (`associated_endpoints`, SMART 2.2). A stranger's word: approved by whoever calls it, not here."""

    url: str
    capabilities: frozenset[str]


@dataclass(frozen=True)
class SmartServer:
    """What we need of a smart-configuration, checked. All URLs are absolute and approved."""

    token_endpoint: str
    authorization_endpoint: str | None
    issuer: str | None
    """OIDC issuer, for the id_token's `iss` and RFC 9207."""
    jwks_uri: str | None
    capabilities: frozenset[str]
    auth_methods: tuple[str, ...]
    scope_style: str
    """v1 or v2: what this server understands."""
    sends_iss: bool
    """It promises `iss` on the callback (RFC 9207)."""
    warnings: tuple[str, ...] = ()
    """Departures that we tolerate, for `priors check`."""
    associated: tuple[Associated, ...] = ()
    offered: frozenset[str] = frozenset()
    """Those of `OPTIONAL_SCOPES` that it lists: asked for only then, since others refuse a sign-in for a scope they do not know."""


class Discovery:
    """One reader a process. A failed read is not remembered."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._servers: dict[str, tuple[datetime, SmartServer]] = {}
        self._jwks: dict[str, tuple[datetime, str]] = {}

    def server(self, issuer: Issuer, patience: Patience | None = None) -> SmartServer:
        """:raises EhrSilent: it did not answer. :raises EhrMisconfigured: its document breaks the specification."""
        entry = self._servers.get(issuer.key)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
        url = issuer.quirks.smart_configuration_url or f"{issuer.issuer}/.well-known/smart-configuration"
        document, kept = self._document(issuer, url, "smart-configuration", patience)
        server = self._read(issuer, document)
        self._servers[issuer.key] = (self._clock() + kept, server)
        return server

    def jwks_uri(self, issuer: Issuer, server: SmartServer, patience: Patience | None = None) -> str:
        """Where this issuer's keys are: its smart-configuration, else its OpenID configuration."""
        if server.jwks_uri:
            return server.jwks_uri
        entry = self._jwks.get(issuer.key)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
        oidc = server.issuer or issuer.issuer
        url = f"{oidc.removesuffix('/')}/.well-known/openid-configuration"
        document, kept = self._document(issuer, url, "openid-configuration", patience)
        if document.get("issuer") != oidc:
            raise EhrMisconfigured("issuer", reason="openid-configuration names another issuer")
        uri = self._endpoint(issuer, document, "jwks_uri")
        if uri is None:
            raise EhrMisconfigured("jwks_uri", reason="jwks_uri missing")
        self._jwks[issuer.key] = (self._clock() + kept, uri)
        return uri

    def _document(self, issuer: Issuer, url: str, what: str, patience: Patience | None) -> tuple[dict[str, Any], timedelta]:
        answer = read_document(self._http, issuer, url, what, patience or Patience())
        return json_object(answer.body, what), _lifetime(answer)

    def _read(self, issuer: Issuer, document: dict[str, Any]) -> SmartServer:
        warnings = list(_pkce_warnings(document))
        token_endpoint = self._endpoint(issuer, document, "token_endpoint")
        if token_endpoint is None:
            raise EhrMisconfigured("token_endpoint", reason="token_endpoint missing")
        capabilities = frozenset(_strings(document.get("capabilities")))
        if not capabilities:
            warnings.append("capabilities is missing")
        return SmartServer(
            token_endpoint=token_endpoint,
            authorization_endpoint=self._endpoint(issuer, document, "authorization_endpoint"),
            issuer=self._issuer(document),
            jwks_uri=self._endpoint(issuer, document, "jwks_uri"),
            capabilities=capabilities,
            auth_methods=_strings(document.get("token_endpoint_auth_methods_supported")),
            scope_style=_scope_style(issuer, capabilities, _strings(document.get("scopes_supported"))),
            sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
            warnings=tuple(warnings),
            associated=_associated(issuer, document.get("associated_endpoints")),
            offered=frozenset(OPTIONAL_SCOPES) & frozenset(_strings(document.get("scopes_supported"))),
        )

    def _endpoint(self, issuer: Issuer, document: dict[str, Any], field: str) -> str | None:
        """An endpoint as an absolute approved URL; None when the field is absent."""
        value = document.get(field)
        if value is None:
            return None
        if not isinstance(value, str) or not plain_url(value):
            raise EhrMisconfigured(field, reason=f"{field} is not a URL")
        try:
            url = urljoin(issuer.issuer + "/", value)
            bad = bool(urlsplit(url).fragment) or len(url) > MAX_URL
        except ValueError:
            bad = True
        if bad or not self._http.approves(lane_of(issuer), url):
            raise EhrMisconfigured(field, reason=f"{field} is not approved for this EHR")
        return url

    def _issuer(self, document: dict[str, Any]) -> str | None:
        value = document.get("issuer")
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not plain_url(value):
            raise EhrMisconfigured("issuer", reason="issuer is not a URL")
        return value


def read_document(http: Http, issuer: Issuer, url: str, what: str, patience: Patience) -> Answer:
    """GET a public document of this issuer; only a 200 is an answer."""
    with ehr_faults(what):
        answer = http.request(
            lane_of(issuer), "GET", url, headers={"Accept": "application/json"}, deadline=patience.left(), max_bytes=MAX_DOCUMENT
        )
    if answer.status >= 500 or answer.status == 429:
        raise EhrFaulty(reason=f"{what}: status {answer.status}")
    if answer.status != 200:
        raise EhrMisconfigured(what, reason=f"{what}: status {answer.status}")
    return answer


def json_object(body: bytes, what: str) -> dict[str, Any]:
    """:raises EhrMisconfigured: `body` is not a JSON object (also when it is nested beyond reading)."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise EhrMisconfigured(what, reason=f"{what} is not a JSON object")
    return value


def plain_url(value: str) -> bool:
    """Printable ASCII without spaces, quotes or backslashes: nothing that two parsers could read differently."""
    return 0 < len(value) <= MAX_URL and all("!" <= c <= "~" and c not in '"<>\\^`{|}' for c in value)


def _pkce_warnings(document: dict[str, Any]) -> list[str]:
    methods = document.get("code_challenge_methods_supported")
    if methods is None:
        # Real servers accept PKCE without listing it (facts.md C2, athenahealth): S256 is sent in any case.
        return ["code_challenge_methods_supported is missing; S256 is sent anyway"]
    if "S256" not in _strings(methods):
        raise EhrMisconfigured("code_challenge_methods_supported", reason="S256 not listed")
    return ["code_challenge_methods_supported lists plain"] if "plain" in _strings(methods) else []


def _associated(issuer: Issuer, value: Any) -> tuple[Associated, ...]:
    """At most MAX_ASSOCIATED well-formed ones; an odd entry costs itself."""
    found: list[Associated] = []
    for entry in value if isinstance(value, list) else []:
        url = entry.get("url") if isinstance(entry, dict) else None
        if isinstance(url, str) and plain_url(url) and len(found) < MAX_ASSOCIATED:
            try:
                found.append(Associated(urljoin(issuer.issuer + "/", url).rstrip("/"), frozenset(_strings(entry.get("capabilities")))))
            except ValueError:
                continue
    return tuple(found)


def _scope_style(issuer: Issuer, capabilities: frozenset[str], scopes: tuple[str, ...]) -> str:
    if issuer.quirks.scope_style in ("v1", "v2"):
        return issuer.quirks.scope_style
    if "permission-v2" in capabilities:
        return "v2"
    if "permission-v1" in capabilities:
        return "v1"
    old = any(_V1_SCOPE.match(scope) for scope in scopes)
    return "v1" if old and not any(_V2_SCOPE.match(scope) for scope in scopes) else "v2"


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _lifetime(answer: Answer) -> timedelta:
    """As its Cache-Control says, within our bounds."""
    control = next((value for name, value in answer.headers.items() if name.lower() == "cache-control"), "").lower()
    if "no-store" in control or "no-cache" in control:
        return MIN_AGE
    found = _MAX_AGE_SECONDS.search(control)
    return min(MAX_AGE, max(MIN_AGE, timedelta(seconds=int(found[1])))) if found else MAX_AGE
