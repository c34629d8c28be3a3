"""The tables of marks. Nobody is named in them: person, patient and study are keyed digests, the content is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class MarksRow(Base):
    """One person's marks on one study of one patient."""

    __tablename__ = "marks"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """HMAC-SHA-256 of tenant, EHR, person, patient and study, under a key derived from the keyring."""
    patient: Mapped[str] = mapped_column(String(64), index=True)
    version: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class MarkReportRow(Base):
    """One version of somebody's marks that is to be, or was, written to the archive: once, whoever asks and however often."""

    __tablename__ = "mark_reports"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Key of its work."""
    marks: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    patient: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16))
    """`waiting`, `stored` (read back) or `refused`."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The object as it is sent, with where it goes."""
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("uq_mark_reports_marks_version", "marks", "version", unique=True),)
