"""The form is filled in from its row, and says no hospital that nobody stated."""

from __future__ import annotations

from dataclasses import replace

from smart_app.image_requests.types import Urgency
from smart_app.studies.request_sheet import prefill_of
from smart_app.studies.rows import RowSource, StudyRow

ROW = StudyRow(
    "known-1", None, "2026-05-21", "21 May 2026", "2026-05-21", "today", "CT", ("CT",), "CT perfusion, head", "St Brannoc", ("Head",), "Known, not here", "unknown", "",
    (RowSource("ehr:n", "Chart", "St Brannoc"),), "Named in the transfer letter and a report; no source that answered has it.", kind="known", accession="SB-1",
)  # fmt: skip


def test_it_is_filled_in_from_the_row() -> None:
    filled = prefill_of(ROW)
    assert (filled.heading, filled.source) == ("Request: CT perfusion, head, 21 May 2026", "Filled in from the transfer letter and a report.")
    assert (filled.title, filled.modality, filled.region, filled.date_from, filled.date_to) == ("CT perfusion, head", "CT", "Head", "2026-05-21", "")
    assert (filled.accession, filled.hospital, filled.urgency, filled.thin, filled.about, filled.study_uid) == ("SB-1", "St Brannoc", Urgency.TODAY, True, "known-1", "")


def test_what_is_not_known_stays_empty() -> None:
    filled = prefill_of(replace(ROW, hospital="Hospital not stated", iso_date="", date="Unknown date", when="", modality="US", note="", regions=("Somewhere",)))
    assert (filled.hospital, filled.date_from, filled.region, filled.urgency, filled.thin, filled.source) == ("", "", "", Urgency.ROUTINE, False, "Filled in from the list.")


def test_a_shortened_date_is_a_window() -> None:
    assert (prefill_of(replace(ROW, iso_date="2025-02")).date_from, prefill_of(replace(ROW, iso_date="2025-02")).date_to) == ("2025-02-01", "2025-02-28")


def test_missing_series_are_asked_for_by_name_and_the_study_by_its_uid() -> None:
    part = replace(ROW, uid="1.2.3", kind="study", count="63 of 120 images", count_state="part", missing=("Series 4, Lung 1.0 mm: not here.",))
    assert (prefill_of(part).missing, prefill_of(part).study_uid) == ("Series 4, Lung 1.0 mm: not here.", "1.2.3")
    assert prefill_of(replace(part, missing=())).missing == "63 of 120 images are here; the rest is asked for."


def test_without_a_row_it_is_empty() -> None:
    filled = prefill_of(None)
    assert (filled.heading, filled.title, filled.hospital) == ("Request images from another hospital", "", "")
