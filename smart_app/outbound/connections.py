"""Sockets that obey: resolved once, every address checked, connected to that very address, each read bounded by what is left.

A timeout per read alone is not a deadline: a server that trickles a byte a second would never hit it.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from smart_app.outbound.addresses import permitted
from smart_app.outbound.lane import Lane

Resolver = Callable[[str, int], list[str]]


class AddressRefused(Exception):
    """A name resolved to an address that this lane may not reach. Nothing was connected."""


@dataclass
class Call:
    """One call under way: `ends` is its total deadline on the monotonic clock."""

    ends: float
    per_read: float
    reused: bool = False
    """It went out on a pooled connection, which the peer may have closed while idle."""

    def left(self) -> float:
        remaining = min(self.per_read, self.ends - time.monotonic())
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        return remaining


CURRENT: ContextVar[Call] = ContextVar("outbound_call")
"""urllib3 has no per-call slot that reaches the connection, so the call travels beside it within one thread."""


class _Obedient:
    """Mixed into both socket classes: every read and write is bounded by what its call has left."""

    call: Call | None = None
    settimeout: Callable[[float], None]

    def _bound(self) -> None:
        if self.call is not None:
            self.settimeout(self.call.left())

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._bound()
        return super().recv_into(*args, **kwargs)  # type: ignore[misc,no-any-return]

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._bound()
        return super().send(*args, **kwargs)  # type: ignore[misc,no-any-return]

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._bound()
        super().sendall(*args, **kwargs)  # type: ignore[misc]


class PlainSocket(_Obedient, socket.socket):  # type: ignore[misc]
    pass


class TlsSocket(_Obedient, ssl.SSLSocket):  # type: ignore[misc]
    pass


@dataclass(frozen=True)
class Dialer:
    """Opens the sockets of one lane."""

    lane: Lane
    scheme: str
    pin_localhost: bool
    resolve: Resolver

    def addresses(self, host: str, port: int, call: Call) -> list[str]:
        """All addresses of a name, none of them forbidden. :raises AddressRefused: if any is."""
        if self.pin_localhost and (host == "localhost" or host.endswith(".localhost")):
            found = ["127.0.0.1"]
        else:
            found = _within(call, self.resolve, host, port)
        if not found:
            raise OSError("the name has no address")
        if not all(permitted(self.lane, self.scheme, address) for address in found):
            raise AddressRefused
        return found

    def dial(self, host: str, port: int, call: Call) -> PlainSocket:
        last: OSError | None = None
        for address in self.addresses(host, port, call):
            sock = PlainSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(min(self.lane.connect, call.left()))
                sock.connect((address, port))
            except OSError as error:
                sock.close()
                last = error
            else:
                return sock
        assert last is not None
        raise last


LINES = 100
"""Of one field, however folded or repeated: as many as http.client takes of all."""


class _TypeAside:
    """The lines of a header block without Content-Type, which is kept aside in `kept`."""

    def __init__(self, lines: Any) -> None:
        self._lines = lines
        self._folded = False
        self.kept: list[bytes] = []

    def readline(self, limit: int = -1) -> bytes:
        while True:
            line: bytes = self._lines.readline(limit)
            self._folded = line[:13].lower() == b"content-type:" or (self._folded and line[:1] in (b" ", b"\t"))
            if not self._folded:
                return line
            self.kept.append(line)
            if len(self.kept) > LINES:
                raise HTTPException("too many lines")

    def close(self) -> None:
        self._lines.close()


class Answer(HTTPResponse):
    """Reads the header block as ever, but does not let http.client's mail parser see a Content-Type.

    For every multipart answer that parser compiles a regular expression of its boundary, which no other answer has:
    a tenth of all that a frame costs us.
    """

    def begin(self) -> None:
        if self.headers is not None:
            return
        lines = self.fp
        self.fp = aside = _TypeAside(lines)
        try:
            super().begin()
        finally:
            if self.fp is aside:
                self.fp = lines
        for field in b"".join(aside.kept).replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").splitlines():
            self.headers["Content-Type"] = field.partition(b":")[2].strip().decode("latin-1")


class _Guarded:
    """Mixed into both urllib3 connections. The host stays a name, so SNI, certificate check and Host header are its own."""

    dialer: Dialer
    sock: Any
    host: str
    _dns_host: str
    port: int

    def _new_conn(self) -> socket.socket:
        call = CURRENT.get()
        try:
            return self.dialer.dial(self._dns_host, self.port, call)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from None  # type: ignore[arg-type]
        except TimeoutError:
            raise ConnectTimeoutError(self, "connect timed out") from None
        except OSError:
            raise NewConnectionError(self, "could not connect") from None  # type: ignore[arg-type]

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock.call = CURRENT.get()

    def request(self, *args: Any, **kwargs: Any) -> None:
        call = CURRENT.get()
        if self.sock is not None:
            # urllib3 opens TLS connections before it asks, plain ones while asking; `asked` tells a used one from both.
            call.reused = getattr(self, "asked", False)
            self.sock.call = call
        super().request(*args, **kwargs)  # type: ignore[misc]
        self.asked = True

    def close(self) -> None:
        self.asked = False
        super().close()  # type: ignore[misc]


class GuardedHTTPConnection(_Guarded, HTTPConnection):
    response_class = Answer

    def __init__(self, *args: Any, dialer: Dialer, **kwargs: Any) -> None:
        self.dialer = dialer
        super().__init__(*args, **kwargs)


class GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    response_class = Answer

    def __init__(self, *args: Any, dialer: Dialer, **kwargs: Any) -> None:
        self.dialer = dialer
        super().__init__(*args, **kwargs)


def system_resolver(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _within(call: Call, resolve: Resolver, host: str, port: int) -> list[str]:
    """The resolver has no timeout of its own: ask it on the side and stop waiting when the time is up."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(resolve(host, port))
        except OSError as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(call.left())
    if not answer:
        raise TimeoutError("the resolver did not answer")
    if isinstance(answer[0], OSError):
        raise answer[0]
    found: list[str] = answer[0]
    return found
