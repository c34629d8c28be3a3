"""A launch and its tokens as plain values, as they stand sealed in their rows. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from launch.context import LaunchContext, User
from launch.session import TokenSet

_CONTEXT_FIELDS = (
    "handle", "issuer_key", "issuer", "patient_id", "encounter_id", "tenant", "need_patient_banner", "smart_style_url", "intent", "parent", "by_backend",
    "app_context", "sought",
)  # fmt: skip
_USER_FIELDS = ("issuer", "subject", "fhir_user", "name")


def plain_context(context: LaunchContext) -> dict[str, Any]:
    return {
        **{name: getattr(context, name) for name in _CONTEXT_FIELDS},
        "user": {**{name: getattr(context.user, name) for name in _USER_FIELDS}, "claims": dict(context.user.claims)},
        "scopes": sorted(context.scopes),
        "opened_at": context.opened_at.isoformat(),
        "expires_at": context.expires_at.isoformat(),
        "fhir_context": [dict(item) for item in context.fhir_context],
    }


def context_from(facts: dict[str, Any]) -> LaunchContext:
    return LaunchContext(
        **{name: facts[name] for name in _CONTEXT_FIELDS if name in facts},  # a row of an earlier version has fewer
        user=User(**facts["user"]),
        scopes=frozenset(facts["scopes"]),
        opened_at=datetime.fromisoformat(facts["opened_at"]),
        expires_at=datetime.fromisoformat(facts["expires_at"]),
        fhir_context=tuple(facts["fhir_context"]),
    )


def plain_tokens(tokens: TokenSet) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_endpoint": tokens.token_endpoint,
        "expires_at": tokens.expires_at.isoformat(),
        "renew_at": tokens.renew_at.isoformat() if tokens.renew_at else None,
    }


def tokens_from(facts: dict[str, Any]) -> TokenSet:
    renew_at = facts.pop("renew_at")
    ends = datetime.fromisoformat(facts.pop("expires_at"))
    return TokenSet(**facts, expires_at=ends, renew_at=datetime.fromisoformat(renew_at) if renew_at else None)
