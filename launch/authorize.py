"""From a click in the EHR to its authorize page (SMART 2.2, "Obtain authorization code"): scopes, PKCE, pending launch.

Pure but for randomness. PKCE is always S256; the verifier, nonce and state never leave the server but as this URL needs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from authlib.integrations.requests_client import OAuth2Session

from launch.discovery import OPTIONAL_SCOPES, SmartServer
from launch.errors import EhrMisconfigured
from launch.issuers import Issuer
from launch.session import BINDING_COOKIE_PREFIX, PendingLaunch

_V2 = re.compile(r"^((?:patient|user|system)/[A-Za-z*]+)\.(c?r?u?d?s?)(?:\?.*)?$")
_NEEDED = ("openid", "fhirUser")


class Way(StrEnum):
    """How a launch begins."""

    EHR = "ehr"
    STANDALONE = "standalone"
    STAFF = "staff"
    """A user without a chart: no patient is asked for and none is kept."""


@dataclass(frozen=True)
class Binding:
    """The cookie that ties one launch attempt to one browser. `name` is public, `value` is 256 random bits."""

    name: str
    value: str = field(repr=False)

    @classmethod
    def new(cls) -> Binding:
        return cls(BINDING_COOKIE_PREFIX + secrets.token_hex(4), secrets.token_urlsafe(32))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.value.encode()).hexdigest()


def scopes_for(issuer: Issuer, way: Way, style: str, offered: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The scopes to ask for: configured ones in the server's syntax, the context scope of this way, and for a chart what the server offers besides."""
    context = [scope for scope in issuer.scopes if scope == "launch" or scope.startswith("launch/")]
    own = [scope for scope in issuer.scopes if scope not in context]
    if way is Way.STAFF:
        own = [scope for scope in own if not scope.startswith("patient/")]
        asked = [*_NEEDED, *own, *issuer.staff_scopes]
    elif way is Way.STANDALONE:
        asked = ["launch/patient", *_NEEDED, *own]
    else:
        asked = ["launch", *(scope for scope in context if scope != "launch/patient"), *_NEEDED, *own]
    if way is not Way.STAFF:
        # A study as context comes with an EHR's own launch only.
        asked += [scope for scope in OPTIONAL_SCOPES if scope in offered and (way is Way.EHR or not scope.startswith("launch/"))]
    if style == "v1":
        asked = [as_v1(scope) for scope in asked]
    return tuple(dict.fromkeys(asked))


def as_v1(scope: str) -> str:
    """`patient/Patient.rs` as `patient/Patient.read`; what is not a v2 resource scope stays as it is."""
    found = _V2.match(scope)
    if not found or not found[2]:
        return scope
    letters = set(found[2])
    reads, writes = bool(letters & {"r", "s"}), bool(letters & {"c", "u", "d"})
    return f"{found[1]}.{'*' if reads and writes else 'read' if reads else 'write'}"


def begin(
    issuer: Issuer, server: SmartServer, way: Way, *, launch: str | None, binding: Binding, now: datetime, aud: str | None = None,
    sought: str | None = None,
) -> tuple[PendingLaunch, str]:
    """A fresh pending launch and the URL that sends the browser to the EHR.

    :param sought: what the app wants to know again when this launch has come about.
    :param aud: the FHIR base as the EHR itself wrote it, which may have a slash more than the registered one.
    :raises EhrMisconfigured: the server names no authorization endpoint.
    """
    if server.authorization_endpoint is None:
        raise EhrMisconfigured("authorization_endpoint", reason="authorization_endpoint missing")
    pending = PendingLaunch(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(32),
        binding=binding.digest,
        binding_name=binding.name,
        issuer_key=issuer.key,
        wants_patient=way is not Way.STAFF,
        created_at=now,
        expects_iss=server.sends_iss,
        authorization_issuer=server.issuer,
        sought=sought,
    )
    session = OAuth2Session(
        issuer.client_id,
        scope=" ".join(scopes_for(issuer, way, server.scope_style, server.offered)),
        redirect_uri=issuer.redirect_uri,
        code_challenge_method="S256",
    )
    context = {"launch": launch} if launch is not None else {}
    url, _ = session.create_authorization_url(
        server.authorization_endpoint,
        state=pending.state,
        code_verifier=pending.verifier,
        nonce=pending.nonce,
        aud=aud or issuer.issuer,
        **context,
    )
    return pending, str(url)
