"""Deadlines, caps, truncation, redirects and the bulkhead, against sockets that misbehave."""

from __future__ import annotations

import gzip
import resource
import socket
import struct
import threading
import time
import zlib

import pytest

from smart_app.errors import Busy, Cut, OutboundError, TimedOut, TooLarge, Unreachable
from smart_app.outbound import Aside, Lane, Outbound
from tests.unit.outbound.conftest import ask, outbound_to, reply


def _dripping(before: bytes, piece: bytes, pause: float):
    def script(sock: socket.socket, _head: str) -> bool:
        sock.sendall(before)
        for _ in range(400):
            sock.sendall(piece)
            time.sleep(pause)
        return False

    return script


@pytest.mark.parametrize(
    "script",
    [
        _dripping(b"", b"H", 0.05),
        _dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.05),
        _dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.05),
        _dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.05),
        _dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", 0.05),
        _dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.05),
    ],
    ids=["status", "header", "body", "chunks", "chunk-length", "until-close"],
)
def test_the_total_deadline_holds_against_a_drip(serve, script) -> None:
    peer = serve(script)
    began = time.monotonic()
    with pytest.raises(TimedOut):
        ask(outbound_to(peer), peer, deadline=0.6)
    assert 0.5 < time.monotonic() - began < 1.2


def test_silence_ends_at_the_first_byte_limit(serve) -> None:
    peer = serve(lambda sock, head: time.sleep(5))
    began = time.monotonic()
    with pytest.raises(TimedOut):
        ask(outbound_to(peer, first_byte=0.3), peer, deadline=4)
    assert time.monotonic() - began < 1


def test_a_silent_name_server_does_not_hold_us() -> None:
    lane = Lane("a", frozenset({"https://pacs.org:443"}))
    outbound = Outbound([lane], pin_localhost=False, resolver=lambda host, port: time.sleep(3) or [])
    began = time.monotonic()
    with pytest.raises(TimedOut):
        outbound.request("a", "GET", "https://pacs.org/", deadline=0.4, max_bytes=1)
    assert time.monotonic() - began < 1


def _reset(sock: socket.socket, _head: str) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _reset_within(sock: socket.socket, head: str) -> bool:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    time.sleep(0.1)
    return _reset(sock, head)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (_reset, Unreachable),
        (lambda sock, head: False, Unreachable),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", Unreachable),
        (_reset_within, Cut),
        (lambda sock, head: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), Cut),
        (lambda sock, head: sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), Cut),
        (lambda sock, head: sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"), Cut),
        (lambda sock, head: sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n"), Cut),
        (reply(b"not gzip at all", "Content-Encoding: gzip"), Cut),
    ],
    ids=["reset", "closed", "not-http", "many-headers", "long-header", "reset-within", "short", "chunk-short", "no-last-chunk", "bad-chunk", "bad-gzip"],
)
def test_what_breaks_is_named(serve, script, error) -> None:
    peer = serve(script)
    with pytest.raises(error) as caught:
        ask(outbound_to(peer), peer, "/studies?PatientName=MARCHETTI")
    assert str(caught.value) == error.fault.code
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        outbound = Outbound([Lane("a", frozenset({f"http://127.0.0.1:{port}"}), allow_loopback=True)], pin_localhost=True)
        with pytest.raises(Unreachable):
            outbound.request("a", "GET", f"http://127.0.0.1:{port}/", deadline=2, max_bytes=1)


