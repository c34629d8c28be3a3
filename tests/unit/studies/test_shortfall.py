"""Which series of a listed study are missing: by the holder's own list, else by counts that can be read in one way only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smart_app.archives.types import Answer, SeriesRecord, SourceState, StudyRecord
from smart_app.studies.shortfall import missing_of, series_lists


def series(number: int, count: int | None, text: str = "Axial 5 mm", study: str = "2.25.1") -> SeriesRecord:
    return SeriesRecord(f"2.25.{100 + number}", study, number, "CT", text, count)


SOFT, LUNG, BONE = series(3, 63), series(4, 57, "Lung 1.0 mm"), series(5, 57, "Bone 1.0 mm")
HELD = StudyRecord("2.25.1", "kestrel", "Kestrel", "kestrel", image_count=63, series_count=1)
CHART = StudyRecord("2.25.1", "ehr:n", "Northgate", None, image_count=120, series_count=2, series=(SOFT, LUNG))
NAMED = ("Thin slices (1 mm) are missing.", "Series 4, Lung 1.0 mm: not here.")


@pytest.mark.parametrize(
    ("held", "chart", "listed", "said"),
    [
        ({}, CHART, (SOFT,), NAMED),
        ({}, CHART, (), ("By the counts: Thin slices (1 mm) are missing. Series 4, Lung 1.0 mm: not here.",)),
        ({"series": (SOFT,)}, CHART, (), NAMED),  # a manifest or an access server says it with the study
        ({"series_count": None}, CHART, (SOFT,), NAMED),
        ({"series_count": 2}, CHART, (SOFT,), ()),  # the archive's own list is cut short: it proves nothing
        ({"series_count": None, "image_count": 90}, CHART, (SOFT,), ()),
        ({"series_count": None}, CHART, (), ()),
        ({"image_count": 40}, CHART, (), ()),  # no whole series accounts for it
        ({}, replace(CHART, series=(SOFT, LUNG, BONE)), (), ("By the counts: Thin slices (1 mm) are missing. Series 4, Lung 1.0 mm: not here. Series 5, Bone 1.0 mm: not here.",)),
        ({"image_count": 63, "series_count": 2}, replace(CHART, series=(series(1, 3), LUNG, series(6, 60))), (), ("By the counts: Thin slices (1 mm) are missing. Series 4, Lung 1.0 mm: not here.",)),
        ({"image_count": 60, "series_count": 2}, replace(CHART, series=(series(1, 3), LUNG, BONE)), (), ()),  # lung or bone: nobody can tell
        ({}, replace(CHART, series=(SOFT, series(4, None))), (), ()),
        ({}, replace(CHART, series=()), (SOFT,), ()),
    ],
)  # fmt: skip
def test_what_is_named(held: dict[str, Any], chart: StudyRecord, listed: tuple[SeriesRecord, ...], said: tuple[str, ...]) -> None:
    opened = replace(HELD, **held)
    assert missing_of([opened, chart], opened, {("kestrel", "2.25.1"): listed}) == said


def test_nothing_is_missing_from_what_nobody_opens_or_only_the_chart_names() -> None:
    assert missing_of([CHART], None, {}) == ()
    assert missing_of([CHART, HELD], replace(CHART, archive="kestrel"), {("ehr:n", "2.25.1"): (SOFT,)}) == ()


def test_lists_are_kept_by_archive_and_study() -> None:
    answers = [Answer("kestrel/series", "K", "K", SourceState.OK, series=(SOFT, series(1, 1, study="2.25.2"), LUNG)), Answer("kestrel", "K", "K", SourceState.OK)]
    assert series_lists(answers) == {("kestrel", "2.25.1"): (SOFT, LUNG), ("kestrel", "2.25.2"): (series(1, 1, study="2.25.2"),)}
