"""Tables of the FHIR face: who was let in, which assertions are spent, and what of a request lies on another server."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.db import Base, UtcDateTime


class ApiTokenRow(Base):
    __tablename__ = "api_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the access token, which is kept nowhere."""
    client_id: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ApiAssertionRow(Base):
    __tablename__ = "api_assertions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of client and jti: used once by whoever inserts it."""
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class FhirCopyRow(Base):
    """A request as it lies on another FHIR server. Written before the first try, so that no lost answer is forgotten."""

    __tablename__ = "fhir_copies"

    place: Mapped[str] = mapped_column(String(40), primary_key=True)
    """`partner:kestrel` or `ehr:northgate`."""
    request: Mapped[str] = mapped_column(String(16), primary_key=True)
    asking: Mapped[int] = mapped_column(primary_key=True)
    """Sequence of the change that sent it: asked again, it is another Task."""
    order_id: Mapped[str] = mapped_column(String(64), default="")
    """Id of its ServiceRequest there; empty: not known to be there."""
    task_id: Mapped[str] = mapped_column(String(64), default="")
    """Id of its Task, or of its Communication."""
    told: Mapped[int] = mapped_column(default=0)
    """Version of the request as it was last told there."""
    heard: Mapped[str] = mapped_column(String(20), default="")
    """Status that the partner last gave it."""
    silent_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when that server has not taken what we write; None while it does."""
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
