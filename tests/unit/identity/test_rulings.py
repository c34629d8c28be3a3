"""An archive's rows sorted by birth date, sex, name and people's decisions: listed, waiting, or nobody's here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import Answer, Candidate, PatientId, Said, SourceState, StudyRecord
from smart_app.fhir.patient import HumanName, PatientFacts
from smart_app.identity.match import Decision, judge
from smart_app.identity.people import as_pn, contradicts, in_use, of_chart, of_row, standing
from smart_app.identity.rulings import RecordKey, Ruling, Sorter, State, key_of, years_of

FACTS = PatientFacts("p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female")
OWN, OTHER = PatientId("K-9", "K"), PatientId("K-7", "K")
GOOD, SILENT, SWAPPED = Said("MARCHETTI^ROSALIND", "19510809", "F"), Said(), Said("MARCHETTI^ROSALIND", "19510908", "F")


def study(number: int, *said: Said, patient: PatientId = OWN, **fields: Any) -> StudyRecord:
    return StudyRecord(f"2.25.{number}", "k", "K", "k", patient, date=f"20{number:02}-01-01", said=said, **fields)


def answer(*studies: StudyRecord, **fields: Any) -> Answer:
    return Answer("k", "K", "K", SourceState.OK if studies else SourceState.EMPTY, studies, **fields)


def sorter(*rulings: Ruling, **fields: Any) -> Sorter:
    return Sorter("k", FACTS, (OWN,), rulings, **fields)


def ruling(said: Said, state: State = State.CONFIRMED, patient: PatientId = OWN, facts: PatientFacts = FACTS) -> Ruling:
    key = key_of("k", patient, said.birth_date, said.sex)
    return Ruling(f"{said.birth_date}{patient.value}".ljust(32, "0")[:32], key, state, standing(facts), Candidate(patient))


def test_agreeing_rows_vouch_for_silent_ones_of_their_record_only() -> None:
    found = sorter().sort(answer(study(1, GOOD), study(2, SILENT), study(3, SILENT, patient=OTHER)))
    assert [one.uid for one in found.studies] == ["2.25.1", "2.25.2"]
    assert [(one.patient_id, one.why) for one in found.candidates] == [(OTHER, "identifier")]
    assert found.studies[0].expected == (Said("MARCHETTI, Rosalind", "1951-08-09", "Female"),)


def test_what_contradicts_waits_and_takes_the_silent_ones_with_it() -> None:
    found = sorter().sort(answer(study(1, GOOD), study(2, SILENT), study(3, SWAPPED), study(4, SWAPPED), withheld_studies=("2.25.99",)))
    assert [one.uid for one in found.studies] == ["2.25.1"]
    assert {(one.birth_date, one.study_count, one.years, one.why) for one in found.candidates} == {(None, 1, ("2002",), "silent"), ("19510908", 2, ("2003", "2004"), "birth-date")}
    assert set(found.withheld_studies) == {"2.25.99", "2.25.2", "2.25.3", "2.25.4"}
    assert found.state is SourceState.OK
    assert sorter().sort(answer(study(3, SWAPPED))).state is SourceState.EMPTY


def test_one_study_told_with_two_birth_dates_waits() -> None:
    found = sorter().sort(answer(study(1, GOOD, SWAPPED)))
    assert (found.studies, found.candidates[0].birth_date) == ((), "19510908")
    assert [one.uid for one in sorter(ruling(SWAPPED)).sort(answer(study(1, GOOD, SWAPPED))).studies] == ["2.25.1"]
    third = Said(None, "19740405", "F")
    assert sorter(ruling(SWAPPED)).sort(answer(study(1, SWAPPED, third))).candidates[0].birth_date == "19740405"


def test_silence_may_be_configured_or_vouched_for() -> None:
    for kind in ({"silence": True}, {"vouched": frozenset({OWN})}):
        assert len(sorter(**kind).sort(answer(study(1, SILENT))).studies) == 1
        assert sorter(**kind).sort(answer(study(1, SWAPPED))).studies == ()


@pytest.mark.parametrize(("state", "kept", "waiting", "why"), [
    (State.CONFIRMED, 1, 0, ""), (State.REJECTED, 0, 0, ""), (State.UNDONE, 0, 1, "birth-date"), (State.PROPOSED, 0, 1, "second-person"),
])  # fmt: skip
def test_what_people_decided(state: State, kept: int, waiting: int, why: str) -> None:
    made = ruling(SWAPPED, state)
    found = sorter(made).sort(answer(study(1, SWAPPED)))
    assert (len(found.studies), len(found.candidates)) == (kept, waiting)
    assert [one.why for one in found.candidates] == [why] * waiting
    if kept:
        assert (found.studies[0].links, found.studies[0].expected[1:]) == ((made.id,), (SWAPPED,))


def test_a_decision_about_one_record_says_nothing_of_another_birth_date() -> None:
    found = sorter(ruling(SWAPPED)).sort(answer(study(1, Said("X^Y", "19740405", "F"))))
    assert (found.studies, len(found.candidates)) == ((), 1)


@pytest.mark.parametrize("change", [{"active": False}, {"replaced_by": "p2"}, {"links": ("replaces Patient/p7",)}, {"birth_date": "1951-08-10"}, {"sex": "Male"}])
def test_a_chart_that_changed_suspends_the_link(change: dict[str, Any]) -> None:
    changed = replace(FACTS, **change)
    assert standing(changed) != standing(FACTS)
    assert not ruling(SWAPPED).holds(changed)
    assert in_use(changed) is not bool(set(change) & {"active", "replaced_by"})
    found = replace(sorter(ruling(SWAPPED)), facts=changed).sort(answer(study(1, SWAPPED)))
    assert [one.why for one in found.candidates] == ["changed"]


said = st.builds(Said, st.sampled_from([None, "MARCHETTI^ROSALIND", "PENHALIGON^MORWENNA", "\ufffd"]), st.sampled_from([None, "19510809", "19510908", "19000101", "x"]), st.sampled_from([None, "F", "M", "O"]))


@given(st.lists(st.tuples(said, st.sampled_from([OWN, OTHER])), max_size=8))
def test_no_row_is_lost_and_none_that_objects_is_listed(told: list[tuple[Said, PatientId]]) -> None:
    studies = [study(number, one, patient=patient) for number, (one, patient) in enumerate(told)]
    found = sorter().sort(answer(*studies))
    assert sum(one.study_count or 0 for one in found.candidates) + len(found.studies) == len(studies)
    for kept in found.studies:
        assert kept.patient_id == OWN
        judged = judge(of_chart(FACTS, (OWN,)), of_row(kept.said[0], OWN))
        assert judged.decision is Decision.AUTOMATIC or judged.why == "silent"
    assert not {one.uid for one in found.studies} & set(found.withheld_studies)


def test_small_things() -> None:
    assert key_of("k", OWN, "1951.08.09", "female") == key_of("k", OWN, "19510809", "F") == RecordKey("k", OWN, "1951-08-09", "F")
    assert years_of([study(3, GOOD), study(1, GOOD), replace(study(2, GOOD), date=None)]) == ("2001", "2003")
    assert as_pn(HumanName("Smith", "John", "Jr")) == "Smith^John^^^Jr"
    assert as_pn(HumanName(text="John Smith")) == "John Smith"
    assert contradicts((), "19510908", "M") is None
