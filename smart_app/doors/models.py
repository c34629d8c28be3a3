"""The table of viewer preferences: nobody is named in it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class PreferencesRow(Base):
    __tablename__ = "viewer_preferences"

    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    """HMAC-SHA-256 of tenant, issuer and subject, under a key derived from the keyring."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
