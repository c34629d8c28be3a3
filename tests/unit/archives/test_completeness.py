"""What is missing is named, series by series, and nothing is called missing that nobody counted."""

from __future__ import annotations

import pytest

from smart_app.archives.completeness import Counted, counted, lacking, sentences
from smart_app.archives.types import SeriesRecord

SOFT = Counted("1", 3, "CT", "Soft 5 mm", 63)
LUNG = Counted("2", 4, "CT", "Lung 1.0 mm", 57)


@pytest.mark.parametrize(
    ("here", "claims", "said"),
    [
        ([SOFT], [[SOFT, LUNG]], ("Thin slices (1 mm) are missing.", "Series 4, Lung 1.0 mm: not here.")),
        ([SOFT, LUNG], [[SOFT, LUNG]], ()),
        ([SOFT, LUNG], [[SOFT]], ()),
        ([SOFT], [], ()),
        ([], [[SOFT]], ("Series 3, Soft 5 mm: not here.",)),
        ([SOFT, Counted("2", 4, "CT", "Lung 1.0 mm", 20)], [[SOFT, LUNG]], ("Thin slices (1 mm) are missing.", "Series 4, Lung 1.0 mm: 20 of 57 images.")),
        ([Counted("1", 3, "CT", "Soft 5 mm", None)], [[SOFT]], ()),
        ([Counted("1", 3, "CT", "Soft 5 mm", 80)], [[SOFT]], ()),
        ([SOFT], [[SOFT], [SOFT, Counted("9", None, "SR", None, 1), Counted("8", None, None, None, None)]], ("A series: not here.", "A series (SR): not here.")),
        ([SOFT], [[Counted("7", 7, "CT", "Empty", 0)]], ()),
        ([SOFT, Counted("5", 5, "CT", "Bone thin", 100)], [[LUNG]], ("Series 4, Lung 1.0 mm: not here.",)),
        ([SOFT], [[Counted("6", 6, "US", "Probe 1 mm", 3)]], ("Series 6, Probe 1 mm: not here.",)),
        ([SOFT], [[Counted("6", 6, "CT", "Rekon 0,625 mm", 3)]], ("Thin slices (0.625 mm) are missing.", "Series 6, Rekon 0,625 mm: not here.")),
        ([SOFT], [[Counted("6", 6, "CT", "Recon B", 3, 1.25)]], ("Thin slices (1.25 mm) are missing.", "Series 6, Recon B: not here.")),
        ([SOFT], [[Counted("6", 6, "CT", "Thin lung", 3)]], ("Thin slices are missing.", "Series 6, Thin lung: not here.")),
        ([SOFT], [[Counted("6", 6, "CT", "Slab 10 mm by 1 mm", 3)]], ("Thin slices (1 mm) are missing.", "Series 6, Slab 10 mm by 1 mm: not here.")),
        ([SOFT], [[Counted("6", 6, "CT", "Lesion 11 mm", 3)]], ("Series 6, Lesion 11 mm: not here.",)),
    ],
)  # fmt: skip
def test_what_is_missing(here: list[Counted], claims: list[list[Counted]], said: tuple[str, ...]) -> None:
    assert sentences(lacking(here, claims), here) == said


def test_two_claims_of_one_series_the_greater_counts() -> None:
    few, many = Counted("1", 3, "CT", "Soft", 40), Counted("1", 3, "CT", "Soft", 63)
    for claims in ([[few], [many]], [[many], [few]]):
        (lack,) = lacking([Counted("1", 3, "CT", "Soft", 10)], claims)
        assert (lack.here, lack.of) == (10, 63)


def test_only_the_first_few_are_named_and_the_rest_counted() -> None:
    claims = [[Counted(str(n), n, "MR", f"Slab {n}", 9) for n in range(10)]]
    said = sentences(lacking([], claims))
    assert (len(said), said[-1]) == (5, "6 more series are missing or in part.")


def test_a_series_record_is_counted() -> None:
    assert counted([SeriesRecord("1", "s", 3, "CT", "Soft 5 mm", 63)]) == (SOFT,)
