"""What is going on when a process is killed: how it is prepared, what the process does that dies, and what a person does then.

The process that dies is the product: `priors worker`, or the use case that a web worker runs.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from smart_app import cli, config_file
from smart_app.dispatch import outbox
from smart_app.image_requests.service import AlreadyAsked, ChangedMeanwhile
from smart_app.image_requests.types import Actor, NewRequest, Party, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.jobs.types import Handler
from smart_app.jobs.worker import Worker
from smart_app.parts import Parts, build
from smart_app.wiring import intake, work
from tests.kill import sending
from tests.kill.effects import Outside, Recorder
from tests.peers import wait_until
from tests.unit.intake.hospital import PATIENT

STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
KINDS = ("dispatch", "tell", "recall", "mirror", "tick", "screen")
MAILBOX = "rosalind@mail.example"
ELSEWHERE = frozenset({"mirror"})
"""Kinds that the outside world stands for even where the product has a handler: what leads to an EHR."""
ASKED = ("KV-1", "KV-2", "KV-3")


def new(accession: str) -> NewRequest:
    return NewRequest(PATIENT, Wanted("CT head", "CT", accession=accession), Route(RouteKind.PATIENT, MAILBOX), None)


def ask(parts: Parts) -> None:
    """Ask for three studies; what is asked already is asked already. A person who got no answer does this again."""
    for accession in ASKED:
        with suppress(AlreadyAsked):
            parts.requests.create(new(accession), STAFF)


def cancel(parts: Parts) -> None:
    """Cancel all three as they were first seen."""
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        with suppress(ChangedMeanwhile, NotAllowed):
            parts.requests.act(request.id, Act.CANCEL, STAFF, reason="not needed", version=1)


def leave_one(parts: Parts) -> None:
    """Asked, and one piece of work is held by a worker that is no more."""
    ask(parts)
    assert parts.ledger.claim(KINDS, "gone") is not None


def ask_and_send(parts: Parts) -> None:
    """The first of three is answered by somebody who holds its link."""
    ask(parts)
    first = parts.requests.of_patient(PATIENT.issuer, PATIENT.id)[-1]
    sending.give_link(parts, first.id)


def sent(parts: Parts) -> None:
    """The sender has said that this is all: three images, certain by their identifier. Nobody has looked yet."""
    ask_and_send(parts)
    sending.send_all(parts, sending.STUDY)


def asked_and_cancelled(parts: Parts) -> None:
    """Asked, told, and then cancelled, before anybody was told that."""
    ask(parts)
    parts.ledger.run_due({kind: handler for kind, handler in work.handlers(parts).items() if kind == "dispatch"})
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        parts.requests.act(request.id, Act.CANCEL, STAFF, reason="not needed")


def nothing(parts: Parts) -> None:
    pass


@dataclass(frozen=True)
class Story:
    prepare: Callable[[Parts], None] | None
    """None: even the database is not there yet."""
    role: str
    """Key of `ROLES`: what the process does that dies."""
    again: Callable[[Parts], None]
    """What a person does who got no answer."""
    expected: frozenset[State] = frozenset({State.SENT})
    """How the three requests stand in the end."""
    survivor: str = "plain"
    """Key of `ROLES`: what is started after the death."""
    threads: int = 1
    """How many pieces of work are done at once. One: what dies is at this step and nowhere else."""
    comes_again: bool = False
    """Work of a period must be there in the end."""
    mails: int = 0
    """Messages that must have been delivered in the end, each counted once."""
    sends: bool = False
    """A sender's files must have been received in the end."""
    stores: bool = False
    """What was sent must be in the archive in the end."""


CANCELLED, RECEIVED, STORED = frozenset({State.CANCELLED}), frozenset({State.SENT, State.IN_REVIEW}), frozenset({State.SENT, State.STORED})
STORIES: Mapping[str, Story] = {
    "start": Story(None, "start", ask),
    "ask": Story(nothing, "ask", ask, survivor="work", mails=3),
    "change": Story(ask, "change", cancel, CANCELLED),
    "mail": Story(ask, "work", nothing, survivor="work", mails=3),
    "recall": Story(asked_and_cancelled, "work", nothing, CANCELLED, survivor="work", mails=6),
    "send": Story(ask_and_send, "send", sending.send_all, RECEIVED, sends=True),
    "store": Story(sent, "work", nothing, STORED, survivor="work", mails=4, stores=True),
    "work": Story(ask, "plain", nothing, threads=2),
    "long": Story(ask, "long", nothing, threads=2),
    "later": Story(ask, "later", nothing, threads=2),
    "failing": Story(ask, "failing", nothing, threads=2),
    "left": Story(leave_one, "plain", nothing, threads=2),
    "periods": Story(ask, "periods", nothing, survivor="periods", comes_again=True),
    "stop": Story(ask, "stop", nothing),
}


def _start(config: str) -> None:
    build(config_file.load(Path(config)))


def _web(use: Callable[[Parts], None], config: str) -> None:
    use(build(config_file.load(Path(config))))


def _ask_when_told(config: str) -> None:
    parts, here = build(config_file.load(Path(config))), Path(config).parent
    (here / "up").touch()
    wait_until((here / "go").exists, "the word")
    ask(parts)


def _work(manner: str, config: str) -> None:
    """`priors worker` as it is started by hand. In all manners but `work` the outside world does what there is to do, whatever it is.

    In `work` the product's own handlers do it, but for what leads to parties that are not here.
    """
    settings = config_file.load(Path(config))
    recorder = Recorder(Outside(Path(config).parent), manner, settings.work_lease_seconds)
    real, outside = work.handlers, dict.fromkeys(KINDS, recorder.handle)

    def handlers(parts: Parts) -> Mapping[str, Handler]:
        if manner != "work":
            return outside
        known = {**intake.handlers(parts), **real(parts)}
        return {**outside, **{kind: handler for kind, handler in known.items() if kind not in ELSEWHERE}}

    work.handlers = handlers
    work.periods = lambda parts: {"tick": 3600} if manner == "periods" else {}
    outbox.DOUBT = timedelta(seconds=2 * settings.work_lease_seconds)  # as much shorter as the lease is
    if manner == "stop":
        threading.Timer(settings.work_lease_seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()
    start = Worker.start

    def started(worker: Worker) -> None:
        start(worker)
        Path(config).with_name("up").touch()

    Worker.start = started  # type: ignore[method-assign]
    raise SystemExit(cli.main(["worker", "--config", config]))


ROLES: Mapping[str, Callable[[str], None]] = {
    "start": _start,
    "ask": partial(_web, ask),
    "change": partial(_web, cancel),
    "send": partial(_web, sending.send_all),
    "ask-when-told": _ask_when_told,
    **{manner: partial(_work, manner) for manner in ("plain", "work", "long", "later", "failing", "periods", "stop")},
}
