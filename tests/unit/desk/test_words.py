"""Times and states as the desk says them (`smart_app.desk.words`, `smart_app.desk.rows`)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smart_app.desk.words import STANDINGS, STEPS, birth, due, moment, span
from smart_app.image_requests.types import State

NOW = datetime(2026, 5, 21, 9, 44).astimezone()


@pytest.mark.parametrize(("minutes", "said"), [(0, "0 min"), (46, "46 min"), (74, "1 h 14 min"), (60, "1 h"), (125, "2 h"), (17 * 60, "17 h"), (47 * 60, "47 h"), (49 * 60, "2 days")])
def test_spans_are_said_as_people_say_them(minutes: int, said: str) -> None:
    assert span(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize(("hours", "tone", "left"), [(-17.75, "bad", "Overdue 17 h"), (-1 / 3600, "bad", "Overdue 0 min"), (0, "warn", "in 0 min"), (0.77, "warn", "in 46 min"), (1, "", "in 1 h")])
def test_late_is_bad_the_last_hour_warns_and_what_is_closed_is_never_late(hours: float, tone: str, left: str) -> None:
    at = NOW + timedelta(hours=hours)
    found = due(at, NOW, waits=True)
    assert (found.tone, found.left) == (tone, left)
    assert due(at, NOW, waits=False).tone == ""


@pytest.mark.parametrize(("at", "said"), [
    (datetime(2026, 5, 20, 16), "Yesterday 16:00"), (datetime(2026, 5, 21, 0), "Today 00:00"), (datetime(2026, 5, 22, 7, 30), "Tomorrow 07:30"),
    (datetime(2026, 5, 29, 16), "29 May 16:00"), (datetime(2027, 1, 2, 8), "2 Jan 2027 08:00"),
])  # fmt: skip
def test_moments(at: datetime, said: str) -> None:
    assert moment(at.astimezone(), NOW) == said


@pytest.mark.parametrize(("iso", "said"), [("1951-08-09", "9 Aug 1951"), ("1951-08", "1951-08"), ("1951-13-01", "1951-13-01"), (None, "birth date unknown"), ("x-y-z", "x-y-z")])
def test_birth_dates_are_never_completed(iso: str | None, said: str) -> None:
    assert birth(iso) == said


def test_every_state_has_its_words_and_only_stored_has_all_steps() -> None:
    assert set(STANDINGS) == set(State)
    assert [state for state, one in STANDINGS.items() if one.steps == STEPS] == [State.STORED]
    assert len({one.word for one in STANDINGS.values()}) == len(State)
