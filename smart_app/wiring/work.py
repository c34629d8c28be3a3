"""What is done without a browser waiting: every kind of work and who does it. A list, to be read once; each part adds its lines.

A kind without a handler here stays waiting, is said at start, and is done once somebody knows it.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping

import structlog

from smart_app.jobs.types import Handler
from smart_app.jobs.worker import Worker
from smart_app.parts import Parts
from smart_app.wiring import dispatch, fhir_api, image_requests, intake, marks, portal

log = structlog.get_logger("priors.jobs")


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """By kind of work. See `Handler`: each is called again after a crash, and repeats safely."""
    return {**portal.handlers(parts), **dispatch.handlers(parts), **fhir_api.handlers(parts), **intake.handlers(parts), **image_requests.handlers(parts), **marks.handlers(parts)}


def periods(parts: Parts) -> Mapping[str, int]:
    """Kinds that come again, and after how many seconds. Their key is the number of the period; handlers stand above."""
    return {**dispatch.periods(), **intake.periods(), **image_requests.periods()}


def worker(parts: Parts) -> Worker:
    known = handlers(parts)
    for kind, count in parts.ledger.unhandled(known.keys()).items():
        log.warning("work_without_handler", kind=kind, rows=count)
    return Worker(parts.ledger, known, periods=periods(parts), threads=parts.settings.work_threads)


def work_here(parts: Parts) -> None:
    """In a web process, when no queue is configured: what it takes in, it also does. Ends with the process."""
    if parts.settings.queue_url is not None:
        return
    here = worker(parts)
    here.start()
    atexit.register(here.stop, 8)
