"""Whom a request is about, taken from a chart: one way of writing a patient down, so that two of them can be compared. Pure."""

from __future__ import annotations

from smart_app.archives.types import PatientId
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests.types import Patient


def as_patient(facts: PatientFacts, issuer: str) -> Patient:
    """Whom a request is about, as the EHR tells it now. Numbers that are no longer used are left out."""
    numbers = tuple(PatientId(one.value, one.system) for one in facts.identifiers if one.system and not one.is_retired)
    return Patient(issuer, facts.id, facts.name, facts.family, facts.given, facts.birth_date, facts.sex, facts.mrn, numbers)
