"""How slowly a body may come. Only waiting for the sender counts: while our own disk is slow, the sender waits for us."""

from __future__ import annotations

import time
from typing import Any

from gunicorn.http.unreader import SocketUnreader


class TooSlow(OSError):
    """A body that came more slowly than the site allows."""


class Pace:
    """At least `least` bytes for each second of waiting, looked at every `window` seconds of waiting."""

    def __init__(self, least: float, window: float) -> None:
        self._least, self._window = least, window
        self._waited, self._came = 0.0, 0

    def note(self, waited: float, came: int) -> None:
        """:raises TooSlow:"""
        self._waited += waited
        self._came += came
        if self._waited < self._window:
            return
        if self._came < self._least * self._waited:
            raise TooSlow("the body came too slowly")
        self._waited, self._came = 0.0, 0


class PacedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads as gunicorn does, and keeps the pace. The socket has a receive timeout of its own for who is silent."""

    def __init__(self, sock: Any, pace: Pace) -> None:
        super().__init__(sock)
        self.pace = pace

    def chunk(self, size_hint: int | None = None) -> bytes:
        began = time.monotonic()
        data: bytes = super().chunk(size_hint)
        self.pace.note(time.monotonic() - began, len(data))
        return data

    def receive_into(self, buffer: Any, most: int) -> int:
        """:raises OSError:"""
        began = time.monotonic()
        count: int = self.sock.recv_into(buffer, most)
        self.pace.note(time.monotonic() - began, count)
        return count
