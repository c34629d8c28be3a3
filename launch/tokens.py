"""Talks to a token endpoint (SMART 2.2, "Obtain access token"): code exchange, refresh, client credentials.

Reads the answer by allow-list: a missing or odd field is named, never guessed over. No token reaches an exception's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749 import OAuth2Token

from launch.assertions import FreshPrivateKeyJwt
from launch.clock import Clock
from launch.discovery import json_object
from launch.errors import EhrFaulty, EhrMisconfigured, EhrSilent, SignInRefused
from launch.http import MAX_DOCUMENT, Http, Patience, ehr_faults, lane_of
from launch.issuers import ClientAuth, Issuer, SigningKey
from launch.session import TokenSet

MAX_TOKEN = 16_384
ASSUMED_LIFETIME = 3600
"""Seconds, when the answer has no expires_in: the longest that SMART recommends."""
LONGEST_LIFETIME = 86_400
EARLY = 60
"""Seconds before its end that a token is renewed; a third of its life when that is shorter."""
OAUTH_ERRORS = frozenset(
    {
        "access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client",
        "invalid_grant", "invalid_request", "invalid_scope", "login_required", "server_error", "temporarily_unavailable",
        "unauthorized_client", "unsupported_grant_type", "unsupported_response_type",
    }
)  # fmt: skip
_TROUBLE = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True)
class Client:
    """One registration of ours at one token endpoint."""

    lane: str
    client_id: str
    auth: ClientAuth
    token_endpoint: str
    secret: str | None = field(default=None, repr=False)
    signing_key: SigningKey | None = None

    @classmethod
    def at(cls, issuer: Issuer, token_endpoint: str) -> Client:
        return cls(lane_of(issuer), issuer.client_id, issuer.auth, token_endpoint, issuer.secret, issuer.signing_key)


@dataclass(frozen=True)
class Granted:
    """A token answer, checked. `facts` is the rest of the answer, unchecked: launch context and what else it sent."""

    access_token: str = field(repr=False)
    lifetime: int
    """Seconds, between 1 and one day."""
    scopes: frozenset[str] | None
    """As granted; None when the answer does not say (then as asked, RFC 6749 section 5.1)."""
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def tokens(self, now: datetime, token_endpoint: str) -> TokenSet:
        """To be kept: from now on, with its times."""
        ends = now + timedelta(seconds=self.lifetime)
        early = timedelta(seconds=min(EARLY, self.lifetime // 3))
        return TokenSet(self.access_token, ends, self.refresh_token, token_endpoint, ends - early)


class TokenClient:
    """Stateless; one a process. Every method raises SignInRefused (OAuth error), EhrSilent or EhrMisconfigured."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    def exchange(self, client: Client, *, code: str, verifier: str, redirect_uri: str, patience: Patience | None = None) -> Granted:
        with ehr_faults("token_endpoint"):
            answer = self._session(client, patience).fetch_token(
                client.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                allow_redirects=False,
            )
        return granted(answer)

    def refresh(self, client: Client, refresh_token: str) -> Granted:
        """`refresh_token` of the result is the one to keep: rotated, or the old one where the server keeps it."""
        # No scope is sent: a server that granted less than asked would answer invalid_scope.
        with ehr_faults("token_endpoint"):
            answer = self._session(client).refresh_token(client.token_endpoint, refresh_token=refresh_token, allow_redirects=False)
        return granted(answer)

    def client_credentials(self, client: Client, scope: str | None) -> Granted:
        with ehr_faults("token_endpoint"):
            answer = self._session(client).fetch_token(
                client.token_endpoint, grant_type="client_credentials", allow_redirects=False, **({"scope": scope} if scope else {})
            )
        return granted(answer)

    def _session(self, client: Client, patience: Patience | None = None) -> OAuth2Session:
        seconds = (patience or Patience()).left()
        method = "none" if client.auth is ClientAuth.PUBLIC else client.auth.value
        session = _TokenSession(client.client_id, client.secret, token_endpoint_auth_method=method, default_timeout=seconds)
        session.trust_env = False
        if client.auth is ClientAuth.PRIVATE_KEY_JWT:
            if client.signing_key is None:
                raise EhrMisconfigured("client_key", reason="private_key_jwt without a key of ours")
            session.register_client_auth_method(FreshPrivateKeyJwt(client.signing_key, client.token_endpoint, self._clock))
        self._http.guard(client.lane, session, deadline=seconds, max_bytes=MAX_DOCUMENT)
        return session


class _TokenSession(OAuth2Session):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's session with our reading of the answer: its own trusts any status below 500 and any shape."""

    def parse_response_token(self, response: Any) -> dict[str, Any]:
        if response.status_code >= 500 or response.status_code == 429:
            raise EhrFaulty(reason=f"token_endpoint: status {response.status_code}")
        body = json_object(response.content, "token_endpoint")
        if "error" in body:
            raise refusal(body["error"])
        if response.status_code != 200:
            raise EhrMisconfigured("token_endpoint", reason=f"token_endpoint: status {response.status_code}")
        body.pop("expires_at", None)
        body["expires_in"] = lifetime_of(body.get("expires_in"))
        if body.get("refresh_token") is None:
            body.pop("refresh_token", None)
        self.token = OAuth2Token(body)
        return body if not isinstance(self.token, dict) else self.token


def refusal(error: Any) -> SignInRefused | EhrSilent:
    """The LaunchError for an OAuth error code; unknown codes are not repeated."""
    code = error if isinstance(error, str) and error in OAUTH_ERRORS else "unspecified"
    if code in _TROUBLE:
        return EhrFaulty(reason=f"oauth: {code}")
    return SignInRefused(code, reason=f"oauth: {code}")


def granted(answer: Mapping[str, Any]) -> Granted:
    """:raises EhrMisconfigured: naming the field that is missing or odd."""
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _odd("token_type")
    access_token = _token(answer, "access_token")
    if access_token is None:
        raise _odd("access_token")
    return Granted(
        access_token=access_token,
        lifetime=answer["expires_in"],
        scopes=_scopes(answer.get("scope")),
        refresh_token=_token(answer, "refresh_token"),
        id_token=_token(answer, "id_token"),
        facts=MappingProxyType({name: value for name, value in answer.items() if not name.endswith("_token")}),
    )


def lifetime_of(value: Any) -> int:
    """Seconds of expires_in, also when sent as text or not at all. :raises EhrMisconfigured: not a positive number."""
    if value is None:
        return ASSUMED_LIFETIME
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _odd("expires_in")
    try:
        seconds = int(value)
    except (ValueError, OverflowError):
        raise _odd("expires_in") from None
    if seconds <= 0:
        raise _odd("expires_in")
    return min(seconds, LONGEST_LIFETIME)


def _token(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    if value is None:
        return None
    # Visible ASCII only (RFC 6749 appendix A): it is going to stand in a header.
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TOKEN or not all("!" <= c <= "~" for c in value):
        raise _odd(name)
    return value


def _scopes(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TOKEN:
        raise _odd("scope")
    return frozenset(value.split())


def _odd(field_name: str) -> EhrMisconfigured:
    return EhrMisconfigured(field_name, reason=f"token answer: {field_name}")
