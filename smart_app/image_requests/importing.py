"""Takes what a directory tells into the facilities: new ones, what it changed, what vanished; what staff changed stays theirs.

All or nothing, and again is the same: a second import of the same directory writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.directory import NotADirectory
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.models import DirectoryEntryRow
from smart_app.image_requests.types import Facility
from smart_app.sealing import Keyring

_FACILITY = TypeAdapter(Facility)
FEW = 10
"""A directory this small may lose as many as it likes."""


@dataclass(frozen=True)
class Imported:
    added: int = 0
    changed: int = 0
    gone: int = 0
    same: int = 0


class DirectoryImport:
    def __init__(self, db: Database, keyring: Keyring, facilities: Facilities, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._facilities, self._clock, self._tenant = db, keyring, facilities, clock, tenant

    def take(self, directory: str, told: Sequence[Facility], *, may_shrink: bool = False) -> Imported:
        """:raises NotADirectory: more than half of what it held is gone, and `may_shrink` does not say that this is so."""
        with self._db.transaction() as session:
            of = select(DirectoryEntryRow).where(DirectoryEntryRow.tenant == self._tenant, DirectoryEntryRow.directory == directory).with_for_update()
            rows = {row.facility: row for row in session.scalars(of)}
            places = self._facilities.named(frozenset({*rows, *(one.id for one in told)}), session)
            held = {id for id, row in rows.items() if row.gone_at is None}
            gone = held - {one.id for one in told}
            if len(held) > FEW and len(gone) * 2 > len(held) and not may_shrink:
                raise NotADirectory(f"{len(gone)} of {len(held)} organizations are gone from this directory; nothing was changed. If that is so, say --may-shrink")
            done = [self._one(session, directory, one, rows.get(one.id), places.get(one.id)) for one in told]
            for id in gone:
                rows[id].gone_at = self._clock()
                if (place := places.get(id)) is not None and place.is_active:
                    self._facilities.write(session, replace(place, is_active=False))
            return Imported(done.count("added"), done.count("changed"), len(gone), done.count("same"))

    def _one(self, session: Session, directory: str, one: Facility, row: DirectoryEntryRow | None, place: Facility | None) -> str:
        if row is None or place is None:
            if place is None:
                self._facilities.write(session, one)
            session.merge(DirectoryEntryRow(tenant=self._tenant, directory=directory, facility=one.id, sealed=self._seal(directory, one), gone_at=None))
            return "added"
        before = _FACILITY.validate_json(self._keyring.open(row.sealed, place=self._place(directory, one.id)))
        # What vanished was switched off by us, not by staff: coming back undoes that.
        now = merged(before, one, replace(place, is_active=before.is_active) if row.gone_at is not None else place)
        if before == one and now == place and row.gone_at is None:
            return "same"
        row.sealed, row.gone_at = self._seal(directory, one), None
        if now != place:
            self._facilities.write(session, now)
        return "changed" if now != place else "same"

    def _seal(self, directory: str, one: Facility) -> bytes:
        return self._keyring.seal(to_json(one), place=self._place(directory, one.id))

    def _place(self, directory: str, id: str) -> str:
        return f"directory_entries.sealed:{self._tenant}.{directory}.{id}"


def merged(before: Facility, told: Facility, place: Facility) -> Facility:
    """Field by field: the directory's word where staff have not changed it, theirs where they have. Pure."""
    names = [each.name for each in fields(Facility) if each.name != "id"]
    return replace(place, **{name: getattr(told, name) for name in names if getattr(place, name) == getattr(before, name)})
