"""The same object twice is one; two contents under one number are nobody's."""

from __future__ import annotations

from pathlib import Path

from smart_app.intake.types import Kind
from tests.hostile import making
from tests.hostile.receiving import screened


def test_the_same_bytes_twice_are_one(tmp_path: Path) -> None:
    first, second = screened(tmp_path, {"A": making.dicom(), "B": making.dicom()})

    assert (first.kind, second.kind, second.reason, second.path) == (Kind.DICOM, Kind.SKIPPED, "twice", None)


def test_other_pixels_under_the_same_number_are_a_conflict_that_nobody_guesses(tmp_path: Path) -> None:
    other = making.dicom(t7FE00010=("OW", bytes(512)))

    found = screened(tmp_path, {"A": making.dicom(), "B": other, "C": making.dicom()})

    assert {(one.kind, one.reason, one.path) for one in found} == {(Kind.REFUSED, "conflict", None)}
