"""What the audit says of received images: seen, decided on, stored, taken out again, gone. Counts and fixed words only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class IntakeListed(Event):
    """The list of what arrived was shown."""

    count: int = 0
    code = "110112"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class IntakeSeen(Event):
    """A received study was shown for review, with names from its files; `pictures`: its images were, too."""

    item: str
    pictures: int = 0
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class IntakeDecided(Event):
    """A person decided on a received study: `action` is a fixed word, `state` where it stands since."""

    item: str
    action: str
    state: str
    standing: str = ""
    code = "110113"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class IntakeTurnedBack(Event):
    """The chart was read again and is not as it was: what was decided does not hold, and nothing was stored. `became` is a fixed word."""

    item: str
    became: str
    state: str
    standing: str = ""
    code = "110113"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class IntakeStored(Event):
    """Objects were imported into the archive, coerced, and read back."""

    item: str
    archive: str
    stored: int = 0
    there: int = 0
    refused: int = 0
    conflicts: int = 0
    code = "110107"
    verb = "C"


@dataclass(frozen=True, kw_only=True)
class IntakeWithdrawn(Event):
    """A stored study was taken out of every view; `restored`: it went back to the reviewers, to be shown again if it was right."""

    item: str
    study: str
    archive: str
    restored: bool = False
    code = "110113"
    verb = "D"


@dataclass(frozen=True, kw_only=True)
class IntakeExpired(Event):
    """Received bytes were removed when their time was over."""

    item: str
    state: str
    count: int = 0
    code = "110105"
    verb = "D"


KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind for kind in (IntakeListed, IntakeSeen, IntakeDecided, IntakeTurnedBack, IntakeStored, IntakeWithdrawn, IntakeExpired)
}
