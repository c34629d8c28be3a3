"""What a person at the desk wants to see: a view, filters, words to look for, an order and a page. Read from a form, tolerant of anything.

Pure. Words to look for may name a patient: they travel in the body of a POST, never in an address (`addressed` leaves them out).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from smart_app.image_requests.types import State, Urgency

PAGE = 200
"""Rows of one page."""
MOST_PAGES = 100
MOST_WORDS = 80


class View(StrEnum):
    DUE_TODAY = "due-today"
    OVERDUE = "overdue"
    TO_REVIEW = "to-review"
    MINE = "mine"
    NOBODYS = "nobodys"
    SURGERY = "before-surgery"
    OPEN = "all-open"
    CLOSED = "closed"


TITLES = {
    View.DUE_TODAY: "Due today", View.OVERDUE: "Overdue", View.TO_REVIEW: "To review", View.MINE: "Mine", View.NOBODYS: "Nobody’s",
    View.SURGERY: "Before surgery", View.OPEN: "All open", View.CLOSED: "Closed lately",
}  # fmt: skip
WORK = (View.DUE_TODAY, View.OVERDUE, View.TO_REVIEW)
STANDING = (View.MINE, View.NOBODYS, View.SURGERY)
SORTS = ("due", "patient", "from", "state", "owner", "updated")
NOBODY = "nobody"
E = TypeVar("E", bound=StrEnum)


class Form(Protocol):
    """Werkzeug's MultiDict, as far as it is needed."""

    def get(self, key: str, /, default: str = "") -> str: ...

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True)
class Selection:
    view: View = View.DUE_TODAY
    states: tuple[State, ...] = ()
    facility: str = ""
    """Id; `patient` for requests to patients."""
    owner: str = ""
    """Name of a person of the desk, or `nobody`."""
    urgency: Urgency | None = None
    words: str = ""
    sort: str = "due"
    descending: bool = False
    page: int = 1

    @classmethod
    def of(cls, form: Form) -> Selection:
        """Whatever is not understood does not narrow."""
        sort = form.get("sort", "").strip()
        page = form.get("page", "1")
        return cls(
            view=_member(View, form.get("view", "")) or View.DUE_TODAY,
            states=tuple(state for state in State if state.value in form.getlist("state")),
            facility=form.get("facility", "")[:40],
            owner=form.get("owner", "")[:128],
            urgency=_member(Urgency, form.get("urgency", "")),
            words=" ".join(form.get("words", "").split())[:MOST_WORDS],
            sort=sort.lstrip("-") if sort.lstrip("-") in SORTS else "due",
            descending=sort.startswith("-") and sort.lstrip("-") in SORTS,
            page=min(max(1, int(page)), MOST_PAGES) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    @property
    def is_narrowed(self) -> bool:
        """Something beside the view is chosen: a filter never turns a list into "none"."""
        return bool(self.states or self.facility or self.owner or self.urgency or self.words)

    def at(self, page: int) -> Selection:
        return replace(self, page=page)

    def sorted_by(self, name: str) -> Selection:
        """As it is when the head of that column is pressed: a second time turns it round."""
        return replace(self, sort=name, descending=self.sort == name and not self.descending, page=1)

    def fields(self) -> Iterator[tuple[str, str]]:
        """As form fields that `of` reads back to the same; without what is as by default."""
        yield "view", self.view.value
        for state in self.states:
            yield "state", state.value
        for name, value in (("facility", self.facility), ("owner", self.owner), ("urgency", self.urgency.value if self.urgency else ""), ("words", self.words)):
            if value:
                yield name, value
        if (self.sort, self.descending) != ("due", False):
            yield "sort", f"-{self.sort}" if self.descending else self.sort
        if self.page > 1:
            yield "page", str(self.page)

    def addressed(self) -> tuple[tuple[str, str], ...]:
        """Fields that may stand in an address: no words, and no person's name."""
        return tuple((name, value) for name, value in self.fields() if name not in ("words", "owner"))


def _member(kind: type[E], value: str) -> E | None:
    try:
        return kind(value)
    except ValueError:
        return None
