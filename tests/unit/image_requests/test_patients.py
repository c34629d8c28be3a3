"""A patient is written down in one way, wherever it comes from: else two writings of one chart would differ."""

from __future__ import annotations

from smart_app.archives.types import PatientId
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.image_requests.patients import as_patient


def test_numbers_without_a_system_or_no_longer_used_are_left_out() -> None:
    ids = (Identifier("urn:a", "1"), Identifier(None, "2"), Identifier("urn:a", "3", use="old"))
    found = as_patient(PatientFacts("p1", "BELL, Ada", "Bell", "Ada", "1966-10-30", "Female", ids, mrn="1"), "northgate")
    assert found.identifiers == (PatientId("1", "urn:a"),)
    assert (found.issuer, found.id, found.name, found.family, found.given, found.birth_date, found.sex, found.mrn) == (
        "northgate", "p1", "BELL, Ada", "Bell", "Ada", "1966-10-30", "Female", "1",
    )  # fmt: skip
