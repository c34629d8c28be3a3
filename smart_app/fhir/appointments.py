"""One Appointment as a request that hangs on it needs it: when it begins, and whether it was called off. FHIR R4 Appointment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smart_app.fhir.client import FhirClient
from smart_app.fhir.wire import instant_of, items, text

CALLED_OFF = frozenset({"cancelled", "noshow", "entered-in-error"})


@dataclass(frozen=True)
class AppointmentTime:
    """`starts_at` None: the EHR does not say at what time, or without a time zone."""

    starts_at: datetime | None
    is_off: bool


def read_appointment(client: FhirClient, id: str, patient: str) -> AppointmentTime | None:
    """None: it is not this patient's.

    :raises OutboundError: as `FhirClient.read`. :raises LaunchError: no token.
    """
    resource = client.read("Appointment", id)
    return time_of(resource) if patient in _patients(resource) else None


def time_of(resource: Mapping[str, Any]) -> AppointmentTime:
    return AppointmentTime(instant_of(resource.get("start")), text(resource.get("status")) in CALLED_OFF)


def _patients(resource: Mapping[str, Any]) -> frozenset[str]:
    actors = [text(actor.get("reference")) or "" for part in items(resource.get("participant")) for actor in items(part.get("actor"))]
    return frozenset(one.rpartition("Patient/")[2] for one in actors if "Patient/" in one)
