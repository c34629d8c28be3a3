"""What a story is, and what most of them begin with: a patient for whom three studies are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sandbox.writable import Shelf
from smart_app.image_requests.service import AlreadyAsked
from smart_app.image_requests.types import Actor, NewRequest, Party, Route, RouteKind, State, Wanted
from smart_app.parts import Parts
from tests.kill import sending
from tests.unit.intake.hospital import PATIENT, ScriptedArchive

STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
MAILBOX = "rosalind@mail.example"
ASKED = ("KV-1", "KV-2", "KV-3")


@dataclass(frozen=True)
class Programs:
    """The servers of others, as far as a story looks into them in the end."""

    ehr: Shelf
    partner: Shelf
    archive: ScriptedArchive


REAL = frozenset({"work", "tomorrow", "yesterday"})
"""Survivors in which the product's own handlers do the work; two of them have a clock that is a day wrong."""
Proof = Callable[[Parts, Programs], None]


def nothing(parts: Parts) -> None:
    pass


def unproven(parts: Parts, programs: Programs) -> None:
    """What holds for every story is enough."""


@dataclass(frozen=True)
class Story:
    prepare: Callable[[Parts], None] | None
    """None: even the database is not there yet."""
    role: str
    """Key of `stories.ROLES`: what the process does that dies."""
    again: Callable[[Parts], None]
    """What a person does who got no answer."""
    expected: frozenset[State] = frozenset({State.SENT})
    """How the three requests stand in the end."""
    survivor: str = "plain"
    """Key of `stories.ROLES`: what is started after the death."""
    threads: int = 1
    """How many pieces of work are done at once. One: what dies is at this step and nowhere else."""
    comes_again: bool = False
    """Work of a period must be there in the end."""
    mails: int = 0
    """Messages that must have been delivered in the end, each counted once."""
    asked: tuple[str, ...] = ASKED
    """Accession numbers that must have been asked for, each once."""
    sends: bool = False
    """A sender's files must have been received in the end."""
    stored: Mapping[str, bytes] = field(default_factory=dict)
    """What must be in the archive in the end: of what was sent, this."""
    proof: Proof = unproven
    """What must hold of this story alone."""


def new(accession: str, route: Route | None = None, facility: str | None = None) -> NewRequest:
    return NewRequest(PATIENT, Wanted("CT head", "CT", accession=accession), route or Route(RouteKind.PATIENT, MAILBOX), facility)


def ask(parts: Parts) -> None:
    """Ask for three studies; what is asked already is asked already. A person who got no answer does this again."""
    for accession in ASKED:
        with suppress(AlreadyAsked):
            parts.requests.create(new(accession), STAFF)


def ask_and_send(parts: Parts) -> None:
    """The first of three is answered by somebody who holds its link."""
    ask(parts)
    first = parts.requests.of_patient(PATIENT.issuer, PATIENT.id)[-1]
    sending.give_link(parts, first.id)


def sent(parts: Parts, files: Mapping[str, bytes] = sending.STUDY) -> None:
    """The sender has said that this is all. Nobody has looked yet."""
    ask_and_send(parts)
    sending.send_all(parts, files)
