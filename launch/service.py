"""The launch as use cases: begin it, come back from the EHR, open it (SMART App Launch 2.2).

Decides in one fixed order; refuses before any network call wherever it can. Knows neither Flask nor tables.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from launch.authorize import Binding, Way, begin, scopes_for
from launch.clock import Clock
from launch.context import LaunchContext, User
from launch.discovery import Discovery, SmartServer, plain_url
from launch.errors import EhrMisconfigured, MissingParameter, NoPatient, SignInBroken, UnknownIssuer
from launch.http import Patience
from launch.id_token import IdTokens
from launch.issuers import Issuer, IssuerDirectory
from launch.session import PendingLaunch, SessionStore, TokenSet
from launch.tokens import Client, Granted, TokenClient, refusal

FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
MAX_CODE = 4096
MAX_CONTEXT_ITEMS = 20
MAX_APP_CONTEXT = 4096
PENDING_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Opened:
    """A launch that came about, not yet bound to a browser."""

    context: LaunchContext
    tokens: TokenSet = field(repr=False)
    binding_name: str = ""
    """The binding cookie that is now spent."""


class Launcher:
    """One a process.

    :param lifetime: how long a launch may last at most, whatever the EHR grants.
    :param tenant: name of this site in records.
    """

    def __init__(
        self,
        directory: IssuerDirectory,
        store: SessionStore,
        discovery: Discovery,
        tokens: TokenClient,
        id_tokens: IdTokens,
        clock: Clock,
        *,
        lifetime: timedelta = timedelta(hours=8),
        tenant: str = "default",
    ) -> None:
        self._directory = directory
        self._store = store
        self._discovery = discovery
        self._tokens = tokens
        self._id_tokens = id_tokens
        self._clock = clock
        self._lifetime = lifetime
        self._tenant = tenant

    def begin(self, iss: str, launch: str, binding: Binding) -> str:
        """The EHR's authorize URL for this EHR launch.

        :raises UnknownIssuer: before any network call. :raises EhrSilent, EhrMisconfigured: discovery failed.
        """
        return self._begin(self.issuer_of(iss), Way.EHR, launch, binding, iss)

    def begin_sign_in(self, issuer_key: str, binding: Binding, *, wants_patient: bool, sought: str | None = None) -> str:
        """The authorize URL of a standalone launch, or of a staff sign-in that wants a user and no chart. `sought` comes back in its context."""
        return self._begin(self.issuer_called(issuer_key), Way.STANDALONE if wants_patient else Way.STAFF, None, binding, sought=sought)

    def complete(self, issuer_key: str, params: Mapping[str, str], cookies: Mapping[str, str]) -> Opened:
        """What the callback at this issuer's redirect URI brought, turned into a launch.

        :param params: the query, each name once. :param cookies: those of this browser; only its binding is read.
        :raises LaunchError: one subclass a way to fail; the pending launch is spent in any case.
        """
        issuer = self.issuer_called(issuer_key)
        pending = self._take(params.get("state"), cookies)
        if pending.issuer_key != issuer.key:
            raise SignInBroken(reason="mix-up: the launch began at another issuer")
        _check_callback_issuer(pending, issuer, params.get("iss"))
        if "error" in params:
            raise refusal(params["error"])
        code = params.get("code")
        if not code or len(code) > MAX_CODE or not code.isprintable():
            raise SignInBroken(reason="callback without a usable code")
        patience = Patience()
        server = self._discovery.server(issuer, patience)
        if server.issuer != pending.authorization_issuer:
            raise SignInBroken(reason="mix-up: the authorization server changed meanwhile")
        client = Client.at(issuer, server.token_endpoint)
        granted = self._tokens.exchange(
            client, code=code, verifier=pending.verifier, redirect_uri=issuer.redirect_uri, patience=patience
        )
        return self._open(issuer, server, pending, granted, self._verified(issuer, server, pending, granted, patience))

    def issuer_of(self, iss: str) -> Issuer:
        """:raises UnknownIssuer: not registered; nothing was fetched."""
        issuer = self._directory.find(iss)
        if issuer is None:
            raise UnknownIssuer(iss, reason="unknown issuer")
        return issuer

    def issuer_called(self, key: str) -> Issuer:
        """:raises UnknownIssuer: no issuer has this key."""
        issuer = self._directory.by_key(key)
        if issuer is None:
            raise UnknownIssuer(key, reason="unknown issuer key")
        return issuer

    def inspect(self, issuer_key: str) -> SmartServer:
        """What this issuer's discovery says, with its tolerated departures: for `priors check`. :raises LaunchError:"""
        return self._discovery.server(self.issuer_called(issuer_key))

    def _begin(
        self, issuer: Issuer, way: Way, launch: str | None, binding: Binding, aud: str | None = None, sought: str | None = None
    ) -> str:
        server = self._discovery.server(issuer)
        pending, url = begin(issuer, server, way, launch=launch, binding=binding, now=self._clock(), aud=aud, sought=sought)
        self._store.put_pending(pending)
        return url

    def _take(self, state: str | None, cookies: Mapping[str, str]) -> PendingLaunch:
        if not state:
            raise MissingParameter("state", reason="callback without state")
        pending = self._store.take_pending(state)
        if pending is None or self._clock() >= pending.created_at + PENDING_FOR:
            raise SignInBroken(reason="state unknown, used or too old")
        cookie = cookies.get(pending.binding_name, "")
        digest = hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
        if not cookie or not hmac.compare_digest(digest, pending.binding):
            raise SignInBroken(reason="state belongs to another browser")
        return pending

    def _verified(
        self, issuer: Issuer, server: SmartServer, pending: PendingLaunch, granted: Granted, patience: Patience
    ) -> Mapping[str, Any]:
        if granted.id_token is None:
            # Without one nobody could say who looked, so nothing may be shown.
            raise EhrMisconfigured("id_token", reason="token answer: id_token")
        return self._id_tokens.verify(
            issuer, server, granted.id_token, nonce=pending.nonce, access_token=granted.access_token, patience=patience
        )

    def _open(
        self, issuer: Issuer, server: SmartServer, pending: PendingLaunch, granted: Granted, claims: Mapping[str, Any]
    ) -> Opened:
        now = self._clock()
        tokens = granted.tokens(now, server.token_endpoint)
        ends = now + self._lifetime
        facts = granted.facts
        asked = scopes_for(issuer, Way.EHR if pending.wants_patient else Way.STAFF, server.scope_style, server.offered)
        context = LaunchContext(
            handle=secrets.token_urlsafe(32),
            issuer_key=issuer.key,
            issuer=issuer.issuer,
            user=_user(claims),
            patient_id=patient_of(facts, issuer) if pending.wants_patient else None,
            encounter_id=_fhir_id(facts.get("encounter")) if pending.wants_patient else None,
            scopes=frozenset(asked) if granted.scopes is None else granted.scopes,
            opened_at=now,
            # Without a refresh token the EHR's grant ends with the access token, and so do we.
            expires_at=ends if granted.refresh_token else min(ends, tokens.expires_at),
            tenant=self._tenant,
            need_patient_banner=facts.get("need_patient_banner") is not False,
            smart_style_url=_style_url(facts.get("smart_style_url")),
            intent=_short(facts.get("intent")),
            fhir_context=_fhir_context(facts.get("fhirContext")),
            app_context=_text(facts.get("appContext"), MAX_APP_CONTEXT),
            sought=pending.sought,
        )
        return Opened(context, tokens, pending.binding_name)


