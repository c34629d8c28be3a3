"""Public keys of registered clients: from their file, or from their own address through their own lane, kept for an hour.

An unknown key id has the address read again, at most once a minute and client, so that forged ids cannot make us hammer anybody.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from joserfc.jwk import ECKey, RSAKey

from launch.keys import fitting
from smart_app.config_partners import ApiClient
from smart_app.errors import OutboundError
from smart_app.outbound import Outbound

log = structlog.get_logger("priors.fhir_api")
KEPT, REREAD = timedelta(hours=1), timedelta(minutes=1)
DEADLINE, MAX_BYTES, MAX_KEYS = 5.0, 200_000, 50


@dataclass(frozen=True)
class _Read:
    at: datetime
    keys: tuple[dict[str, Any], ...]


class ClientKeys:
    """One a process."""

    def __init__(self, outbound: Outbound, clock: Callable[[], datetime]) -> None:
        self._outbound, self._clock = outbound, clock
        self._read: dict[str, _Read] = {}
        self._lock = threading.Lock()

    def candidates(self, client: ApiClient, kid: str, alg: str) -> list[RSAKey | ECKey]:
        """Keys of this client that may have signed; none when they cannot be read."""
        if client.jwks_file is not None:
            return fitting(keys_in(client.jwks_file), kid, alg)
        with self._lock:
            held, now = self._read.get(client.key), self._clock()
            fresh = held.keys if held is not None and now < held.at + KEPT else ()
            if found := fitting(fresh, kid, alg):
                return found
            if held is not None and now < held.at + REREAD:
                return []
            self._read[client.key] = _Read(now, fresh)  # asked for now: nobody else asks within the minute, and nobody waits for it
        keys = self._fetch(client) or fresh
        with self._lock:
            self._read[client.key] = _Read(now, keys)
        return fitting(keys, kid, alg)

    def _fetch(self, client: ApiClient) -> tuple[dict[str, Any], ...]:
        try:
            reply = self._outbound.request(
                lane_of(client), "GET", client.jwks_url or "", headers={"Accept": "application/json"}, deadline=DEADLINE, max_bytes=MAX_BYTES
            )
        except OutboundError as error:
            log.warning("client_keys_unread", client=client.key, code=error.fault.code)
            return ()
        return _keys(reply.body) if reply.status == 200 else ()


def lane_of(client: ApiClient) -> str:
    return f"client:{client.key}"


def keys_in(file: Path) -> tuple[dict[str, Any], ...]:
    """The JWKS in a file; none when it cannot be read."""
    try:
        return _keys(file.read_bytes())
    except OSError:
        return ()


def _keys(body: bytes) -> tuple[dict[str, Any], ...]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    keys = document.get("keys") if isinstance(document, Mapping) else None
    return tuple(key for key in keys[:MAX_KEYS] if isinstance(key, dict)) if isinstance(keys, list) else ()
