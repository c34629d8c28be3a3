"""Dialling: in order, with one deadline, to checked addresses only."""

from __future__ import annotations

import re
import socket
import time
from http.client import HTTPException

import pytest

from smart_app.outbound.connections import AddressRefused, Answer, Call, Dialer, system_resolver
from smart_app.outbound.lane import Lane

LANE = Lane("a", frozenset(), allow_loopback=True)


def _call(seconds: float = 2) -> Call:
    return Call(time.monotonic() + seconds, 10)


def test_the_next_address_is_tried(serve) -> None:
    peer = serve(b"")
    dialer = Dialer(LANE, "https", False, lambda host, port: ["127.0.0.9", "127.0.0.1"])
    with dialer.dial("pacs.example", peer.port, _call()) as sock:
        assert sock.getpeername() == ("127.0.0.1", peer.port)


def test_a_refused_connection_is_an_os_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dialer = Dialer(LANE, "https", False, lambda host, port: ["127.0.0.1"])
        with pytest.raises(ConnectionRefusedError):
            dialer.dial("pacs.example", unused.getsockname()[1], _call())


@pytest.mark.parametrize("host", ["localhost", "app.localhost"])
def test_development_pins_localhost_names(host: str) -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError("looked up")

    assert Dialer(LANE, "http", True, never).addresses(host, 80, _call()) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        Dialer(Lane("a", frozenset()), "https", True, never).addresses(host, 443, _call())


def test_production_does_not() -> None:
    asked: list[str] = []
    dialer = Dialer(LANE, "https", False, lambda host, port: asked.append(host) or ["127.0.0.1"])
    dialer.addresses("x.localhost", 443, _call())
    assert asked == ["x.localhost"]


def test_a_name_without_addresses() -> None:
    with pytest.raises(OSError, match="no address"):
        Dialer(LANE, "https", False, lambda host, port: []).addresses("pacs.example", 443, _call())


def test_a_call_whose_time_is_up_reads_no_more() -> None:
    with pytest.raises(TimeoutError):
        Call(time.monotonic() - 1, 10).left()


def test_the_system_resolver_gives_addresses() -> None:
    assert "127.0.0.1" in system_resolver("127.0.0.1", 80)


def _answer(block: bytes) -> Answer:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n" + block + b"\r\n")
        theirs.shutdown(socket.SHUT_WR)
        answer = Answer(ours, method="GET")
        answer.begin()
        return answer


MULTIPART = b"X-A: 1\r\ncontent-TYPE: multipart/related;\r\n boundary=never-seen-before;\r\n\ttype=x\r\nX-Long: a\r\n b\r\nContent-Length: 0\r\nX-A: 2\r\n"


def test_a_header_block_is_read_as_sent() -> None:
    answer = _answer(MULTIPART)
    assert answer.headers["Content-Type"] == "multipart/related; boundary=never-seen-before; type=x"
    assert answer.headers.get_all("X-A") == ["1", "2"]
    assert answer.headers["X-Long"].split() == ["a", "b"]
    assert answer.length == 0


def test_no_expression_is_compiled_for_a_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    compiled = re.compile
    monkeypatch.setattr(re, "compile", lambda pattern, flags=0: asked.append(str(pattern)) or compiled(pattern, flags))
    _answer(MULTIPART)
    assert not any("never" in pattern for pattern in asked)


def test_an_answer_without_a_type_has_none() -> None:
    assert "Content-Type" not in _answer(b"Content-Length: 0\r\n").headers


def test_a_type_without_end_is_refused() -> None:
    with pytest.raises(HTTPException):
        _answer(b"Content-Type: a\r\n" + b" b\r\n" * 200)
