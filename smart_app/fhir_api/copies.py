"""Requests on other FHIR servers: what of each lies where, and how it got there once, however many answers were lost.

A row is written before the first try. Who tries again looks there first, by identifier, and then creates with If-None-Exist: of three
guards (row, look, condition) one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from smart_app.archives.registry import Credential
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.fhir.writing import FhirWriter
from smart_app.fhir_api.mapping import Resource
from smart_app.fhir_api.models import FhirCopyRow

ORDER = "urn:uuid:6a7c3d1e-5b0f-4f57-9d0e-3f6a4b1c2d01"
TASK = "urn:uuid:6a7c3d1e-5b0f-4f57-9d0e-3f6a4b1c2d02"
"""Full URLs within one transaction; the server gives ids."""


@dataclass(frozen=True)
class Copy:
    """As the row says. `is_first`: nobody has tried before."""

    place: str
    request: str
    asking: int
    order_id: str
    task_id: str
    told: int
    heard: str
    silent_since: datetime | None
    is_first: bool = False


@dataclass(frozen=True)
class Proven:
    """`fhir.client.Proof` of work without a person."""

    credential: Credential = field(repr=False)

    def headers(self) -> dict[str, str]:
        return dict(self.credential.headers(None))

    def renewed(self, rejected: Mapping[str, str]) -> dict[str, str] | None:
        found = self.credential.renewed(None, rejected)
        return None if found is None or dict(found) == dict(rejected) else dict(found)


class Copies:
    """One a process."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def begin(self, place: str, request: str, asking: int) -> Copy:
        """The row, made before the first try. Of two who begin at once, one is the first."""
        made = FhirCopyRow(place=place, request=request, asking=asking, order_id="", task_id="", told=0, heard="", silent_since=None, began_at=self._clock())
        try:
            with self._db.transaction() as session:
                row = session.get(FhirCopyRow, (place, request, asking))
                if row is not None:
                    return _copy(row)
                session.add(made)
        except IntegrityError:
            with self._db.reading() as session:
                return _copy(session.get_one(FhirCopyRow, (place, request, asking)))
        return _copy(made, is_first=True)

    def arrived(self, copy: Copy, session: Session, order_id: str, task_id: str) -> bool:
        """Write down where it lies; whether nobody had written it down before."""
        row = session.get_one(FhirCopyRow, (copy.place, copy.request, copy.asking), with_for_update=True)
        is_news = not row.task_id
        row.order_id, row.task_id, row.silent_since = order_id, task_id, None
        return is_news

    def latest(self, place: str, request: str) -> Copy | None:
        with self._db.reading() as session:
            newest = select(FhirCopyRow).where(FhirCopyRow.place == place, FhirCopyRow.request == request).order_by(FhirCopyRow.asking.desc()).limit(1)
            row = session.scalars(newest).first()
            return _copy(row) if row is not None else None

    def note(self, copy: Copy, session: Session | None = None, **facts: Any) -> None:
        """Write facts into the row; in `session` they stand or fall with it."""
        if session is None:
            with self._db.transaction() as own:
                self.note(copy, own, **facts)
            return
        row = session.get_one(FhirCopyRow, (copy.place, copy.request, copy.asking), with_for_update=True)
        for name, value in facts.items():
            setattr(row, name, value)

    def silent_for(self, copy: Copy) -> float:
        """Note that it was not taken now; seconds since it first was not."""
        now = self._clock()
        with self._db.transaction() as session:
            row = session.get_one(FhirCopyRow, (copy.place, copy.request, copy.asking), with_for_update=True)
            row.silent_since = row.silent_since or now
            return (now - row.silent_since).total_seconds()


@dataclass(frozen=True)
class Brought:
    """`told`: what lies there is what we have just written."""

    order_id: str
    task_id: str
    told: bool


def bring(writer: FhirWriter, copy: Copy, order: Resource, task_for: Callable[[str], Resource], *, together: bool) -> Brought:
    """Both resources there, once. `task_for` makes the Task for a reference to the order.

    :raises OutboundError: it may or may not be there; ask again with the row as it is then.
    """
    order_name, task = _name(order), task_for(ORDER)
    order_id, task_id = copy.order_id, copy.task_id
    if not copy.is_first:
        order_id = order_id or _id(writer, "ServiceRequest", order_name)
        task_id = task_id or _id(writer, "Task", _name(task))
    if order_id and task_id:
        return Brought(order_id, task_id, told=False)
    if together and not order_id:
        made = writer.transaction({ORDER: (order, order_name), TASK: (task, _name(task))})
        return Brought(made[ORDER].id, made[TASK].id, told=made[ORDER].is_new and made[TASK].is_new)
    was_there = bool(order_id)
    if not order_id:
        made_order = writer.create(order, order_name)
        order_id, was_there = made_order.id, not made_order.is_new
    made_task = writer.create(task_for(f"ServiceRequest/{order_id}"), _name(task))
    return Brought(order_id, made_task.id, told=made_task.is_new and not was_there)


def _id(writer: FhirWriter, kind: str, identifier: str) -> str:
    found = writer.find(kind, identifier)
    return found.id if found is not None else ""


def _name(resource: Mapping[str, Any]) -> str:
    first = resource["identifier"][0]
    return f"{first['system']}|{first['value']}"


def _copy(row: FhirCopyRow, *, is_first: bool = False) -> Copy:
    return Copy(row.place, row.request, row.asking, row.order_id, row.task_id, row.told, row.heard, row.silent_since, is_first)
