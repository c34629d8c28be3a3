"""What is going on when a process is killed: how it is prepared, what the process does that dies, and what a person does then.

The process that dies is the product: `priors worker`, or the use case that a web worker runs. Work is done by `effects.Recorder`;
in the story `mail` by the product's own handlers.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from smart_app import cli, config_file
from smart_app.image_requests.service import AlreadyAsked, ChangedMeanwhile
from smart_app.image_requests.types import Actor, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.jobs.types import Handler
from smart_app.jobs.worker import Worker
from smart_app.parts import Parts, build
from smart_app.wiring import work
from tests.kill.effects import Outside, Recorder
from tests.peers import wait_until

STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
PATIENT = Patient("northgate", "p1", "DOE, Rosalind", "DOE", "Rosalind", "1951-08-09", "Female", "40771953")
KINDS = ("dispatch", "tell", "recall", "mirror", "tick")
ASKED = ("KV-1", "KV-2", "KV-3")


def new(accession: str) -> NewRequest:
    return NewRequest(PATIENT, Wanted("CT head", "CT", accession=accession), Route(RouteKind.PATIENT), None)


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
    expected: State | None
    """How the three requests stand in the end. None: there are none."""
    survivor: str = "work"
    """Key of `ROLES`: what is started after the death."""
    comes_again: bool = False
    """Work of a period must be there in the end."""


STORIES: Mapping[str, Story] = {
    "start": Story(None, "start", ask, State.SENT),
    "ask": Story(nothing, "ask", ask, State.SENT),
    "change": Story(ask, "change", cancel, State.CANCELLED),
    "work": Story(ask, "work", nothing, State.SENT),
    "long": Story(ask, "long", nothing, State.SENT),
    "later": Story(ask, "later", nothing, State.SENT),
    "failing": Story(ask, "failing", nothing, State.SENT),
    "left": Story(leave_one, "work", nothing, State.SENT),
    "periods": Story(ask, "periods", nothing, State.SENT, survivor="periods", comes_again=True),
    "stop": Story(ask, "stop", nothing, State.SENT),
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
    """`priors worker` as it is started by hand, with hands of ours for these kinds: what is tried here is the ledger, not what they do."""
    settings = config_file.load(Path(config))
    recorder = Recorder(Outside(Path(config).parent), manner, settings.work_lease_seconds)
    real = work.handlers

    def handlers(parts: Parts) -> Mapping[str, Handler]:
        known = real(parts)
        return {**known, **dict.fromkeys(KINDS, recorder.handle)}

    work.handlers = handlers
    work.periods = lambda parts: {}
    if manner == "periods":
        work.periods = lambda parts: {"tick": 3600}
    if manner == "stop":
        threading.Timer(settings.work_lease_seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()
    start = Worker.start

    def started(worker: Worker) -> None:
        start(worker)
        Path(config).with_name("up").touch()

    Worker.start = started  # type: ignore[method-assign]
    raise SystemExit(cli.main(["worker", "--config", config]))


def _worker(config: str) -> None:
    """`priors worker` with the product's own handlers, a follow-up each second."""
    periods = work.periods
    work.periods = lambda parts: {**periods(parts), "follow-up": 1}
    cli.main(["worker", "--config", config])


ROLES: Mapping[str, Callable[[str], None]] = {
    "mail": _worker,
    "start": _start,
    "ask": partial(_web, ask),
    "change": partial(_web, cancel),
    "ask-when-told": _ask_when_told,
    **{manner: partial(_work, manner) for manner in ("work", "long", "later", "failing", "periods", "stop")},
}
