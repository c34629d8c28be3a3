"""Tables of the desk: who works there, and the views that they saved. Names and filters are sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class DeskPersonRow(Base):
    __tablename__ = "desk_people"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Keyed digest of tenant, EHR and user."""
    tenant: Mapped[str] = mapped_column(String(64), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `Person`."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeskViewRow(Base):
    __tablename__ = "desk_views"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    person: Mapped[str] = mapped_column(String(32), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `SavedView`: its words may name a patient."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
