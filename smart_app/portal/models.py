"""The table of offers: sites that asked on the public page whether they may send. What they wrote is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class OfferRow(Base):
    __tablename__ = "offers"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    """`waiting`, `allowed` or `declined`."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    link: Mapped[str | None] = mapped_column(String(24))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_offers_state", "tenant", "state", "made_at"),)
