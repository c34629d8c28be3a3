"""A study that came from elsewhere is told as what it is, though our own archive holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from smart_app.studies.received import Origin, with_origins
from smart_app.studies.rows import RowSource, StudyRow

OWN = frozenset({"northgate university"})
ROW = StudyRow(
    uid="2.25.1", archive="northgate", sort="", date="", iso_date="", when="", modality="CT", modalities=("CT",), title="CT head", hospital="Northgate University",
    regions=(), count="", count_state="whole", report="", sources=(RowSource("northgate", "Northgate", "Northgate University"),),
)  # fmt: skip
ORIGIN = Origin("St Brannoc District", datetime(2026, 5, 21, 9, 12, tzinfo=UTC))


def test_a_received_study_names_the_hospital_it_came_from() -> None:
    (row,) = with_origins((ROW,), {"2.25.1": ORIGIN}, OWN)
    assert (row.hospital, row.note) == ("St Brannoc District", "Received 21 May 2026, kept here.")


def test_others_who_hold_it_too_stay_named_and_earlier_notes_stay() -> None:
    both = replace(ROW, sources=(*ROW.sources, RowSource("kestrel", "Kestrel", "Kestrel Cancer Centre")), note="Series 2 is not here.")
    (row,) = with_origins((both,), {"2.25.1": ORIGIN}, OWN)
    assert (row.hospital, row.note) == ("St Brannoc District, Kestrel Cancer Centre", "Series 2 is not here. Received 21 May 2026, kept here.")


def test_what_was_not_received_and_what_is_only_known_stay_as_they_are() -> None:
    known = replace(ROW, kind="known")
    assert with_origins((ROW, known), {"2.25.9": ORIGIN}, OWN) == (ROW, known)
    assert with_origins((known,), {"2.25.1": ORIGIN}, OWN) == (known,)
