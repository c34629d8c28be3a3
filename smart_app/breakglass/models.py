"""The table of break-glass openings. Kept for review as long as the audit; who, whom and why are sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class BreakGlassRow(Base):
    __tablename__ = "break_glass"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """`BG-7Q2M4TKX`: named in every audit record of a read while it was open."""
    tenant: Mapped[str] = mapped_column(String(64))
    launch: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the handle; its first 16 digits name the launch in the audit."""
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(16))
    """`person`, `time` or `launch`."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_break_glass_launch", "launch"), Index("ix_break_glass_tenant", "tenant", "opened_at"))
