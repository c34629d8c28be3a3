"""What forms of the desk give beside their ticks, parsed once: an owner, a due time, words. Times are in the clock of this site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smart_app.desk.bulk import LONGEST, NEEDS_WORDS, Doing, Given
from smart_app.desk.people import Person
from smart_app.desk.selection import NOBODY, Form
from smart_app.image_requests.workflow import TABLE, Act

NEEDS_REASON = frozenset({Doing.NOTE} | {doing for doing in Doing if doing.value in list(Act) and TABLE[Act(doing.value)].needs_reason})


class WrongForm(Exception):
    """It cannot be done as the form says; the text is for the person."""


def given_of(form: Form, doing: Doing, people: Mapping[str, Person]) -> Given:
    """:raises WrongForm:"""
    text = form.get("text", "").strip()
    if len(text) > LONGEST:
        raise WrongForm(f"Nothing was changed: write at most {LONGEST} characters.")
    if doing in NEEDS_REASON and not text:
        raise WrongForm(NEEDS_WORDS)
    owner = None
    if doing is Doing.ASSIGN and (id := form.get("give_to", "")) != NOBODY:
        person = people.get(id)
        if person is None:
            raise WrongForm("Nothing was changed: choose who looks after it.")
        owner = person.actor
    return Given(owner, moment_of(form.get("needed_by", "")) if doing is Doing.MOVE else None, text)


def moment_of(text: str) -> datetime | None:
    """`2026-05-21T10:30`, as a browser's field gives it; empty: no fixed time. :raises WrongForm:"""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongForm("Nothing was changed: the time could not be read.") from None
    if not 2000 <= found.year <= 2100:
        raise WrongForm("Nothing was changed: look at the year.")
    return found.astimezone() if found.tzinfo is None else found
