"""The directory of organizations that may be asked for images, and how. Staff may add one; nothing of a patient is in it."""

from __future__ import annotations

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.models import FacilityRow
from smart_app.image_requests.types import Facility
from smart_app.sealing import Keyring

_FACILITY = TypeAdapter(Facility)


class Facilities:
    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant

    def get(self, id: str) -> Facility | None:
        with self._db.reading() as session:
            row = session.get(FacilityRow, id)
            return self._read(row) if row is not None and row.tenant == self._tenant else None

    def all(self) -> tuple[Facility, ...]:
        """Active ones, by name."""
        with self._db.reading() as session:
            rows = session.scalars(select(FacilityRow).where(FacilityRow.tenant == self._tenant, FacilityRow.is_active))
            return tuple(sorted((self._read(row) for row in rows), key=lambda one: (one.name.casefold(), one.place.casefold())))

    def save(self, facility: Facility) -> None:
        """Add it, or replace what is known of it."""
        with self._db.transaction() as session:
            sealed = self._keyring.seal(to_json(facility), place=f"facilities.sealed:{facility.id}")
            added = session.get(FacilityRow, facility.id)
            at = added.added_at if added is not None else self._clock()
            session.merge(FacilityRow(id=facility.id, tenant=self._tenant, sealed=sealed, is_active=facility.is_active, added_at=at))

    def _read(self, row: FacilityRow) -> Facility:
        return _FACILITY.validate_json(self._keyring.open(row.sealed, place=f"facilities.sealed:{row.id}"))
