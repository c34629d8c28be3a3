"""What a person at the desk wants to see: a view, filters, words to look for, an order and a page. Read from a form, tolerant of anything.

Pure. Words to look for may name a patient: they travel in the body of a POST, never in an address (`addressed` leaves them out).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from smart_app.image_requests.queries import View
from smart_app.image_requests.types import State, Urgency
from smart_app.image_requests.workflow import CLOSED

PAGE = 200
"""Rows of one page."""
MOST_PAGES = 100
MOST_WORDS = 80


TITLES = {
    View.DUE_TODAY: "Due today", View.OVERDUE: "Overdue", View.TO_REVIEW: "To review", View.DRAFTS: "To be sent", View.MINE: "Mine", View.NOBODYS: "Nobody’s",
    View.BEFORE_SURGERY: "Before surgery", View.ALL: "All open",
}  # fmt: skip
WORK = (View.DUE_TODAY, View.OVERDUE, View.DRAFTS, View.TO_REVIEW, View.ALL)
STANDING = (View.MINE, View.NOBODYS, View.BEFORE_SURGERY)
SORTS = ("due", "patient", "from", "state", "owner", "updated")
IN_MEMORY = frozenset({"patient", "from", "state", "owner"})
"""Orders by what is sealed, or by words."""
NOBODY = "nobody"
E = TypeVar("E", bound=StrEnum)


Form = MultiDict[str, str]
"""What a form or an address gave."""


@dataclass(frozen=True)
class Selection:
    view: View = View.DUE_TODAY
    states: tuple[State, ...] = ()
    """Closed ones are shown only when they are named here."""
    facility: str = ""
    """Id; `patient` for requests to patients."""
    owner: str = ""
    """Id of a person of the desk, or `nobody`."""
    urgency: Urgency | None = None
    words: str = ""
    sort: str = "due"
    descending: bool = False
    page: int = 1

    @classmethod
    def of(cls, form: Form) -> Selection:
        """Whatever is not understood does not narrow."""
        sort = form.get("order", "").strip() or form.get("sort", "").strip()
        page = form.get("page", "1")
        return cls(
            view=_member(View, form.get("view", "")) or View.DUE_TODAY,
            states=tuple(state for state in State if state.value in form.getlist("state")),
            facility=form.get("facility", "")[:40],
            owner=form.get("owner", "")[:32],
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

    @property
    def title(self) -> str:
        """Over the list: a view in which only closed ones are asked for holds nothing that is open."""
        return "Closed" if self.states and CLOSED.issuperset(self.states) else TITLES[self.view]

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
        """Fields that may stand in an address: no words."""
        return tuple((name, value) for name, value in self.fields() if name != "words")


def _member(kind: type[E], value: str) -> E | None:
    try:
        return kind(value)
    except ValueError:
        return None
