"""The key sets of the registered issuers: fetched from the issuer's own lane, kept for an hour, re-read for an unknown kid.

At most one such re-read a minute and issuer, so that forged key ids cannot make us hammer an EHR.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from launch.clock import Clock
from launch.discovery import Discovery, SmartServer, json_object, read_document
from launch.errors import EhrMisconfigured
from launch.http import Http, Patience
from launch.issuers import Issuer

KEPT = timedelta(hours=1)
REREAD = timedelta(minutes=1)
MAX_KEYS = 100
MIN_RSA_BYTES = 256
_CURVES = {"ES256": "P-256", "ES384": "P-384"}


@dataclass(frozen=True)
class _Fetched:
    at: datetime
    uri: str
    keys: tuple[dict[str, Any], ...]


class KeySets:
    """One a process."""

    def __init__(self, discovery: Discovery, http: Http, clock: Clock) -> None:
        self._discovery = discovery
        self._http = http
        self._clock = clock
        self._fetched: dict[str, _Fetched] = {}
        self._reread: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def candidates(self, issuer: Issuer, server: SmartServer, kid: str | None, alg: str, patience: Patience) -> list[RSAKey | ECKey]:
        """Keys that may have signed: of this kid, or without one the only key that fits the algorithm."""
        uri = self._discovery.jwks_uri(issuer, server, patience)
        fetched = self._fetched.get(issuer.key)
        now = self._clock()
        if fetched is None or fetched.uri != uri or now >= fetched.at + KEPT:
            fetched = self._fetch(issuer, uri, patience)
        found = fitting(fetched.keys, kid, alg)
        if not found and self._may_reread(issuer, fetched, now):
            found = fitting(self._fetch(issuer, uri, patience).keys, kid, alg)
        return found

    def _may_reread(self, issuer: Issuer, fetched: _Fetched, now: datetime) -> bool:
        with self._lock:
            last = max(fetched.at, self._reread.get(issuer.key, fetched.at))
            if now < last + REREAD:
                return False
            self._reread[issuer.key] = now
            return True

    def _fetch(self, issuer: Issuer, uri: str, patience: Patience) -> _Fetched:
        answer = read_document(self._http, issuer, uri, "jwks", patience)
        keys = json_object(answer.body, "jwks").get("keys")
        if not isinstance(keys, list):
            raise EhrMisconfigured("jwks", reason="jwks: no keys")
        fetched = _Fetched(self._clock(), uri, tuple(key for key in keys[:MAX_KEYS] if isinstance(key, dict)))
        with self._lock:
            self._fetched[issuer.key] = fetched
        return fetched


def fitting(keys: Iterable[dict[str, Any]], kid: str | None, alg: str) -> list[RSAKey | ECKey]:
    """Public keys of a JWKS that may have signed: of this kid, or without one the only key that fits the algorithm."""
    found = [key for key in keys if _fits(key, alg) and (kid is None or key.get("kid") == kid)]
    if kid is None and len(found) != 1:
        return []
    imported = (_import(key) for key in found)
    return [key for key in imported if key is not None]


def _fits(key: dict[str, Any], alg: str) -> bool:
    if key.get("use", "sig") != "sig" or key.get("alg", alg) != alg:
        return False
    operations = key.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return False
    if alg.startswith("ES"):
        return key.get("kty") == "EC" and key.get("crv") == _CURVES.get(alg)
    return key.get("kty") == "RSA" and _long_enough(key.get("n"))


def _long_enough(modulus: Any) -> bool:
    try:
        return isinstance(modulus, str) and len(urlsafe_b64decode(modulus.encode()).lstrip(b"\0")) >= MIN_RSA_BYTES
    except (ValueError, TypeError):
        return False


def _import(key: dict[str, Any]) -> RSAKey | ECKey | None:
    """The public half; None for a key that cannot be read: one bad key does not hide the good ones."""
    try:
        if key["kty"] == "EC":
            return ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
        return RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
