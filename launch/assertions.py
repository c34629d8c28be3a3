"""Proves who this client is with a signed assertion (SMART 2.2, "Client Authentication: Asymmetric").

RS384 or ES384, a fresh jti each time, five minutes at most, addressed to the token URL. Also publishes the public halves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from launch.clock import Clock
from launch.issuers import IssuerDirectory, SigningKey

LIFETIME = 240
"""Seconds; SMART allows 300."""


def sign_assertion(key: SigningKey, *, client_id: str, token_url: str, now: datetime) -> str:
    """A one-time client assertion for `token_url`."""
    issued = int(now.timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": issued,
        "exp": issued + LIFETIME,
        "jti": secrets.token_urlsafe(32),
    }
    header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, _import(key), algorithms=[key.alg])


class FreshPrivateKeyJwt(PrivateKeyJWT):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's own signer repeats the jti, uses RS256 and names no key; this one signs anew on every call."""

    def __init__(self, key: SigningKey, token_url: str, clock: Clock) -> None:
        super().__init__(token_url)
        self._key = key
        self._clock = clock

    def sign(self, auth: Any, token_endpoint: str) -> str:
        return sign_assertion(self._key, client_id=auth.client_id, token_url=token_endpoint, now=self._clock())


def public_jwks(keys: Iterable[SigningKey]) -> dict[str, Any]:
    """The document for /jwks.json: each key once, public members only."""
    published: dict[str, Any] = {}
    for key in keys:
        public = _import(key).as_dict(private=False)
        published[key.kid] = {**public, "kid": key.kid, "alg": key.alg, "use": "sig", "key_ops": ["verify"]}
    return {"keys": list(published.values())}


def keys_of(directory: IssuerDirectory) -> list[SigningKey]:
    """Every signing key of ours that some issuer knows."""
    both = [(issuer.signing_key, issuer.backend.signing_key if issuer.backend else None) for issuer in directory]
    return [key for pair in both for key in pair if key is not None]


def _import(key: SigningKey) -> RSAKey | ECKey:
    """:raises ValueError: the PEM is not a private key that fits the algorithm."""
    try:
        imported = _READERS[key.alg](key.pem)
    except KeyError:
        raise ValueError(f"key {key.kid}: {key.alg} is not RS384 or ES384") from None
    except (JoseError, ValueError, TypeError):
        raise ValueError(f"key {key.kid}: the PEM is not a private key for {key.alg}") from None
    if not imported.is_private or (isinstance(imported, ECKey) and imported.curve_name != "P-384"):
        raise ValueError(f"key {key.kid}: not a private key for {key.alg}")
    return imported


_READERS: Mapping[str, Callable[[str], RSAKey | ECKey]] = MappingProxyType({"RS384": RSAKey.import_key, "ES384": ECKey.import_key})
