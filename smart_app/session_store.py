"""The launch library's memory in SQL: browsers, pending launches, launches with their sealed context and tokens.

Cookie values, `state` and users are kept as SHA-256 only; what could be read is sealed. Lifetimes are enforced here,
on the server: a cookie's date would be the browser's word. `find` stands before every pixel: one indexed read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, String, bindparam, delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from launch.context import LaunchContext, User
from launch.errors import EhrSilent
from launch.session import PendingLaunch, TokenSet
from smart_app.clock import Clock
from smart_app.db import Base, Database, UtcDateTime
from smart_app.sealing import Keyring

PENDING_FOR = timedelta(minutes=10)
TOUCH_EVERY = timedelta(seconds=30)
LEASE = timedelta(seconds=15)
FORGET_AFTER = timedelta(days=1)
"""Ended launches are remembered this long, so that their tab can say "session ended" instead of "not found"."""
SWEEP_EVERY = timedelta(minutes=1)


class BrowserRow(Base):
    __tablename__ = "browsers"

    cookie: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of the cookie's value."""
    user: Mapped[str] = mapped_column(String(64))
    """SHA-256 hex of (issuer, subject)."""
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PendingRow(Base):
    __tablename__ = "pending_launches"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 hex of `state`."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Nonce, verifier and the rest as sealed JSON."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class LaunchRow(Base):
    __tablename__ = "launches"

    handle: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 hex of the owning cookie's value."""
    context: Mapped[bytes | None] = mapped_column(LargeBinary)
    tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


TIMES = select(LaunchRow.ended_at, LaunchRow.expires_at, LaunchRow.used_at).where(LaunchRow.handle == bindparam("handle"))


