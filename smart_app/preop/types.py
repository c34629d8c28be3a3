"""Values of the board that cross borders: a case of the surgical list, the list as it was read, what the team said of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class Coded:
    """One code or words of a procedure or a condition. `system` empty: words."""

    system: str
    code: str
    text: str = ""


@dataclass(frozen=True)
class Case:
    """One operation, as the EHR plans it. `reference` is what it hangs on, mostly an Appointment."""

    reference: str
    patient: str
    """FHIR id at the EHR."""
    title: str
    starts_at: datetime | None
    codes: tuple[Coded, ...] = ()
    room: str = ""
    surgeon: str = ""
    anesthesiologist: str = ""
    is_off: bool = False
    name: str = ""
    born: str = ""
    sex: str = ""
    mrn: str = ""
    problem: str = ""
    """Why nothing can be said of its imaging: the patient's record was not read, or was merged into another."""


@dataclass(frozen=True)
class SurgicalList:
    """One day's cases as they were read. `unread`: cases that are known to be there and could not be read."""

    cases: tuple[Case, ...] = ()
    unread: int = 0
    failed: tuple[str, ...] = ()
    """Kinds of record that the EHR did not give: the list may be incomplete."""
    cut: bool = False
    """The EHR has more than was read."""

    @property
    def is_whole(self) -> bool:
        return not (self.unread or self.failed or self.cut)


@dataclass(frozen=True)
class History:
    """What the chart says of a patient besides this operation: conditions and earlier procedures."""

    told: tuple[Coded, ...] = ()
    is_whole: bool = False


class Said(StrEnum):
    MESSAGE = "message"
    READY = "ready"
    WITHOUT = "without"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Note:
    """One thing that a person said of a case: a message, a sign-off, or that one is taken back."""

    said: Said
    name: str
    issuer: str
    subject: str
    text: str = ""
    """The message, or the reason to go on without."""
    without: tuple[str, ...] = ()
    """Titles of the imaging that was missing, in part or old then."""
    procedure: str = ""
    """What it was signed off for: another procedure needs another look."""
    at: datetime | None = None
