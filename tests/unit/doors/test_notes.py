"""A note of what was wanted is worth something to one browser, for ten minutes, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from launch.authorize import Binding
from launch.errors import SignInBroken
from smart_app.doors.notes import LASTS, Notes
from smart_app.sealing import Keyring

NOW = datetime(2026, 5, 21, 10, tzinfo=UTC)


def test_a_note_comes_back_to_the_browser_that_asked(keyring: Keyring) -> None:
    mine = Binding.new()
    notes = Notes(keyring, lambda: NOW)
    note = notes.write("wanted", mine)
    assert "wanted" not in note
    assert notes.read(note, mine) == "wanted"


def test_not_to_another_browser_nor_later_nor_changed(keyring: Keyring) -> None:
    mine, notes = Binding.new(), Notes(keyring, lambda: NOW)
    note = notes.write("wanted", mine)
    for bad, who in ((note, Binding.new()), (note[:-4] + "AAAA", mine), ("", mine), ("é" * 20, mine), ("A", mine)):
        with pytest.raises(SignInBroken):
            notes.read(bad, who)
    with pytest.raises(SignInBroken):
        Notes(keyring, lambda: NOW + LASTS + timedelta(seconds=1)).read(note, mine)
