"""What the audit says of reports: that they were told, which one was read, and what was withheld. Never what a report says."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class ReportsShown(Event):
    """The reports of one study were shown beside it. `state`: `whole`, `part` or `unread`."""

    archive: str
    study: str
    state: str
    count: int = 0
    unsure: int = 0
    """How many of them only may belong to it."""
    withheld: int = 0
    code = "110106"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class ReportRead(Event):
    """One document of a report was read, or taken as a file. `what`: `read`, `file` or `none` (it could not be shown)."""

    archive: str
    study: str
    what: str
    code = "110106"
    verb = "R"
