"""Values of received bytes that cross borders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from smart_app.links.types import Purpose


class UploadState(StrEnum):
    OPEN = "open"
    """Files may still come."""
    FINISHED = "finished"
    """The sender said that this is all."""
    SCREENED = "screened"
    REMOVED = "removed"


@dataclass(frozen=True)
class ReceivedFile:
    """One file, whole and safely on our disk. `path` lies in the spool and never contains anything a sender chose."""

    id: str
    upload: str
    name: str
    """As the sender's device called it. Shown as text, never used as a path."""
    size: int
    sha256: str
    path: Path


@dataclass(frozen=True)
class Upload:
    """All files of one visit to a link, as far as they are safely received."""

    id: str
    tenant: str
    link: str
    purpose: Purpose
    request: str | None
    """`RQ-…`; None: nobody asked for it."""
    state: UploadState
    sender: str
    """Who says they send it: a hospital's or person's own words."""
    begun_at: datetime
    finished_at: datetime | None
    files: tuple[ReceivedFile, ...] = ()


@dataclass(frozen=True)
class Announced:
    """A file that a sender says will come."""

    name: str
    size: int
    mark: str = ""
    """What else tells it from another file of this name and size: when it was changed last."""
    sha256: str = ""


@dataclass(frozen=True)
class Standing:
    """How far one announced file is."""

    number: int
    held: int
    is_whole: bool
    left_out: bool = False


@dataclass(frozen=True)
class Progress:
    """How far an upload is. Bytes count once they are flushed and recorded."""

    files: int
    whole: int
    bytes: int
    held: int


class Outcome(StrEnum):
    """What became of one piece."""

    HELD = "held"
    AGAIN = "again"
    """We had it: the same answer as the first time."""
    ORDER = "order"
    """Not what comes next; `held` says from where."""
    DAMAGED = "damaged"
    """Not the bytes that its hash says."""
    DIFFERS = "differs"
    """Other bytes than those that we hold of this file."""
    CHANGED = "changed"
    """Whole, and not what was announced: it begins anew."""
    BUSY = "busy"
    """Another request is writing this file."""
    UNKNOWN = "unknown"
    """Not announced, or longer than announced."""
    FULL = "full"
    """No room: nothing of this piece was kept."""


@dataclass(frozen=True)
class Taken:
    file: int
    outcome: Outcome
    held: int
    is_whole: bool
