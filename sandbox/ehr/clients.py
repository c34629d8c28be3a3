"""The apps registered at the demo EHR, and how each proves itself at the token endpoint."""

from __future__ import annotations

import hmac
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin

INTERACTIVE = ("authorization_code", "refresh_token")
BACKEND = ("client_credentials",)


@dataclass(frozen=True)
class DemoClient(ClientMixin):
    """One registration. `auth` is none, client_secret_basic or private_key_jwt.

    The public key of private_key_jwt is a JWKS (`jwks`), or fetched from the client (`jwks_uri`).
    """

    client_id: str
    redirect_uris: tuple[str, ...] = ()
    auth: str = "none"
    secret: str | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    grants: tuple[str, ...] = INTERACTIVE
    id_token_signed_response_alg: str | None = None
    grantable: Callable[[str], str] = field(default=lambda scope: scope, repr=False)
    """Set by the server: what of a requested scope is given to a client of this kind."""

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        return self.grantable(scope or "")

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret is not None and hmac.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.auth

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.grants

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grants


class ClientKeys:
    """Public keys of private_key_jwt clients; a remote JWKS is read at most once a minute unless a key is missing."""

    def __init__(self, *, seconds: float = 60, timeout: float = 3) -> None:
        self._seconds, self._timeout = seconds, timeout
        self._read: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def of(self, client: DemoClient, kid: str | None) -> Mapping[str, Any] | None:
        """The client's JWKS, or None when it has none that can be read."""
        if client.jwks is not None:
            return client.jwks
        if client.jwks_uri is None:
            return None
        when, held = self._read.get(client.jwks_uri, (0.0, {}))
        fresh = time.monotonic() - when < self._seconds and any(key.get("kid") == kid for key in held.get("keys", ()))
        if not fresh:
            held = fetch_json(client.jwks_uri, self._timeout) or {}
            self._read[client.jwks_uri] = (time.monotonic(), held)
        return held or None


def fetch_json(url: str, timeout: float) -> Mapping[str, Any] | None:
    """A loopback page as JSON. `*.localhost` is connected to 127.0.0.1: not every resolver knows such names."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host != "127.0.0.1" and host != "localhost" and not host.endswith(".localhost"):
        return None
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": parts.netloc, "Accept": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read(200_000)) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) else None
