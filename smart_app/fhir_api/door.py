"""Lets registered programs in: a token for a good assertion, and the caller for a live token. Every refusal is on the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from smart_app.audit.events import Event, Who
from smart_app.audit.fhir_events import ApiTokenGiven, ApiTokenRefused
from smart_app.audit.log import AuditLog
from smart_app.config_partners import ApiClient
from smart_app.fhir_api.assertions import Assertions, RefusedAssertion
from smart_app.fhir_api.scopes import granted
from smart_app.fhir_api.tokens import LIFETIME, ApiTokens, Caller

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRefused(Exception):
    """`code` is an OAuth error code (RFC 6749 section 5.2)."""

    def __init__(self, code: str, reason: str, client: ApiClient | None = None) -> None:
        super().__init__(code)
        self.code, self.reason, self.client = code, reason, client


@dataclass(frozen=True)
class Asked:
    """The form of a token request. `repeated`: a field came twice, which two readers could read differently."""

    grant_type: str = ""
    scope: str = ""
    client_id: str = ""
    assertion_type: str = ""
    assertion: str = ""
    repeated: bool = False


class Door:
    """One a process."""

    def __init__(self, assertions: Assertions, tokens: ApiTokens, audit: AuditLog) -> None:
        self._assertions, self._tokens, self._audit = assertions, tokens, audit

    def token(self, asked: Asked, who: Who) -> Mapping[str, str | int]:
        """A token answer (RFC 6749 section 5.1). :raises TokenRefused: recorded."""
        try:
            client, scopes = self._judge(asked)
        except TokenRefused as refused:
            self._audit.record(ApiTokenRefused(who=known_as(who, refused.client), reason=f"{refused.code}: {refused.reason}"))
            raise
        self._audit.record(ApiTokenGiven(who=known_as(who, client), scopes=" ".join(scopes)))
        token = self._tokens.issue(client, scopes)
        return {"access_token": token, "token_type": "bearer", "expires_in": int(LIFETIME.total_seconds()), "scope": " ".join(scopes)}

    def caller(self, authorization: str) -> Caller | None:
        """Who holds this bearer token; None: nobody that we know."""
        scheme, _, token = authorization.partition(" ")
        return self._tokens.caller(token.strip()) if scheme.lower() == "bearer" and token.strip() else None

    def record(self, event: Event) -> None:
        """:raises AuditUnavailable: then nothing may be shown."""
        self._audit.record(event)

    def record_all(self, events: list[Event]) -> None:
        self._audit.record_all(events)

    def _judge(self, asked: Asked) -> tuple[ApiClient, tuple[str, ...]]:
        if asked.repeated:
            raise TokenRefused("invalid_request", "repeated")
        if asked.grant_type != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "grant")
        if asked.assertion_type != ASSERTION_TYPE:
            raise TokenRefused("invalid_client", "assertion-type")
        try:
            client = self._assertions.client(asked.assertion)
        except RefusedAssertion as refused:
            raise TokenRefused("invalid_client", refused.reason, refused.client) from None
        if asked.client_id not in ("", client.client_id):
            raise TokenRefused("invalid_client", "client-id", client)
        scopes = granted(asked.scope, client.scopes)
        if not scopes:
            raise TokenRefused("invalid_scope", "scope", client)
        return client, scopes


def known_as(who: Who, client: ApiClient | None, issuer: str = "") -> Who:
    """The same request, made by this client. `issuer`: EHR of the patient that a record is about."""
    if client is None:
        return who
    return replace(who, subject=client.client_id, name=client.name, issuer=issuer or who.issuer)
