"""When each source last answered anybody at this site: a time a source, nothing of whom it was asked about.

Written at most once a minute a source and process, so that a list costs no write of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from smart_app.db import Database
from smart_app.studies.models import SourceAnswer

SPARED = timedelta(minutes=1)


class LastAnswers:
    """One a process; safe for threads and for several workers."""

    def __init__(self, db: Database, tenant: str) -> None:
        self._db = db
        self._tenant = tenant
        self._lock = threading.Lock()
        self._written: dict[str, datetime] = {}

    def note(self, source: str, at: datetime) -> None:
        """`source` answered at `at`."""
        with self._lock:
            before = self._written.get(source)
            if before is not None and at - before < SPARED:
                return
            self._written[source] = at
        insert = sqlite.insert if self._db.is_sqlite else postgresql.insert
        row = insert(SourceAnswer).values(tenant=self._tenant, source=source, at=at)
        later = row.on_conflict_do_update(index_elements=["tenant", "source"], set_={"at": row.excluded.at}, where=SourceAnswer.at < row.excluded.at)
        with self._db.transaction() as session:
            session.execute(later)

    def all(self) -> Mapping[str, datetime]:
        """Source -> when it last answered, to the minute or so."""
        with self._db.reading() as session:
            rows = session.execute(select(SourceAnswer.source, SourceAnswer.at).where(SourceAnswer.tenant == self._tenant)).all()
        return {row.source: row.at for row in rows}
