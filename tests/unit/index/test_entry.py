"""What the index remembers after each kind of answer, and when it is not believed any more. Pure: `entry`, `earlier`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smart_app.archives.types import Answer, PatientId, SourceState, StudyRecord
from smart_app.fhir.patient import PatientFacts
from smart_app.index import earlier
from smart_app.index.entry import MOST, Entry, dump, labelled, load, remembered, since, still_true, worth_keeping

NOW = datetime(2026, 5, 21, 10, 42, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
ID = PatientId("K-9", "KESTREL")
FACTS = PatientFacts("p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female")


def study(number: int, **fields: object) -> StudyRecord:
    return replace(StudyRecord(f"2.25.{number}", "kestrel", "Kestrel", "kestrel", ID, date="2026-01-12"), **fields)  # type: ignore[arg-type]


def told(*numbers: int, state: SourceState = SourceState.OK, at: datetime = NOW, **fields: object) -> Answer:
    return replace(Answer("kestrel", "Kestrel", "Kestrel", state, tuple(map(study, numbers)), at, at), **fields)  # type: ignore[arg-type]


def uids(entry: Entry | Answer | None) -> set[str]:
    return {record.uid.removeprefix("2.25.") for record in entry.studies} if entry else set()


FIRST = remembered(None, told(1, 2), FACTS, (ID,))


def test_it_is_read_back_as_it_was() -> None:
    assert load(dump(FIRST)) == FIRST
    assert {record.as_of for record in FIRST.studies} == {NOW}


def test_a_whole_answer_replaces() -> None:
    assert uids(remembered(FIRST, told(2, 3, at=LATER), FACTS, (ID,))) == {"2", "3"}
    assert uids(remembered(FIRST, told(state=SourceState.EMPTY, at=LATER), FACTS, (ID,))) == set()


@pytest.mark.parametrize("gap", [{"more_exist": True}, {"unreadable": 1}, {"fault_code": "cut"}, {"notes": ("The chart also holds a retired identifier.",)}])
def test_an_answer_in_part_adds(gap: dict[str, object]) -> None:
    after = remembered(FIRST, told(2, 3, state=SourceState.PARTIAL, at=LATER, **gap), FACTS, (ID,))
    assert {record.uid[-1]: record.as_of for record in after.studies} == {"1": NOW, "2": LATER, "3": LATER}


def test_what_the_source_withholds_is_remembered_as_that_and_shown_no_more() -> None:
    after = remembered(FIRST, told(2, state=SourceState.PARTIAL, at=LATER, withheld=1, withheld_studies=("2.25.1",)), FACTS, (ID,))
    assert (uids(after), after.withheld) == ({"2"}, ("2.25.1",))
    again = remembered(after, told(2, state=SourceState.PARTIAL, at=LATER, more_exist=True), FACTS, (ID,))
    assert again.withheld == ("2.25.1",), "an answer in part does not take back what was said of another patient"
    assert remembered(after, told(1, 2, at=LATER), FACTS, (ID,)).withheld == ()


@pytest.mark.parametrize("state", [state for state in SourceState if state not in (SourceState.OK, SourceState.EMPTY, SourceState.PARTIAL)])
def test_a_failure_is_nothing_to_remember(state: SourceState) -> None:
    assert not worth_keeping(told(1, state=state))


def test_neither_is_a_side_answer() -> None:
    assert worth_keeping(told(1))
    assert not worth_keeping(replace(told(1), source="kestrel/reports"))


def test_it_is_bounded_and_keeps_the_newest() -> None:
    many = tuple(study(number, date=f"{1000 + number}-01-01") for number in range(MOST + 5))
    entry = remembered(None, replace(told(), studies=many), FACTS, (ID,))
    assert len(entry.studies) == MOST
    assert min(record.date or "" for record in entry.studies) == "1005-01-01"


def test_what_nobody_named_for_long_goes() -> None:
    entry = remembered(FIRST, told(3, state=SourceState.PARTIAL, at=LATER, more_exist=True), FACTS, (ID,))
    assert uids(since(entry, NOW)) == {"3"}


CHANGED = {
    "merged": replace(FACTS, replaced_by="p2"), "not in use": replace(FACTS, active=False), "another birth date": replace(FACTS, birth_date="1951-08-08"),
    "another sex": replace(FACTS, sex="Male"),
}  # fmt: skip


@pytest.mark.parametrize("facts", CHANGED.values(), ids=CHANGED)
def test_a_changed_patient_is_not_believed_to_be_the_same(facts: PatientFacts) -> None:
    assert still_true(FIRST, FACTS, lambda archive: (ID,)) == FIRST
    assert still_true(FIRST, facts, lambda archive: (ID,)) is None
    assert uids(remembered(FIRST, told(3, state=SourceState.PARTIAL, more_exist=True), facts, (ID,))) == {"3"}, "and nothing is added to what was"


@pytest.mark.parametrize("ids", [(), (PatientId("K-9", "BRANNOC"),), (PatientId("K-8", "KESTREL"),), (ID, PatientId("K-10", "KESTREL"))])
def test_neither_is_one_whom_the_archive_knows_otherwise_now(ids: tuple[PatientId, ...]) -> None:
    assert still_true(FIRST, FACTS, lambda archive: ids) is None


def test_a_charts_study_needs_the_identifiers_it_was_told_under() -> None:
    rows = (study(1, source="ehr:n", patient_id=None, claimed_ids=(ID,)), study(2, source="ehr:n", patient_id=None, archive=None, unfetchable="no-endpoint"))
    entry = Entry("ehr:n", "Chart", "Northgate", NOW, (), FACTS.birth_date, FACTS.sex, rows)
    at = {"kestrel": (ID,)}
    assert uids(still_true(entry, FACTS, lambda key: at.get(key, ()))) == {"1", "2"}
    at["kestrel"] = (PatientId("K-10", "KESTREL"),)
    assert uids(still_true(entry, FACTS, lambda key: at.get(key, ()))) == {"2"}


def test_a_row_of_another_identifier_is_not_shown_even_in_a_true_entry() -> None:
    mixed = replace(FIRST, studies=(*FIRST.studies, study(3, patient_id=PatientId("K-9", "BRANNOC"))))
    assert uids(still_true(mixed, FACTS, lambda archive: (ID,))) == {"1", "2"}


EARLIER = earlier.as_answer(replace(FIRST, withheld=("2.25.8",)))


@pytest.mark.parametrize(("now", "left"), [
    (None, {"1", "2"}),
    (told(state=SourceState.TIMEOUT), {"1", "2"}),
    (told(state=SourceState.FAILED), {"1", "2"}),
    (told(state=SourceState.REFUSED), {"1", "2"}),
    (told(state=SourceState.TOO_LARGE), {"1", "2"}),
    (told(state=SourceState.EMPTY), set()),
    (told(1), set()),
    (told(1, state=SourceState.PARTIAL, more_exist=True), {"2"}),
    (told(state=SourceState.PARTIAL, more_exist=True, withheld=1, withheld_studies=("2.25.2",)), {"1"}),
    (told(1, state=SourceState.PARTIAL, withheld=1, withheld_studies=("2.25.2",)), set()),
    (told(state=SourceState.NO_IDENTIFIER), set()),
])  # fmt: skip
def test_what_stands_beside_the_answer_of_now(now: Answer | None, left: set[str]) -> None:
    assert EARLIER.source == "kestrel/earlier"
    assert uids(earlier.left(EARLIER, now)) == left


def test_a_dispute_stands_until_the_source_names_the_study_itself() -> None:
    kept = earlier.left(EARLIER, told(1, state=SourceState.PARTIAL, more_exist=True))
    assert kept is not None
    assert kept.withheld_studies == ("2.25.8",)
    settled = earlier.left(EARLIER, told(8, state=SourceState.PARTIAL, more_exist=True))
    assert settled is not None
    assert settled.withheld_studies == ()


def test_a_label_goes_only_when_its_source_names_the_study_without_it() -> None:
    first = labelled(None, replace(told(), studies=(study(1, confidentiality=("PSY",)), study(2))), FACTS)
    assert first is not None
    assert (first.source, first.studies) == ("kestrel/labels", ()), "nothing of the study but its UID and its label"
    assert [(label.study, label.codes) for label in first.labels] == [("2.25.1", ("PSY",))]
    unseen = labelled(first, told(2, at=LATER), FACTS)
    assert unseen is not None
    assert len(unseen.labels) == 1, "whoever does not see the study takes no label off it"
    off = labelled(unseen, told(1, at=LATER), FACTS)
    assert off is not None
    assert off.labels == ()
    assert labelled(None, told(1, 2), FACTS) is None
    assert still_true(first, replace(FACTS, birth_date=None, active=False), lambda archive: ()) == first
    answer = earlier.as_answer(first)
    assert (answer.source, answer.studies, answer.labels) == ("kestrel/labels", (), first.labels)
    assert earlier.labels_left(answer, None).labels == first.labels
    assert earlier.labels_left(answer, told(1, state=SourceState.FAILED)).labels == first.labels
    assert earlier.labels_left(answer, told(1)).labels == ()


def test_an_address_given_for_one_study_is_not_remembered() -> None:
    secret = study(1, retrieve="https://images.example/c/CANARY", open_base=True)
    entry = remembered(None, replace(told(), studies=(secret, study(2))), FACTS, (ID,))
    assert uids(entry) == {"2"}
    assert b"CANARY" not in dump(entry)
