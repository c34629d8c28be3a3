"""Sent copies fold into one row on strong evidence only; two examinations of one day never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from smart_app.archives.types import Answer, PatientId, ReportRecord, SeriesRecord, SourceState, StudyRecord
from smart_app.studies.copies import with_copies
from smart_app.studies.merge import Houses, fold
from smart_app.studies.rows import StudyRow

HOUSES = Houses({"local": 0, "kestrel": 1, "brannoc": 2}, frozenset({"local"}))
ORIGINAL = StudyRecord(
    "2.25.1", "kestrel", "Kestrel", "kestrel", PatientId("1", "K"), date="2026-01-12", time="14:30", modalities=("CT",), description="CT chest with contrast",
    accession="KC-1", series_count=2, image_count=240,
)  # fmt: skip


def copy(source: str = "local", uid: str = "2.25.2", **fields: Any) -> StudyRecord:
    return replace(ORIGINAL, **({"uid": uid, "source": source, "archive": source, "organization": source.title(), "accession": "NG-7"} | fields))


def rows(*records: StudyRecord, reports: tuple[ReportRecord, ...] | None = None) -> tuple[StudyRow, ...]:
    answers = [Answer(record.source, record.source, record.organization, SourceState.OK, (record,)) for record in records]
    merged = [Answer(key, key, key, SourceState.OK, tuple(record for one in answers if one.source == key for record in one.studies)) for key in {one.source for one in answers}]
    merged += [Answer("ehr:n/reports", "Chart", "N", SourceState.OK, reports=reports)] if reports else []
    return with_copies(fold(merged, HOUSES, date(2026, 5, 21)), merged, HOUSES)


def series(*uids: str, instances: tuple[str, ...] = ()) -> tuple[SeriesRecord, ...]:
    return tuple(SeriesRecord(uid, "s", 1, "CT", None, 1, instances=instances) for uid in uids)


SENT = [
    ("same minute, description, modality and counts", {}),
    ("seconds cut off differently", {"time": "14:31"}),
    ("description written otherwise", {"description": "CT CHEST, with contrast"}),
    ("same number, another description and no time", {"accession": "KC-1", "description": "Import", "time": None}),
    ("same number, the next day by another clock", {"accession": "KC-1", "date": "2026-01-13", "time": "00:30"}),
    ("a report added to the copy", {"modalities": ("CT", "SR")}),
    ("counts of series not told", {"series_count": None}),
    ("same series, all else rewritten", {"series": series("2.25.77"), "date": None, "image_count": 3, "description": "X", "modalities": ("OT",)}),
    ("same instances, all else rewritten", {"series": series("2.25.78", instances=("2.25.900",)), "date": None, "image_count": 3, "modalities": ()}),
]  # fmt: skip
KNOWN_SERIES = series("2.25.77", instances=("2.25.900", "2.25.901"))


@pytest.mark.parametrize("fields", [case[1] for case in SENT], ids=[case[0] for case in SENT])
def test_a_sent_copy_is_one_row_with_both_sources(fields: dict[str, Any]) -> None:
    for pair in permutations([replace(ORIGINAL, series=KNOWN_SERIES), copy(**fields)]):
        (row,) = rows(*pair)
        assert (row.uid, row.archive, row.hospital) == ("2.25.2", "local", "Local, Kestrel")
        assert [source.key for source in row.sources] == ["local", "kestrel"]
        assert row.same_as.startswith("The same study as at Kestrel, sent under a new number.")
        assert [(one.uid, one.archive) for one in row.copies] == [("2.25.1", "kestrel")]


NOT = [
    ("same day and modality alone", {"description": "CT head", "time": "09:00", "image_count": 30, "series_count": 1}),
    ("another minute", {"time": "14:40"}),
    ("no time", {"time": None}),
    ("no description", {"description": None}),
    ("another day", {"date": "2026-01-13"}),
    ("no day", {"date": None}),
    ("the month only", {"date": "2026-01"}),
    ("fewer images", {"image_count": 239}),
    ("images not counted", {"image_count": None}),
    ("no images", {"image_count": 0}),
    ("another number of series", {"series_count": 3}),
    ("another modality", {"modalities": ("MR",)}),
    ("modality unknown", {"modalities": ()}),
    ("same number, years apart", {"accession": "KC-1", "date": "2020-01-12"}),
    ("same number, another technique", {"accession": "KC-1", "description": "CT-guided biopsy, chest"}),
    ("the same archive", {"source": "kestrel", "archive": "kestrel"}),
]  # fmt: skip


@pytest.mark.parametrize("fields", [case[1] for case in NOT], ids=[case[0] for case in NOT])
def test_weak_evidence_folds_nothing(fields: dict[str, Any]) -> None:
    found = rows(ORIGINAL, copy(**fields))
    assert {row.uid for row in found} == {"2.25.1", "2.25.2"}
    assert all(not row.copies for row in found)


def test_two_chest_films_of_one_day_stay_two() -> None:
    film = {"modalities": ("DX",), "description": "Chest, 1 view, portable", "image_count": 1, "series_count": 1}
    morning, evening = replace(ORIGINAL, time="07:10", **film), copy(time="18:15", **film)
    assert len(rows(morning, evening)) == 2
    copied = copy("brannoc", "2.25.3", time="07:10", accession="SB-1", **film)
    assert {row.uid: [one.uid for one in row.copies] for row in rows(morning, evening, copied)} == {"2.25.2": [], "2.25.1": ["2.25.3"]}


def test_a_row_that_could_be_the_copy_of_two_is_folded_into_neither() -> None:
    assert len(rows(ORIGINAL, copy(), copy(uid="2.25.3", accession="NG-8"))) == 3


def test_three_hospitals_with_one_study_are_one_row_and_the_best_report_counts() -> None:
    report = ReportRecord("final", ("2.25.1",))
    (row,) = rows(ORIGINAL, copy(), copy("brannoc", "2.25.3", accession="SB-1"), reports=(report,))
    assert row.same_as == "The same study as at Kestrel and Brannoc, sent under a new number."
    assert row.report == "Final"


def test_a_study_that_only_the_chart_names_is_no_copy() -> None:
    chart = copy("ehr:n", archive="kestrel", patient_id=None, claimed_ids=(PatientId("1", "K"),))
    assert len(rows(ORIGINAL, chart)) == 2


def test_a_copy_with_fewer_images_than_the_other_is_not_told_as_whole() -> None:
    """The local archive has all that was sent to it, which is less than there is: the tick would be a lie."""
    whole = replace(ORIGINAL, series=series("2.25.77", "2.25.78"), image_count=240)
    part = copy(series=series("2.25.77"), series_count=1, image_count=63)
    for pair in permutations([whole, part]):
        (row,) = rows(*pair)
        assert row.archive == "local"
        assert row.count_state == "part"
        assert row.count == "63 of 240 images"
        assert row.same_as.endswith("The copy at Kestrel has more images.")
    (row,) = rows(whole, replace(part, image_count=None))
    assert row.count_state == "unknown"
