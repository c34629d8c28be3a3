"""Search parameters of Task and ServiceRequest (FHIR R4 "Search") as one frozen question. Pure.

What is not understood is left out, and the answer's self link shows what was used; with `Prefer: handling=strict` it is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from smart_app.fhir_api.mapping import FULFILL, ORDER_STATUS, TASK_STATUS
from smart_app.image_requests.types import State

MOST, USUAL = 100, 50
MOST_CHOICES = 500
"""Values that one search may choose from; databases have bounds of their own, and say less about them."""
INCLUDES: Mapping[str, tuple[str, str]] = {"Task": ("_include", "Task:focus"), "ServiceRequest": ("_revinclude", "Task:focus")}
_STATUS = {"Task": TASK_STATUS, "ServiceRequest": ORDER_STATUS}
_PREFIXES = ("eq", "gt", "ge", "lt", "le")


class BadQuery(Exception):
    """A parameter that cannot be read; `name` is one of ours, never what a caller typed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Moments:
    """`since` is in, `before` is out."""

    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Query:
    """None does not narrow; an empty set finds nothing."""

    kind: str
    ids: frozenset[str] | None = None
    states: frozenset[State] | None = None
    facilities: frozenset[str] | None = None
    subjects: frozenset[str] | None = None
    changed: tuple[Moments, ...] = ()
    count: int = USUAL
    after: tuple[datetime, str] | None = None
    """Where the page before ended: time of the last change, and id."""
    include: bool = False
    used: tuple[tuple[str, str], ...] = field(default=())
    """What was understood, for the self link."""


def parse(kind: str, given: Iterable[tuple[str, str]], numbers: str, *, strict: bool = False) -> Query:
    """:param numbers: identifier system of our request numbers. :raises BadQuery:"""
    found = _Reader(kind, numbers)
    for name, value in given:
        if found.take(name, value):
            found.used.append((name, value))
        elif strict:
            raise BadQuery("a parameter that is not known here")
    return found.query()


def cursor(at: datetime, id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.astimezone(UTC).isoformat()} {id}".encode()).decode().rstrip("=")


class _Reader:
    def __init__(self, kind: str, numbers: str) -> None:
        self._kind, self._numbers = kind, numbers
        self._sets: dict[str, frozenset[str]] = {}
        self._states: frozenset[State] | None = None
        self._changed: list[Moments] = []
        self._count, self._include = USUAL, False
        self._after: tuple[datetime, str] | None = None
        self.used: list[tuple[str, str]] = []

    def take(self, name: str, value: str) -> bool:
        """Read one parameter; False when it is none of ours."""
        choices = [one for one in value.split(",") if one]
        readers = {
            "_id": lambda: self._narrow("ids", choices), "status": lambda: self._status(choices), "patient": lambda: self._narrow("subjects", _ids(choices, "Patient")),
            "_lastUpdated": lambda: self._changed.append(_moments(value)), "identifier": lambda: self._narrow("ids", self._identified(choices)),
            "_count": lambda: self._counted(value), "_cursor": lambda: self._from(value),
        }  # fmt: skip
        about_task = {
            "owner": lambda: self._narrow("facilities", _ids(choices, "Organization")), "focus": lambda: self._narrow("ids", _ids(choices, "ServiceRequest")),
            "code": lambda: self._narrow("ids", []) if not any(_is_fulfill(one) for one in choices) else None,
            "based-on": lambda: self._narrow("ids", _ids(choices, "ServiceRequest")),
        }  # fmt: skip
        about_order = {"performer": about_task["owner"], "subject": readers["patient"]}
        readers |= about_task if self._kind == "Task" else about_order
        if (name, value) == INCLUDES[self._kind]:
            self._include = True
        elif name in readers:
            readers[name]()
        else:
            return name in ("_format", "_summary") and value in ("json", "application/fhir+json", "application/json", "false")
        return True

    def query(self) -> Query:
        sets = {name: self._sets.get(name) for name in ("ids", "facilities", "subjects")}
        return Query(self._kind, states=self._states, changed=tuple(self._changed), count=self._count, after=self._after, include=self._include, used=tuple(self.used), **sets)

    def _narrow(self, name: str, values: Iterable[str]) -> None:
        given = frozenset(value for value in values if value.isprintable())  # nothing here has a control character, and PostgreSQL refuses NUL
        if len(given) > MOST_CHOICES:
            raise BadQuery({"ids": "_id", "facilities": "owner", "subjects": "patient"}[name])
        self._sets[name] = self._sets[name] & given if name in self._sets else given

    def _status(self, choices: Sequence[str]) -> None:
        wanted = frozenset(state for state, status in _STATUS[self._kind].items() if status in choices)
        self._states = wanted if self._states is None else self._states & wanted

    def _identified(self, choices: Iterable[str]) -> list[str]:
        """Request numbers; of a single asking's number, the part before its dot."""
        found = []
        for choice in choices:
            system, bar, value = choice.rpartition("|")
            if not bar or system in ("", self._numbers):
                found.append(value)
            if self._kind == "Task" and (not bar or system == f"{self._numbers}/task"):
                found.append(value.partition(".")[0])
        return found

    def _counted(self, value: str) -> None:
        if not value.isascii() or not value.isdigit():
            raise BadQuery("_count")
        self._count = max(1, min(int(value[:9]), MOST))

    def _from(self, value: str) -> None:
        try:
            at, _, id = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode().partition(" ")
            moment = datetime.fromisoformat(at)
            moment.astimezone(UTC)
        except (ValueError, OverflowError, binascii.Error):
            raise BadQuery("_cursor") from None
        if moment.tzinfo is None or not id.isprintable():
            raise BadQuery("_cursor")
        self._after = (moment, id)


def _ids(choices: Iterable[str], kind: str) -> list[str]:
    """Ids of references, relative or alone; a reference to another type is nobody's here."""
    return [tail for one in choices for head, _, tail in (one.rpartition("/"),) if head in ("", kind) or head.endswith(f"/{kind}")]


def _is_fulfill(token: str) -> bool:
    system, bar, code = token.rpartition("|")
    return code == FULFILL["code"] and (not bar or system == FULFILL["system"])


def _moments(value: str) -> Moments:
    """A date or time with its precision (FHIR R4 "date"): eq is the whole day, month or second."""
    prefix, rest = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
    start, end = _span(rest)
    return {
        "eq": Moments(start, end), "gt": Moments(since=end), "ge": Moments(since=start), "lt": Moments(before=start), "le": Moments(before=end),
    }[prefix]  # fmt: skip


def _span(text: str) -> tuple[datetime, datetime]:
    try:
        if len(text) == 4:
            start = datetime(int(text), 1, 1, tzinfo=UTC)
            return start, start.replace(year=start.year + 1)
        if len(text) == 7:
            start = datetime.fromisoformat(f"{text}-01").replace(tzinfo=UTC)
            return start, (start + timedelta(days=31)).replace(day=1)
        if len(text) == 10:
            start = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return start, start + timedelta(days=1)
        at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not escaped
        start = at if at.tzinfo else at.replace(tzinfo=UTC)
        start = start.astimezone(UTC)  # which the first and the last day of all do not have everywhere
        return start, start + (timedelta(milliseconds=1) if "." in text else timedelta(seconds=1))
    except (ValueError, OverflowError):
        raise BadQuery("_lastUpdated") from None
