"""What we know after a launch: frozen facts that every later request reads and none may change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

V2_VERBS = re.compile(r"c?r?u?d?s?")
NO_CLAIMS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class User:
    """The person at the EHR, known by (issuer, subject), never by e-mail."""

    issuer: str
    subject: str
    fhir_user: str | None = None
    name: str | None = None
    claims: Mapping[str, Any] = field(default_factory=lambda: NO_CLAIMS, repr=False)
    """Verified id_token claims: roles are read from these on each request."""


@dataclass(frozen=True)
class LaunchContext:
    """One launch: one user, at most one patient, one issuer. Named by `handle` in every URL.

    `handle` (>= 128 bits) is useless without the browser cookie it is bound to.
    """

    handle: str
    issuer_key: str
    issuer: str
    user: User
    patient_id: str | None
    """FHIR id of the patient at the issuer; None for staff who signed in without a chart."""
    encounter_id: str | None
    scopes: frozenset[str]
    """As granted, not as asked."""
    opened_at: datetime
    expires_at: datetime
    tenant: str = "default"
    need_patient_banner: bool = True
    smart_style_url: str | None = None
    intent: str | None = None
    fhir_context: tuple[Mapping[str, Any], ...] = ()
    app_context: str | None = None
    """What a CDS Hooks card or a launch Task gave along (`appContext`): a stranger's text, to be parsed by who uses it."""
    sought: str | None = None
    """What the app was asked for before anybody had signed in; the app's own text, kept by the pending launch."""
    parent: str | None = None
    """Handle of the launch that this one was derived from, for one patient of its list."""
    by_backend: bool = False
    """Whether the chart is read as the app itself (SMART Backend Services), the site having said who may."""

    def allows(self, resource: str) -> bool:
        """Whether the granted scopes let us search or read `resource` (v1 and v2 forms, patient/ or user/)."""
        for scope in self.scopes:
            compartment, slash, rest = scope.partition("/")
            if not slash or compartment not in ("patient", "user"):
                continue
            kind, _, verbs = rest.partition(".")
            verbs = verbs.partition("?")[0]
            readable = verbs in ("read", "*") or (V2_VERBS.fullmatch(verbs) is not None and ("r" in verbs or "s" in verbs))
            if kind in (resource, "*") and readable:
                return True
        return False
