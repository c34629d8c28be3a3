"""The table of links. Only digests: who steals it can neither open a link nor learn a code."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class LinkRow(Base):
    __tablename__ = "links"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(12))
    request: Mapped[str | None] = mapped_column(String(16), index=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    """With the id and a key of the keyring it gives the token again, so that a sheet can be printed twice."""
    key_id: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token."""
    about: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: what whoever issued it wants to know of it again."""
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended: Mapped[str] = mapped_column(String(12), default="")
    """`revoked`, `locked` or `completed`; expiry is the clock's."""
    wrong: Mapped[int] = mapped_column(default=0)
