"""The audit tables. Rows are only ever added; nothing in the product changes or deletes one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class AuditRecord(Base):
    """One event, chained to the one before it. Every column but `hash` goes into `hash`."""

    __tablename__ = "audit_records"
    __table_args__ = (
        UniqueConstraint("tenant", "sequence"),
        Index("ix_audit_records_patient", "tenant", "patient", "at"),
        Index("ix_audit_records_subject", "tenant", "subject", "at"),
        Index("ix_audit_records_at", "tenant", "at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(16))
    verb: Mapped[str] = mapped_column(String(1))
    outcome: Mapped[int] = mapped_column(Integer)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    user_name: Mapped[str] = mapped_column(Text)
    launch: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    patient: Mapped[str | None] = mapped_column(String(128))
    details: Mapped[str] = mapped_column(Text)
    """Canonical JSON of counts, UIDs and fixed words."""
    previous: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(31))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of one tenant's chain: locked while a record is added, sealed so that a cut tail shows."""

    __tablename__ = "audit_heads"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(31))
    seal: Mapped[str] = mapped_column(String(64))
