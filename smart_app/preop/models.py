"""Tables of the board: what each launch has read, and what teams said of cases. Whatever names somebody is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class PreopKeptRow(Base):
    __tablename__ = "preop_kept"

    launch: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of the handle of the board, or of a case's own launch."""
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    """The day of a list, or `history`."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `SurgicalList`, or a patient's `History`."""
    read_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class PreopNoteRow(Base):
    __tablename__ = "preop_notes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    """Keyed digest of EHR and case."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `Note`."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
