"""What the chart is open for, and which studies are urgent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from smart_app.archives.types import Answer, PurposeRecord, SourceState, StudyRecord
from smart_app.studies.merge import Houses
from smart_app.studies.purpose import chosen, urgent, with_purpose
from tests.unit.studies.test_relevance import row

TODAY = date(2026, 5, 21)
HOUSES = Houses({"northgate": 0, "kestrel": 1}, frozenset({"northgate"}))
ORDER = PurposeRecord("order", "ServiceRequest/1", "CT perfusion, head", date="2026-05-21", urgent=True)
VISIT = PurposeRecord("visit", "Encounter/1", "Atrial fibrillation", date="2026-05-21", named=True)
SURGERY = PurposeRecord("appointment", "Appointment/1", "Coronary artery bypass, 3 vessels", date="2026-05-22")


def chart(*purposes: PurposeRecord, studies: tuple[StudyRecord, ...] = ()) -> Answer:
    return Answer("ehr:n/purpose", "Chart", "N", SourceState.OK, studies, purpose=purposes)


def study(uid: str, source: str = "northgate", day: str = "2026-05-21", **fields: Any) -> StudyRecord:
    return StudyRecord(uid, source, source, source, date=day, **fields)


@pytest.mark.parametrize(
    ("purposes", "words"),
    [
        ((VISIT, SURGERY, ORDER), "CT perfusion, head, ordered today"),
        ((VISIT, SURGERY), "Coronary artery bypass, 3 vessels, planned for tomorrow"),
        ((VISIT,), "the visit today, Atrial fibrillation"),
        ((VISIT, replace(ORDER, active=False)), "the visit today, Atrial fibrillation"),
        ((VISIT, replace(ORDER, date="2026-01-01")), "the visit today, Atrial fibrillation"),
        ((VISIT, replace(ORDER, date="2026-01-01", named=True)), "CT perfusion, head, ordered 1 Jan 2026"),
        ((VISIT, replace(SURGERY, date="2026-05-20")), "the visit today, Atrial fibrillation"),
        ((VISIT, replace(SURGERY, date="2026-07-20")), "the visit today, Atrial fibrillation"),
        ((replace(ORDER, title="Bloods"), VISIT), "the visit today, Atrial fibrillation"),
        ((replace(ORDER, reference="2", title="MRI knee", urgent=False), ORDER), "CT perfusion, head, ordered today"),
        ((replace(ORDER, title="MRI knee", date="2026-05-20"), replace(ORDER, title="CT chest", date="2026-05-19")), "MRI knee, ordered yesterday"),
    ],
)  # fmt: skip
def test_the_purpose_that_counts(purposes: tuple[PurposeRecord, ...], words: str) -> None:
    found = chosen([chart(*purposes)], [], TODAY)
    assert found is not None
    assert found.words == words


def test_todays_own_study_stands_where_nothing_is_ordered() -> None:
    rows = [row("1", "CT head", day="2026-05-21"), row("2", "CT chest", day="2026-05-20")]
    found = chosen([chart(VISIT)], rows, TODAY)
    assert found is not None
    assert (found.uid, found.sites) == ("1", ("Head",))


def test_a_study_that_the_launch_names_comes_first() -> None:
    named = PurposeRecord("study", "ImagingStudy/7", "", named=True)
    answer = chart(ORDER, named, studies=(study("2", fhir_id="ImagingStudy/7"),))
    found = chosen([answer], [row("2", "CT chest", day="2026-05-20")], TODAY)
    assert found is not None
    assert found.uid == "2"


@pytest.mark.parametrize("purposes", [(), (replace(VISIT, title="Check-up"),), (PurposeRecord("study", "ImagingStudy/9", ""),)])
def test_where_nothing_is_known_nothing_is_ranked(purposes: tuple[PurposeRecord, ...]) -> None:
    rows = (row("1", "CT head"),)
    assert with_purpose(rows, [chart(*purposes)], HOUSES, TODAY) == (rows, "")


def test_rows_say_why_and_relevant_to_what() -> None:
    rows, words = with_purpose((row("1", "CT head"), row("2", "MRI lumbar spine", "MR")), [chart(ORDER)], HOUSES, TODAY)
    assert words == "CT perfusion, head, ordered today"
    assert [(one.relevance, bool(one.relevance_key)) for one in rows] == [("Same region, CT, 4 months before", True), ("", False)]


def test_a_purpose_without_a_single_relevant_study_is_not_announced() -> None:
    assert with_purpose((row("2", "MRI lumbar spine", "MR"),), [chart(ORDER)], HOUSES, TODAY)[1] == ""


@pytest.mark.parametrize(
    ("one", "purposes", "is_urgent"),
    [
        (study("1", accession="A1"), (replace(ORDER, accessions=("A1",)),), True),
        (study("1", accession="A1"), (replace(ORDER, accessions=("A1",), urgent=False),), False),
        (study("1", "kestrel", accession="A1"), (replace(ORDER, accessions=("A1",)),), False),
        (study("1", "ehr:n", accession="A1"), (replace(ORDER, accessions=("A1",)),), True),
        (study("1", accession=None), (ORDER,), False),
        (study("1", day="2026-05-20", accession="A1"), (replace(ORDER, accessions=("A1",)),), True),
        (study("1", day="2026-05-10", accession="A1"), (replace(ORDER, accessions=("A1",)),), False),
        (study("1", "kestrel"), (replace(VISIT, urgent=True),), True),
        (study("1", "kestrel", day="2026-05-20"), (replace(VISIT, urgent=True),), False),
        (study("1", "kestrel"), (replace(VISIT, urgent=True, active=False),), False),
        (study("1", "kestrel", urgent=True), (), True),
        (study("1", "kestrel", day="2026-05-22", urgent=True), (), False),
        (study("1", "kestrel", day="2026", urgent=True), (), False),
    ],
)  # fmt: skip
def test_what_is_urgent(one: StudyRecord, purposes: tuple[PurposeRecord, ...], is_urgent: bool) -> None:
    assert urgent([chart(*purposes), Answer(one.source, "x", "x", SourceState.OK, (one,))], HOUSES, TODAY) == ({"1"} if is_urgent else set())
