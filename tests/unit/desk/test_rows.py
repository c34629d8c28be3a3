"""What a row of the work list says (`smart_app.desk.rows`): late only while somebody waits, the reason beside what was declined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smart_app.desk.rows import STEPS, row_of
from smart_app.image_requests.types import Anchor, ImageRequest, State, Urgency
from smart_app.image_requests.workflow import CLOSED
from tests.unit.image_requests.test_service import KESTREL, NEW

NOW = datetime(2026, 5, 21, 9, 44, tzinfo=UTC)
LATE = ImageRequest(
    "RQ-7Q2M4TKX", "t", State.SENT, 3, replace(NEW, needed_by=NOW - timedelta(hours=17), urgency=Urgency.EMERGENCY), KESTREL, "", "Dr S. Halloran", NOW, NOW, "Sent by T. Amsel"
)


@pytest.mark.parametrize("state", State)
def test_only_what_somebody_waits_for_is_late_or_urgent(state: State) -> None:
    row = row_of(replace(LATE, state=state), NOW)
    waits = state not in CLOSED
    assert (row.due.tone == "bad") is waits
    assert bool(row.due_iso) is waits
    assert row.is_urgent is waits
    assert (row.steps == STEPS) is (state is State.STORED), "all steps are done only when it is in the chart"
    assert row.mark
    assert row.state


def test_a_reason_stands_beside_what_was_declined_and_not_beside_what_goes_on() -> None:
    declined = replace(LATE, state=State.DECLINED, last="Declined by Kestrel", reason="No such patient here")
    assert row_of(declined, NOW).last == "Declined by Kestrel: “No such patient here”"
    assert row_of(replace(declined, state=State.SENT), NOW).last == "Declined by Kestrel"


def test_what_it_is_for_and_whose_it_is() -> None:
    assert row_of(LATE, NOW).owner == "Nobody"
    surgery = replace(LATE, asked=replace(LATE.asked, why="stroke", anchor=Anchor("Appointment/1", "Surgery", NOW + timedelta(days=1))))
    assert row_of(surgery, NOW).purpose.startswith("Surgery, Tomorrow ")
    assert row_of(replace(LATE, asked=replace(LATE.asked, why="stroke")), NOW).purpose == "stroke"
    nameless = replace(LATE.asked.patient, birth_date=None, mrn=None)
    assert (row_of(replace(LATE, asked=replace(LATE.asked, patient=nameless)), NOW).born, row_of(replace(LATE, asked=replace(LATE.asked, patient=nameless)), NOW).mrn) == ("birth date unknown", "")
