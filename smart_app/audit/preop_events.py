"""What the audit says of the pre-op board: lists that were shown, cases that were opened, what the team decided. No words of messages."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event, Outcome


@dataclass(frozen=True, kw_only=True)
class BoardShown(Event):
    """A surgical list went out. `cases`: references, joined by commas; what was shown of each patient's imaging is recorded with the patient."""

    day: str
    count: int = 0
    unread: int = 0
    cases: str = ""
    code = "110112"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class CaseShown(Event):
    """How ready this patient's imaging is, with dates and places of studies, was shown on a board."""

    case: str
    verdict: str
    count: int = 0
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class CaseOpened(Event):
    """A board's user was let into one patient's chart: a launch of its own began. `derived` names it as `Who.launch` would."""

    case: str
    derived: str
    by: str
    """`user`: the EHR let this user read the patient. `backend`: the site's rule did."""
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class CaseRefused(Event):
    """The EHR did not let this user read the case's patient, or it is not the patient any more; nothing was opened."""

    case: str
    reason: str
    outcome: Outcome = Outcome.MINOR
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class CaseDecided(Event):
    """Somebody signed a case's imaging off, went on without, or took that back."""

    case: str
    said: str
    without: int = 0
    """How many kinds of imaging were missing, old or in part then."""
    code = "110100"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class CaseMessageSent(Event):
    """A message to a case's team was written."""

    case: str
    code = "110100"
    verb = "C"
