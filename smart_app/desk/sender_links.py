"""What the desk does with a request's link: tells its code by phone, lets it live longer, ends it. Each is on the record of the request.

Link and code go two ways: the page that shows the code never shows the address, and the code is shown only when somebody asks for it.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from smart_app.audit.desk_events import CodeShown
from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, ImageRequest
from smart_app.links.types import Link

DAYS = (3, 7, 14, 30)


class Store(Protocol):
    """`links.store.Links`, as far as the desk uses it."""

    def of_request(self, request: str) -> tuple[Link, ...]: ...

    def code(self, link: Link) -> str: ...

    def revoke(self, session: Session, link: Link, why: str = ...) -> None: ...

    def extend(self, session: Session, link: Link, days: float) -> Link: ...


class SenderLinks:
    """One a process. `store` is None while receiving is switched off."""

    def __init__(self, db: Database, store: Store | None, requests: Requests, audit: AuditLog) -> None:
        self._db, self._store, self._requests, self._audit = db, store, requests, audit

    @property
    def is_on(self) -> bool:
        return self._store is not None

    def of(self, request: str) -> tuple[Link, ...]:
        """The newest first, ended ones too."""
        return self._store.of_request(request) if self._store is not None else ()

    def code(self, request: ImageRequest, who: Who) -> str | None:
        """The code of the link that lives, on the record before it is shown; None: no link of it lives."""
        living = next((link for link in self.of(request.id) if not link.ended), None)
        if living is None or self._store is None:
            return None
        self._audit.record(CodeShown(who=who, patient=request.asked.patient.id, request=request.id))
        return self._store.code(living)

    def extend(self, request: str, link: str, days: int, actor: Actor) -> bool:
        """Let it live `days` from now. False: there is no such link of this request, or it was ended on purpose."""
        found = self._named(request, link)
        if found is None or self._store is None or days not in DAYS or found.ended not in ("", "expired"):
            return False
        with self._db.transaction() as session:
            self._store.extend(session, found, days)
            self._requests.note(request, f"The link lives {days} days from now.", actor, session=session)
        return True

    def revoke(self, request: str, link: str, actor: Actor) -> bool:
        """End it now. False: there is no such link of this request, or it has ended."""
        found = self._named(request, link)
        if found is None or self._store is None or found.ended:
            return False
        with self._db.transaction() as session:
            self._store.revoke(session, found, "revoked")
            self._requests.note(request, "The link was ended. What was sent with it stays.", actor, session=session)
        return True

    def _named(self, request: str, link: str) -> Link | None:
        return next((one for one in self.of(request) if one.id == link), None)
