"""The directory of organizations that may be asked for images, and how. Staff may add one; nothing of a patient is in it.

The configuration may seed it: an entry is written when it is new or was changed there, so that what staff edited stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from unicodedata import combining, normalize

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.config import FacilityEntry
from smart_app.db import Database
from smart_app.image_requests.models import FacilityRow
from smart_app.image_requests.types import Facility, Route, RouteKind
from smart_app.sealing import Keyring

_FACILITY = TypeAdapter(Facility)
MOST = 50
PLAIN_WORDS = frozenset({"the", "of", "and", "hospital", "clinic", "centre", "center", "medical"})
"""Say little about which place is meant."""


class Facilities:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant
        self._opened: dict[str, tuple[bytes, Facility]] = {}
        """By id: a row as it was opened last. Rows are read each time, and opened when they have changed: a large directory is searched at every letter."""

    def get(self, id: str) -> Facility | None:
        with self._db.reading() as session:
            return self.named(frozenset({id}), session).get(id)

    def named(self, ids: frozenset[str], session: Session) -> dict[str, Facility]:
        """Those of these that there are, active or not."""
        rows = session.scalars(select(FacilityRow).where(FacilityRow.id.in_(ids), FacilityRow.tenant == self._tenant)) if ids else ()
        return {row.id: self._read(row) for row in rows}

    def all(self, *, retired: bool = False) -> tuple[Facility, ...]:
        """Active ones, by name; with `retired`, the others too."""
        with self._db.reading() as session:
            columns = select(FacilityRow.id, FacilityRow.sealed).where(FacilityRow.tenant == self._tenant, *(() if retired else (FacilityRow.is_active,)))
            places = [self._open(row.id, row.sealed) for row in session.execute(columns)]
        return tuple(sorted(places, key=lambda one: (plain(one.name), plain(one.place))))

    def search(self, text: str, most: int = MOST) -> tuple[Facility, ...]:
        """Active ones that have every word in name, place or note: case and accents do not matter. Those whose name begins so come first."""
        wanted = plain(text).split()
        found = [one for one in self.all() if all(word in plain(f"{one.name} {one.place} {one.note}") for word in wanted)]
        return tuple(sorted(found, key=lambda one: not plain(one.name).startswith(" ".join(wanted)))[:most])

    def called(self, name: str) -> Facility | None:
        """The one that a chart means by this name; None when there is none, or more than one it could be."""
        told = _telling(name)
        if not told:
            return None
        places = self.all()
        same = [one for one in places if plain(one.name) == plain(name)]
        near = same or [one for one in places if (own := _telling(one.name)) and (own <= told or told <= own)]
        return near[0] if len(near) == 1 else None

    def save(self, facility: Facility) -> None:
        """Add it, or replace what is known of it."""
        with self._db.transaction() as session:
            self._save(session, facility, None)

    def write(self, session: Session, facility: Facility) -> None:
        """The same in the caller's transaction."""
        self._save(session, facility, None)

    def seed(self, configured: Iterable[Facility]) -> int:
        """Write those of the configuration that are new or were changed there; how many."""
        written = 0
        with self._db.transaction() as session:
            seeds = {row.id: row.seed for row in session.execute(select(FacilityRow.id, FacilityRow.seed).where(FacilityRow.tenant == self._tenant))}
            for one in configured:
                mark = hashlib.sha256(to_json(one)).hexdigest()
                if seeds.get(one.id) != mark:
                    self._save(session, one, mark)
                    written += 1
        return written

    def _save(self, session: Session, facility: Facility, seed: str | None) -> None:
        sealed = self._keyring.seal(to_json(facility), place=self._place(facility.id))
        known = session.get(FacilityRow, (facility.id, self._tenant))
        at = known.added_at if known is not None else self._clock()
        mark = seed if seed is not None else known.seed if known is not None else ""
        session.merge(FacilityRow(id=facility.id, tenant=self._tenant, sealed=sealed, is_active=facility.is_active, added_at=at, seed=mark))

    def _read(self, row: FacilityRow) -> Facility:
        return self._open(row.id, row.sealed)

    def _open(self, id: str, sealed: bytes) -> Facility:
        known = self._opened.get(id)
        if known is None or known[0] != sealed:
            known = (sealed, _FACILITY.validate_json(self._keyring.open(sealed, place=self._place(id))))
            self._opened[id] = known
        return known[1]

    def _place(self, id: str) -> str:
        return f"facilities.sealed:{self._tenant}.{id}"


def seeded(entries: Iterable[FacilityEntry]) -> tuple[Facility, ...]:
    """Facilities as the configuration names them."""
    return tuple(
        Facility(one.id, one.name, one.place, tuple(Route(RouteKind(way.kind), way.address) for way in one.routes), one.phone, one.note, one.is_active) for one in entries
    )


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Without case and accents."""
    return "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))


def _telling(name: str) -> frozenset[str]:
    words = frozenset("".join(letter if letter.isalnum() else " " for letter in plain(name)).split())
    return words - PLAIN_WORDS or words
