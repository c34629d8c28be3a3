"""Cross-site request forgery: nothing changes without this launch's token and proof that our own page asks.

SameSite=None cookies ride along on forged requests, so three things must agree: the token (bound to launch and
browser), `Origin`, and `Sec-Fetch-Site`. safety.md T7.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from smart_app.sealing import Keyring

HEADER = "X-Priors-CSRF"
FIELD = "csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Fields(Protocol):
    """Header fields by name."""

    def get(self, name: str, /) -> str | None: ...


class Csrf:
    """`origin` is our public origin, as browsers send it."""

    def __init__(self, keyring: Keyring, origin: str) -> None:
        self._key = keyring.derive("csrf")
        self._origin = origin

    def token(self, handle: str, browser: str) -> str:
        return hmac.new(self._key, f"{handle}|{browser}".encode(), hashlib.sha256).hexdigest()

    def objection(self, handle: str, browser: str, token: str, headers: Fields) -> str | None:
        """Why this unsafe request is refused, in fixed words; None when it is ours."""
        if not hmac.compare_digest(self.token(handle, browser).encode(), token.encode()):
            return "csrf-token"
        return self.foreign(headers)

    def foreign(self, headers: Fields) -> str | None:
        origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
        if site is not None and site != "same-origin":
            return "csrf-site"
        # With `Referrer-Policy: no-referrer` Chromium sends `Origin: null` with a plain form of our own page.
        if origin == self._origin or (origin == "null" and site == "same-origin"):
            return None
        return "csrf-origin"
