"""Gunicorn's threaded worker, for a door that strangers reach: a thread is given to whole requests, and few of them to bodies on their way.

The main loop reads heads and small bodies; a long body is read by a thread, but only `body_threads` of them, so that the others stay free for
pages. Each must keep a pace. Farewells wait in the main loop too: gunicorn's own would stop it for two seconds each. It speaks no TLS: whoever
stands in front does. safety.md F5, "slow-loris".
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from smart_app.config_file import load
from smart_app.serving.arrival import Come, looked_at
from smart_app.serving.pace import Pace, PacedUnreader

FAREWELL_SECONDS = 2.0
REST_SECONDS = 0.25
"""How long the rest of a body that nobody wanted is waited for, before its connection is given up."""
READ = 1 << 16
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 15\r\nCache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
BUSY_WORDS = b"Many are sending at the moment. Nothing is lost: wait a moment, then try again.\n"
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass
class _Waiting:
    until: float
    data: bytearray = field(default_factory=bytearray)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """All of this but `handle` and what it calls runs in the main loop, so nothing here is locked."""

    def init_process(self) -> None:
        settings = load()
        self._seconds, self._least = settings.slow_seconds, settings.slowest_bytes
        self._seats = settings.body_threads
        self._arriving: dict[Any, _Waiting] = {}
        self._for_a_seat: deque[tuple[Any, float]] = deque()
        self._seated: set[Any] = set()
        self._leaving: dict[Any, float] = {}
        super().init_process()

    # --- coming

    def accept(self, listener: Any) -> None:
        try:
            ours, theirs = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):  # another worker was quicker, or they have gone
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections - 1:
            self._make_room()
        limit = struct.pack("ll", int(self._seconds), int(self._seconds % 1 * 1e6))  # a struct timeval; it outlives setblocking
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, limit)
        self._await(TConn(self.cfg, ours, theirs, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await(conn)

    def _await(self, conn: Any, came: bytes = b"") -> None:
        conn.sock.setblocking(False)
        self._arriving[conn] = _Waiting(time.monotonic() + self._seconds, bytearray(came))
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))
        if came:
            self._go_on(conn)

    def _more(self, conn: Any, client: Any) -> None:
        try:
            data = client.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._forget(conn)
            return
        waiting = self._arriving[conn]
        waiting.data += data if waiting.data else data.lstrip(b"\r\n")
        self._go_on(conn)

    def _go_on(self, conn: Any) -> None:
        come = looked_at(self._arriving[conn].data)
        if come is Come.PART:
            return
        self.poller.unregister(conn.sock)
        conn.came = bytes(self._arriving.pop(conn).data)
        if come is Come.TOO_LONG:
            self._refuse(conn, TOO_LONG)
        elif come is Come.WHOLE:
            self.enqueue_req(conn)
        else:
            self._for_a_seat.append((conn, time.monotonic() + self._seconds))
            self._seat()

    def _seat(self) -> None:
        while self._for_a_seat and len(self._seated) < self._seats:
            conn, _ = self._for_a_seat.popleft()
            self._seated.add(conn)
            self.enqueue_req(conn)

    # --- in a thread

    def handle(self, conn: Any) -> Any:
        try:
            conn.sock.setblocking(True)
            conn.init()
            conn.parser.unreader = PacedUnreader(conn.sock, Pace(self._least, self._seconds))
            conn.parser.unreader.unread(conn.came)
            conn.came = b""
        except OSError:
            return False
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:  # it did not take our answer in time
            raise StopIteration from None

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        return bool(keepalive) and bool(conn.parser.finish_body(deadline=time.monotonic() + REST_SECONDS))

    # --- going

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        if conn in self._seated:
            self._seated.discard(conn)
            self._seat()
        stays = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        if not stays:
            self._leave(conn)
        elif ahead := conn.parser.unreader.take_buffered():
            self._await(conn, ahead)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Everybody whose time is over. Each of these is in the order of its time."""
        now = time.monotonic()
        self._until(now if self.alive else now + self._seconds - FAREWELL_SECONDS, self._arriving, lambda waiting: waiting.until, self._forget)
        self._until(now, self._leaving, lambda until: until, self._gone)
        while self._for_a_seat and self._for_a_seat[0][1] <= now:
            self._refuse(self._for_a_seat.popleft()[0], BUSY + f"Content-Length: {len(BUSY_WORDS)}\r\n\r\n".encode() + BUSY_WORDS)

    @staticmethod
    def _until(now: float, held: dict[Any, Any], until: Callable[[Any], float], end: Callable[[Any], None]) -> None:
        while held and until(held[first := next(iter(held))]) <= now:
            end(first)

    def _refuse(self, conn: Any, answer: bytes) -> None:
        with suppress(OSError):
            conn.sock.setblocking(False)
            conn.sock.send(answer)
        self._leave(conn)

    def _leave(self, conn: Any) -> None:
        """Our last word is said; what they still send is taken for a moment, since a reset could overtake that word. RFC 9112 9.6."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._last, conn))
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()
            return
        self._leaving[conn] = time.monotonic() + FAREWELL_SECONDS

    def _last(self, conn: Any, client: Any) -> None:
        try:
            if client.recv(READ):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._gone(conn)

    def _gone(self, conn: Any) -> None:
        del self._leaving[conn]
        self._close(conn)

    def _forget(self, conn: Any) -> None:
        del self._arriving[conn]
        self._close(conn)

    def _close(self, conn: Any) -> None:
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _make_room(self) -> None:
        """Who has waited longest without having asked anything goes: a thousand idle connections keep nobody out."""
        if self._leaving:
            self._gone(next(iter(self._leaving)))
        elif self._arriving:
            self._forget(next(iter(self._arriving)))
        elif self.keepalived_conns:
            self._close(self.keepalived_conns.popleft())
