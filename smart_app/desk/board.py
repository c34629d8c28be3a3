"""The work list: which requests a selection shows, in which order, and how many stand in each view. Reads only.

Filters, counts and the order by due time are `image_requests.queries`, on plain columns. Names are sealed: words are looked for, and an order by
name is made, in memory, over the first `MOST` requests of the other filters. The list says when that was not all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.desk.people import People, Person
from smart_app.desk.selection import IN_MEMORY, NOBODY, PAGE, Selection
from smart_app.image_requests import words
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.queries import MOST_SEARCHED, Filter, Page, Sort, View, Work, view
from smart_app.image_requests.types import Actor, Facility, ImageRequest, State

NO_SUCH_PERSON = "-"
"""Owns nothing: an owner that nobody knows shows nothing rather than everything."""


@dataclass(frozen=True)
class Shown:
    """One page of the work list, and what stands around it."""

    rows: tuple[ImageRequest, ...]
    total: int
    """That the selection holds, on all pages."""
    page: int
    pages: int
    counts: Mapping[View, int]
    facilities: tuple[Facility, ...]
    people: Mapping[str, Person]
    unsearched: int
    """Requests that were not looked at for the words, or not put in order."""
    mark: str
    at: datetime


class Board:
    """One a process."""

    def __init__(self, db: Database, work: Work, facilities: Facilities, people: People, clock: Clock, *, tenant: str, beside: Callable[[], object] = lambda: ()) -> None:
        """`beside`: equal as long as nothing has changed in the lists that other parts keep, whose counts stand at the left."""
        self._beside = beside
        self._db, self._work, self._facilities, self._people, self._clock, self._tenant = db, work, facilities, people, clock, tenant

    def read(self, selection: Selection, me: Actor) -> Shown:
        """:param me: who looks."""
        now, mark, people = self._clock(), self.mark(), self._people.all()
        found = self._page(selection, me, people, (selection.page - 1) * PAGE, PAGE)
        pages = max(1, -(-found.total // PAGE))
        if selection.page > pages:
            return self.read(selection.at(pages), me)
        return Shown(
            rows=found.requests, total=found.total, page=selection.page, pages=pages, counts=self._work.counts(me), facilities=self._facilities.all(),
            people=people, unsearched=found.unsearched, mark=mark, at=now,
        )  # fmt: skip

    def everything(self, selection: Selection, me: Actor) -> Page:
        """All pages of it at once, for a file: `unsearched` says how many are missing from it."""
        found = self._page(selection, me, self._people.all(), 0, MOST_SEARCHED)
        return replace(found, unsearched=max(found.unsearched, found.total - len(found.requests)))

    def mark(self) -> str:
        """Equal as long as no request of the site has changed, nor what stands beside them. Counts only, and opens nothing."""
        with self._db.reading() as session:
            told = session.execute(
                select(func.count(), func.max(RequestRow.updated_at), func.sum(RequestRow.version)).where(RequestRow.tenant == self._tenant)
            ).one()
        return hashlib.sha256(repr((tuple(told), self._beside())).encode()).hexdigest()[:16]

    def _page(self, selection: Selection, me: Actor, people: Mapping[str, Person], offset: int, limit: int) -> Page:
        wanted = filter_of(selection, me, people)
        if selection.sort not in IN_MEMORY and not selection.descending:
            return self._work.page(replace(wanted, offset=offset, limit=limit))
        found = self._work.page(replace(wanted, limit=MOST_SEARCHED))
        ordered = sorted(found.requests, key=_order(selection), reverse=selection.descending)
        return Page(tuple(ordered[offset : offset + limit]), found.total, max(found.unsearched, found.total - len(found.requests)))


def filter_of(selection: Selection, me: Actor, people: Mapping[str, Person]) -> Filter:
    """The selection as a question to requests: everything chosen narrows its view."""
    wanted = view(selection.view, me)
    if selection.owner == NOBODY:
        wanted = replace(wanted, nobodys=True)
    elif selection.owner:
        person = people.get(selection.owner)
        owner = person.actor if person is not None else replace(me, issuer="", subject=NO_SUCH_PERSON)
        wanted = replace(wanted, owner=owner)
    if selection.states:
        chosen = frozenset(selection.states)
        wanted = replace(wanted, states=chosen & wanted.states if selection.view is View.TO_REVIEW or selection.view is View.DRAFTS else chosen)
    return replace(
        wanted, facility=selection.facility or None, urgency=selection.urgency, text=selection.words,
        sort=Sort.CHANGED if selection.sort == "updated" else Sort.DUE,
    )  # fmt: skip


def _order(selection: Selection) -> Callable[[ImageRequest], tuple[object, ...]]:
    def due(one: ImageRequest) -> float:
        return one.asked.needed_by.timestamp() if one.asked.needed_by else float("inf")

    keys: dict[str, Callable[[ImageRequest], object]] = {
        "due": due,
        "patient": lambda one: one.asked.patient.name.casefold(),
        "from": lambda one: words.whom(one).casefold(),
        "state": lambda one: tuple(State).index(one.state),
        "owner": lambda one: one.owner.casefold() or "\uffff",
        "updated": lambda one: -one.updated_at.timestamp(),
    }
    first = keys[selection.sort]
    return lambda one: (first(one), due(one), one.id)
