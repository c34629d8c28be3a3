"""`Outbound`: buffered and streamed calls, each under one total deadline, on one connection pool a process.

No redirect is followed, no proxy variable, netrc or cookie is read or kept. What goes wrong is raised as one of the
domain errors of `smart_app.errors`; their texts hold nothing of the URL, the headers or the answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import requests
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.response import BaseHTTPResponse

from smart_app.errors import Busy, NotApproved, TimedOut, TooLarge, Unreachable
from smart_app.outbound.addresses import Refused, Target, approved
from smart_app.outbound.breaker import Breaker
from smart_app.outbound.bulkhead import Bulkhead
from smart_app.outbound.connections import CURRENT, AddressRefused, Call, Resolver, system_resolver
from smart_app.outbound.lane import Lane
from smart_app.outbound.pools import pool_for
from smart_app.outbound.replies import Reply, StreamedReply, before_body
from smart_app.outbound.warming import Warmer

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_SAFE_TO_REPEAT = frozenset({"GET", "HEAD"})
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHOD = re.compile(r"[A-Z]{3,10}")

Body = bytes | Iterable[bytes] | None
RELAYS = 12
FAIR = 0.9
"""Seconds that a destination must have had before its silence counts against it: a caller in a hurry proves nothing."""


class Outbound:
    """All configured destinations. One a process; safe for threads."""

    def __init__(self, lanes: Iterable[Lane], *, pin_localhost: bool, resolver: Resolver = system_resolver, relays: int = RELAYS) -> None:
        """`relays`: answers handed out while they come (`stream`), to all destinations together: each holds a web thread."""
        self._lanes = {lane.key: lane for lane in lanes}
        self._bulkheads = {key: Bulkhead(lane.parallel) for key, lane in self._lanes.items()}
        self._breakers = {key: Breaker() for key in self._lanes}
        self._relays = Bulkhead(relays)
        self._pools = {
            (lane.key, origin): pool_for(lane, origin, pin_localhost, resolver) for lane in self._lanes.values() for origin in lane.origins
        }
        self._warmer = Warmer()

    def approves(self, lane: str, url: str) -> bool:
        """Whether this lane may call `url`, as far as can be told without resolving its name."""
        try:
            approved(self._lanes[lane], url)
        except Refused:
            return False
        return True

    def warm(self, lane: str, url: str, count: int = 1) -> None:
        """Have `count` open connections to this address soon, because a question will follow. Returns at once; tells nobody of a failure."""
        chosen = self._lanes[lane]
        try:
            target = approved(chosen, url)
        except Refused:
            return
        if not self._breakers[lane].is_open:
            self._warmer.warm(self._pools[lane, target.origin], Call(time.monotonic() + chosen.connect, chosen.connect), count)

    def request(
        self,
        lane: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        body: Body = None,
        deadline: float,
        max_bytes: int,
        patience: float | None = None,
        first_byte: float | None = None,
    ) -> Reply:
        """Ask and read the whole answer within `deadline` seconds and `max_bytes` (after inflating). `patience`: see `Bulkhead.enter`.

        :param body: pieces are sent as they are made; their Content-Length must be among `headers`.
        :param first_byte: seconds that this one may take to begin its answer, where it has much to do first.
        :raises NotApproved, Unreachable, TimedOut, TooLarge, Busy, Paused, Cut:
        """
        with self._open(lane, method, url, {"Accept-Encoding": "gzip", **headers}, body, deadline, patience, first_byte=first_byte) as reply:
            pieces, size = [], 0
            try:
                for piece in reply.chunks():
                    size += len(piece)
                    if size > max_bytes:
                        raise TooLarge
                    pieces.append(piece)
            except TimedOut:
                self._breakers[lane].silent()  # it trickled: that holds a thread as silence does
                raise
            return Reply(reply.status, reply.headers, b"".join(pieces))

    def stream(
        self,
        lane: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        body: bytes | None = None,
        deadline: float,
    ) -> StreamedReply:
        """Ask, and hand out the answer as it comes. The caller closes it. Errors as `request`."""
        leave = self._relays.enter(deadline)
        try:
            return self._open(lane, method, url, {"Accept-Encoding": "identity", **headers}, body, deadline, leave_too=leave)
        except BaseException:
            leave()
            raise

    def stream_aside(
        self, lane: str, method: str, url: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None, deadline: float
    ) -> StreamedReply:
        """As `stream`, for a thread that is not a web thread: it is not counted among the relays."""
        return self._open(lane, method, url, {"Accept-Encoding": "identity", **headers}, body, deadline)

    def guard(self, lane: str, session: requests.Session, *, deadline: float, max_bytes: int) -> None:
        """Make a `requests` session (Authlib's among them) call through this lane only, under the same rules."""
        from smart_app.outbound.adapter import GuardedAdapter

        session.trust_env = False
        session.adapters.clear()
        adapter = GuardedAdapter(self, lane, deadline=deadline, max_bytes=max_bytes)
        session.mount("https://", adapter)
        session.mount("http://", adapter)

    def _open(
        self,
        lane: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body,
        deadline: float,
        patience: float | None = None,
        leave_too: Callable[[], None] | None = None,
        first_byte: float | None = None,
    ) -> StreamedReply:
        chosen, breaker = self._lanes[lane], self._breakers[lane]
        try:
            target = approved(chosen, url)
        except Refused:
            raise NotApproved from None
        _check_fields(method, headers)
        call = Call(time.monotonic() + deadline, first_byte or chosen.first_byte)
        if patience == 0 and breaker.hesitates:
            raise Busy
        is_probe = breaker.admit()
        leave = self._bulkheads[lane].enter(deadline, patience=patience, crowd=not breaker.hesitates)
        began = time.monotonic()
        try:
            if not is_probe:
                breaker.recheck()
            with breaker.listening():
                response = self._send(chosen, target, method, headers, body, call)
        except BaseException as error:
            leave()
            if isinstance(error, Unreachable) or (isinstance(error, TimedOut) and time.monotonic() - began >= FAIR):
                breaker.silent()
            raise
        breaker.answered()
        return StreamedReply(response, _both(leave, leave_too) if leave_too else leave)

    def _send(
        self, lane: Lane, target: Target, method: str, headers: Mapping[str, str], body: Body, call: Call
    ) -> BaseHTTPResponse:
        pool = self._pools[lane.key, target.origin]
        token = CURRENT.set(call)
        try:
            while True:
                call.reused = False
                try:
                    return _urlopen(pool, method, target.path, headers, body, lane, call)
                except ProtocolError:
                    # An idle connection that the peer closed meanwhile (Orthanc does after one second) breaks at once.
                    # Only then, and only where repeating is harmless, ask again: every try uses up one old connection,
                    # and a fresh one is final.
                    if not (call.reused and method in _SAFE_TO_REPEAT and call.ends > time.monotonic()):
                        raise
        except AddressRefused:
            raise NotApproved from None
        except Exception as error:
            if isinstance(error, HTTPError | OSError):
                raise before_body(error) from None
            raise
        finally:
            CURRENT.reset(token)


def _urlopen(
    pool: HTTPConnectionPool, method: str, path: str, headers: Mapping[str, str], body: Body, lane: Lane, call: Call
) -> BaseHTTPResponse:
    return pool.urlopen(
        method,
        path,
        body=body,
        headers={"User-Agent": "Priors", **headers},
        retries=False,
        redirect=False,
        preload_content=False,
        timeout=Timeout(connect=min(lane.connect, call.left()), read=call.left()),
    )


def _check_fields(method: str, headers: Mapping[str, str]) -> None:
    if not _METHOD.fullmatch(method):
        raise ValueError("not an HTTP method")
    for name, value in headers.items():
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError("a header field holds characters that may not be sent")


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def leave() -> None:
        first()
        second()

    return leave


class Aside:
    """`Outbound` as threads of our own use it, which hold no web thread and are bounded where they are started."""

    def __init__(self, outbound: Outbound) -> None:
        self.request = outbound.request
        self.stream = outbound.stream_aside
