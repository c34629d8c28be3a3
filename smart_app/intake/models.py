"""Tables of what was received. Whose it is and what it shows is sealed; digests and states are plain, and name no patient."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class ScreenedUploadRow(Base):
    """That an upload was screened, so that it is screened once."""

    __tablename__ = "screened_uploads"

    upload: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """How many files were what, and why the others were refused."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReceivedStudyRow(Base):
    """One study of one request, however often it is sent; of one upload where nobody asked. An item of the desk."""

    __tablename__ = "received_studies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Keyed digest of `scope` and study: receiving the same again finds the same row."""
    tenant: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(80))
    """The request, or the upload where there is none."""
    request: Mapped[str | None] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(12))
    study: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the Study Instance UID."""
    subject: Mapped[str] = mapped_column(String(64), default="")
    """Keyed digest of the patient it is meant for; empty: not linked."""
    state: Mapped[str] = mapped_column(String(16))
    standing: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    urgent: Mapped[bool] = mapped_column(default=False)
    held: Mapped[bool] = mapped_column(default=False)
    """Legal hold: nothing of it expires."""
    tries: Mapped[int] = mapped_column(default=0)
    """Of storing it, since somebody last decided."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `received.Content`."""
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the first byte of its upload came."""
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it stood on the desk."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its bytes may go; None: not while it stands like this."""

    __table_args__ = (
        Index("ix_received_studies_scope", "scope"),
        Index("ix_received_studies_work", "tenant", "state"),
        Index("ix_received_studies_subject", "tenant", "subject"),
        Index("ix_received_studies_expires", "expires_at"),
    )


class ReceivedInstanceRow(Base):
    """One object of it, each once: unique by item, object and bytes (safety.md J4)."""

    __tablename__ = "received_instances"

    item: Mapped[str] = mapped_column(String(32), primary_key=True)
    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Keyed digest of the SOP Instance UID."""
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of the object as it came."""
    upload: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    """A `received.Stage`."""
    reason: Mapped[str] = mapped_column(String(64), default="")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """A `received.Source`."""

    __table_args__ = (Index("ix_received_instances_upload", "upload"),)


class StoredObjectRow(Base):
    """The receipt of one object at the archive, and before that the claim to be the one who stores it."""

    __tablename__ = "stored_objects"

    archive: Mapped[str] = mapped_column(String(31), primary_key=True)
    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    study: Mapped[str] = mapped_column(String(64))
    item: Mapped[str] = mapped_column(String(32), index=True)
    """Who stores or stored it."""
    subject: Mapped[str] = mapped_column(String(64))
    substance: Mapped[str] = mapped_column(String(64))
    """Digest of what coercion never touches: another one under the same UID is another object."""
    written: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the bytes that were sent."""
    state: Mapped[str] = mapped_column(String(12))
    """`claimed`, `answered` (the archive said that it has it) or `verified` (it was read back)."""
    code: Mapped[int] = mapped_column(default=0)
    """What the archive gave as its reason or warning."""
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_stored_objects_study", "archive", "study"),)


class WithdrawnStudyRow(Base):
    """A study at an archive that no view may show any more."""

    __tablename__ = "withdrawn_studies"

    archive: Mapped[str] = mapped_column(String(31), primary_key=True)
    study: Mapped[str] = mapped_column(String(64), primary_key=True)
    item: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
