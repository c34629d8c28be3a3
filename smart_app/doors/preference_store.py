"""Keeps a person's viewer preferences, sealed. The last saving stands; what can no longer be read is as if never saved."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from launch.context import LaunchContext
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.doors.models import PreferencesRow
from smart_app.doors.preferences import Unreadable, preferences_of
from smart_app.sealing import CannotOpen, Keyring


class Preferences:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock) -> None:
        self._db, self._keyring, self._clock = db, keyring, clock

    def of(self, ctx: LaunchContext) -> dict[str, Any] | None:
        """None: this person has saved none that can be read."""
        with self._db.reading() as session:
            row = next((found for name in self._names(ctx) if (found := session.get(PreferencesRow, name)) is not None), None)
        if row is None:
            return None
        try:
            return preferences_of(json.loads(self._keyring.open(row.sealed, place=_place(row.person))))
        except (CannotOpen, Unreadable, ValueError):
            return None  # of another version, or under a key that is gone: nothing of it is needed

    def save(self, ctx: LaunchContext, wanted: dict[str, Any]) -> None:
        name = self._names(ctx)[0]
        sealed = self._keyring.seal(json.dumps(wanted).encode(), place=_place(name))
        with self._db.transaction() as session:
            session.merge(PreferencesRow(person=name, sealed=sealed, saved_at=self._clock()))

    def _names(self, ctx: LaunchContext) -> list[str]:
        """The name under the current key first, then under older ones: keys are replaced, preferences stay."""
        who = json.dumps([ctx.tenant, ctx.user.issuer, ctx.user.subject]).encode()
        current = self._keyring.current
        ids = [current, *(one for one in self._keyring.key_ids if one != current)]
        return [hmac.new(self._keyring.derive("viewer preferences", one), who, hashlib.sha256).hexdigest() for one in ids]


def _place(person: str) -> str:
    return f"viewer_preferences.sealed:{person}"
