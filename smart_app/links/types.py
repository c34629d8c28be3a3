"""Values of links that cross borders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a link was given for."""

    REQUEST = "request"
    """Answers a request."""
    BROUGHT = "brought"
    """A patient's own images that nobody asked for, for a second opinion."""
    OFFERED = "offered"
    """Another site asked on the public page whether it may send, and staff allowed it."""
    PHOTO = "photo"
    """A clinician's phone, bound to a launch."""
    INBOUND = "inbound"
    """An emergency: sent ahead of a patient who is not registered yet."""


@dataclass(frozen=True)
class Link:
    """A link as it stands. Its token and code are not here: only their digests are kept."""

    id: str
    tenant: str
    purpose: Purpose
    request: str | None
    """`RQ-…` that it answers."""
    expires_at: datetime
    ended: str = ""
    """Why it has ended: `expired`, `revoked`, `locked` (five wrong proofs in its life) or `completed`; empty while it lives."""
    wrong: int = 0
    opened_at: datetime | None = None
    """When somebody first proved that it is meant for them."""


@dataclass(frozen=True)
class Tried:
    """One attempt to show that a link is meant for somebody."""

    is_right: bool
    link: Link
    """As it stands after the try."""
    is_evaluated: bool = True
    """False: the link had ended, so nothing was compared."""

    @property
    def left(self) -> int:
        return 0 if self.link.ended else max(0, 5 - self.link.wrong)
