"""Judges a client assertion (SMART 2.2 "Client Authentication: Asymmetric", RFC 7523): whose it is, or why it is refused.

RS384 or ES384 with a registered key; iss and sub the client, aud this token endpoint alone, five minutes at most, its jti never seen
before in any worker. The header's own keys (`jwk`, `jku`, `x5u`, `x5c`) are never looked at. Nothing is remembered of what is not signed.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from smart_app.config_partners import ApiClient
from smart_app.fhir_api.client_keys import ClientKeys

ALGORITHMS = ("RS384", "ES384")
MAX_ASSERTION = 8192
LONGEST = timedelta(minutes=5)
GRACE = timedelta(seconds=10)
"""What two clocks may differ."""
_JTI = re.compile(r"[\x21-\x7e]{8,255}")


class RefusedAssertion(Exception):
    """`reason` is a fixed word, for log and audit; the caller is told `invalid_client` and nothing else."""

    def __init__(self, reason: str, client: ApiClient | None = None) -> None:
        super().__init__(reason)
        self.reason, self.client = reason, client


class Assertions:
    """`first_use(client_id, jti, until)` is true once, whoever asks."""

    def __init__(
        self, clients: Mapping[str, ApiClient], keys: ClientKeys, token_url: str, first_use: Callable[[str, str, datetime], bool], clock: Callable[[], datetime]
    ) -> None:
        self._clients, self._keys, self._url, self._first_use, self._clock = clients, keys, token_url, first_use, clock

    def client(self, assertion: str) -> ApiClient:
        """Who proves itself with this. :raises RefusedAssertion:"""
        header, claims = _parts(assertion)
        kid, alg = header.get("kid"), header.get("alg")
        if alg not in ALGORITHMS or not isinstance(kid, str) or not kid or "crit" in header or header.get("typ", "JWT") not in ("JWT", "jwt"):
            raise RefusedAssertion("header")
        issuer = claims.get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None or claims.get("sub") != issuer:
            raise RefusedAssertion("unknown-client")
        if not self._is_signed(assertion, client, kid, str(alg)):
            raise RefusedAssertion("signature", client)
        expires = self._judge(claims, client)
        if not self._first_use(client.client_id, claims["jti"], expires + GRACE):
            raise RefusedAssertion("used-before", client)
        return client

    def _is_signed(self, assertion: str, client: ApiClient, kid: str, alg: str) -> bool:
        for key in self._keys.candidates(client, kid, alg):
            try:
                jwt.decode(assertion, key, algorithms=[alg])
            except (JoseError, ValueError, TypeError):
                continue
            return True
        return False

    def _judge(self, claims: Mapping[str, Any], client: ApiClient) -> datetime:
        """When it ends. :raises RefusedAssertion:"""
        now = self._clock()
        if claims.get("aud") not in (self._url, [self._url]):
            raise RefusedAssertion("audience", client)
        expires = _time(claims.get("exp"))
        if expires is None or expires <= now - GRACE:
            raise RefusedAssertion("expired", client)
        if expires > now + LONGEST + GRACE:
            raise RefusedAssertion("too-long", client)
        for name in ("iat", "nbf"):
            at = _time(claims[name]) if name in claims else None
            if name in claims and (at is None or at > now + GRACE or (name == "iat" and expires - at > LONGEST)):
                raise RefusedAssertion(name, client)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not _JTI.fullmatch(jti):
            raise RefusedAssertion("jti", client)
        return expires


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand, not yet believed."""
    pieces = assertion.split(".")
    if len(pieces) != 3 or len(assertion) > MAX_ASSERTION or not assertion.isascii():
        raise RefusedAssertion("form")
    try:
        header, claims = (json.loads(urlsafe_b64decode(piece.encode())) for piece in pieces[:2])
    except (ValueError, RecursionError, binascii.Error):
        raise RefusedAssertion("form") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise RefusedAssertion("form")
    return header, claims


def _time(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
