"""The truth about each message: prepared, handed over, accepted. At most one for one piece of work, whatever is killed when (safety.md J8).

Only the few milliseconds between "handed" and the server's answer leave a doubt. Such a message is given once more with the same
Message-ID, and not a third time: a request that nobody got is worse than one that a mailbox may show twice (decision 20).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jinja2 import Environment
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.config_mail import Mail
from smart_app.db import Database
from smart_app.dispatch.envelope import NoAddress, compose, message_id
from smart_app.dispatch.letters import Letter, Site
from smart_app.dispatch.models import MessageRow
from smart_app.dispatch.transport import NotTaken, Post, Refused, Unknown
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.sealing import Keyring

DOUBT = timedelta(seconds=45)
"""How long somebody else may still be waiting for the server's answer: a lease."""
HANDINGS = 2
PATIENCE = timedelta(hours=4)
"""How long a server may put a message off before a person must look. Reminders and phone sheets do not wait for it."""


@dataclass(frozen=True)
class Sent:
    """One message of a request, as the desk is told of it."""

    letter: str
    to: str
    state: str
    reason: str
    prepared_at: datetime
    accepted_at: datetime | None


class Outbox:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, mail: Mail | None, post: Post | None, pages: Environment, *, doubt: timedelta = DOUBT) -> None:
        self._db, self._keyring, self._clock, self._mail, self._post, self._pages, self._doubts = db, keyring, clock, mail, post, pages, doubt
        self._secret = keyring.derive("message ids", keyring.lasting)

    @property
    def is_on(self) -> bool:
        return self._mail is not None and self._post is not None

    def send(self, job: Job, request: str, letter: Letter, site: Site, to: str, then: Callable[[Session], None]) -> None:
        """Until it is accepted. `then` is written in the transaction that says so: it happens once.

        :raises Later: not now, or not yet known. :raises NeedsAttention: a person must look.
        """
        if self._mail is None or self._post is None:
            raise NeedsAttention("mail-off")
        key = f"{job.kind}:{job.key}:{letter.kind.value}"
        row = self._prepared(key, request, letter, to)
        if row.state == "accepted":
            return
        if row.state == "handed":
            self._doubt(row)
        mail = self._mail
        try:
            id = message_id(self._secret, key, mail.sender)
            message = compose(letter, site, self._pages, id=id, to=to, sender=mail.sender, reply_to=mail.reply_to or mail.sender, at=row.prepared_at)
            job.heartbeat()
            self._post.hand_over(message, to, lambda: self._handing(row))
        except NoAddress:
            self._settled(row, "refused", "no-address")
            raise NeedsAttention("no-address") from None
        except Refused as refused:
            self._settled(row, "refused", refused.reason)
            raise NeedsAttention(refused.reason) from None
        except NotTaken as fault:
            self._settled(row, "prepared", fault.reason)
            if self._clock() - row.prepared_at > PATIENCE:
                raise NeedsAttention(fault.reason) from None
            raise Later(min(30 * 2**row.tries, 900)) from None
        except Unknown:
            raise Later(self._doubts.total_seconds()) from None
        with self._db.transaction() as session:
            stored = session.get_one(MessageRow, key, with_for_update=True)
            if stored.state != "accepted":
                stored.state, stored.reason, stored.accepted_at = "accepted", "", self._clock()
                then(session)

    def note_sheet(self, session: Session, key: str, request: str, to: str) -> bool:
        """That a sheet is there to be printed, in the caller's transaction; False: it was noted before."""
        if session.get(MessageRow, key) is not None:
            return False
        sealed = self._keyring.seal(to.encode(), place=f"outgoing_messages.sealed:{key}")
        session.add(MessageRow(key=key, request=request, letter="sheet", sealed=sealed, state="prepared", handings=0, tries=0, reason="", prepared_at=self._clock()))
        return True

    def of_request(self, request: str) -> tuple[Sent, ...]:
        """All messages about a request, the oldest first."""
        with self._db.reading() as session:
            rows = session.scalars(select(MessageRow).where(MessageRow.request == request).order_by(MessageRow.prepared_at, MessageRow.key))
            return tuple(Sent(row.letter, self._to(row), row.state, row.reason, row.prepared_at, row.accepted_at) for row in rows)

    def was_given(self, request: str, letters: tuple[str, ...]) -> bool:
        """Whether somebody outside may have read one of these."""
        with self._db.reading() as session:
            asked = select(MessageRow.key).where(MessageRow.request == request, MessageRow.letter.in_(letters), MessageRow.state.in_(("handed", "accepted")))
            return session.scalar(asked.limit(1)) is not None

    def _prepared(self, key: str, request: str, letter: Letter, to: str) -> MessageRow:
        with self._db.transaction() as session:
            row = session.get(MessageRow, key, with_for_update=True)
            if row is None:
                row = MessageRow(key=key, request=request, letter=letter.kind.value, sealed=b"", state="prepared", handings=0, tries=0, reason="", prepared_at=self._clock())
                session.add(row)
            if row.state == "refused":
                # Tried again because a person said so, perhaps after they had put the address right.
                row.state = "prepared"
            if row.state == "prepared":
                row.sealed = self._keyring.seal(to.encode(), place=f"outgoing_messages.sealed:{key}")
            return row

    def _doubt(self, row: MessageRow) -> None:
        assert row.handed_at is not None
        waited = self._clock() - row.handed_at
        if timedelta(0) <= waited < self._doubts:
            raise Later((self._doubts - waited).total_seconds())
        if row.handings >= HANDINGS:
            raise NeedsAttention("mail-unknown")

    def _handing(self, row: MessageRow) -> None:
        """From here on its fate may be unknown. Of two that come here at once, one goes on."""
        now = self._clock()
        with self._db.transaction() as session:
            same = (MessageRow.key == row.key, MessageRow.state == row.state, MessageRow.handings == row.handings)
            changed = session.execute(update(MessageRow).where(*same).values(state="handed", handings=row.handings + 1, handed_at=now))
            assert isinstance(changed, CursorResult)
            if changed.rowcount != 1:
                raise Later(self._doubts.total_seconds())

    def _settled(self, row: MessageRow, state: str, reason: str) -> None:
        """A known outcome of this try that is not acceptance. The doubt of an earlier try stays: that one may have been taken."""
        with self._db.transaction() as session:
            stored = session.get_one(MessageRow, row.key, with_for_update=True)
            stored.tries, stored.reason = row.tries + 1, reason
            stored.state, stored.handings = ("handed", row.handings) if row.state == "handed" else (state, 0)

    def _to(self, row: MessageRow) -> str:
        return self._keyring.open(row.sealed, place=f"outgoing_messages.sealed:{row.key}").decode()
