"""Switches of one demo EHR: how strict, how modern, how short-lived. Frozen for its lifetime; faults change at run time."""

from __future__ import annotations

from dataclasses import dataclass

RESOURCES = (
    "Patient",
    "ImagingStudy",
    "Endpoint",
    "DiagnosticReport",
    "ServiceRequest",
    "DocumentReference",
    "Procedure",
    "Encounter",
    "Appointment",
    "Condition",
    "AllergyIntolerance",
    "CareTeam",
    "Practitioner",
    "Organization",
)

WRITABLE = ("ServiceRequest", "Task", "Communication")


@dataclass(frozen=True)
class EhrOptions:
    """`scope_style` v2 takes both forms, v1 only the old one; times in seconds."""

    name: str = "Northgate University"
    key: str = "northgate"
    """How the app's configuration names this EHR: in its sign-in links."""
    scope_style: str = "v2"
    id_token_alg: str = "RS256"
    token_seconds: int = 600
    launch_seconds: int = 300
    code_seconds: int = 60
    advertise_iss: bool = True
    send_iss: bool = True
    need_patient_banner: bool = True
    intent: str | None = None
    style: bool = True
    page_size: int = 20
    takes_writes: bool = False
    """Apps with a scope for it may write ServiceRequest, Task and Communication. Most EHRs do not let them."""
