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
