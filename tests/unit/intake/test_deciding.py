"""Whose a received study is: by the list's own rules, the worst of all that its objects say, and never softer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smart_app.archives.types import PatientId, Said
from smart_app.image_requests.types import Wanted
from smart_app.intake.deciding import UNLINKED, compare, decide
from smart_app.intake.received import Named, Standing, Summary
from tests.unit.intake.hospital import NAMESPACES, PATIENT

HERS = Said("OKONJO^GRACE^A", "19661030", "F")
OURS, THEIRS = PatientId("LK-77", "LAKESIDE"), PatientId("LK 5520713", "")
ASKED = Wanted("CT pelvis", accession="LK-26-3391")


def summary(*persons: Named, accession: str = "", study: str = "1.2.3") -> Summary:
    return Summary(study, "CT", "2026-03-04", "", ("CT",), accession, "Lakeside", "", 3, (), persons)


@pytest.mark.parametrize(
    ("said", "number", "accession", "standing"),
    [
        (HERS, OURS, "", Standing.CERTAIN),
        (HERS, THEIRS, "", Standing.BELOW),
        (HERS, THEIRS, "LK-26-3391", Standing.CERTAIN),
        (HERS, THEIRS, "LK-26-3392", Standing.BELOW),
        (replace(HERS, sex=None), THEIRS, "LK-26-3391", Standing.BELOW),
        (HERS, None, "", Standing.BELOW),
        (HERS, PatientId("LK-77", ""), "", Standing.BELOW),
        (HERS, PatientId("LK-77", "ELSEWHERE"), "", Standing.BELOW),
        (HERS, PatientId("LK-78", "LAKESIDE"), "", Standing.BELOW),
        (replace(HERS, birth_date="19661031"), OURS, "", Standing.BIRTH_DATE),
        (replace(HERS, birth_date="19401031"), OURS, "LK-26-3391", Standing.BIRTH_DATE),
        (replace(HERS, birth_date="19401031"), THEIRS, "LK-26-3391", Standing.OTHER),
        (replace(HERS, sex="M"), OURS, "", Standing.BELOW),
        (Said("OKONJO^JOHN", "19661030", "M"), OURS, "", Standing.BELOW),
        (Said("SMITH^JOHN", "19500101", "M"), PatientId("LK-9", "LAKESIDE"), "", Standing.OTHER),
        (Said("SMITH^JOHN", "19500101", "M"), None, "LK-26-3391", Standing.OTHER),
        (Said(None, None, None), None, "", Standing.BELOW),
        (Said("UNKNOWN^UNKNOWN", "19000101", None), PatientId("000", ""), "", Standing.BELOW),
    ],
)  # fmt: skip
def test_one_person(said: Said, number: PatientId | None, accession: str, standing: Standing) -> None:
    assert decide(PATIENT, ASKED, summary(Named(said, number), accession=accession), NAMESPACES).standing is standing


@pytest.mark.parametrize(
    ("said", "study", "standing"),
    [
        (HERS, "1.2.3", Standing.CERTAIN),
        (HERS, "1.2.4", Standing.BELOW),
        (replace(HERS, sex=None), "1.2.3", Standing.BELOW),
        (replace(HERS, name="OKONJO^G"), "1.2.3", Standing.CERTAIN),
        (replace(HERS, name="OKONJO^GLORIA"), "1.2.3", Standing.OTHER),
        (replace(HERS, birth_date="19661031"), "1.2.3", Standing.BIRTH_DATE),
    ],
)
def test_the_very_study_that_was_asked_for_is_certain_for_one_who_looks(said: Said, study: str, standing: Standing) -> None:
    found = decide(PATIENT, replace(ASKED, study_uid="1.2.3"), summary(Named(said, THEIRS), study=study), NAMESPACES)
    assert found.standing is standing


@pytest.mark.parametrize(
    ("name", "asked", "came", "standing"),
    [
        ("OKONJO^GRACE", "LK-26-3391", "LK-26-3391", Standing.CERTAIN),
        ("OKONJO^G", "LK-26-3391", "LK-26-3391", Standing.BELOW),
        ("OKONJO", "LK-26-3391", "LK-26-3391", Standing.BELOW),
        ("OKONJO^GRACE", "", "", Standing.BELOW),
        ("OKONJO^GRACE", "1", "1", Standing.BELOW),
        ("OKONJO^GRACE", "0000000", "0000000", Standing.BELOW),
        ("OKONJO^GRACE", "123456", "123456", Standing.BELOW),
        ("OKONJO^GRACE", "UNKNOWN", "UNKNOWN", Standing.BELOW),
    ],
)
def test_an_accession_counts_beside_a_name_in_full_and_where_a_stranger_has_another(name: str, asked: str, came: str, standing: Standing) -> None:
    """Twins have one name but for an initial, and every hospital has a study number 1."""
    named = Named(replace(HERS, name=name), THEIRS)
    assert decide(PATIENT, replace(ASKED, accession=asked), summary(named, accession=came), NAMESPACES).standing is standing


def test_only_an_identifier_is_certain_enough_for_nobody_to_look() -> None:
    assert decide(PATIENT, ASKED, summary(Named(HERS, OURS)), NAMESPACES).alone
    assert not decide(PATIENT, replace(ASKED, study_uid="1.2.3"), summary(Named(HERS, THEIRS)), NAMESPACES).alone


def test_a_study_that_names_two_people_is_as_bad_as_the_worse() -> None:
    other = Named(Said("SMITH^JOHN", "19500101", "M"), PatientId("LK-9", "LAKESIDE"))
    assert decide(PATIENT, ASKED, summary(Named(HERS, OURS), other), NAMESPACES).standing is Standing.OTHER
    mixed = decide(PATIENT, ASKED, summary(Named(HERS, OURS), Named(replace(HERS, name="OKONJO^GRACE"), OURS)), NAMESPACES)
    assert (mixed.standing, mixed.why) == (Standing.BELOW, "mixed")


def test_without_a_patient_it_is_linked_to_nobody() -> None:
    assert decide(None, None, summary(Named(HERS, OURS)), NAMESPACES) == UNLINKED


def test_the_comparison_is_the_lists_own() -> None:
    rows = {row.field: row.verdict.value for row in compare(PATIENT, Named(replace(HERS, birth_date="19661031"), OURS), NAMESPACES).rows}
    assert (rows["Birth date"], rows["Identifier"], rows["Sex"]) == ("Different", "Same", "Same")
