"""Says who signed in: verifies an id_token against its issuer's own keys (OpenID Connect Core 3.1.3.7; safety.md "id_token checks").

Nothing in the token chooses the key but `kid`, and that only among the issuer's keys; `jwk`, `jku` and `x5u` are never followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from launch.clock import Clock
from launch.discovery import SmartServer, json_object
from launch.errors import EhrMisconfigured, SignInBroken
from launch.http import Patience
from launch.issuers import Issuer
from launch.keys import KeySets

LEEWAY = 60
OLDEST = 3600
"""Seconds since iat: it was made for this sign-in, a clock may be wrong by less than that."""
MAX_ID_TOKEN = 16_384
SAFE_ALGS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384"})
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class IdTokens:
    """Verifier for all issuers; keys come from `KeySets`."""

    def __init__(self, keys: KeySets, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def verify(
        self, issuer: Issuer, server: SmartServer, token: str, *, nonce: str, access_token: str, patience: Patience | None = None
    ) -> Mapping[str, Any]:
        """The verified claims.

        :raises SignInBroken: any check fails; `reason` says which in fixed words.
        :raises EhrSilent, EhrMisconfigured: its keys could not be read.
        """
        parsed = self._parse(issuer, token)
        header = parsed.headers()
        kid = header.get("kid")
        keys = self._keys.candidates(issuer, server, kid, header["alg"], patience or Patience())
        if not keys:
            raise _wrong("no key fits")
        registry = _registry(header["alg"])
        if not any(_signed_by(parsed, key, registry) for key in keys):
            raise _wrong("signature")
        try:
            claims = json_object(parsed.payload, "id_token")
        except EhrMisconfigured:
            raise _wrong("payload") from None
        expected = {server.issuer} if server.issuer else {issuer.issuer, issuer.issuer + "/"}
        check_claims(claims, issuers=expected, client_id=issuer.client_id, nonce=nonce, now=self._clock())
        _check_at_hash(claims, header["alg"], access_token)
        return MappingProxyType(claims)

    @staticmethod
    def _parse(issuer: Issuer, token: str) -> jws.CompactSignature:
        if len(token) > MAX_ID_TOKEN or not token.isascii():
            raise _wrong("form")
        try:
            parsed = jws.extract_compact(token.encode(), registry=_registry("RS256"))
            header = parsed.headers()
        except (JoseError, ValueError, RecursionError, TypeError, AttributeError):
            raise _wrong("form") from None
        if not isinstance(header, dict):
            raise _wrong("header")
        alg = header.get("alg")
        if not isinstance(alg, str) or alg not in SAFE_ALGS or alg not in issuer.quirks.id_token_algs:
            raise _wrong("alg")
        # We understand no extension, so a critical one must be refused; b64 only means something with crit.
        if "crit" in header or "b64" in header or "enc" in header or "zip" in header:
            raise _wrong("crit")
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() not in ("jwt", "application/jwt"):
            raise _wrong("typ")
        kid = header.get("kid")
        if kid is not None and (not isinstance(kid, str) or len(kid) > 256):
            raise _wrong("kid")
        return parsed


def check_claims(claims: Mapping[str, Any], *, issuers: set[str], client_id: str, nonce: str, now: datetime) -> None:
    """The claims of a correctly signed token. :raises SignInBroken: naming the first that is wrong."""
    seconds = now.timestamp()
    iss, sub = claims.get("iss"), claims.get("sub")
    if not isinstance(iss, str) or iss not in issuers:
        raise _wrong("iss")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable():
        raise _wrong("sub")
    _check_audience(claims, client_id)
    exp, iat = _moment(claims, "exp"), _moment(claims, "iat")
    if seconds >= exp + LEEWAY or exp <= iat:
        raise _wrong("exp")
    if iat > seconds + LEEWAY or iat < seconds - OLDEST:
        raise _wrong("iat")
    if "nbf" in claims and _moment(claims, "nbf") > seconds + LEEWAY:
        raise _wrong("nbf")
    sent = claims.get("nonce")
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), nonce.encode()):
        raise _wrong("nonce")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    aud, azp = claims.get("aud"), claims.get("azp")
    audiences = [aud] if isinstance(aud, str) else aud
    if not isinstance(audiences, list) or not all(isinstance(item, str) for item in audiences) or client_id not in audiences:
        raise _wrong("aud")
    if (len(audiences) > 1 or "azp" in claims) and azp != client_id:
        raise _wrong("azp")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name)
    try:
        moment = float(value)
    except OverflowError:
        raise _wrong(name) from None
    if not math.isfinite(moment) or moment <= 0:
        raise _wrong(name)
    return moment


def _check_at_hash(claims: Mapping[str, Any], alg: str, access_token: str) -> None:
    """at_hash is optional in the code flow; one that is there must be right."""
    if "at_hash" not in claims:
        return
    digest = _HASHES[alg[2:]](access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    sent = claims["at_hash"]
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), half.encode()):
        raise _wrong("at_hash")


def _registry(alg: str) -> jws.JWSRegistry:
    # Unknown header members are to be ignored (RFC 7515 section 4), and an x5c chain passes joserfc's 512 bytes.
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = MAX_ID_TOKEN
    return registry


def _signed_by(parsed: jws.CompactSignature, key: Any, registry: jws.JWSRegistry) -> bool:
    try:
        return jws.validate_compact(parsed, key, registry=registry)
    except (JoseError, ValueError):
        return False


def _wrong(what: str) -> SignInBroken:
    return SignInBroken(reason=f"id_token: {what}")
