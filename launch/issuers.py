"""Which EHRs may launch us: frozen facts of each registered issuer, looked up by exact equality.

Owns the answer to "do we know this `iss`?". Fetches nothing. SMART App Launch 2.2, "Launch App: EHR Launch".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class ClientAuth(StrEnum):
    """How this client proves itself at the token endpoint (SMART 2.2, "Client Authentication")."""

    PUBLIC = "public"
    BASIC = "client_secret_basic"
    PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True)
class SigningKey:
    """A private key of ours for client assertions; its public half is served by the JWKS route."""

    kid: str
    alg: str
    """RS384 or ES384, the two that SMART names."""
    pem: str = field(repr=False)


@dataclass(frozen=True)
class BackendClient:
    """A SMART Backend Services registration: `system/` scopes, work without a person."""

    client_id: str
    scopes: tuple[str, ...]
    signing_key: SigningKey


@dataclass(frozen=True)
class IssuerQuirks:
    """How one EHR departs from the specification, as data."""

    scope_style: str = "auto"
    """auto (from its capabilities), v1 or v2."""
    patient_in_sub: bool = False
    id_token_algs: tuple[str, ...] = ("RS256", "RS384", "ES256", "ES384")
    smart_configuration_url: str | None = None


@dataclass(frozen=True)
class Issuer:
    """One EHR that may launch us. `issuer` is its FHIR base URL without a trailing slash."""

    key: str
    name: str
    issuer: str
    client_id: str
    auth: ClientAuth
    redirect_uri: str
    """One per issuer: mix-up defence."""
    frame_ancestors: tuple[str, ...]
    scopes: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    signing_key: SigningKey | None = None
    backend: BackendClient | None = None
    quirks: IssuerQuirks = IssuerQuirks()
    staff_scopes: tuple[str, ...] = ()
    """Asked for beside the others by people who sign in without a chart, and by nobody else."""


class IssuerDirectory:
    """All registered issuers. Lookups never normalise beyond one trailing slash."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        self._by_issuer = {issuer.issuer: issuer for issuer in issuers}
        self._by_key = {issuer.key: issuer for issuer in self._by_issuer.values()}

    def find(self, iss: str) -> Issuer | None:
        """The issuer whose FHIR base is exactly `iss` (one trailing slash forgiven)."""
        return self._by_issuer.get(iss) or self._by_issuer.get(iss.removesuffix("/"))

    def by_key(self, key: str) -> Issuer | None:
        return self._by_key.get(key)

    def __iter__(self) -> Iterator[Issuer]:
        return iter(self._by_issuer.values())
