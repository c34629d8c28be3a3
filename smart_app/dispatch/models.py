"""Tables of messages that left, and of steps that rules took. A row is written before anything is done and stays: nothing is done twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class MessageRow(Base):
    __tablename__ = "outgoing_messages"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    """Kind of the work, key of the work, kind of the letter. The Message-ID is made from it."""
    request: Mapped[str] = mapped_column(String(16))
    letter: Mapped[str] = mapped_column(String(12))
    """A `Kind` of `dispatch.letters`, or `sheet` for paper."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """To whom: the address belongs to a person. What was written is not kept: it is made anew from the request and its link."""
    state: Mapped[str] = mapped_column(String(10))
    """`prepared`, `handed` (from here on its fate may be unknown), `accepted`, or `refused`."""
    handings: Mapped[int] = mapped_column(default=0)
    """How often a server was given it without a known refusal."""
    tries: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(64), default="")
    """Fixed word of the last fault."""
    prepared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    handed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_outgoing_messages_request", "request"),)


class FollowUpRow(Base):
    __tablename__ = "follow_ups"

    request: Mapped[str] = mapped_column(String(16), primary_key=True)
    step: Mapped[str] = mapped_column(String(8), primary_key=True)
    """A `Step` of `dispatch.rules`."""
    slot: Mapped[str] = mapped_column(String(16), primary_key=True)
    """What there is one of: the day of a reminder, the silence of the rest."""
    rule: Mapped[str] = mapped_column(String(32))
    since: Mapped[int]
    """The event with which the silence began."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
