"""Patient: the banner's facts, and the MRN by rules alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smart_app.config import MrnRule
from smart_app.fhir.patient import PatientFacts, patient_from

BASE = "https://ehr.org/fhir"


def read(rules: tuple[MrnRule, ...] = (MrnRule(type_code="MR"),), **fields: Any) -> PatientFacts:
    return patient_from({"resourceType": "Patient", "id": "p1", **fields}, rules, base=BASE, today=date(2026, 5, 21))


def test_the_usual_patient() -> None:
    facts = read(
        name=[{"use": "old", "family": "Rossi"}, {"use": "official", "family": "Marchetti", "given": ["Rosalind", "Jane"]}],
        birthDate="1951-08-09", gender="female", identifier=[{"system": "urn:n", "value": "40771953", "type": {"coding": [{"code": "MR"}]}}],
    )  # fmt: skip
    assert (facts.name, facts.birth_date, facts.sex, facts.mrn, facts.active, facts.replaced_by) == (
        "MARCHETTI, Rosalind Jane", "1951-08-09", "Female", "40771953", True, None)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, "Name not given"), ([], "Name not given"), ({"family": "Li"}, "LI"), ([{"given": "Ann"}], "Ann"), ([{"text": "Ann Li"}], "Ann Li"),
        ([{"family": 7}], "7"), (["x", {"family": "Li"}], "LI"), ([{"family": "Li\u0000\n"}], "LI"), ([{"use": ["x"], "family": "Li"}], "LI"),
    ],
)  # fmt: skip
def test_name_shapes(name: Any, shown: str) -> None:
    assert read(name=name).name == shown


@pytest.mark.parametrize(("value", "kept"), [("1951", "1951"), ("1951-13", None), ("x", None), (None, None), ("1951-08-09T00:00", None)])
def test_birth_dates_are_kept_as_given(value: Any, kept: str | None) -> None:
    assert read(birthDate=value).birth_date == kept


@pytest.mark.parametrize(
    ("rules", "mrn"),
    [
        ((MrnRule(type_code="MR"),), "2"), ((MrnRule(system="urn:b"), MrnRule(type_code="MR")), "3"), ((MrnRule(type_text="EPI"),), "4"),
        ((MrnRule(system="urn:x"),), None), ((MrnRule(),), None), ((), None), ((MrnRule(system="urn:a", type_code="MR"),), "2"),
    ],
)  # fmt: skip
def test_the_mrn_is_chosen_by_rules_never_the_first(rules: tuple[MrnRule, ...], mrn: str | None) -> None:
    identifiers = [
        {"system": "urn:ssn", "value": "1"}, {"system": "urn:a", "value": "2", "type": {"coding": [{"code": "MR"}]}},
        {"system": "urn:b", "value": "3"}, {"value": "4", "type": {"text": "EPI"}}, {"system": "urn:none"}, "odd",
    ]  # fmt: skip
    assert read(rules, identifier=identifiers).mrn == mrn


def test_a_retired_mrn_is_the_last_choice() -> None:
    old = {"system": "urn:a", "value": "1", "use": "old", "type": {"coding": [{"code": "MR"}]}}
    now = {"system": "urn:a", "value": "2", "type": {"coding": [{"code": "MR"}]}}
    assert read(identifier=[old, now]).mrn == "2"
    assert read(identifier=[old]).mrn == "1"


@pytest.mark.parametrize(("end", "retired"), [("2026-05-20", True), ("2026-05-21", False), ("2030-01-01T00:00:00Z", False), ("soon", False), ("2020-01-01T00:00:00Z", True)])
def test_an_identifier_whose_period_ended_is_retired(end: str, retired: bool) -> None:
    (identifier,) = read(identifier=[{"system": "s", "value": "1", "period": {"end": end}}]).identifiers
    assert identifier.is_retired is retired


def test_a_merged_record_says_which_replaces_it() -> None:
    facts = read(active=False, link=[{"type": "seealso", "other": {"reference": "Patient/p0"}}, {"type": "replaced-by", "other": {"reference": f"{BASE}/Patient/p2"}}])
    assert (facts.active, facts.replaced_by) == (False, "p2")


def test_only_a_record_in_its_own_right_has_retired_ones() -> None:
    def linked(*links: tuple[str, str]) -> PatientFacts:
        resource = {"resourceType": "Patient", "id": "p1", "link": [{"type": kind, "other": {"reference": other}} for kind, other in links]}
        return patient_from(resource, (), base="http://ehr.example/fhir", today=date(2026, 5, 21))

    assert linked(("replaces", "Patient/p0"), ("seealso", "Patient/p7"), ("refer", "Patient/p8"), ("replaces", "http://elsewhere.example/fhir/Patient/p9")).retired == ("p0",)
    assert linked(("replaces", "Patient/p0"), ("replaced-by", "Patient/p2")).retired == (), "a chart that was merged away itself"
    assert linked(("replaces", "RelatedPerson/p0")).retired == ()
