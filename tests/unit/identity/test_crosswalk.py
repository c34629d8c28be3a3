"""The same number at two hospitals is two people: only mapped systems cross."""

from __future__ import annotations

import pytest

from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.types import PatientId
from smart_app.config_archives import Archive
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.identity.crosswalk import Crossed, crossed


def archive(*systems: str) -> ConfiguredArchive:
    made = Archive(key="kestrel", name="Kestrel", dicomweb="https://k.org/rs", patient_id_issuer="KESTREL", identifier_systems=systems or ("urn:k",))
    return next(iter(Archives([made], read_secret=lambda ref: "")))


def facts(*identifiers: Identifier) -> PatientFacts:
    return PatientFacts("p1", "LI", "Li", "", None, None, identifiers)


def test_only_a_mapped_system_is_asked_with() -> None:
    found = crossed(facts(Identifier("urn:n", "100"), Identifier(None, "100"), Identifier("urn:K", "1"), Identifier("urn:k/", "2"), Identifier("urn:k", "7")), archive())
    assert found == Crossed((PatientId("7", "KESTREL"),))
    assert found.whole


def test_the_same_number_of_another_hospital_is_not_this_ones() -> None:
    assert crossed(facts(Identifier("urn:northgate", "40771953")), archive()).ids == ()


def test_every_current_identifier_is_asked_with_once() -> None:
    found = crossed(facts(Identifier("urn:k", "1"), Identifier("urn:k2", "2", use="temp"), Identifier("urn:k", "1", use="secondary")), archive("urn:k", "urn:k2"))
    assert found.ids == (PatientId("1", "KESTREL"), PatientId("2", "KESTREL"))
    assert found.whole


def test_a_retired_identifier_is_not_asked_with_and_is_told() -> None:
    found = crossed(facts(Identifier("urn:k", "1", use="old"), Identifier("urn:k", "2")), archive())
    assert found.ids == (PatientId("2", "KESTREL"),)
    assert not found.whole
    assert "retired" in found.notes[0]
    assert crossed(facts(Identifier("urn:k", "2", use="old"), Identifier("urn:k", "2")), archive()).whole


@pytest.mark.parametrize("value", ["*", "1?", "a\\b", "x" * 65])
def test_a_wildcard_identifier_is_not_asked_with(value: str) -> None:
    found = crossed(facts(Identifier("urn:k", value)), archive())
    assert (found.ids, found.unusable) == ((), 1)


def test_identifiers_are_bounded_and_the_rest_is_told() -> None:
    found = crossed(facts(*(Identifier("urn:k", str(number)) for number in range(9))), archive())
    assert (len(found.ids), found.unusable, found.whole) == (4, 5, False)
