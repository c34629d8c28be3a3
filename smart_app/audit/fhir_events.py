"""What the audit says of programs: who was let in at the FHIR API, what they read, and what of a request was written elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event, Outcome


@dataclass(frozen=True, kw_only=True)
class ApiTokenGiven(Event):
    scopes: str
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class ApiTokenRefused(Event):
    """`reason` is a fixed word; the assertion itself is kept nowhere."""

    reason: str
    outcome: Outcome = Outcome.MINOR
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class ApiRead(Event):
    """One patient's resources went to a registered program. `request`: of a single one, its number."""

    what: str
    """FHIR resource type."""
    how: str
    """`read` or `search`."""
    request: str = ""
    count: int = 1
    code = "110106"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class RequestWritten(Event):
    """A request for images was written to another FHIR server: the EHR, or a partner that is asked."""

    request: str
    place: str
    what: str
    code = "110106"
    verb = "R"
