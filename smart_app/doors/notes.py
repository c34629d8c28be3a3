"""What somebody wanted before signing in, as a sealed note that only the browser can use that asked, for ten minutes."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

from launch.authorize import Binding
from launch.errors import SignInBroken
from smart_app.clock import Clock
from smart_app.sealing import CannotOpen, Keyring

LASTS = timedelta(minutes=10)


class Notes:
    """Writes and reads them. The launch keeps the text in its own sealed row from then on."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock

    def write(self, wanted: str, binding: Binding) -> str:
        """For the address of the sign-in."""
        plain = json.dumps([(self._clock() + LASTS).isoformat(), wanted]).encode()
        return base64.urlsafe_b64encode(self._keyring.seal(plain, place=_place(binding))).decode().rstrip("=")

    def read(self, note: str, binding: Binding) -> str:
        """:raises SignInBroken: it is not ours, another browser's, or too old."""
        try:
            sealed = base64.urlsafe_b64decode(note + "=" * (-len(note) % 4))
            ends, wanted = json.loads(self._keyring.open(sealed, place=_place(binding)))
        except (ValueError, CannotOpen):
            raise SignInBroken(reason="what was asked for cannot be read") from None
        if self._clock() >= datetime.fromisoformat(ends):
            raise SignInBroken(reason="what was asked for is too old")
        return str(wanted)


def _place(binding: Binding) -> str:
    return f"doors.note:{binding.digest}"
