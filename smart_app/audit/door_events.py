"""What is recorded of the doors: what a launch was opened for and what came of it, and images looked at in another viewer."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class DoorUsed(Event):
    """A launch was opened for something of the chart: `said` is a fixed word for what came of it."""

    said: str
    study: str = ""
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class OpenedElsewhere(Event):
    """Somebody was sent on to another viewer with a study's identifiers."""

    study: str
    viewer: str
    code = "110103"
    verb = "R"
