"""Tables of requests and facilities. Who and what is sealed; what a work list sorts and filters by is plain, and names no patient."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class FacilityRow(Base):
    __tablename__ = "facilities"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `Facility`: sealed for its addresses, which are people's."""
    is_active: Mapped[bool]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seed: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Digest of the configured entry that it was last written from; empty: staff added it."""


class DirectoryEntryRow(Base):
    """A facility as a directory told it last, so that what staff changed since can be told from what the directory changes."""

    __tablename__ = "directory_entries"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    directory: Mapped[str] = mapped_column(String(40), primary_key=True)
    facility: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `Facility`."""
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the directory no longer held it."""


class RequestRow(Base):
    __tablename__ = "image_requests"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    """Keyed digest of tenant, EHR and patient."""
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    live_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Keyed digest of what is asked, while it is asked: an identical active request breaks it. None once it is closed."""
    case_id: Mapped[str] = mapped_column(String(16), default="")
    facility: Mapped[str | None] = mapped_column(String(40))
    route: Mapped[str] = mapped_column(String(12))
    urgency: Mapped[str] = mapped_column(String(12))
    anchor: Mapped[str] = mapped_column(String(64), default="")
    """Keyed digest of the appointment it hangs on."""
    needed_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    owner: Mapped[str] = mapped_column(String(64), default="")
    """Keyed digest of the user who looks after it."""
    reminded: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `_Content`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_image_requests_subject", "subject"),
        Index("ix_image_requests_work", "tenant", "state", "needed_by"),
        Index("ix_image_requests_anchor", "anchor"),
        Index("ix_image_requests_closed", "tenant", "closed_at"),
        Index("ix_image_requests_case", "case_id"),
    )


class RequestEventRow(Base):
    __tablename__ = "request_events"

    request: Mapped[str] = mapped_column(String(16), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    party: Mapped[str] = mapped_column(String(12))
    action: Mapped[str] = mapped_column(String(16))
    before: Mapped[str] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Name and note."""
