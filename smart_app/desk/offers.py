"""Sites and patients who ask on the public page whether they may send: what the desk is shown of it, and how it answers.

The asking is `portal.offers`; this is what the desk needs of it, so that neither part knows the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smart_app.audit.events import Who


@dataclass(frozen=True)
class Waiting:
    """One that waits for an answer, in the words of who asked: at most initials of a patient are in it."""

    id: str
    at: datetime
    sender: str
    reach: str
    """How they can be reached, to see who they are before they are let in."""
    about: str
    initials: str
    is_urgent: bool
    is_patient: bool


@dataclass(frozen=True)
class Offering:
    """`allow` and `decline` say whether it waited still: of two people who answer, one did."""

    waiting: Callable[[], tuple[Waiting, ...]]
    allow: Callable[[str, Who], bool]
    decline: Callable[[str, Who, str], bool]
