"""What is going on when a process is killed: how it is prepared, what the process does that dies, and what a person does then.

The process that dies is the product: `priors worker`, or the use case that a web worker runs.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from smart_app import cli, config_file
from smart_app import parts as parts_module
from smart_app.clock import utc_now
from smart_app.image_requests.service import ChangedMeanwhile
from smart_app.image_requests.types import State
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.jobs.types import Handler
from smart_app.jobs.worker import Worker
from smart_app.parts import Parts, build
from smart_app.wiring import work
from tests.kill import at_the_desk, charts, programs, received, sending
from tests.kill.effects import Outside, Recorder
from tests.kill.story import REAL, STAFF, Story, ask, ask_and_send, nothing, sent
from tests.peers import wait_until
from tests.unit.intake.hospital import PATIENT

KINDS = ("dispatch", "tell", "recall", "mirror", "tick", "screen")
ELSEWHERE = frozenset({"mirror"})
"""Kinds that the outside world stands for even where the product has a handler: what leads to an EHR."""


WRONG = {"tomorrow": timedelta(days=1), "yesterday": timedelta(days=-1)}
"""By how much the clock of a machine is wrong."""


def cancel(parts: Parts) -> None:
    """Cancel all three as they were first seen."""
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        with suppress(ChangedMeanwhile, NotAllowed):
            parts.requests.act(request.id, Act.CANCEL, STAFF, reason="not needed", version=1)


def leave_one(parts: Parts) -> None:
    """Asked, and one piece of work is held by a worker that is no more."""
    ask(parts)
    assert parts.ledger.claim(KINDS, "gone") is not None


def asked_and_cancelled(parts: Parts) -> None:
    """Asked, told, and then cancelled, before anybody was told that."""
    ask(parts)
    parts.ledger.run_due({kind: handler for kind, handler in work.handlers(parts).items() if kind == "dispatch"})
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        parts.requests.act(request.id, Act.CANCEL, STAFF, reason="not needed")


CANCELLED, RECEIVED, STORED = frozenset({State.CANCELLED}), frozenset({State.SENT, State.IN_REVIEW}), frozenset({State.SENT, State.STORED})
STORIES: Mapping[str, Story] = {
    "start": Story(None, "start", ask),
    "ask": Story(nothing, "ask", ask, survivor="work", mails=3),
    "change": Story(ask, "change", cancel, CANCELLED),
    "mail": Story(ask, "work", nothing, survivor="work", mails=3),
    "recall": Story(asked_and_cancelled, "work", nothing, CANCELLED, survivor="work", mails=6),
    "send": Story(ask_and_send, "send", sending.send_all, RECEIVED, sends=True),
    "store": Story(sent, "work", nothing, STORED, survivor="work", mails=4, stored=sending.STUDY),
    "work": Story(ask, "plain", nothing, threads=2),
    "long": Story(ask, "long", nothing, threads=2),
    "later": Story(ask, "later", nothing, threads=2),
    "failing": Story(ask, "failing", nothing, threads=2),
    "left": Story(leave_one, "plain", nothing, threads=2),
    "periods": Story(ask, "periods", nothing, survivor="periods", comes_again=True),
    "stop": Story(ask, "stop", nothing),
    **at_the_desk.STORIES,
    **received.STORIES,
    **charts.STORIES,
    **programs.STORIES,
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
    """`priors worker` as it is started by hand. In most manners the outside world does what there is to do, whatever it is.

    In `REAL` ones the product's own handlers do it, but for what leads into the EHR; in `ehr` they do that, too.
    """
    settings = config_file.load(Path(config))
    recorder = Recorder(Outside(Path(config).parent), manner, settings.work_lease_seconds)
    real, outside = work.handlers, dict.fromkeys(KINDS, recorder.handle)

    def handlers(parts: Parts) -> Mapping[str, Handler]:
        if manner == "ehr":
            return real(parts)
        if manner not in REAL:
            return outside
        return {**outside, **{kind: handler for kind, handler in real(parts).items() if kind not in ELSEWHERE}}

    if manner in WRONG:
        parts_module.build.__defaults__ = (lambda: utc_now() + WRONG[manner],)
    work.handlers = handlers
    work.periods = lambda parts: {"tick": 3600} if manner == "periods" else {}
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
    **{name: partial(_web, use) for name, use in {**at_the_desk.USES, **received.USES, **charts.USES, **programs.USES}.items()},
    "ask-when-told": _ask_when_told,
    **{manner: partial(_work, manner) for manner in ("plain", "work", "ehr", *WRONG, "long", "later", "failing", "periods", "stop")},
}
