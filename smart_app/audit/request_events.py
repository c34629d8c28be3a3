"""What is recorded of requests besides their changes: who looked at one."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class RequestSeen(Event):
    """A request for images was shown: its state, its history and whom it is about."""

    request: str
    page: str
    """`timeline`, `list` or `sent`."""
    code = "110103"
    verb = "R"
