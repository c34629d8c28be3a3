"""What the demo EHR remembers: launches, codes, tokens and used assertion ids. In memory, behind one lock."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, TokenMixin


@dataclass(frozen=True)
class Context:
    """Who is looking at whom: fixed at authorization, carried by every token that comes of it."""

    user: str | None
    patient: str | None = None
    encounter: str | None = None
    intent: str | None = None
    fhir_context: tuple[dict[str, str], ...] = ()
    app_context: str | None = None


@dataclass
class Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    context: Context
    expires: float
    family: str
    code_challenge_method: str = "S256"
    used: bool = False

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int | None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Token(TokenMixin):
    """An access token and its refresh token. All tokens of one authorization share `family`."""

    client_id: str
    scope: str
    context: Context
    family: str
    issued: float
    expires: float
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    refresh_used: bool = False
    revoked: bool = False

    def check_client(self, client: object) -> bool:
        return getattr(client, "client_id", None) == self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return int(self.expires - self.issued)

    def is_expired(self) -> bool:
        return time.time() >= self.expires

    def is_revoked(self) -> bool:
        return self.revoked


class Store:
    """Everything the authorization server has handed out. `now` is injected, so that tests move it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.lock = threading.RLock()
        self._launches: dict[str, tuple[Context, float]] = {}
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Token] = {}
        self._by_refresh: dict[str, Token] = {}
        self._revoked: set[str] = set()
        self._assertions: dict[tuple[str, str], float] = {}

    def new_launch(self, context: Context, seconds: float) -> str:
        handle = secrets.token_urlsafe(24)
        with self.lock:
            self._launches[handle] = (context, self.now() + seconds)
        return handle

    def launch(self, handle: str) -> Context | None:
        """The context behind a launch value that is neither spent nor old."""
        with self.lock:
            context, expires = self._launches.get(handle, (None, 0.0))
            return context if self.now() < expires else None

    def spend_launch(self, handle: str) -> None:
        with self.lock:
            self._launches.pop(handle, None)

    def add_code(self, code: Code) -> None:
        with self.lock:
            self._codes[code.code] = code

    def code(self, value: str, client_id: str) -> Code | None:
        """Take an unused code of this client. A code used twice revokes what it gave (RFC 6749, 4.1.2)."""
        with self.lock:
            code = self._codes.get(value)
            if code is None or code.client_id != client_id or self.now() >= code.expires:
                return None
            if code.used:
                self.revoke_family(code.family)
                return None
            code.used = True
            return code

    def add_token(self, token: Token) -> None:
        with self.lock:
            token.revoked = token.family in self._revoked
            self._by_access[token.access_token] = token
            if token.refresh_token:
                self._by_refresh[token.refresh_token] = token

    def by_access(self, value: str) -> Token | None:
        return self._by_access.get(value)

    def by_refresh(self, value: str) -> Token | None:
        return self._by_refresh.get(value)

    def take_refresh(self, value: str) -> Token | None:
        """Take an unused refresh token. One used twice is a theft or a race: all that came of its launch is revoked."""
        with self.lock:
            token = self._by_refresh.get(value)
            if token is None or token.revoked:
                return None
            if token.refresh_used:
                self.revoke_family(token.family)
                return None
            token.refresh_used = True
            return token

    def revoke_family(self, family: str) -> None:
        with self.lock:
            self._revoked.add(family)
            for token in self._by_access.values():
                if token.family == family:
                    token.revoked = True

    def first_use(self, client_id: str, jti: str, until: float) -> bool:
        """Whether this assertion id is seen for the first time."""
        with self.lock:
            now = self.now()
            self._assertions = {key: when for key, when in self._assertions.items() if when > now}
            if (client_id, jti) in self._assertions:
                return False
            self._assertions[(client_id, jti)] = until
            return True
