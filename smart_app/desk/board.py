"""The work list: which requests a selection shows, in which order, and how many stand in each view. Reads only.

Names are sealed at rest, so words are looked for in memory, over open requests and lately closed ones, at most `MOST` of them: the list says
when there are more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.desk.selection import NOBODY, PAGE, Selection, View
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import ImageRequest, State
from smart_app.image_requests.workflow import OPEN

MOST = 5000
LATELY = timedelta(days=30)
WAITS = OPEN | {State.DRAFT}
"""Somebody still has to do something, or waits for somebody who has."""
NEVER = float("inf")


@dataclass(frozen=True)
class Shown:
    """One page of the work list, and what stands around it."""

    rows: tuple[ImageRequest, ...]
    total: int
    """That the selection holds, on all pages."""
    page: int
    pages: int
    counts: Mapping[View, int]
    facilities: tuple[tuple[str, str], ...]
    """(id, name) of those that are asked now."""
    owners: tuple[str, ...]
    is_cut: bool
    """There are more requests than were looked at."""
    mark: str
    at: datetime


class Board:
    def __init__(self, db: Database, requests: Requests, clock: Clock, *, tenant: str) -> None:
        self._db, self._requests, self._clock, self._tenant = db, requests, clock, tenant

    def read(self, selection: Selection, me: str) -> Shown:
        """:param me: name of who looks."""
        now, mark = self._clock(), self.mark()
        everything, is_cut = self._all(now)
        chosen = [one for one in everything if in_view(one, selection.view, now, me) and passes(one, selection)]
        chosen.sort(key=_order(selection), reverse=selection.descending)
        pages = max(1, -(-len(chosen) // PAGE))
        page = min(selection.page, pages)
        facilities = {one.facility.id: one.facility.name for one in everything if one.facility is not None}
        return Shown(
            rows=tuple(chosen[(page - 1) * PAGE : page * PAGE]), total=len(chosen), page=page, pages=pages, counts=counts(everything, now, me),
            facilities=tuple(sorted(facilities.items(), key=lambda one: one[1].casefold())),
            owners=tuple(sorted({one.owner for one in everything if one.owner}, key=str.casefold)), is_cut=is_cut, mark=mark, at=now,
        )  # fmt: skip

    def mark(self) -> str:
        """Equal as long as no request of the site has changed. One question to the database, and opens nothing."""
        with self._db.reading() as session:
            told = session.execute(
                select(func.count(), func.max(RequestRow.updated_at), func.sum(RequestRow.version), func.sum(RequestRow.reminded)).where(RequestRow.tenant == self._tenant)
            ).one()
        return hashlib.sha256(repr(tuple(told)).encode()).hexdigest()[:16]

    def _all(self, now: datetime) -> tuple[list[ImageRequest], bool]:
        with self._db.reading() as session:
            wanted = select(RequestRow).where(
                RequestRow.tenant == self._tenant, or_(RequestRow.state.in_([one.value for one in WAITS]), RequestRow.closed_at > now - LATELY)
            )
            rows = session.scalars(wanted.order_by(RequestRow.closed_at.is_not(None), RequestRow.needed_by, RequestRow.created_at).limit(MOST + 1)).all()
            return [self._requests.read(row) for row in rows[:MOST]], len(rows) > MOST


def in_view(one: ImageRequest, view: View, now: datetime, me: str) -> bool:
    """Whether a request stands in a view. What was due today stays there when it is done, so that the day can be read at its end."""
    waits, due = one.state in WAITS, one.asked.needed_by
    match view:
        case View.DUE_TODAY:
            end = _tomorrow(now)
            return due is not None and due < end and (waits or due >= end - timedelta(days=1))
        case View.OVERDUE:
            return waits and due is not None and due < now
        case View.TO_REVIEW:
            return one.state is State.IN_REVIEW
        case View.MINE:
            return waits and bool(me) and one.owner == me
        case View.NOBODYS:
            return waits and not one.owner
        case View.SURGERY:
            return waits and one.asked.anchor is not None
        case View.OPEN:
            return waits
        case View.CLOSED:
            return not waits


def passes(one: ImageRequest, selection: Selection) -> bool:
    """Whether the filters and words let it through."""
    if selection.states and one.state not in selection.states:
        return False
    if selection.facility and (one.asked.facility or "patient") != selection.facility:
        return False
    if selection.owner and (one.owner or NOBODY) != selection.owner:
        return False
    if selection.urgency and one.asked.urgency is not selection.urgency:
        return False
    return all(word in _text(one) for word in selection.words.casefold().split())


def counts(requests: Iterable[ImageRequest], now: datetime, me: str) -> dict[View, int]:
    found = dict.fromkeys(View, 0)
    for one in requests:
        for view in View:
            found[view] += in_view(one, view, now, me)
    return found


def _text(one: ImageRequest) -> str:
    """What words are looked for in. A number is found however its groups are written."""
    patient, facility = one.asked.patient, one.facility
    numbers = (patient.mrn or "", *(found.value for found in patient.identifiers), one.asked.wanted.accession)
    parts = (one.id, patient.name, facility.name if facility else "patient", *numbers, *(number.replace(" ", "") for number in numbers), one.asked.wanted.title)
    return " ".join(parts).casefold()


def _order(selection: Selection) -> Callable[[ImageRequest], tuple[object, ...]]:
    def due(one: ImageRequest) -> float:
        return one.asked.needed_by.timestamp() if one.asked.needed_by else NEVER

    keys: dict[str, Callable[[ImageRequest], object]] = {
        "due": due,
        "patient": lambda one: one.asked.patient.name.casefold(),
        "from": lambda one: one.facility.name.casefold() if one.facility else "",
        "state": lambda one: tuple(State).index(one.state),
        "owner": lambda one: one.owner.casefold() or "\uffff",
        "updated": lambda one: one.updated_at.timestamp(),
    }
    first = keys[selection.sort]
    return lambda one: (first(one), due(one), one.id)


def _tomorrow(now: datetime) -> datetime:
    """The midnight that ends today, in the clock of this site."""
    return (now.astimezone() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
