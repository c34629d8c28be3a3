"""The form of a request that begins at the desk (`smart_app.desk.new_form`), and the times that forms give (`smart_app.desk.forms`)."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from smart_app.desk.bulk import Doing
from smart_app.desk.forms import NEEDS_REASON, WrongForm, given_of, moment_of
from smart_app.desk.new_form import request_of
from smart_app.image_requests.types import Basis, Urgency
from tests.unit.image_requests.test_service import PATIENT

NAMES = ["title", "modality", "region", "date_from", "date_to", "accession", "report", "thin", "others", "urgency", "why", "basis", "needed_by"]


def test_a_form_says_what_is_wanted() -> None:
    form = MultiDict([("title", " CT   head "), ("modality", "CT"), ("date_from", "2025-11-01"), ("report", "yes"), ("urgency", "today"), ("basis", "consent"), ("needed_by", "2026-05-21T10:30")])
    made = request_of(form, PATIENT)
    assert (made.patient, made.wanted.title, made.wanted.modality, made.wanted.date_from, made.wanted.report, made.wanted.thin) == (PATIENT, "CT head", "CT", "2025-11-01", True, False)
    assert (made.urgency, made.basis, made.needed_by, made.facility) == (Urgency.TODAY, Basis.CONSENT, datetime(2026, 5, 21, 10, 30).astimezone(), None)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=200)), max_size=16))
def test_any_form_asks_for_the_patient_it_was_given_or_says_what_to_change(pairs: list[tuple[str, str]]) -> None:
    made = None
    try:
        made = request_of(MultiDict([*pairs, ("patient", "somebody else")]), PATIENT)
    except WrongForm as wrong:
        problem = str(wrong)
    if made is None:
        assert problem.startswith("Nothing was")
        return
    assert made.patient is PATIENT
    assert made.wanted.title
    assert made.wanted.modality in ("", *["CT", "MR", "US", "XR", "CR", "DX", "MG", "NM", "PT", "XA", "RF", "ECHO", "OT"])
    assert all(len(text) <= 300 and "\n" not in text for text in (made.wanted.title, made.why, made.wanted.region))


@pytest.mark.parametrize("text", ["soon", "2026-13-01T00:00", "0001-01-01T00:00", "9999-01-01T00:00", "10:30"])
def test_what_is_no_time_moves_nothing(text: str) -> None:
    with pytest.raises(WrongForm):
        moment_of(text)


def test_an_empty_time_is_no_fixed_time_and_a_zone_is_kept() -> None:
    assert moment_of(" ") is None
    assert moment_of("2026-05-21T10:30:00+02:00") == datetime.fromisoformat("2026-05-21T08:30:00+00:00")


def test_what_needs_a_reason_is_not_done_without_one() -> None:
    assert {Doing.NOTE, Doing.CANCEL, Doing.DECLINE, Doing.REOPEN} == NEEDS_REASON
    for doing in NEEDS_REASON:
        with pytest.raises(WrongForm, match="reason"):
            given_of(MultiDict(), doing, {})