class SqlSessionStore:
    """`launch.session.SessionStore` on SQLite and PostgreSQL. One a process.

    :param idle: a launch unused for this long has ended.
    :param on_end: told each handle whose launch has ended (by a person, another user, time), after the commit.
    """

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, *, idle: timedelta, on_end: Callable[[str], None] | None = None) -> None:
        self._db = db
        self._keyring = keyring
        self._clock = clock
        self._idle = idle
        self._on_end = on_end
        self._swept: datetime | None = None

    # -- pending launches --

    def put_pending(self, pending: PendingLaunch) -> None:
        key = _digest(pending.state)
        facts = {name: getattr(pending, name) for name in _PENDING_FIELDS}
        with self._db.transaction() as session:
            session.add(PendingRow(state=key, sealed=self._seal("pending_launches.sealed", key, facts), created_at=pending.created_at))
        self._sweep_sometimes()

    def take_pending(self, state: str) -> PendingLaunch | None:
        key = _digest(state)
        with self._db.transaction() as session:
            row = session.get(PendingRow, key)
            # Of two callbacks with one state, the delete that hits a row wins on both engines.
            if row is None or not _hit(session, delete(PendingRow).where(PendingRow.state == key)):
                return None
            created_at, sealed = row.created_at, row.sealed
        if self._clock() >= created_at + PENDING_FOR:
            return None
        return PendingLaunch(state=state, created_at=created_at, **self._open("pending_launches.sealed", key, sealed))

    # -- launches --

    def open_launch(self, browser: str | None, context: LaunchContext, tokens: TokenSet) -> str:
        now = self._clock()
        user = _digest(json.dumps([context.user.issuer, context.user.subject]))
        ended: list[str] = []
        with self._db.transaction() as session:
            known = session.get(BrowserRow, _digest(browser)) if browser else None
            if known is not None and known.user != user:
                ended = self._end_all(session, known.cookie, now)
                session.delete(known)
                known = None
            if known is None or browser is None:
                browser = secrets.token_urlsafe(32)
                session.add(BrowserRow(cookie=_digest(browser), user=user, used_at=now))
            else:
                known.used_at = now
            session.add(
                LaunchRow(
                    handle=context.handle,
                    browser=_digest(browser),
                    context=self._seal("launches.context", context.handle, _plain_context(context)),
                    tokens=self._seal("launches.tokens", context.handle, _plain_tokens(tokens)),
                    expires_at=context.expires_at,
                    used_at=now,
                )
            )
        self._tell(ended)
        return browser

    def find(self, handle: str, browser: str | None, *, use: bool = True) -> LaunchContext | None:
        """As the protocol says. Without `use` it is not marked as used: a page that asks by itself keeps nobody signed in."""
        row = self._owned(handle, browser)
        if row is None or row.ended_at is not None or row.context is None:
            return None
        now = self._clock()
        if self._is_over(row, now):
            self.end(handle)
            return None
        if use and now - row.used_at > TOUCH_EVERY:
            with self._db.transaction() as session:
                session.execute(update(LaunchRow).where(LaunchRow.handle == handle, LaunchRow.used_at < now).values(used_at=now))
        return _context_from(self._open("launches.context", handle, row.context))

    def has_ended(self, handle: str, browser: str | None) -> bool:
        """Whether this was a launch of this very browser, and is over: its tab may say so."""
        row = self._owned(handle, browser)
        return row is not None and (row.ended_at is not None or self._is_over(row, self._clock()))

    def is_live(self, handle: str) -> bool:
        """Whether this launch has not ended, by a person, another user or time. Does not count as use."""
        with self._db.engine.connect() as connection:
            row = connection.execute(TIMES, {"handle": handle}).one_or_none()
        return row is not None and row.ended_at is None and not self._is_over(row, self._clock())

    def context(self, handle: str) -> LaunchContext | None:
        """A live launch's facts, for decisions of our own about it; whether a browser owns it is `find`'s to say."""
        with self._db.reading() as session:
            row = session.get(LaunchRow, handle)
        if row is None or row.ended_at is not None or row.context is None or self._is_over(row, self._clock()):
            return None
        return _context_from(self._open("launches.context", handle, row.context))

    def end(self, handle: str) -> None:
        with self._db.transaction() as session:
            ended = self._end_where(session, LaunchRow.handle == handle, self._clock())
        self._tell(ended)

    # -- tokens --

    def tokens(self, handle: str) -> TokenSet | None:
        with self._db.reading() as session:
            sealed = session.scalar(select(LaunchRow.tokens).where(LaunchRow.handle == handle, LaunchRow.ended_at.is_(None)))
        return None if sealed is None else _tokens_from(self._open("launches.tokens", handle, sealed))

    def save_tokens(self, handle: str, tokens: TokenSet) -> None:
        sealed = self._seal("launches.tokens", handle, _plain_tokens(tokens))
        with self._db.transaction() as session:
            # A launch that ended while its refresh was under way must not get tokens again.
            session.execute(update(LaunchRow).where(LaunchRow.handle == handle, LaunchRow.ended_at.is_(None)).values(tokens=sealed))

    @contextmanager
    def refresh_lock(self, handle: str) -> Iterator[None]:
        """A lease in the launch's row, so that it holds across processes and a killed worker's lock ends by itself.

        :raises EhrSilent: somebody else held it all the time; try again.
        """
        owner = secrets.token_hex(16)
        gives_up = time.monotonic() + LEASE.total_seconds()
        while not self._lease(handle, owner):
            if time.monotonic() >= gives_up:
                raise EhrSilent(reason="refresh: another worker is still at it")
            time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - spreads the waiters, guards nothing
        try:
            yield
        finally:
            with self._db.transaction() as session:
                session.execute(
                    update(LaunchRow).where(LaunchRow.handle == handle, LaunchRow.lease_owner == owner).values(lease_owner=None, lease_until=None)
                )

    # -- upkeep --

    def sweep(self) -> None:
        """End what is over by time, forget what is long past. Runs by itself about once a minute."""
        now = self._clock()
        over = LaunchRow.ended_at.is_(None) & or_(LaunchRow.expires_at <= now, LaunchRow.used_at <= now - self._idle)
        with self._db.transaction() as session:
            ended = self._end_where(session, over, now)
            session.execute(delete(PendingRow).where(PendingRow.created_at <= now - PENDING_FOR))
            session.execute(delete(LaunchRow).where(LaunchRow.ended_at <= now - FORGET_AFTER))
            in_use = select(LaunchRow.browser)
            session.execute(delete(BrowserRow).where(BrowserRow.used_at <= now - FORGET_AFTER, BrowserRow.cookie.not_in(in_use)))
        self._tell(ended)

    def live_launches(self) -> int:
        """How many launches have not ended: for health and metrics."""
        with self._db.reading() as session:
            return session.scalar(select(func.count()).select_from(LaunchRow).where(LaunchRow.ended_at.is_(None))) or 0

    def _sweep_sometimes(self) -> None:
        now = self._clock()
        if self._swept is None or now - self._swept >= SWEEP_EVERY:
            self._swept = now
            self.sweep()

    def _owned(self, handle: str, browser: str | None) -> LaunchRow | None:
        if not browser or not _HANDLE.fullmatch(handle):
            return None
        with self._db.reading() as session:
            row = session.get(LaunchRow, handle)
        return row if row is not None and hmac.compare_digest(row.browser, _digest(browser)) else None

    def _is_over(self, row: Any, now: datetime) -> bool:
        return bool(now >= row.expires_at or now - row.used_at >= self._idle)

    def _lease(self, handle: str, owner: str) -> bool:
        now = self._clock()
        with self._db.reading() as session:
            held = session.scalar(select(LaunchRow.lease_until).where(LaunchRow.handle == handle))
        if held is not None and held > now:
            return False
        free = or_(LaunchRow.lease_until.is_(None), LaunchRow.lease_until <= now)
        with self._db.transaction() as session:
            taken = _hit(session, update(LaunchRow).where(LaunchRow.handle == handle, free).values(lease_owner=owner, lease_until=now + LEASE))
            # A launch that is gone has no row to lock; its holder then finds no tokens.
            return taken or session.scalar(select(LaunchRow.handle).where(LaunchRow.handle == handle)) is None

    def _end_all(self, session: Session, cookie: str, now: datetime) -> list[str]:
        return self._end_where(session, LaunchRow.browser == cookie, now)

    @staticmethod
    def _end_where(session: Session, which: Any, now: datetime) -> list[str]:
        """Ends live launches and drops what is sealed in them; returns their handles."""
        handles = list(session.scalars(select(LaunchRow.handle).where(which, LaunchRow.ended_at.is_(None))))
        if handles:
            session.execute(
                update(LaunchRow).where(LaunchRow.handle.in_(handles), LaunchRow.ended_at.is_(None)).values(ended_at=now, context=None, tokens=None)
            )
        return handles

    def _tell(self, ended: list[str]) -> None:
        if self._on_end is not None:
            for handle in ended:
                self._on_end(handle)

    def _seal(self, column: str, row: str, facts: dict[str, Any]) -> bytes:
        return self._keyring.seal(json.dumps(facts).encode(), place=f"{column}:{row}")

    def _open(self, column: str, row: str, sealed: bytes) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self._keyring.open(sealed, place=f"{column}:{row}"))
        return facts


