"""The audit of what went to the browser: one record a (launch, series, kind of access), written before the first byte.

Across all workers: the record and the note that it exists are one transaction. If it cannot be written, nothing is sent.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from smart_app.audit.events import InstanceWithheld, SeriesRead, launch_id
from smart_app.audit.log import AuditLog, AuditUnavailable
from smart_app.db import Database
from smart_app.errors import Fault, Side
from smart_app.viewer.asking import Ask
from smart_app.viewer.models import SeriesAccess

WITHHELD = Fault("withheld", Side.ARCHIVE, "This image was withheld: it names another patient than this study.", "The image desk was told.", False, 404)
KEEP = 4096
_rows = SeriesAccess.__table__.c
NOTED = select(_rows.access).where(_rows.launch == bindparam("launch"), _rows.access == bindparam("access"))


@dataclass(frozen=True)
class Withheld:
    """One instance that does not pass. UIDs as it says them, empty where unreadable; `reason` in fixed words."""

    series: str
    instance: str
    reason: str


class Reads:
    def __init__(self, db: Database, audit: AuditLog) -> None:
        self._db = db
        self._audit = audit
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, ask: Ask, series: str, what: str, count: int) -> None:
        """This launch is about to be sent `what` of the series (empty: of the whole study).

        :raises AuditUnavailable: then nothing may be sent.
        """
        key = (launch_id(ask.handle), hashlib.sha256("\n".join((ask.archive.key, ask.study, series, what, ask.who.opening)).encode()).hexdigest()[:32])
        with self._lock:
            if key in self._known:
                return
        event = SeriesRead(
            who=ask.who, patient=ask.context.patient_id, archive=ask.archive.key, study=ask.study, series=series, what=what, count=max(count, 1)
        )
        insert = sqlite_insert if self._db.is_sqlite else postgresql_insert
        try:
            if not self._is_noted(*key):
                with self._db.transaction() as session:
                    added = session.execute(insert(SeriesAccess).values(launch=key[0], access=key[1]).on_conflict_do_nothing().returning(SeriesAccess.access))
                    if added.first() is not None:
                        self._audit.record(event, session)
        except SQLAlchemyError as error:
            raise AuditUnavailable from error
        with self._lock:
            self._known[key] = None
            while len(self._known) > KEEP:
                self._known.popitem(last=False)

    def _is_noted(self, launch: str, access: str) -> bool:
        """Whether another worker has: looking needs no turn at writing."""
        with self._db.engine.connect() as connection:
            return connection.execute(NOTED, {"launch": launch, "access": access}).first() is not None

    def withheld(self, ask: Ask, instances: Iterable[Withheld]) -> None:
        """Instances that were not what they were asked for as. :raises AuditUnavailable:"""
        self._audit.record_all(
            InstanceWithheld(
                who=ask.who, patient=ask.context.patient_id, archive=ask.archive.key, study=ask.study, series=one.series, instance=one.instance,
                reason=one.reason,
            )
            for one in instances
        )  # fmt: skip

    def forget(self, handle: str) -> None:
        """The launch has ended: its notes may go, its records stay."""
        with self._db.transaction() as session:
            session.execute(delete(SeriesAccess).where(SeriesAccess.launch == launch_id(handle)))
