"""The table of the index. Nobody is named in it: patients and users are keyed digests, the content is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class IndexEntry(Base):
    """What one source told of one patient, the last time it answered."""

    __tablename__ = "index_entries"

    patient: Mapped[str] = mapped_column(String(64), primary_key=True)
    """HMAC-SHA-256 of tenant, issuer and patient id, under a key derived from the keyring."""
    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    asker: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Keyed digest of the user with whose own token the source was asked; empty where it was asked with Priors' credential."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
