"""Who the patient is elsewhere: certain only on every count; each missing or differing one makes it a person's decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smart_app.archives.types import PatientId
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.identity.discovery import candidate, doubt

MRN = Identifier("urn:mrn", "4077")
HERE = PatientFacts("p", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female", (MRN,))


def test_the_same_on_every_count_is_certain() -> None:
    assert doubt(HERE, HERE, [MRN]) == ""


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        ({"birth_date": None}, {}, "birth-date-not-given"), ({}, {"birth_date": None}, "birth-date-not-given"), ({}, {"birth_date": "1951"}, "birth-date-differs"),
        ({"sex": "Unknown"}, {"sex": "Unknown"}, "sex-not-given"), ({}, {"sex": "Male"}, "sex-differs"), ({"replaced_by": "q"}, {}, "replaced-record"),
        ({}, {"active": False}, "replaced-record"), ({}, {"identifiers": (MRN, Identifier("urn:mrn", "1"))}, "another-number"),
        ({"birth_date": "1900-01-01"}, {"birth_date": "1900-01-01"}, "birth-date-not-given"),
    ],
)  # fmt: skip
def test_anything_less_is_doubt(here: dict[str, object], there: dict[str, object], why: str) -> None:
    assert doubt(replace(HERE, **here), replace(HERE, **there), [MRN]) == why  # type: ignore[arg-type]


def test_a_retired_number_beside_it_is_no_conflict_and_no_company_is_certain() -> None:
    assert doubt(HERE, replace(HERE, identifiers=(MRN, Identifier("urn:mrn", "1", use="old"))), [MRN]) == ""
    assert doubt(HERE, HERE, []) == "no-shared-identifier"
    assert doubt(HERE, HERE, [MRN], alone=False) == "several-records"


def test_a_candidate_is_shown_as_the_server_gives_it() -> None:
    raw = {"address": [{"line": ["1 High St", 7], "city": "Larkmoor"}], "telecom": [{"system": "email", "value": "x"}, {"system": "phone", "value": "555"}]}
    found = candidate(raw, HERE, PatientId("LM-1", "LARK"), "sex-differs")
    assert (found.name, found.birth_date, found.address, found.telephone, found.why) == ("MARCHETTI, Rosalind", "1951-08-09", "1 High St, 7, Larkmoor", "555", "sex-differs")
    assert candidate({"address": "x", "telecom": None}, HERE, PatientId("a", "b"), "").address is None
