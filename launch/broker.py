"""Gives the rest of the app a valid access token and nothing else: refresh once for all workers, or say that it is over.

A launch's refresh token is sent by one worker at a time, across processes, through the store's lock: a server that
rotates them would withdraw the grant if one came twice. Also SMART Backend Services, for work without a person.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from launch.authorize import as_v1
from launch.clock import Clock
from launch.context import LaunchContext
from launch.discovery import Discovery
from launch.errors import EhrMisconfigured, EhrSilent, SessionEnded, SignInRefused, UnknownIssuer
from launch.http import lane_of
from launch.issuers import ClientAuth, IssuerDirectory, SigningKey
from launch.session import SessionStore, TokenProvider, TokenSet
from launch.tokens import Client, Granted, TokenClient

AGAIN = timedelta(seconds=20)
"""After a renewal that got no answer while the old token still holds, the next try waits this long."""


class TokenBroker:
    """Makes token providers. One a process."""

    def __init__(
        self, store: SessionStore, directory: IssuerDirectory, discovery: Discovery, tokens: TokenClient, clock: Clock
    ) -> None:
        self._store = store
        self._directory = directory
        self._discovery = discovery
        self._tokens = tokens
        self._clock = clock
        self._backends: dict[str, CredentialTokens] = {}
        self._lock = threading.Lock()

    def provider(self, context: LaunchContext) -> TokenProvider:
        """Tokens of this launch, for its issuer's FHIR base only."""
        if context.by_backend:
            return self.backend_provider(context.issuer_key)
        return LaunchTokens(context, self._store, self._directory, self._tokens, self._clock)

    def backend_provider(self, issuer_key: str) -> TokenProvider:
        """Tokens with `system/` scopes. :raises UnknownIssuer: no such EHR, or no backend registration there."""
        issuer = self._directory.by_key(issuer_key)
        if issuer is None or issuer.backend is None:
            raise UnknownIssuer(issuer_key, reason="no backend registration")
        backend = issuer.backend

        def ask() -> Granted:
            server = self._discovery.server(issuer)
            client = Client(
                lane_of(issuer), backend.client_id, ClientAuth.PRIVATE_KEY_JWT, server.token_endpoint, None, backend.signing_key
            )
            scopes = [as_v1(scope) for scope in backend.scopes] if server.scope_style == "v1" else backend.scopes
            return self._tokens.client_credentials(client, " ".join(scopes))

        with self._lock:
            return self._backends.setdefault(issuer_key, CredentialTokens(ask, self._clock))

    def credentials_provider(
        self, lane: str, token_url: str, client_id: str, *, secret: str | None = None, key: SigningKey | None = None, scope: str | None = None
    ) -> TokenProvider:
        """OAuth client credentials of an archive, by secret or by private_key_jwt; keep the provider, it remembers its token."""
        auth = ClientAuth.PRIVATE_KEY_JWT if key is not None else ClientAuth.BASIC
        client = Client(lane, client_id, auth, token_url, secret, key)
        return CredentialTokens(lambda: self._tokens.client_credentials(client, scope), self._clock)


class LaunchTokens:
    """TokenProvider of one launch."""

    def __init__(
        self, context: LaunchContext, store: SessionStore, directory: IssuerDirectory, tokens: TokenClient, clock: Clock
    ) -> None:
        self._context = context
        self._store = store
        self._directory = directory
        self._tokens = tokens
        self._clock = clock

    def access_token(self) -> str:
        """:raises SessionEnded: ended, or no way to renew. :raises EhrSilent: it did not answer the renewal; try again."""
        tokens = self._stored()
        if self._clock() < _renew_at(tokens):
            return tokens.access_token
        with self._store.refresh_lock(self._context.handle):
            tokens = self._stored()
            if self._clock() < _renew_at(tokens):
                return tokens.access_token
            still_good = self._clock() < tokens.expires_at
            if still_good and tokens.refresh_token is None:
                return tokens.access_token
            try:
                return self._renew(tokens)
            except EhrSilent:
                if not still_good:
                    raise
                self._store.save_tokens(self._context.handle, replace(tokens, renew_at=self._clock() + AGAIN))
                return tokens.access_token

    def refreshed(self, rejected: str) -> str:
        """A token newer than `rejected`. :raises SessionEnded, EhrSilent: as above."""
        with self._store.refresh_lock(self._context.handle):
            tokens = self._stored()
            return tokens.access_token if tokens.access_token != rejected else self._renew(tokens)

    def _stored(self) -> TokenSet:
        tokens = self._store.tokens(self._context.handle)
        if tokens is None or self._clock() >= self._context.expires_at:
            raise SessionEnded(reason="the launch has ended")
        return tokens

    def _renew(self, tokens: TokenSet) -> str:
        issuer = self._directory.by_key(self._context.issuer_key)
        if tokens.refresh_token is None or issuer is None:
            raise self._over("no refresh token")
        try:
            granted = self._tokens.refresh(Client.at(issuer, tokens.token_endpoint), tokens.refresh_token)
        except SignInRefused as refused:
            raise self._over(f"refresh: {refused.detail}") from None
        except EhrMisconfigured as odd:
            # The refresh token may be spent by now: there is nothing left to try.
            raise self._over(odd.reason) from None
        patient = granted.facts.get("patient")
        if self._context.patient_id is not None and patient not in (None, "", self._context.patient_id):
            raise self._over("refresh: another patient")
        renewed = granted.tokens(self._clock(), tokens.token_endpoint)
        if renewed.refresh_token is None:
            renewed = replace(renewed, refresh_token=tokens.refresh_token)
        self._store.save_tokens(self._context.handle, renewed)
        return renewed.access_token

    def _over(self, reason: str) -> SessionEnded:
        self._store.end(self._context.parent or self._context.handle)  # both live on the same tokens
        return SessionEnded(reason=reason)


class CredentialTokens:
    """TokenProvider by client credentials: remembered until shortly before its end, one asker at a time in this process."""

    def __init__(self, ask: Callable[[], Granted], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: TokenSet | None = None

    def access_token(self) -> str:
        """:raises SignInRefused, EhrSilent, EhrMisconfigured: the authorization server gave no token."""
        with self._lock:
            if self._tokens is None or self._clock() >= _renew_at(self._tokens):
                self._renew()
            assert self._tokens is not None
            return self._tokens.access_token

    def refreshed(self, rejected: str) -> str:
        with self._lock:
            if self._tokens is None or self._tokens.access_token == rejected:
                self._renew()
            assert self._tokens is not None
            return self._tokens.access_token

    def _renew(self) -> None:
        granted = self._ask()
        self._tokens = granted.tokens(self._clock(), "")


def _renew_at(tokens: TokenSet) -> datetime:
    return min(tokens.renew_at or tokens.expires_at, tokens.expires_at)