def test_the_cap_counts_what_was_inflated(serve) -> None:
    rest = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(rest.compress(bytes(1_000_000)) for _ in range(400)) + rest.flush()
    assert len(bomb) < 500_000
    twice = gzip.compress(bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for body, how in ((bomb, "gzip"), (twice, "gzip, gzip"), (zlib.compress(bytes(50_000_000)), "deflate")):
        peer = serve(reply(body, f"Content-Encoding: {how}"))
        with pytest.raises(TooLarge):
            ask(outbound_to(peer), peer, max_bytes=10_000_000, deadline=20)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 80, "MiB held while reading 400 MB of zeros"


def test_an_endless_answer_stops_at_the_cap(serve) -> None:
    sent = 0

    def endless(sock: socket.socket, _head: str) -> bool:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sock.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent += 0x10000

    peer = serve(endless)
    with pytest.raises(TooLarge):
        ask(outbound_to(peer), peer, max_bytes=1_000_000)
    time.sleep(0.2)
    assert sent < 20_000_000


def test_inflated_answers_carry_no_length_that_lies(serve) -> None:
    peer = serve(reply(gzip.compress(b"[]" * 50), "Content-Encoding: gzip", "Content-Type: application/dicom+json"))
    answer = ask(outbound_to(peer), peer)
    assert answer.body == b"[]" * 50
    assert answer.headers["content-type"] == "application/dicom+json"
    assert "Content-Length" not in answer.headers
    assert "accept-encoding: gzip\r\n" in peer.heads[0].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_not_orders(serve, status: int) -> None:
    other = serve(reply(b"stolen"))
    peer = serve(reply(b"", f"Location: http://127.0.0.1:{other.port}/", status=f"{status} Moved"))
    answer = ask(outbound_to(peer), peer, headers={"Authorization": "Bearer canary", "X-Api-Key": "canary"})
    assert (answer.status, other.connections, len(peer.heads)) == (status, 0, 1)


def test_nothing_of_the_environment_is_used(serve, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    peer, proxy = serve(reply(b"ok", "Set-Cookie: a=b")), serve(reply(b"proxied"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    outbound = outbound_to(peer)
    assert [ask(outbound, peer).body for _ in range(2)] == [b"ok", b"ok"]
    assert proxy.connections == 0
    assert not any("authorization" in head.lower() or "cookie" in head.lower() for head in peer.heads)


def test_the_host_header_names_the_host_with_its_port(serve) -> None:
    peer = serve(reply(b"ok"))
    outbound_to(peer).request("archive:a", "GET", f"http://app.localhost:{peer.port}/x", deadline=2, max_bytes=9)
    assert f"\r\nHost: app.localhost:{peer.port}\r\n" in peer.heads[0]


def test_connections_are_kept_and_a_stale_one_is_replaced_once_for_get(serve) -> None:
    def then_gone(sock: socket.socket, head: str) -> bool:
        if "/first" in head:
            sock.sendall(reply(b"ok"))
            return True  # and keeps reading, so that the next request is taken and dropped unanswered
        if peer.connections == 1:
            return False
        sock.sendall(reply(b"again"))
        return True

    peer = serve(then_gone)
    outbound = outbound_to(peer)
    ask(outbound, peer, "/first")
    assert ask(outbound, peer, "/second").body == b"again"
    assert peer.connections == 2
    assert ask(outbound, peer, "/third").body == b"again"
    assert peer.connections == 2


def test_all_kept_connections_may_be_stale(serve) -> None:
    stale = threading.Event()
    together = threading.Barrier(5)

    def script(sock: socket.socket, head: str) -> bool:
        if stale.is_set() and peer.connections <= 5:
            return False
        if not stale.is_set():
            together.wait(5)
        sock.sendall(reply(b"ok"))
        return True

    peer = serve(script)
    outbound = outbound_to(peer)
    threads = [threading.Thread(target=ask, args=(outbound, peer)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert peer.connections == 5
    stale.set()
    assert ask(outbound, peer).body == b"ok"
    assert peer.connections == 6


def test_a_post_is_never_sent_twice(serve) -> None:
    peer = serve(lambda sock, head: sock.sendall(reply(b"ok")) or True if "/first" in head else False)
    outbound = outbound_to(peer)
    ask(outbound, peer, "/first")
    with pytest.raises(Unreachable):
        ask(outbound, peer, "/token", method="POST", body=b"refresh_token=once")
    assert sum("POST" in head for head in peer.heads) == 1


@pytest.mark.parametrize("headers", [{"X": "canary\r\nY: b"}, {"X": "canary\nb"}, {"X\r\n": "canary"}, {"X:": "canary"}, {"X": "canary\x00"}])
def test_header_injection_is_refused_before_connecting(serve, headers) -> None:
    peer = serve(reply(b"ok"))
    with pytest.raises(ValueError, match="characters") as caught:
        ask(outbound_to(peer), peer, headers=headers)
    assert "canary" not in str(caught.value)
    assert peer.connections == 0


def test_one_hung_destination_takes_its_own_seats_only(serve) -> None:
    release = threading.Event()
    hung = serve(lambda sock, head: release.wait(20) and False)
    quick = serve(reply(b"ok"))
    lanes = [Lane(key, frozenset({f"http://127.0.0.1:{peer.port}"}), allow_loopback=True, parallel=3) for key, peer in (("h", hung), ("q", quick))]
    outbound = Outbound(lanes, pin_localhost=True)
    outcomes: list[str] = []

    def hang() -> None:
        try:
            outbound.request("h", "GET", f"http://127.0.0.1:{hung.port}/", deadline=4, max_bytes=9)
        except OutboundError as error:
            outcomes.append(error.fault.code)

    threads = [threading.Thread(target=hang) for _ in range(40)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert [outbound.request("q", "GET", f"http://127.0.0.1:{quick.port}/", deadline=2, max_bytes=9).status for _ in range(20)] == [200] * 20
    assert time.monotonic() - began < 1
    assert outcomes.count("busy") == 40 - 6, "three sit, three wait, the others are told at once"
    for thread in threads:
        thread.join()
    release.set()
    assert (outcomes.count("busy"), outcomes.count("timeout")) == (37, 3)
    assert hung.connections == 3


def test_streams_hold_their_seat_until_closed(serve) -> None:
    peer = serve(reply(b"x" * 300_000))
    outbound = outbound_to(peer, parallel=1)
    url = f"http://127.0.0.1:{peer.port}/"
    with outbound.stream("archive:a", "GET", url, deadline=5) as stream:
        assert (stream.status, next(stream.chunks())) == (200, b"x" * 65536)
        with pytest.raises(Busy):
            outbound.stream("archive:a", "GET", url, deadline=5)
    with outbound.stream("archive:a", "GET", url, deadline=5) as stream:
        assert sum(map(len, stream.chunks())) == 300_000
    assert peer.connections == 2, "the abandoned connection was dropped, the finished one is kept"
    forgotten = outbound.stream("archive:a", "GET", url, deadline=5)
    del forgotten
    outbound.stream("archive:a", "GET", url, deadline=5).close()


def test_a_stream_obeys_its_deadline_between_chunks_and_reports_a_cut(serve) -> None:
    drip = serve(_dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", bytes(65536), 0.05))
    with outbound_to(drip).stream("archive:a", "GET", f"http://127.0.0.1:{drip.port}/", deadline=0.5) as stream:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            list(stream.chunks())
    assert time.monotonic() - began < 1
    cut = serve(lambda sock, head: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(100_000)))
    with outbound_to(cut).stream("archive:a", "GET", f"http://127.0.0.1:{cut.port}/", deadline=2) as stream, pytest.raises(Cut):
        list(stream.chunks())


def test_a_client_that_goes_away_closes_the_upstream(serve) -> None:
    closed = threading.Event()

    def endless(sock: socket.socket, _head: str) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        try:
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            closed.set()
        return False

    peer = serve(endless)
    stream = outbound_to(peer).stream("archive:a", "GET", f"http://127.0.0.1:{peer.port}/", deadline=30)
    next(stream.chunks())
    stream.close()
    assert closed.wait(2)


def test_what_our_own_threads_stream_takes_no_relay_from_a_person(serve) -> None:
    peer = serve(reply(b"x" * 300_000))
    outbound = outbound_to(peer, parallel=8, relays=1)
    url = f"http://127.0.0.1:{peer.port}/"
    aside = Aside(outbound)
    mine = [aside.stream("archive:a", "GET", url, deadline=5) for _ in range(3)]
    with outbound.stream("archive:a", "GET", url, deadline=5), pytest.raises(Busy):
        outbound.stream("archive:a", "GET", url, deadline=5)
    for one in mine:
        assert sum(map(len, one.chunks())) == 300_000
        one.close()
