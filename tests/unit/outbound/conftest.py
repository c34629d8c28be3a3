"""A peer on a raw socket that says exactly what a test tells it to, and a watch on every connection attempt."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from smart_app.outbound import Lane, Outbound

Script = Callable[[socket.socket, str], bool | None]
"""Answers one request (its head as text) on the connection; returns True to keep the connection."""


@dataclass
class Peer:
    script: Script
    tls: ssl.SSLContext | None = None
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __enter__(self) -> Peer:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with sock:
                while head := _head(sock):
                    self.heads.append(head)
                    if not self.script(sock, head):
                        return


def _head(sock: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return ""
        data += piece
    return data.decode("latin-1")


def reply(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""])
    return head.encode() + body


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(script: Script | bytes, **more: object) -> Peer:
        def fixed(sock: socket.socket, _head: str) -> bool:
            sock.sendall(script)
            return True

        peer = Peer(fixed if isinstance(script, bytes) else script, **more)
        peers.append(peer.__enter__())
        return peer

    yield start
    for peer in peers:
        peer.__exit__()


def outbound_to(peer: Peer, *, scheme: str = "http", relays: int = 12, **lane: object) -> Outbound:
    origins = frozenset({f"{scheme}://127.0.0.1:{peer.port}", f"{scheme}://app.localhost:{peer.port}"})
    return Outbound([Lane("archive:a", origins, allow_loopback=True, **lane)], pin_localhost=True, relays=relays)


def ask(outbound: Outbound, peer: Peer, path: str = "/", *, method: str = "GET", deadline: float = 5, max_bytes: int = 1_000_000, **more: object):
    return outbound.request("archive:a", method, f"http://127.0.0.1:{peer.port}{path}", deadline=deadline, max_bytes=max_bytes, **more)


class SocketWatch:
    """Every connect and every look-up of this process, seen by the interpreter's own audit hook."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []
        self.on = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            self.seen.append((event, arguments[1] if event == "socket.connect" else arguments[0]))


_WATCH = SocketWatch()
sys.addaudithook(_WATCH)


@pytest.fixture
def sockets() -> Iterator[SocketWatch]:
    _WATCH.seen, _WATCH.on = [], True
    yield _WATCH
    _WATCH.on = False
