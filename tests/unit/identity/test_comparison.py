"""Field by field, the worst first, in words; letters that differ are marked, endings of numbers only are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smart_app.archives.types import Candidate, PatientId
from smart_app.fhir.patient import HumanName, Identifier, PatientFacts
from smart_app.identity.comparison import Row, Verdict, compare_records

FACTS = PatientFacts(
    "p1", "FERNANDES, Maria Isabel", "Fernandes", "Maria Isabel", "1983-07-04", "Female", (Identifier("urn:n", "40118027"),), mrn="40118027",
    names=(HumanName("Fernandes", "Maria Isabel"),), address="12 Millrace Lane, Oxley", telephone="020 7946 4419",
)  # fmt: skip
THEIRS = Candidate(PatientId("118027", "HARROW"), "FERNANDES^Maria Isabella", "19830407", "F", telephone="000 000", study_count=2)


def rows(candidate: Candidate = THEIRS, facts: PatientFacts = FACTS, own: tuple[PatientId, ...] = (), others: int = 0) -> dict[str, Row]:
    return {row.field: row for row in compare_records(facts, candidate, own, others=others).rows}


def shown(row: Row) -> tuple[str, str]:
    return tuple("".join(f"[{piece.text}]" if piece.marked else piece.text for piece in side) for side in (row.ours, row.theirs))  # type: ignore[return-value]


def test_the_namesake_of_the_design() -> None:
    found = compare_records(FACTS, THEIRS, (), others=1)
    assert [row.field for row in found.rows] == ["Birth date", "Given name", "Family name", "Sex", "Identifier", "Address", "Phone", "Namesakes"]
    assert (found.headline, found.needs_second) == ("2 fields differ, 1 of them decisive", True)
    told = {row.field: row for row in found.rows}
    assert (told["Birth date"].note, shown(told["Birth date"])) == ("Decisive. Day and month swapped?", ("[04] [Jul] 1983", "[07] [Apr] 1983"))
    assert (told["Given name"].note, shown(told["Given name"])) == ("Close spelling", ("Maria Isabel", "Maria Isabel[la]"))
    assert (told["Identifier"].verdict, told["Identifier"].note) == (Verdict.CANNOT, "Other issuer; like digits prove nothing")
    assert (told["Address"].verdict, told["Phone"].verdict, shown(told["Phone"])) == (Verdict.NOT_GIVEN, Verdict.PLACEHOLDER, ("ends in 4419", "ends in 0000"))
    assert (told["Family name"].verdict, told["Namesakes"].verdict) == (Verdict.SAME, Verdict.CARE)


@pytest.mark.parametrize(("change", "field", "verdict", "note"), [
    ({"birth_date": "19830705"}, "Birth date", Verdict.DIFFERENT, "Decisive. One digit differs"), ({"birth_date": "1991-11-23"}, "Birth date", Verdict.DIFFERENT, "Decisive"),
    ({"birth_date": "1983"}, "Birth date", Verdict.CANNOT, "Not given to the day"), ({"birth_date": None}, "Birth date", Verdict.NOT_GIVEN, ""),
    ({"birth_date": "19000101"}, "Birth date", Verdict.PLACEHOLDER, "Never counted as evidence"), ({"birth_date": "x"}, "Birth date", Verdict.CANNOT, "Other writing, or damaged characters"),
    ({"birth_date": "19830704"}, "Birth date", Verdict.SAME, ""), ({"sex": "M"}, "Sex", Verdict.DIFFERENT, "Decisive"), ({"sex": "O"}, "Sex", Verdict.CANNOT, "Neither for nor against"),
    ({"name": "Maria Isabel^Fernandes"}, "Family name", Verdict.SAME, "The other way round"), ({"name": "F\ufffdrnandes^Maria"}, "Family name", Verdict.CANNOT, "Other writing, or damaged characters"),
    ({"name": "UNKNOWN^UNKNOWN"}, "Given name", Verdict.PLACEHOLDER, "Never counted as evidence"), ({"name": "Fernandes^M"}, "Given name", Verdict.CANNOT, "Neither for nor against"),
    ({"name": None}, "Given name", Verdict.NOT_GIVEN, ""), ({"address": "12, millrace lane OXLEY"}, "Address", Verdict.SAME, ""), ({"address": "9 High Street"}, "Address", Verdict.DIFFERENT, "People move"),
    ({"address": "UNKNOWN"}, "Address", Verdict.PLACEHOLDER, "Never counted as evidence"), ({"telephone": "+44 20 7946 4419"}, "Phone", Verdict.SAME, ""),
    ({"telephone": "020 7946 4420"}, "Phone", Verdict.DIFFERENT, ""), ({"patient_id": PatientId("000000", "HARROW")}, "Identifier", Verdict.PLACEHOLDER, "Never counted as evidence"),
])  # fmt: skip
def test_each_verdict(change: dict[str, object], field: str, verdict: Verdict, note: str) -> None:
    row = rows(replace(THEIRS, **change))[field]  # type: ignore[arg-type]
    assert (row.verdict, row.note) == (verdict, note)


def test_identifiers_of_one_namespace_are_compared() -> None:
    own = (PatientId("118026", "HARROW"),)
    assert rows(own=(PatientId("118027", "HARROW"),))["Identifier"].verdict is Verdict.SAME
    row = rows(own=own)["Identifier"]
    assert (row.verdict, shown(row)) == (Verdict.DIFFERENT, ("11802[6]", "11802[7]"))


def test_juniors() -> None:
    found = rows(replace(THEIRS, name="Fernandes^Maria Isabel^^^Sr"), replace(FACTS, names=(HumanName("Fernandes", "Maria Isabel", "Jr"),)))
    assert (found["Jr, Sr"].verdict, found["Jr, Sr"].decisive) == (Verdict.DIFFERENT, True)


def test_nothing_differs() -> None:
    found = compare_records(FACTS, replace(THEIRS, name="Fernandes^Maria Isabel", birth_date="19830704", telephone=None), ())
    assert (found.headline, found.needs_second) == ("No field differs", False)


def test_other_groups_are_printed_beside() -> None:
    row = rows(replace(THEIRS, name="Nakamura^Ken=中村^健"))["Family name"]
    assert shown(row)[1].replace("[", "").replace("]", "") == "Nakamura / 中村"
