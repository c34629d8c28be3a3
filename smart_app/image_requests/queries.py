"""The desk's questions: which requests there are, how many of each kind, and how long hospitals take. Reads only.

Filtering, sorting and counting is SQL on plain columns. Names are sealed, so that `text` is looked for in memory, in the first `MOST_SEARCHED`
requests of the other filters; a page says when that were not all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests import words
from smart_app.image_requests.facilities import plain
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, ImageRequest, State, Urgency
from smart_app.image_requests.workflow import OPEN

ACTIVE = OPEN | {State.DRAFT}
MOST_SEARCHED = 5000
PATIENT = "patient"
"""In place of a facility: the patient or family is asked."""


class Due(StrEnum):
    OVERDUE = "overdue"
    TODAY = "today"
    """Not later than the end of the site's day: what is overdue too."""


class View(StrEnum):
    """Views of the work list that need no more than a request."""

    ALL = "all"
    DUE_TODAY = "due-today"
    OVERDUE = "overdue"
    TO_REVIEW = "to-review"
    DRAFTS = "drafts"
    MINE = "mine"
    NOBODYS = "nobodys"
    BEFORE_SURGERY = "before-surgery"


class Sort(StrEnum):
    DUE = "due"
    NEWEST = "newest"
    CHANGED = "changed"


@dataclass(frozen=True)
class Filter:
    """All that is given must hold."""

    states: frozenset[State] = ACTIVE
    facility: str | None = None
    """Facility id, or `PATIENT`."""
    owner: Actor | None = None
    nobodys: bool = False
    """Only those that nobody looks after."""
    urgency: Urgency | None = None
    due: Due | None = None
    anchored: bool = False
    """Only those that hang on an appointment or a surgery."""
    text: str = ""
    """Every word of it somewhere in name, number, birth date, hospital, what is wanted, or request number; accents and case do not matter."""
    sort: Sort = Sort.DUE
    offset: int = 0
    limit: int = 200


@dataclass(frozen=True)
class Page:
    requests: tuple[ImageRequest, ...]
    total: int
    """Of all pages."""
    unsearched: int = 0
    """Requests that were not looked at for `text`."""


@dataclass(frozen=True)
class Fulfilment:
    """How a facility answers: of the requests closed within the days asked for."""

    facility: str | None
    """None: patients."""
    closed: int
    stored: int
    declined: int
    expired: int
    median: timedelta | None
    """From asking to the chart; None: nothing was stored."""
    timed: int
    """Stored ones that had a time by which they were needed."""
    on_time: int
    still_open: int = 0


@dataclass(frozen=True)
class Usual:
    """What may be expected of a facility, as far as experience goes."""

    span: timedelta
    of: int
    on_time: int
    timed: int

    @property
    def words(self) -> str:
        """`usually 25 min`"""
        return f"usually {words.lasting(self.span)}"


def view(name: View, me: Actor | None = None) -> Filter:
    """The filter behind a view of the work list."""
    filters: Mapping[View, Filter] = {
        View.DUE_TODAY: Filter(due=Due.TODAY), View.OVERDUE: Filter(due=Due.OVERDUE), View.TO_REVIEW: Filter(states=frozenset({State.IN_REVIEW})),
        View.DRAFTS: Filter(states=frozenset({State.DRAFT})), View.MINE: Filter(owner=me), View.NOBODYS: Filter(nobodys=True),
        View.BEFORE_SURGERY: Filter(anchored=True),
    }  # fmt: skip
    return filters.get(name, Filter())


@dataclass
class _Times:
    """Gathers what closed requests of one facility took."""

    states: list[str] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    timed: int = 0
    on_time: int = 0

    def add(self, state: str, created: datetime, closed: datetime, needed: datetime | None) -> None:
        self.states.append(state)
        if state == State.STORED:
            self.spans.append((closed - created).total_seconds())
            self.timed += needed is not None
            self.on_time += needed is not None and closed <= needed

    @property
    def median(self) -> timedelta | None:
        return timedelta(seconds=median(self.spans)) if self.spans else None


