"""Work `abandoned`: a sender who went away without saying that this was all. What is whole is looked at all the same: it was promised.

While somebody still sends, it comes again later. Nobody waits for what did not come; the sender may open the link again and add it.
"""

from __future__ import annotations

from datetime import timedelta

from smart_app.clock import Clock
from smart_app.jobs.types import Job, Later
from smart_app.portal.receiving import QUIET_HOURS, Receiving
from smart_app.portal.visit import Door, LinkIsOver
from smart_app.spool.store import NoSuchUpload, Spool
from smart_app.spool.types import UploadState


class Abandoned:
    def __init__(self, door: Door, receiving: Receiving, spool: Spool, clock: Clock) -> None:
        self._door, self._receiving, self._spool, self._clock = door, receiving, spool, clock

    def __call__(self, job: Job) -> None:
        try:
            upload = self._spool.upload(job.key)
        except NoSuchUpload:
            return
        if upload.state is not UploadState.OPEN:
            return
        quiet = self._spool.active_at(job.key) + timedelta(hours=QUIET_HOURS) - self._clock()
        if quiet > timedelta():
            raise Later(quiet.total_seconds())
        try:
            visit = self._door.visit_by_id(upload.link)
        except LinkIsOver:
            visit = None
        self._receiving.close_abandoned(visit, upload)