def patient_of(facts: Mapping[str, Any], issuer: Issuer) -> str:
    """:raises NoPatient: the answer names none. :raises EhrMisconfigured: it names something that is no FHIR id."""
    patient = facts.get("patient")
    if patient in (None, "") and issuer.quirks.patient_in_sub:
        patient = facts.get("sub")
    if patient in (None, ""):
        raise NoPatient(reason="token answer: no patient")
    found = _fhir_id(patient)
    if found is None:
        raise EhrMisconfigured("patient", reason="token answer: patient")
    return found


def _check_callback_issuer(pending: PendingLaunch, issuer: Issuer, sent: str | None) -> None:
    """RFC 9207: whose callback this is, when sent or promised. Holds for error answers too."""
    if sent is None:
        if pending.expects_iss:
            raise SignInBroken(reason="mix-up: promised iss missing")
        return
    if sent != (pending.authorization_issuer or issuer.issuer):
        raise SignInBroken(reason="mix-up: callback iss of another server")


def _user(claims: Mapping[str, Any]) -> User:
    name = next((found for field_name in ("name", "displayName", "preferred_username") if (found := _short(claims.get(field_name)))), None)
    fhir_user = _short(claims.get("fhirUser")) or _short(claims.get("profile"))
    return User(claims["iss"], claims["sub"], fhir_user, name, claims)


def _fhir_id(value: Any) -> str | None:
    return value if isinstance(value, str) and FHIR_ID.fullmatch(value) else None


def _short(value: Any) -> str | None:
    return _text(value, 512)


def _text(value: Any, longest: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() else None


def _style_url(value: Any) -> str | None:
    return value if isinstance(value, str) and plain_url(value) and value.startswith(("https://", "http://")) else None


def _fhir_context(value: Any) -> tuple[Mapping[str, Any], ...]:
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, dict))[:MAX_CONTEXT_ITEMS]
