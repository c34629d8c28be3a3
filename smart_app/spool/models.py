"""Tables of received bytes: what was announced, and how much of it lies safely on our disk. Names are sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class UploadRow(Base):
    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    link: Mapped[str] = mapped_column(String(24), index=True)
    open_link: Mapped[str | None] = mapped_column(String(24), unique=True)
    """The link, while files may still come: two browsers with one link fill one upload."""
    purpose: Mapped[str] = mapped_column(String(12))
    request: Mapped[str | None] = mapped_column(String(16), index=True)
    state: Mapped[str] = mapped_column(String(10))
    sender: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    active_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_uploads_state", "state", "active_at"),)


class UploadFileRow(Base):
    __tablename__ = "upload_files"

    upload: Mapped[str] = mapped_column(String(24), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """How sender and we call it in this upload."""
    identity: Mapped[str] = mapped_column(String(64))
    """Keyed digest of what the sender's device says of it: announcing it again is announcing it once."""
    id: Mapped[str] = mapped_column(String(24), unique=True)
    """Random; its name on our disk."""
    name: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes from its start that are on disk, flushed, and promised."""
    announced: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the whole, as the sender announced it."""
    sha256: Mapped[str] = mapped_column(String(64), default="")
    """Of what we hold, once it is whole. Empty: it is not."""
    left_out: Mapped[bool] = mapped_column(default=False)
    """The sender has said that it will not come."""

    __table_args__ = (UniqueConstraint("upload", "identity"),)
