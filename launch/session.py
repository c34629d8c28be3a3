"""What the launch library needs remembered, as protocols: the app supplies the tables.

Nothing about a launch is kept in the browser but one random cookie that names nobody.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from launch.context import LaunchContext

BROWSER_COOKIE = "__Host-ix"
"""256 random bits; Secure, HttpOnly, Path=/, SameSite=None, Partitioned."""
BINDING_COOKIE_PREFIX = "__Host-lb-"
"""One per launch attempt, + 8 characters, Max-Age 600: binds `state` to the browser that began it."""


@dataclass(frozen=True)
class PendingLaunch:
    """A launch between /launch and the callback. Single use, ten minutes."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    binding: str = field(repr=False)
    """SHA-256 hex of the binding cookie's value."""
    binding_name: str
    issuer_key: str
    wants_patient: bool
    """False for staff sign-in, which needs a user and no chart."""
    created_at: datetime
    expects_iss: bool = False
    """The issuer advertised RFC 9207: the callback must carry `iss`."""
    authorization_issuer: str | None = None
    """The `issuer` its smart-configuration names, for id_token and RFC 9207 checks."""
    sought: str | None = field(default=None, repr=False)
    """What the app was asked for when this began; it comes back in the launch's context."""


@dataclass(frozen=True)
class TokenSet:
    """Tokens of one launch. Never leaves the server; sealed at rest."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    token_endpoint: str = ""
    renew_at: datetime | None = None
    """From when on a fresh one is asked for: shortly before the end, so that no token ends on its way."""


class SessionStore(Protocol):
    """Where pending launches, launches and their tokens live."""

    def put_pending(self, pending: PendingLaunch) -> None: ...

    def take_pending(self, state: str) -> PendingLaunch | None:
        """Return and consume; None when unknown, used or older than ten minutes."""
        ...

    def open_launch(self, browser: str | None, context: LaunchContext, tokens: TokenSet) -> str:
        """Bind the launch to the browser cookie value (a new one when None, unknown, or another user's).

        Launches of one user coexist; a launch by another user ends the earlier user's.
        Returns the cookie value to set.
        """
        ...

    def find(self, handle: str, browser: str | None) -> LaunchContext | None:
        """The live launch named by `handle` if this browser owns it; marks it as used now."""
        ...

    def tokens(self, handle: str) -> TokenSet | None: ...

    def save_tokens(self, handle: str, tokens: TokenSet) -> None: ...

    def refresh_lock(self, handle: str) -> AbstractContextManager[None]:
        """Held by one worker at a time across all processes, bounded to 15 s."""
        ...

    def end(self, handle: str) -> None:
        """End the launch and drop its tokens."""
        ...


class TokenProvider(Protocol):
    """What `fhir` and `archives` are given instead of OAuth."""

    def access_token(self) -> str:
        """A token that is valid now. Raises AppError-compatible LaunchError when the session has ended."""
        ...

    def refreshed(self, rejected: str) -> str:
        """A token newer than `rejected`, after a 401; single-flight."""
        ...
