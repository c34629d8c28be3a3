"""A lean HTTP client, so that the ruler does not bend: keep-alive, bodies counted and dropped, no parsing that costs a server's time.

Python's own `http.client` compiles a regular expression for every multipart answer, which is as dear as a relay's whole work.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

AS_STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
WHOLE_SERIES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
CONNECTIONS = 6
"""What a browser opens to one HTTP/1.1 host."""
BITE = 1 << 18


@dataclass(frozen=True)
class Place:
    """A DICOMweb base and what has to be sent with each question there (a launch's cookie)."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Failed(Exception):
    """An answer that cannot be measured. The text names status and path."""


class Line:
    """One keep-alive connection. Loopback names connect to 127.0.0.1, as browsers do."""

    def __init__(self, place: Place) -> None:
        url = urlsplit(place.base)
        self._place, self._root = place, url.path.rstrip("/")
        self._host = url.netloc
        self._socket = socket.create_connection(("127.0.0.1", url.port or 80), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in = self._socket.makefile("rb", buffering=BITE)
        self._room = memoryview(bytearray(BITE))

    def get(self, path: str, accept: str, each: Callable[[memoryview], None] | None = None) -> int:
        """Bytes of the body. :raises Failed: not 200, or cut short."""
        fields = {"Host": self._host, "Accept": accept, **self._place.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._socket.sendall(f"GET {self._root}{path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        status, headers = self._head()
        size = self._body(headers, each)
        if status != 200:
            raise Failed(f"{status} for {path}")
        return size

    def _head(self) -> tuple[int, dict[bytes, bytes]]:
        first = self._in.readline(65536)
        if not first:
            raise Failed("the connection was closed")
        headers: dict[bytes, bytes] = {}
        while (line := self._in.readline(65536)) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        return int(first.split(b" ", 2)[1]), headers

    def _body(self, headers: Mapping[bytes, bytes], each: Callable[[memoryview], None] | None) -> int:
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            total = 0
            while size := int(self._in.readline(1024).split(b";")[0], 16):
                total += self._exactly(size, each)
                self._in.readline(16)
            self._in.readline(16)
            return total
        if b"content-length" in headers:
            return self._exactly(int(headers[b"content-length"]), each)
        total = 0
        while count := self._in.readinto(self._room):
            total += count
            if each:
                each(self._room[:count])
        return total

    def _exactly(self, size: int, each: Callable[[memoryview], None] | None) -> int:
        left = size
        while left:
            count = self._in.readinto(self._room[: min(left, BITE)])
            if not count:
                raise Failed("the answer was cut short")
            if each:
                each(self._room[:count])
            left -= count
        return size

    def close(self) -> None:
        self._in.close()
        self._socket.close()


def frames(place: Place, paths: Sequence[str], least: int, connections: int = CONNECTIONS) -> float:
    """Seconds to fetch every path once over `connections` keep-alive connections. `least`: bytes a frame has at least."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for path in paths:
        waiting.put(path)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            line = Line(place)
            try:
                while True:
                    if line.get(waiting.get_nowait(), AS_STORED) < least:
                        raise Failed("a frame is too short")
            except queue.Empty:
                return
            finally:
                line.close()
        except BaseException as error:  # told to the one who waits
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(connections)]
    begun = time.perf_counter()
    _run(workers)
    taken = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return taken


def once(place: Place, path: str, accept: str, least: int) -> float:
    """Seconds for one answer over a new connection."""
    begun = time.perf_counter()
    line = Line(place)
    try:
        if line.get(path, accept) < least:
            raise Failed(f"too short: {path}")
    finally:
        line.close()
    return time.perf_counter() - begun


def _run(workers: Iterable[threading.Thread]) -> None:
    started = list(workers)
    for one in started:
        one.start()
    for one in started:
        one.join()
