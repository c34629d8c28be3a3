"""One row for each series access that has been audited, so that 300 frames make one record (safety.md A4)."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base


class SeriesAccess(Base):
    """`launch` and `access` are hashes: the table names nobody."""

    __tablename__ = "series_access"

    launch: Mapped[str] = mapped_column(String(16), primary_key=True)
    access: Mapped[str] = mapped_column(String(32), primary_key=True)
