"""The decision: automatic only on the same identifier in the same namespace with agreeing birth date and sex, or one certain grade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smart_app.archives.types import PatientId
from smart_app.identity.likeness import Likeness
from smart_app.identity.match import Decision, Person, birth_dates, day_of, judge, sexes, single_certain
from smart_app.identity.names import from_pn
from smart_app.identity.placeholders import is_address, is_birth_date, is_identifier, is_name, is_newborn, is_telephone

NAME = from_pn("Marchetti^Rosalind^Jane")
CHART = Person(NAME, "1951-08-09", "Female", (PatientId("40771953", "NORTHGATE"),))
SAME = replace(CHART, birth_date="19510809", sex="F")


def test_the_same_identifier_birth_date_and_sex_are_enough() -> None:
    found = judge(CHART, SAME)
    assert (found.decision, found.why, found.same_identifier) == (Decision.AUTOMATIC, "", True)
    assert judge(CHART, replace(SAME, names=())).decision is Decision.AUTOMATIC


@pytest.mark.parametrize(("changes", "why"), [
    ({"birth_date": "1951-09-08"}, "birth-date"), ({"birth_date": "1952-08-09"}, "birth-date"), ({"birth_date": "1974"}, "birth-date"), ({"sex": "M"}, "sex"),
    ({"names": from_pn("Marchetti^Rosaline^Jane")}, "name"), ({"names": from_pn("Penhaligon^Morwenna")}, "name"), ({"active": False}, "deprecated"),
    ({"birth_date": None}, "silent"), ({"birth_date": "1900-01-01"}, "silent"), ({"birth_date": "1951"}, "silent"), ({"birth_date": "rubbish"}, "silent"),
    ({"birth_date": None, "sex": None, "names": ()}, "silent"), ({"sex": None, "names": ()}, "silent"), ({"sex": "O", "names": from_pn("M\ufffdrchetti^R")}, "silent"),
])  # fmt: skip
def test_anything_less_or_against_it_waits_for_a_person(changes: dict[str, Any], why: str) -> None:
    found = judge(CHART, replace(SAME, **changes))
    assert (found.decision, found.why) == (Decision.POSSIBLE, why)


@pytest.mark.parametrize("changes", [{"sex": None}, {"sex": "O"}, {"names": from_pn("Okafor^Rosalind")}, {"names": from_pn("M\ufffdrchetti^R")}, {"names": from_pn("DOE^JANE")}, {"names": from_pn("Marchetti^R")}])
def test_what_is_not_given_or_often_changes_is_no_conflict(changes: dict[str, Any]) -> None:
    assert judge(CHART, replace(SAME, **changes)).decision is Decision.AUTOMATIC


def test_silence_may_be_configured_to_be_fine_but_a_conflict_never_is() -> None:
    silent = replace(SAME, birth_date=None, sex=None, names=())
    assert judge(CHART, silent, silence=True).decision is Decision.AUTOMATIC
    assert judge(CHART, replace(silent, sex="M"), silence=True).decision is Decision.POSSIBLE


def test_a_suffix_that_differs_waits() -> None:
    chart, record = replace(CHART, names=from_pn("Smith^John^^^Jr")), replace(SAME, names=from_pn("Smith^John^^^Sr"))
    assert judge(chart, record).why == "suffix"


@pytest.mark.parametrize("identifier", [PatientId("40771953", "KESTREL"), PatientId("40771953", ""), PatientId("4077195", "NORTHGATE")])
def test_the_same_digits_elsewhere_prove_nothing(identifier: PatientId) -> None:
    found = judge(CHART, replace(SAME, identifiers=(identifier,)))
    assert found.decision is Decision.POSSIBLE


@pytest.mark.parametrize("value", ["000000", "0", "999999", "UNKNOWN", "n/a", "123456789", "000-00-0000", "---", "TEST1"])
def test_placeholder_identifiers_are_never_evidence(value: str) -> None:
    ours = replace(CHART, identifiers=(PatientId(value, "NORTHGATE"),))
    assert judge(ours, replace(SAME, identifiers=ours.identifiers)).decision is Decision.POSSIBLE


ELSEWHERE = replace(SAME, identifiers=(PatientId("K-1", "KESTREL"),))


@pytest.mark.parametrize(("grades", "expected"), [
    (["certain"], Decision.AUTOMATIC), (["certain", "probable"], Decision.AUTOMATIC), (["certain", "certain"], Decision.POSSIBLE), (["probable"], Decision.POSSIBLE),
    (["possible"], Decision.POSSIBLE), (["certainly-not"], Decision.OTHER), (["CERTAIN"], Decision.OTHER), ([""], Decision.OTHER),
])  # fmt: skip
def test_only_a_single_certain_grade_counts(grades: list[str], expected: Decision) -> None:
    assert judge(CHART, ELSEWHERE, grade=grades[0], alone=single_certain(grades)).decision is expected


@pytest.mark.parametrize("changes", [{"birth_date": "1951-09-08"}, {"sex": "M"}, {"active": False}, {"names": from_pn("Marchetti^Rosaline")}, {"identifiers": (PatientId("40771954", "NORTHGATE"),)}])
def test_a_certain_grade_does_not_outvote_a_conflict(changes: dict[str, Any]) -> None:
    assert judge(CHART, replace(ELSEWHERE, **changes), grade="certain", alone=True).decision is Decision.POSSIBLE


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, Decision.POSSIBLE), ({"birth_date": "1951-09-08"}, Decision.POSSIBLE), ({"names": from_pn("Okafor^Rosalind")}, Decision.POSSIBLE), ({"birth_date": "1980-01-02"}, Decision.OTHER),
    ({"names": from_pn("Penhaligon^Morwenna")}, Decision.OTHER), ({"birth_date": None}, Decision.POSSIBLE), ({"birth_date": None, "names": from_pn("Okafor^Rosalind")}, Decision.OTHER),
])  # fmt: skip
def test_demographics_alone_offer_and_never_link(changes: dict[str, Any], expected: Decision) -> None:
    assert judge(CHART, replace(ELSEWHERE, **changes)).decision is expected


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("1951-08-09", "19510809", Likeness.SAME), ("1951-08-09", "1951.08.09", Likeness.SAME), ("1983-07-04", "1983-04-07", Likeness.CLOSE), ("1983-07-04", "1983-07-05", Likeness.CLOSE),
    ("1983-07-12", "1983-07-21", Likeness.CLOSE), ("1983-07-04", "1991-11-23", Likeness.DIFFERENT), ("1983", "1983-07-04", Likeness.COMPATIBLE), ("1983-07", "1983-08-04", Likeness.DIFFERENT),
    ("1983", "1983", Likeness.COMPATIBLE), ("1900-01-01", "1900-01-01", Likeness.PLACEHOLDER), ("1983-07-04", "99991231", Likeness.PLACEHOLDER), ("1983-07-04", None, Likeness.ABSENT),
    ("1983-07-04", "19830000", Likeness.UNREADABLE), ("1983-07-04", "yesterday", Likeness.UNREADABLE),
])  # fmt: skip
def test_birth_dates(one: str, other: str | None, expected: Likeness) -> None:
    assert birth_dates(one, other) is birth_dates(other, one) is expected


@pytest.mark.parametrize(("one", "other", "expected"), [("Female", "F", Likeness.SAME), ("Male", "F", Likeness.DIFFERENT), ("Other", "F", Likeness.COMPATIBLE), ("Unknown", "F", Likeness.ABSENT), (None, "M", Likeness.ABSENT), ("Other", "O", Likeness.SAME)])
def test_sexes(one: str | None, other: str, expected: Likeness) -> None:
    assert sexes(one, other) is expected


def test_placeholder_table() -> None:
    assert [day_of("2020-13-01"), day_of("202"), day_of("2020-02")] == [None, None, "2020-02"]
    assert is_name("doe")
    assert not is_name("doerr")
    assert is_newborn(("baby", "of", "marta"))
    assert is_birth_date("1900-01-01")
    assert not is_birth_date("1951-08-09")
    assert [is_telephone(text) for text in ("000 000", "1234567", "020 7946 0018")] == [True, True, False]
    assert [is_address(text) for text in ("UNKNOWN", "No fixed abode", "12 Millrace Lane")] == [True, True, False]
    assert [is_identifier(text) for text in ("77", "K-9", "40771953", "A")] == [False, False, False, False]
