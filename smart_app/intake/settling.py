"""Tells the request what came of it, when nothing of it waits for a person or for the archive any more.

Never "stored" while a part that was asked for is missing, refused or on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, Party, State
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.intake.received import OPEN, Received
from smart_app.intake.types import ItemState, Level

SYSTEM = Actor(Party.SYSTEM, name="Priors")
TAKEN_OUT = "What came was stored, and has been taken out of view again: it is not this patient’s."
NOTHING = "None of the files that came is an image that can be used. Please send them again from the original."
HOLES = frozenset({"complete", "gaps", "damaged", "decodes", "thin"})
"""Findings that mean a part of what was asked for is not there, where they are bad."""


@dataclass(frozen=True)
class Outcome:
    act: Act
    reason: str = ""


def outcome(items: Sequence[Received]) -> Outcome | None:
    """What the request is told; None: something still waits, or nothing has come. Pure."""
    if not items or any(one.state in OPEN or one.state is ItemState.STORING for one in items):
        return None
    stored = [one for one in items if one.state in (ItemState.STORED, ItemState.STORED_IN_PART)]
    if not stored:
        if all(one.state is ItemState.EXPIRED for one in items):
            return None
        return Outcome(Act.REJECT, _why_nothing(items))
    lacking = [TAKEN_OUT for one in items if one.state is ItemState.WITHDRAWN and not _is_other_exam(one)]
    lacking += [words for one in stored for words in _lacking(one)]
    asked_for = [one for one in stored if not _is_other_exam(one)]
    if not asked_for:
        lacking.insert(0, "None of the studies that came is the one that was asked for.")
    remarks = [_sentence(one.content.remark) for one in stored if one.content.remark]
    return Outcome(Act.STORE_PART, " ".join(dict.fromkeys((*remarks, *lacking)))[:1000]) if lacking else Outcome(Act.STORE)


def _lacking(item: Received) -> list[str]:
    said = []
    if item.state is ItemState.STORED_IN_PART:
        last = item.content.history[-1].words if item.content.history else "not all of its images could be stored"
        said.append(_sentence(f"{item.summary.title}: {last}"))
    if not _is_other_exam(item):
        said += [_sentence(f"{item.summary.title}: {one.words}") for one in item.content.findings if one.what in HOLES and one.level is Level.BAD]
    return said


def _is_other_exam(item: Received) -> bool:
    return any(one.what == "exam" and one.level is not Level.GOOD for one in item.content.findings)


def _why_nothing(items: Sequence[Received]) -> str:
    if any(one.state is ItemState.WITHDRAWN for one in items):
        return TAKEN_OUT
    remarks = list(dict.fromkeys(_sentence(one.content.remark) for one in items if one.content.remark))
    if remarks:
        return " ".join(remarks)[:1000]
    if any(one.state is ItemState.SET_ASIDE for one in items):
        return "The images that came are not this patient’s."
    return "Nothing of what came could be used."


def _sentence(words: str) -> str:
    words = " ".join(words.split())
    return words if words.endswith((".", "!", "?")) else f"{words}."


class Settling:
    """`items`: reads a request's items in this very transaction. `coming`: whether more of it is being sent, or has come and was not looked at yet."""

    def __init__(self, requests: Requests, items: Callable[[Session, str], Sequence[Received]], coming: Callable[[Session, str], bool]) -> None:
        self._requests, self._items, self._coming = requests, items, coming

    def settle(self, session: Session, request: str) -> None:
        try:
            self._requests.hold(session, request)  # of two items that come to rest at once, the second sees the first
        except NoSuchRequest:
            return
        if self._coming(session, request):
            return  # it ends with being screened, and that settles
        items = self._items(session, request)
        found = outcome(items) if items else Outcome(Act.REJECT, NOTHING)
        if found is None:
            return
        try:
            now = self._requests.get(request, session)
            if (now.state, now.reason, found.act) == (State.STORED_IN_PART, found.reason, Act.STORE_PART):
                return  # it is known
            self._requests.act(request, found.act, SYSTEM, reason=found.reason, session=session)
        except (NotAllowed, NoSuchRequest):
            return  # it was closed, or more is being sent: the next to come to rest tells it
