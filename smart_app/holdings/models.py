"""Tables of what a launch may see. Rows are found by digests that need the launch's handle; their content is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class HoldingPatient(Base):
    """The launch's patient as the EHR told it."""

    __tablename__ = "holding_patients"

    launch: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the handle."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HoldingAnswer(Base):
    """The latest answer of one source."""

    __tablename__ = "holding_answers"

    launch: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HoldingStudy(Base):
    """One study that one source of the launch named at one archive, or that it disputes."""

    __tablename__ = "holding_studies"

    launch: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    study: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of handle, archive and Study Instance UID."""
    named: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """SHA-256 of handle and Study Instance UID: the same for all that is said of the study. Empty in rows of an earlier version."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_holding_studies_launch_study", "launch", "study"),
        Index("ix_holding_studies_launch_named", "launch", "named"),
    )


class HoldingChecked(Base):
    """The instances of one series whose own metadata named this study and this patient."""

    __tablename__ = "holding_checked"

    launch: Mapped[str] = mapped_column(String(64), primary_key=True)
    series: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of handle, archive, study and series."""
    version: Mapped[str] = mapped_column(String(32))
    """Changes with the content: what a process may keep unsealed."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
