"""The table of people's decisions about records at sources. Found by keyed digests; their content is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class MatchRuling(Base):
    """One decision about one record for one patient. An undone one stays, as what was once decided."""

    __tablename__ = "match_rulings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Keyed digest of tenant, issuer, patient and record."""
    subject: Mapped[str] = mapped_column(String(64), index=True)
    """Keyed digest of tenant, issuer and patient."""
    state: Mapped[str] = mapped_column(String(12))
    """Read before every image that rests on it, without unsealing anything."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
