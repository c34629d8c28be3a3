"""Dialling: in order, with one deadline, to checked addresses only."""

from __future__ import annotations

import socket
import time

import pytest

from smart_app.outbound.connections import AddressRefused, Call, Dialer, system_resolver
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
