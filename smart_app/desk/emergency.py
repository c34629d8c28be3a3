"""A standing link for one hospital: it may send images ahead of a patient who is not registered here yet. They wait on the desk, urgent.

Made by the desk for a hospital of the directory, for thirty days. As with every link, its code is told another way than its address.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.desk_events import CodeShown
from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.image_requests.types import Facility
from smart_app.links.about import About, read_about, write_about
from smart_app.links.store import Links
from smart_app.links.types import Link, Purpose

DAYS = 30
TITLE = "Images of a patient who is on the way to us"


@dataclass(frozen=True)
class Standing:
    """What the page shows: either the address, or, when asked for, the code."""

    link: Link
    address: str = ""
    code: str = ""


class EmergencyLinks:
    """One a process."""

    def __init__(self, db: Database, links: Links, audit: AuditLog) -> None:
        self._db, self._links, self._audit = db, links, audit

    @property
    def is_on(self) -> bool:
        return self._links.is_on

    def make(self, facility: Facility, who: Who) -> Standing:
        """A new link for this hospital, on the record."""
        with self._db.transaction() as session:
            about = write_about(About(title=TITLE, sender=facility.name))
            link = self._links.issue(session, Purpose.INBOUND, None, days=DAYS, about=about, who=who)
        return Standing(link, address=self._links.address(link))

    def code(self, facility: Facility, id: str, who: Who) -> Standing | None:
        """Its code, on the record before it is shown. None: no such link of this hospital lives."""
        link = self._links.get(id)
        if link is None or link.ended or link.purpose is not Purpose.INBOUND or read_about(self._links.about(link)).sender != facility.name:
            return None
        self._audit.record(CodeShown(who=who, request=link.id))
        return Standing(link, code=self._links.code(link))
