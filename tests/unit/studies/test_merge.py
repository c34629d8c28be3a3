"""The fold: one row a study, all its sources, the same in any order; counts and reports say no more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import Answer, PatientId, ReportRecord, SourceState, StudyRecord
from smart_app.studies.merge import Houses, fold
from smart_app.studies.rows import StudyRow

TODAY = date(2026, 5, 21)
HOUSES = Houses({"local": 0, "kestrel": 1, "brannoc": 2}, frozenset({"local"}))
MINE = PatientId("1", "X")


def record(source: str = "kestrel", **fields: Any) -> StudyRecord:
    chart = source.startswith("ehr:")
    base = StudyRecord("2.25.1", source, source.title(), None if chart else source, None if chart else MINE, date="2026-01-12", modalities=("MR",), description="MRI brain")
    return replace(base, **fields)


def answer(*records: StudyRecord, source: str | None = None, **fields: Any) -> Answer:
    key = source or (records[0].source if records else "kestrel")
    return Answer(key, key.title(), key.title(), SourceState.OK, records, **fields)


def one(*answers: Answer) -> StudyRow:
    (row,) = fold(answers, HOUSES, TODAY)
    return row


def test_one_row_with_all_its_sources_archives_before_the_chart() -> None:
    row = one(answer(record("ehr:n", description="from the chart", accession="A")), answer(record("brannoc", description=None)), answer(record("local")))
    assert (row.archive, row.title, row.hospital) == ("local", "MRI brain", "Local, Brannoc")
    assert [source.key for source in row.sources] == ["local", "brannoc", "ehr:n"]
    assert row.sources[2].organization == "Local"
    assert (row.date, row.when, row.modality, row.regions) == ("12 Jan 2026", "4 months", "MR", ("Head",))


@pytest.mark.parametrize(
    ("records", "count", "state", "archive"),
    [
        ([record(image_count=184, series_count=4)], "4 series, 184 images", "whole", "kestrel"),
        ([record(image_count=1)], "1 image", "whole", "kestrel"),
        ([record(image_count=1204, series_count=1)], "1 series, 1,204 images", "whole", "kestrel"),
        ([record(image_count=63), record("ehr:n", image_count=120)], "63 of 120 images", "part", "kestrel"),
        ([record("local", image_count=63), record(image_count=120)], "120 images", "whole", "kestrel"),
        ([record("local", image_count=120), record(image_count=120)], "120 images", "whole", "local"),
        ([record("local"), record(image_count=5)], "5 images", "whole", "kestrel"),
        ([record()], "Count unknown", "unknown", "kestrel"),
        ([record(), record("ehr:n", image_count=120)], "Count unknown", "unknown", "kestrel"),
        ([record(image_count=0)], "0 images", "part", "kestrel"),
        ([record("ehr:n", image_count=120)], "120 images by the chart", "unknown", None),
        ([record("ehr:n", image_count=120, archive="kestrel", claimed_ids=(MINE,))], "120 images by the chart", "unknown", "kestrel"),
        ([record("ehr:n")], "Count unknown", "unknown", None),
        ([record(image_count=64, modalities=("US",), description="Echocardiogram")], "64 clips", "whole", "kestrel"),
        ([record(image_count=14, modalities=("XA",))], "14 runs", "whole", "kestrel"),
        ([record(image_count=1, modalities=("ECG",))], "1 recording", "whole", "kestrel"),
        ([record(image_count=2, modalities=("SR", "DOC"))], "2 documents", "whole", "kestrel"),
    ],
)
def test_a_count_is_whole_only_when_nobody_says_more(records: list[StudyRecord], count: str, state: str, archive: str | None) -> None:
    row = one(*(answer(each) for each in records))
    assert (row.count, row.count_state, row.archive) == (count, state, archive)


@pytest.mark.parametrize(
    ("codes", "box", "all_codes"),
    [
        (("CT", "PT"), "PT", ("CT", "PT")), (("SR", "CT"), "CT", ("SR", "CT")), (("DX",), "XR", ("XR",)), (("CR", "DX"), "XR", ("XR",)), ((), "", ()),
        (("SR", "QQ"), "QQ", ("SR", "QQ")), (("SR",), "SR", ("SR",)),
    ],
)  # fmt: skip
def test_the_modality_in_the_box(codes: tuple[str, ...], box: str, all_codes: tuple[str, ...]) -> None:
    row = one(answer(record(modalities=codes)))
    assert (row.modality, row.modalities) == (box, all_codes)


def test_a_missing_date_still_lists_and_comes_last() -> None:
    rows = fold([answer(record(uid="2.25.1", date=None), record(uid="2.25.2", date="2020"), record(uid="2.25.3"), record(uid="2.25.4", time="08:00"))], HOUSES, TODAY)
    assert [row.uid for row in rows] == ["2.25.4", "2.25.3", "2.25.2", "2.25.1"]
    assert rows[-1].date == "Unknown date"
    assert rows[-1].iso_date == ""


@pytest.mark.parametrize("reason", ["no-endpoint", "not-approved", "no-identifier", "capability"])
def test_what_cannot_be_opened_says_why(reason: str) -> None:
    row = one(answer(record("ehr:n", unfetchable=reason)))
    assert row.archive is None
    assert row.note.startswith("Named in the chart")


def test_a_study_that_its_archive_gives_to_another_patient_stays_closed() -> None:
    named = record("ehr:n", archive="kestrel", claimed_ids=(MINE,))
    row = one(answer(named), answer(source="kestrel", withheld=1, withheld_studies=("2.25.1",)))
    assert row.archive is None
    assert "another patient" in row.note
    assert one(answer(named), answer(record("brannoc")), answer(source="kestrel", withheld_studies=("2.25.1",))).archive == "brannoc"


def test_sources_that_disagree_about_the_date_are_both_named() -> None:
    row = one(answer(record()), answer(record("ehr:n", date="2026-01-13")))
    assert row.date == "12 Jan 2026"
    assert "12 Jan 2026 (Kestrel), 13 Jan 2026 (Ehr:N)" in row.note


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        (["final"], "Final"), (["preliminary"], "Preliminary"), (["partial"], "Preliminary"), (["amended"], "Final, amended"), (["corrected"], "Final, amended"),
        (["entered-in-error"], "Retracted"), (["cancelled"], "Retracted"), (["registered"], "No report yet"), (["odd"], "Report"), ([], "No report"),
        (["entered-in-error", "final"], "Final"), (["final", "amended"], "Final, amended"),
    ],
)  # fmt: skip
def test_report_words(statuses: list[str], word: str) -> None:
    reports = tuple(ReportRecord(status, ("ImagingStudy/s1",)) for status in statuses)
    assert one(answer(record("ehr:n", fhir_id="ImagingStudy/s1")), answer(source="ehr:n/reports", reports=reports)).report == word


def test_without_reports_read_nothing_is_said() -> None:
    assert one(answer(record()), answer(source="ehr:n/reports")).report == ""


@pytest.mark.parametrize(("source", "word"), [("local", "Final"), ("ehr:n", "Final"), ("kestrel", "No report")])
def test_an_accession_number_joins_only_within_its_own_hospital(source: str, word: str) -> None:
    reports = (ReportRecord("final", (), ("A1",)),)
    assert one(answer(record(source, accession="A1")), answer(source="ehr:n/reports", reports=reports)).report == word


optional = st.none() | st.integers(0, 500)
records = st.builds(
    lambda source, uid, images, day, text, codes: record(source, uid=f"2.25.{uid}", image_count=images, date=day, description=text, modalities=codes),
    st.sampled_from(["local", "kestrel", "brannoc", "ehr:n"]), st.integers(1, 4), optional, st.sampled_from([None, "2026-01-12", "2025", "2024-03"]),
    st.none() | st.sampled_from(["CT head", "", "<b>x</b>"]), st.lists(st.sampled_from(["CT", "SR", "QQ"]), max_size=3).map(tuple),
)  # fmt: skip


def by_source(found: list[StudyRecord]) -> list[Answer]:
    kept: dict[str, dict[str, StudyRecord]] = {}
    for each in found:
        kept.setdefault(each.source, {}).setdefault(each.uid, each)
    return [answer(*each.values()) for each in kept.values()]


@given(st.lists(records, max_size=12), st.randoms())
def test_the_fold_loses_no_study_and_no_source_in_any_order(found: list[StudyRecord], chance: Any) -> None:
    answers = by_source(found)
    rows = fold(answers, HOUSES, TODAY)
    assert {row.uid for row in rows} == {each.uid for each in found}
    assert len(rows) == len({row.uid for row in rows})
    for row in rows:
        assert {source.key for source in row.sources} == {each.source for each in found if each.uid == row.uid}
        assert row.title
        assert row.count
        said = [each.image_count for single in answers for each in single.studies if each.uid == row.uid and each.image_count]
        if row.count_state == "whole":
            assert f"{max(said):,} " in row.count
    shuffled = list(answers)
    chance.shuffle(shuffled)
    assert fold(shuffled, HOUSES, TODAY) == rows
    assert list(rows) == sorted(rows, key=lambda row: row.sort, reverse=True)
