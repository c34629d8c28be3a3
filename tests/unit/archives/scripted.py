"""A server on a real socket that answers exactly as a test scripts it: faults included, nothing patched."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from smart_app.outbound import Lane, Outbound

DICOM_JSON = "application/dicom+json"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    def one(self, name: str) -> str | None:
        return self.query.get(name, [None])[0]


@dataclass
class Say:
    """One answer. `drip` writes a byte each that many seconds; `cut` stops after so many bytes; `hang` seconds come first."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0
    drip: float = 0
    cut: int | None = None
    announce: int | None = None


def rows(*datasets: Any, status: int = 200, **headers: str) -> Say:
    return Say(status, json.dumps(list(datasets)).encode(), {"Content-Type": DICOM_JSON, **{k.replace("_", "-"): v for k, v in headers.items()}})


def fhir(resource: Any, status: int = 200, **headers: str) -> Say:
    return Say(status, json.dumps(resource).encode(), {"Content-Type": "application/fhir+json", **{k.replace("_", "-"): v for k, v in headers.items()}})


class Scripted:
    """`answer` maps each request to what is said; every request is kept in `asked`."""

    def __init__(self, answer: Callable[[Asked], Say]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            line = reader.readline().decode("latin-1").split(" ")
            if len(line) < 2:
                return
            headers: dict[str, str] = {}
            while (raw := reader.readline().decode("latin-1").strip()) != "":
                name, _, value = raw.partition(":")
                headers[name.strip().lower()] = value.strip()
            parts = urlsplit(line[1])
            body = reader.read(int(headers.get("content-length") or 0))
            asked = Asked(line[0], parts.path, parse_qs(parts.query), headers, body)
            self.asked.append(asked)
            try:
                self._say(connection, self.answer(asked))
            except OSError:
                return  # the client went away, as some tests make it do

    def _say(self, connection: socket.socket, say: Say) -> None:
        self.stopping.wait(say.hang)
        length = say.announce if say.announce is not None else len(say.body)
        head = [f"HTTP/1.1 {say.status} X", f"Content-Length: {length}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in say.headers.items()]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        body = say.body if say.cut is None else say.body[: say.cut]
        if not say.drip:
            connection.sendall(body)
            return
        for index in range(len(body)):
            if self.stopping.is_set():
                return
            connection.sendall(body[index : index + 1])
            time.sleep(say.drip)


@contextmanager
def scripted(answer: Callable[[Asked], Say]) -> Iterator[Scripted]:
    server = Scripted(answer)
    try:
        yield server
    finally:
        server.close()


def outbound_to(**bases: str) -> Outbound:
    """An Outbound with one lane a keyword (`archive_kestrel=` is lane `archive:kestrel`), loopback allowed."""
    return Outbound(
        [
            Lane(key=name.replace("_", ":", 1), origins=frozenset({"://".join(urlsplit(base)[:2])}), allow_http=True, allow_loopback=True, first_byte=30)
            for name, base in bases.items()
        ],
        pin_localhost=True,
    )
