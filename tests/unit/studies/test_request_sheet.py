"""The sheet is filled in from its row, and says no hospital that nobody stated."""

from __future__ import annotations

from dataclasses import replace

from smart_app.fhir.patient import PatientFacts
from smart_app.studies.request_sheet import sheet_of
from smart_app.studies.rows import RowSource, StudyRow

FACTS = PatientFacts("p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female")
ROW = StudyRow(
    "known-1", None, "2026-05-21", "21 May 2026", "2026-05-21", "today", "CT", ("CT",), "CT perfusion, head", "St Brannoc", ("Head",), "Known, not here", "unknown", "",
    (RowSource("ehr:n", "Chart", "St Brannoc"),), "Named in the transfer letter and a report; no source that answered has it.", kind="known", accession="SB-1",
)  # fmt: skip


def test_it_is_filled_in_from_the_row() -> None:
    sheet = sheet_of(ROW, FACTS, asked_by="Dr Halloran", born="9 Aug 1951")
    assert (sheet.title, sheet.source) == ("Request: CT perfusion, head, 21 May 2026", "Filled in from the transfer letter and a report.")
    assert (sheet.what, sheet.date, sheet.accession, sheet.hospital, sheet.urgency, sheet.thin) == ("CT perfusion, head", "21 May 2026", "SB-1", "St Brannoc", "Today", True)
    assert dict(sheet.who) == {"Patient": "MARCHETTI, Rosalind", "Born": "9 Aug 1951", "Sex": "Female", "MRN here": "none in the chart", "Asked by": "Dr Halloran"}


def test_what_is_not_known_stays_empty() -> None:
    sheet = sheet_of(replace(ROW, hospital="Hospital not stated", iso_date="", date="Unknown date", when="", modality="US", note=""), FACTS, asked_by="", born="unknown")
    assert (sheet.hospital, sheet.date, sheet.urgency, sheet.thin, sheet.source) == ("", "", "Routine", False, "Filled in from the list.")


def test_missing_series_are_asked_for_by_name() -> None:
    part = replace(ROW, kind="study", count="63 of 120 images", count_state="part", missing=("Series 4, Lung 1.0 mm: not here.",))
    assert sheet_of(part, FACTS, asked_by="", born="").missing == "Series 4, Lung 1.0 mm: not here."
    assert sheet_of(replace(part, missing=()), FACTS, asked_by="", born="").missing == "63 of 120 images are here; the rest is asked for."


def test_without_a_row_it_is_empty() -> None:
    sheet = sheet_of(None, FACTS, asked_by="", born="")
    assert (sheet.title, sheet.what, sheet.hospital) == ("Request images from another hospital", "", "")
