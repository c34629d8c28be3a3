"""Does one thing to many requests, each in a transaction of its own, and says of each what came of it: never "3 done" for 2.

Every change names the version of the request that was on the screen. So a form that is sent twice does nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.db import Database
from smart_app.image_requests import words
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.service import AlreadyAsked, ChangedMeanwhile, NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, ImageRequest
from smart_app.image_requests.workflow import Act, NotAllowed

MOST = 500
LONGEST = 500


class Doing(StrEnum):
    ASSIGN = "assign"
    REMIND = "remind"
    MOVE = "move"
    CANCEL = "cancel"
    NOTE = "note"
    SEND = "send"
    ACCEPT = "accept"
    DECLINE = "decline"
    REOPEN = "reopen"


ACTS = {Doing.CANCEL: Act.CANCEL, Doing.SEND: Act.SEND, Doing.ACCEPT: Act.ACCEPT, Doing.DECLINE: Act.DECLINE, Doing.REOPEN: Act.REOPEN}
DONE = {
    Doing.ASSIGN: "Given to {owner}", Doing.REMIND: "A reminder goes out", Doing.MOVE: "Needed by another time", Doing.CANCEL: "Cancelled",
    Doing.NOTE: "Note written", Doing.SEND: "Sent", Doing.ACCEPT: "Accepted", Doing.DECLINE: "Declined", Doing.REOPEN: "Asked again",
}  # fmt: skip
NEEDS_WORDS = "Not done: it needs a reason in words."


@dataclass(frozen=True)
class Mark:
    """A ticked row: a request as it was on the screen."""

    id: str
    version: int


@dataclass(frozen=True)
class Given:
    """What a form gave beside the ticks."""

    owner: Actor | None = None
    needed_by: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class Outcome:
    id: str
    is_done: bool
    words: str
    about: str = ""
    """Patient and what is wanted, as far as it is there."""


def marks_of(texts: Iterable[str]) -> tuple[Mark, ...]:
    """`RQ-7Q2M4TKX:3`, each once; what is no mark is left out."""
    found: dict[str, Mark] = {}
    for text in texts:
        id, _, version = text.partition(":")
        if 0 < len(id) <= 16 and version.isascii() and version.isdigit() and len(version) < 9:
            found.setdefault(id, Mark(id, int(version)))
    return tuple(found.values())[:MOST]


class Bulk:
    """One a process."""

    def __init__(self, db: Database, requests: Requests, *, tenant: str) -> None:
        self._db, self._requests, self._tenant = db, requests, tenant

    def run(self, doing: Doing, marks: Iterable[Mark], actor: Actor, given: Given) -> tuple[Outcome, ...]:
        return tuple(self.one(doing, mark, actor, given) for mark in marks)

    def one(self, doing: Doing, mark: Mark, actor: Actor, given: Given) -> Outcome:
        """What came of it, in words."""
        try:
            with self._db.transaction() as session:
                self._unchanged(session, mark)
                self._deed(doing, mark.id, actor, given)(session)
        except NoSuchRequest:
            return Outcome(mark.id, False, "Not done: there is no such request here.")
        except ChangedMeanwhile:
            return Outcome(mark.id, False, "Not done: somebody changed it since this page was shown. Look at it again.", self._about(mark.id))
        except AlreadyAsked as asked:
            return Outcome(mark.id, False, f"Not done: the same is already asked by {asked.request}.", self._about(mark.id))
        except NotAllowed as refused:
            return Outcome(mark.id, False, self._refusal(mark.id, refused), self._about(mark.id))
        owner = given.owner.name if given.owner is not None else "nobody"
        return Outcome(mark.id, True, DONE[doing].format(owner=owner), self._about(mark.id))

    def _deed(self, doing: Doing, id: str, actor: Actor, given: Given) -> Callable[[Session], None]:
        text = given.text.strip()[:LONGEST]
        match doing:
            case Doing.ASSIGN:
                return lambda session: self._requests.assign(id, given.owner, actor, session=session)
            case Doing.REMIND:
                return lambda session: self._requests.remind(id, actor, note=text, session=session)
            case Doing.MOVE:
                return lambda session: self._requests.move(id, given.needed_by, actor, why=text, session=session)
            case Doing.NOTE:
                return lambda session: self._requests.note(id, text, actor, session=session)
            case _:
                return lambda session: self._requests.act(id, ACTS[doing], actor, reason=text, session=session)

    def _unchanged(self, session: Session, mark: Mark) -> None:
        version = session.scalar(select(RequestRow.version).where(RequestRow.id == mark.id, RequestRow.tenant == self._tenant).with_for_update())
        if version is not None and version != mark.version:
            raise ChangedMeanwhile(mark.id)

    def _refusal(self, id: str, refused: NotAllowed) -> str:
        match refused.why:
            case "reason":
                return NEEDS_WORDS
            case "address":
                return "Not done: it is not known yet which hospital to ask, or how. Open it and say so."
            case "party":
                return "Not done: the desk does not decide this."
            case _:
                return f"Not done: it is “{words.STATES[self._requests.get(id).state]}” by now."

    def _about(self, id: str) -> str:
        one = self._requests.get(id)
        return about(one)


def about(one: ImageRequest) -> str:
    return f"{one.asked.patient.name}, {words.title(one)}, {words.whom(one)}"
