"""What is sealed is read back equal, whatever the fields hold."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import Answer, EvidenceRecord, PatientId, PurposeRecord, ReportRecord, SeriesRecord, SourceState, StudyRecord
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.holdings import codec

words = st.text(max_size=12)
maybe = st.none() | words
tuples = st.lists(words, max_size=2).map(tuple)
ids = st.builds(PatientId, words, words)
moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
studies = st.builds(
    StudyRecord, words, words, words, maybe, st.none() | ids, maybe, maybe, maybe, tuples, maybe, tuples, maybe, st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9), maybe, maybe, maybe, words, st.lists(ids, max_size=2).map(tuple), tuples,
    confidentiality=tuples, as_of=moments,
)  # fmt: skip
answers = st.builds(
    Answer, words, words, words, st.sampled_from(SourceState), st.lists(studies, max_size=2).map(tuple), moments, moments, st.integers(0, 9), st.integers(0, 9),
    st.booleans(), tuples, tuples, maybe, words, tuples, st.none() | st.lists(st.builds(ReportRecord, words, tuples, tuples), max_size=2).map(tuple),
)  # fmt: skip
series = st.builds(SeriesRecord, words, words, st.none() | st.integers(0, 9), maybe, maybe, st.none() | st.integers(0, 9), maybe, tuples, tuples)
evidence = st.builds(
    EvidenceRecord, words, words, words, maybe, tuples, tuples, tuples, tuples, maybe, maybe, st.booleans(), maybe, words, tuples, words,
)  # fmt: skip
beside = st.builds(
    Answer, words, words, words, st.sampled_from(SourceState), series=st.lists(series, max_size=2).map(tuple), evidence=st.none() | st.lists(evidence, max_size=2).map(tuple),
    studies=st.lists(st.builds(StudyRecord, words, words, words, maybe, series=st.lists(series, max_size=2).map(tuple), orders=tuples), max_size=2).map(tuple),
)  # fmt: skip
purposes = st.builds(PurposeRecord, words, words, words, tuples, maybe, st.booleans(), st.booleans(), tuples, st.booleans(), tuples)
facts = st.builds(
    PatientFacts, words, words, words, words, maybe, maybe, st.lists(st.builds(Identifier, maybe, words, tuples, maybe, maybe), max_size=2).map(tuple), maybe,
    st.booleans(), maybe,
)  # fmt: skip


@given(answers)
def test_answers(answer: Answer) -> None:
    assert codec.answer_from(codec.dump(answer)) == answer


@given(beside)
def test_answers_with_evidence_and_series(answer: Answer) -> None:
    assert codec.answer_from(codec.dump(answer)) == answer


@given(st.none() | st.lists(purposes, max_size=2).map(tuple))
def test_purposes(found: tuple[PurposeRecord, ...] | None) -> None:
    answer = Answer("ehr:n/purpose", "Chart", "N", SourceState.OK, purpose=found)
    assert codec.answer_from(codec.dump(answer)) == answer


@given(facts)
def test_patients(patient: PatientFacts) -> None:
    assert codec.patient_from(codec.dump(patient)) == patient
