"""One human with two accounts counts once; where it is not known whether two are two, they are one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smart_app.errors import Fault
from smart_app.intake.received import Opinion
from smart_app.intake.second_person import OTHER_EHR, SAME_NAME, SAME_PERSON, Person, may_be_one, objection

A, B = "https://north.example/fhir", "https://lake.example/fhir"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def said(issuer: str = A, subject: str = "grant", name: str = "Olivia Grant", fhir_user: str = "") -> Opinion:
    return Opinion(issuer, subject, name, NOW, "", fhir_user)


@pytest.mark.parametrize(
    ("second", "against", "with_any"),
    [
        (Person(A, "grant", "Olivia Grant"), SAME_PERSON, SAME_PERSON),
        (Person(A, "grant", "Somebody Else"), SAME_PERSON, SAME_PERSON),
        (Person(A, "lind", "Anna Lindqvist"), None, None),
        (Person(A, "grant-2", "Dr. Grant, Olivia"), SAME_NAME, SAME_NAME),
        (Person(A, "grant-3", "O. Grant"), None, None),  # its EHR tells its users apart
        (Person(A, "grant-4", ""), None, None),
        (Person(A, "other", "Anna Lindqvist", "Practitioner/7"), SAME_PERSON, SAME_PERSON),
        (Person(B, "other", "Anna Lindqvist", "Practitioner/7"), OTHER_EHR, None),  # the same number at another EHR is another's
        (Person(B, "lind", "Anna Lindqvist"), OTHER_EHR, None),
        (Person(B, "grant", "Olivia Grant"), OTHER_EHR, SAME_NAME),
        (Person(B, "og", "GRANT OLIVIA, MD"), OTHER_EHR, SAME_NAME),
        (Person(B, "og", "O. Grant"), OTHER_EHR, SAME_NAME),
        (Person(B, "og", "Olívia M. Grant"), OTHER_EHR, SAME_NAME),
        (Person(B, "og", ""), OTHER_EHR, SAME_NAME),
    ],
)
def test_who_is_no_second_person(second: Person, against: Fault | None, with_any: Fault | None) -> None:
    first = said(fhir_user="Practitioner/7")
    assert objection(second, first) is against
    assert objection(second, first, any_ehr=True) is with_any


def test_one_practitioner_of_two_accounts_at_two_ehrs() -> None:
    whole = f"{A}/Practitioner/7"
    assert objection(Person(B, "x", "Somebody Else", whole), said(fhir_user=whole), any_ehr=True) is SAME_PERSON


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Anna Lindqvist", "Olivia Grant", False), ("A. L.", "A. Lindqvist", False), ("Anna Lindqvist", "Anna Grant", False), ("Grant", "Olivia Grant", True), ("李娜", "Li Na", True)],
)
def test_names_that_may_be_one_persons(one: str, other: str, same: bool) -> None:
    assert may_be_one(one, other) is may_be_one(other, one) is same


def test_every_refusal_says_why_and_what_next() -> None:
    for fault in (SAME_PERSON, SAME_NAME, OTHER_EHR):
        assert "Nothing was stored" in fault.title
        assert fault.status == 403
        assert "colleague" in fault.action