_HANDLE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_PENDING_FIELDS = ("nonce", "verifier", "binding", "binding_name", "issuer_key", "wants_patient", "expects_iss", "authorization_issuer", "sought")
_CONTEXT_FIELDS = (
    "handle", "issuer_key", "issuer", "patient_id", "encounter_id", "tenant", "need_patient_banner", "smart_style_url", "intent",
)  # fmt: skip
_GIVEN_FIELDS = ("app_context", "sought")
_USER_FIELDS = ("issuer", "subject", "fhir_user", "name")


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _hit(session: Session, statement: Any) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return isinstance(result, CursorResult) and result.rowcount == 1


def _plain_context(context: LaunchContext) -> dict[str, Any]:
    return {
        **{name: getattr(context, name) for name in (*_CONTEXT_FIELDS, *_GIVEN_FIELDS)},
        "user": {**{name: getattr(context.user, name) for name in _USER_FIELDS}, "claims": dict(context.user.claims)},
        "scopes": sorted(context.scopes),
        "opened_at": context.opened_at.isoformat(),
        "expires_at": context.expires_at.isoformat(),
        "fhir_context": [dict(item) for item in context.fhir_context],
    }


def _context_from(facts: dict[str, Any]) -> LaunchContext:
    # A launch of the version before has none of the given ones.
    plain: dict[str, Any] = {name: facts[name] for name in _CONTEXT_FIELDS} | {name: facts.get(name) for name in _GIVEN_FIELDS}
    return LaunchContext(
        **plain,
        user=User(**facts["user"]),
        scopes=frozenset(facts["scopes"]),
        opened_at=datetime.fromisoformat(facts["opened_at"]),
        expires_at=datetime.fromisoformat(facts["expires_at"]),
        fhir_context=tuple(facts["fhir_context"]),
    )


def _plain_tokens(tokens: TokenSet) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_endpoint": tokens.token_endpoint,
        "expires_at": tokens.expires_at.isoformat(),
        "renew_at": tokens.renew_at.isoformat() if tokens.renew_at else None,
    }


def _tokens_from(facts: dict[str, Any]) -> TokenSet:
    renew_at = facts.pop("renew_at")
    ends = datetime.fromisoformat(facts.pop("expires_at"))
    return TokenSet(**facts, expires_at=ends, renew_at=datetime.fromisoformat(renew_at) if renew_at else None)
