"""Viewer preferences: theirs alone, sealed, strict at the edge, and never in the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from launch.context import LaunchContext, User
from smart_app.db import Database
from smart_app.doors.models import PreferencesRow
from smart_app.doors.preference_store import Preferences
from smart_app.doors.preferences import DEFAULTS, Unreadable, preferences_of
from smart_app.sealing import Keyring

NOW = datetime(2026, 5, 21, 10, tzinfo=UTC)
MINE = {"layout": "2x2", "tool": "zoom", "letters": False, "presets": [{"name": "Brain", "center": 40, "width": 80.5}]}


def launch(user: str = "dr", patient: str = "p1", tenant: str = "default") -> LaunchContext:
    return LaunchContext("h" * 43, "n", "https://x", User("https://x", user), patient, None, frozenset(), NOW, NOW + timedelta(hours=1), tenant)


def test_what_is_told_stands_over_the_defaults() -> None:
    assert preferences_of({}) == dict(DEFAULTS)
    assert preferences_of(MINE) == {**DEFAULTS, **MINE}


@pytest.mark.parametrize(
    "told",
    [
        None, [], "x", {"version": 2}, {"layout": "9x9"}, {"layout": ["1x1"]}, {"letters": "yes"}, {"tool": "<script>"}, {"tool": 1}, {"patient": "p1"},
        {"presets": [{"name": "x", "center": 1, "width": 0}]}, {"presets": [{"name": "x", "center": True, "width": 1}]}, {"presets": [{"name": "x\n", "center": 1, "width": 1}]},
        {"presets": [{"name": "x", "center": float("nan"), "width": 1}]}, {"presets": [{"name": "x", "center": 1, "width": 1, "note": "p"}]}, {"presets": [{}] * 13},
    ],
)  # fmt: skip
def test_anything_else_is_refused(told: Any) -> None:
    with pytest.raises(Unreadable):
        preferences_of(told)


def test_they_are_the_persons_and_nobody_elses(database: Database, keyring: Keyring) -> None:
    store = Preferences(database, keyring, lambda: NOW)
    assert store.of(launch()) is None
    store.save(launch(), preferences_of(MINE))
    store.save(launch(), preferences_of({"layout": "1x2"}))
    kept = store.of(launch(patient="p2"))
    assert kept is not None
    assert (kept["layout"], kept["letters"]) == ("1x2", True)
    assert store.of(launch(user="other")) is None
    assert store.of(launch(tenant="other")) is None
    with database.reading() as session:
        rows = list(session.scalars(select(PreferencesRow)))
    assert len(rows) == 1
    assert b"1x2" not in rows[0].sealed
    assert "dr" not in rows[0].person


def test_a_key_that_is_gone_costs_the_preferences_and_nothing_else(database: Database, keyring: Keyring) -> None:
    Preferences(database, keyring, lambda: NOW).save(launch(), preferences_of(MINE))
    other = Keyring({"later": b"x" * 32})
    assert Preferences(database, other, lambda: NOW).of(launch()) is None
