"""Views of the work list that a person saved for themselves: a title and a selection. The address of one names it, not what it looks for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import delete, func, select

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.desk.models import DeskViewRow
from smart_app.desk.selection import Selection
from smart_app.sealing import Keyring

MOST = 30
"""Of one person."""
LONGEST = 60


@dataclass(frozen=True)
class SavedView:
    title: str
    selection: Selection
    id: str = ""


_VIEW = TypeAdapter(SavedView)


class TooManyViews(Exception):
    """This person has `MOST` views already."""


class SavedViews:
    """One a process; safe for threads. `person` is an id of `People`."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self._tenant = db, keyring, clock, tenant

    def of(self, person: str) -> tuple[SavedView, ...]:
        """Theirs, in the order they were saved."""
        with self._db.reading() as session:
            rows = session.scalars(select(DeskViewRow).where(DeskViewRow.person == person, DeskViewRow.tenant == self._tenant).order_by(DeskViewRow.created_at, DeskViewRow.id))
            return tuple(self._read(row) for row in rows)

    def save(self, person: str, title: str, selection: Selection) -> SavedView:
        """:raises TooManyViews: :raises ValueError: without a title."""
        title = " ".join(title.split())[:LONGEST]
        if not title:
            raise ValueError("a view needs a title")
        view = SavedView(title, replace(selection, page=1), secrets.token_hex(16))
        with self._db.transaction() as session:
            if (session.scalar(select(func.count()).where(DeskViewRow.person == person)) or 0) >= MOST:
                raise TooManyViews
            sealed = self._keyring.seal(to_json(view), place=f"desk_views.sealed:{view.id}")
            session.add(DeskViewRow(id=view.id, tenant=self._tenant, person=person, sealed=sealed, created_at=self._clock()))
        return view

    def remove(self, person: str, id: str) -> bool:
        with self._db.transaction() as session:
            gone = session.execute(delete(DeskViewRow).where(DeskViewRow.id == id, DeskViewRow.person == person, DeskViewRow.tenant == self._tenant))
            return bool(gone.rowcount)  # type: ignore[attr-defined]

    def _read(self, row: DeskViewRow) -> SavedView:
        return _VIEW.validate_json(self._keyring.open(row.sealed, place=f"desk_views.sealed:{row.id}"))
