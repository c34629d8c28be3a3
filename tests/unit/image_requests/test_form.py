"""What a browser sends is parsed once: bad values are named beside their field, and what identifies the study never comes from the form."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.image_requests.form import Appointment, Prefill, needed_by, parsed, window
from smart_app.image_requests.types import Basis, Urgency

FILLED = Prefill("Request: CT", "Filled in from the list.", study_uid="1.2.3", missing="Series 4: not here.", about="1.2.3")
NOW = datetime(2026, 5, 21, 9, 44, 12).astimezone()
SURGERY = Appointment("Appointment/1", "Surgery", NOW + timedelta(days=1))


def test_a_full_form() -> None:
    form = {
        "title": "  CT   head ", "accession": "A-1", "date_from": "2026-05-01", "date_to": "2026-05-21", "modality": "ct", "region": "Head", "report": "yes", "thin": "yes",
        "urgency": "emergency", "needed_by": "2026-05-21T10:30", "why": "Stroke", "basis": "consent", "case": "CS-23456789", "study_uid": "9.9.9", "missing": "all", "do": "send",
    }  # fmt: skip
    wish = parsed(form, ["kestrel", "kestrel", "patient"], FILLED, [])
    assert wish.problems == {}
    assert (wish.to, wish.urgency, wish.basis, wish.case, wish.send) == (("kestrel", "patient"), Urgency.EMERGENCY, Basis.CONSENT, "CS-23456789", True)
    assert (wish.wanted.title, wish.wanted.modality, wish.wanted.report, wish.wanted.thin, wish.wanted.others) == ("CT head", "CT", True, True, False)
    assert (wish.wanted.study_uid, wish.wanted.missing) == ("1.2.3", "Series 4: not here."), "from the row, whatever the form says"
    assert wish.needed_by == datetime(2026, 5, 21, 10, 30).astimezone()


def test_an_appointment_sets_the_time_and_must_be_in_the_chart() -> None:
    form = {"title": "CT", "anchor": "Appointment/1", "needed_by": "2030-01-01T10:00"}
    wish = parsed(form, ["kestrel"], FILLED, [SURGERY])
    assert wish.anchor is not None
    assert (wish.anchor.reference, wish.needed_by) == ("Appointment/1", SURGERY.starts_at - timedelta(hours=2))
    assert set(parsed(form, ["kestrel"], FILLED, []).problems) == {"anchor"}


@pytest.mark.parametrize("case", ["", "CS-1", "CS-23456789X", "RQ-23456789", "CS-2345678\n"])
def test_a_case_that_is_none_is_left_out(case: str) -> None:
    assert parsed({"title": "CT", "case": case}, ["kestrel"], FILLED, []).case == ""


@given(st.dictionaries(st.sampled_from(["title", "accession", "date_from", "date_to", "modality", "region", "urgency", "needed_by", "basis", "case", "anchor", "hospital"]), st.text()),
       st.lists(st.text()))  # fmt: skip
def test_nothing_that_is_sent_raises(form: dict[str, str], to: list[str]) -> None:
    wish = parsed(form, to, FILLED, [SURGERY])
    assert wish.problems or (wish.to and wish.wanted.title)
    assert len(wish.wanted.title) <= 300


@pytest.mark.parametrize(
    ("iso", "days"),
    [("2026-05-21", ("2026-05-21", "")), ("2024-02", ("2024-02-01", "2024-02-29")), ("2025-12", ("2025-12-01", "2025-12-31")), ("2025", ("2025-01-01", "2025-12-31")), ("", ("", "")),
     ("2025-13", ("", "")), ("x", ("", ""))],
)  # fmt: skip
def test_a_date_is_a_window(iso: str, days: tuple[str, str]) -> None:
    assert window(iso) == days


def test_when_it_is_needed_unless_somebody_says_otherwise() -> None:
    assert needed_by(Urgency.EMERGENCY, NOW) == NOW.replace(hour=10, minute=30, second=0)
    assert needed_by(Urgency.TODAY, NOW) == NOW.replace(hour=17, minute=0, second=0)
    assert needed_by(Urgency.TODAY, NOW.replace(hour=18)) == NOW.replace(hour=23, minute=59, second=0)
    assert needed_by(Urgency.ROUTINE, NOW) is None
    assert replace(SURGERY, starts_at=NOW).anchor(3).needed_by == NOW - timedelta(hours=3)