class Work:
    """One a process; safe for threads."""

    def __init__(self, db: Database, requests: Requests, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._rows = requests.rows
        self._digests = requests.rows.digests

    def find(self, filter: Filter) -> tuple[ImageRequest, ...]:
        return self.page(filter).requests

    def page(self, filter: Filter) -> Page:
        """One page of those that pass, sorted; those without a time by which they are needed come last."""
        holds = self._holds(filter)
        with self._db.reading() as session:
            total = session.scalar(select(func.count()).select_from(RequestRow).where(holds)) or 0
            found = select(RequestRow).where(holds).order_by(*_order(filter.sort))
            if not filter.text.strip():
                return Page(self._rows.values(session.scalars(found.offset(filter.offset).limit(filter.limit)), session), total)
            searched = self._rows.values(session.scalars(found.limit(MOST_SEARCHED)), session)
        wanted = plain(filter.text).split()
        hits = [one for one in searched if all(word in said_of(one) for word in wanted)]
        return Page(tuple(hits[filter.offset : filter.offset + filter.limit]), len(hits), max(0, total - len(searched)))

    def counts(self, me: Actor | None = None) -> Mapping[View, int]:
        """How many each view holds now. Without `me`, nothing is mine."""
        views = [one for one in View if one is not View.MINE or me is not None]
        with self._db.reading() as session:
            columns = [func.count().filter(self._holds(view(one, me))) for one in views]
            row = session.execute(select(*columns).select_from(RequestRow).where(RequestRow.tenant == self._rows.tenant, _in(ACTIVE))).one()
        return dict.fromkeys(View, 0) | dict(zip(views, row, strict=True))

    def changed_since(self, moment: datetime) -> bool:
        """Whether any request changed after this; for pages that look again."""
        with self._db.reading() as session:
            return session.scalar(select(RequestRow.id).where(RequestRow.tenant == self._rows.tenant, RequestRow.updated_at > moment).limit(1)) is not None

    def by_facility(self, days: int = 90) -> tuple[Fulfilment, ...]:
        """Facilities with requests in these days, those with the most closed ones first; patients together as one."""
        since = self._clock() - timedelta(days=days)
        with self._db.reading() as session:
            times = self._times(session, since)
            still = self._still_open(session)
        made = [
            Fulfilment(
                key, len(one.states), one.states.count(State.STORED), one.states.count(State.DECLINED), one.states.count(State.EXPIRED), one.median, one.timed, one.on_time,
                still.get(key, 0),
            )
            for key, one in ((key, times.get(key, _Times())) for key in times.keys() | still.keys())
        ]  # fmt: skip
        return tuple(sorted(made, key=lambda one: (-one.closed, one.facility or "")))

    def usual_time(self, days: int = 30) -> timedelta | None:
        """From asking to the chart, over everybody who was asked; None: nothing was stored in these days."""
        with self._db.reading() as session:
            spans = [span for one in self._times(session, self._clock() - timedelta(days=days)).values() for span in one.spans]
        return timedelta(seconds=median(spans)) if spans else None

    def usual(self, days: int = 180) -> Mapping[str | None, Usual]:
        """What each facility usually takes; None: patients. Who never answered is not named."""
        with self._db.reading() as session:
            times = self._times(session, self._clock() - timedelta(days=days))
        return {key: Usual(one.median, len(one.spans), one.on_time, one.timed) for key, one in times.items() if one.median is not None}

    def _times(self, session: Session, since: datetime) -> dict[str | None, _Times]:
        row = RequestRow
        closed = select(row.facility, row.route, row.state, row.created_at, row.closed_at, row.needed_by).where(row.tenant == self._rows.tenant, row.closed_at >= since)
        found: dict[str | None, _Times] = {}
        for facility, route, state, created_at, closed_at, needed_by in session.execute(closed):
            if closed_at is not None and (facility is not None or route == PATIENT):
                found.setdefault(facility, _Times()).add(state, created_at, closed_at, needed_by)
        return found

    def _still_open(self, session: Session) -> dict[str | None, int]:
        asked = (RequestRow.facility.is_not(None)) | (RequestRow.route == PATIENT)
        counted = select(RequestRow.facility, func.count()).where(RequestRow.tenant == self._rows.tenant, _in(OPEN), asked).group_by(RequestRow.facility)
        return {row[0]: row[1] for row in session.execute(counted)}

    def _holds(self, wanted: Filter) -> ColumnElement[bool]:
        row, now = RequestRow, self._clock()
        parts: list[ColumnElement[bool]] = [row.tenant == self._rows.tenant, _in(wanted.states)]
        if wanted.facility is not None:
            parts.append(row.route == PATIENT if wanted.facility == PATIENT else row.facility == wanted.facility)
        if wanted.owner is not None:
            parts.append(row.owner.in_(self._digests.any("owner", wanted.owner.issuer, wanted.owner.subject)))
        if wanted.nobodys:
            parts.append(row.owner == "")
        if wanted.urgency is not None:
            parts.append(row.urgency == wanted.urgency.value)
        if wanted.due is not None:
            parts.append(row.needed_by < (now if wanted.due is Due.OVERDUE else _midnight(now)))
        if wanted.anchored:
            parts.append(row.anchor != "")
        return and_(true(), *parts)


def said_of(request: ImageRequest) -> str:
    """What a search looks in."""
    asked, patient = request.asked, request.asked.patient
    born = words.day(patient.birth_date) if patient.birth_date else ""
    parts: Sequence[str | None] = (
        request.id, patient.name, patient.mrn, (patient.mrn or "").replace(" ", ""), patient.birth_date, born, *(one.value for one in patient.identifiers),
        words.whom(request), asked.wanted.title, asked.wanted.accession, request.owner, asked.why,
    )  # fmt: skip
    return plain(" ".join(part for part in parts if part))



def _in(states: Iterable[State]) -> ColumnElement[bool]:
    return RequestRow.state.in_(sorted(state.value for state in states))


def _order(sort: Sort) -> tuple[Any, ...]:
    row = RequestRow
    if sort is Sort.NEWEST:
        return (row.created_at.desc(), row.id)
    if sort is Sort.CHANGED:
        return (row.updated_at.desc(), row.id)
    return (row.needed_by.is_(None), row.needed_by, row.created_at, row.id)


def _midnight(now: datetime) -> datetime:
    """The end of the site's day."""
    local = now.astimezone()
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
