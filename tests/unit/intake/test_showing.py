"""The words of the review page: dates as people read them, every state and reason named, and every event of the audit told apart."""

from __future__ import annotations

from datetime import timedelta

from smart_app.audit.intake_events import KINDS
from smart_app.intake.received import Standing
from smart_app.intake.showing import MARKS, STANDINGS, STATES, WORST, day, lasting
from smart_app.intake.types import ItemState, Level


def test_every_state_standing_and_level_has_its_words() -> None:
    assert set(STATES) == set(ItemState)
    assert set(STANDINGS) == set(WORST) == set(Standing)
    assert set(MARKS) == set(Level)
    assert len(KINDS) == 6


def test_days_and_spans() -> None:
    assert [day("2026-03-04"), day("19511"), day("2026-03"), day("")] == ["4 Mar 2026", "19511", "Mar 2026", "no date"]
    assert [lasting(timedelta(minutes=5)), lasting(timedelta(hours=5)), lasting(timedelta(days=3))] == ["5 min", "5 h", "3 d"]
