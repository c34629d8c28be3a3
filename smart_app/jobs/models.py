"""The table of work. A row names what it is about and nothing else; it stays when done, so that the same thing is never done twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class WorkRow(Base):
    __tablename__ = "work_rows"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    """Id of what it is about, with a date or number where the same thing is done again on purpose. Adding it twice is adding it once."""
    tenant: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Whose work it is: where sites share a database, each does its own and sees its own."""
    state: Mapped[str] = mapped_column(String(10))
    """`waiting`, `running`, `done` or `attention`."""
    attempt: Mapped[int] = mapped_column(default=0)
    """Tries that did not end with `Later`."""
    claims: Mapped[int] = mapped_column(default=0)
    """How often it was claimed. Who settles must name the last: a worker that lost its row writes nothing."""
    beat: Mapped[int] = mapped_column(default=0)
    """Counts signs of life of who runs it. Others watch whether it moves; no clock is compared."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None: at once, whatever any clock says."""
    put_off_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When `due_at` was set by a wait (back-off, `Later`); a clock that reads earlier has been set back, and the wait is over."""
    holder: Mapped[str] = mapped_column(String(64), default="")
    """The worker that runs it now, or ran it last."""
    reason: Mapped[str] = mapped_column(String(64), default="")
    """Fixed word: why it needs attention, or what the last try failed with."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was done, or was given to a person."""

    __table_args__ = (Index("ix_work_rows_due", "state", "due_at"),)
