"""A connection opened before the question: used by it, held to the same rules, replaced when it went stale."""

from __future__ import annotations

import time

from tests.peers import wait_until
from tests.unit.outbound.conftest import ask, outbound_to, reply


def test_the_question_finds_its_connection_open(serve) -> None:
    peer = serve(reply(b"x"))
    outbound = outbound_to(peer)
    outbound.warm("archive:a", f"http://127.0.0.1:{peer.port}/rs", 2)
    wait_until(lambda: peer.connections == 2 and not outbound._warmer._busy, "two connections")
    assert peer.heads == [], "nothing is said before the question"
    ask(outbound, peer)
    outbound.warm("archive:a", f"http://127.0.0.1:{peer.port}/rs", 2)
    wait_until(lambda: not outbound._warmer._busy, "the second warming")
    assert peer.connections == 2


def test_a_warm_connection_that_the_peer_dropped_costs_the_question_nothing(serve) -> None:
    dropped = []

    def drop_the_first(sock, head):
        if not dropped:
            dropped.append(sock)
            return False  # closes without a word, as an archive does that gave up an idle connection
        sock.sendall(reply(b"fresh"))
        return True

    peer = serve(drop_the_first)
    outbound = outbound_to(peer)
    outbound.warm("archive:a", f"http://127.0.0.1:{peer.port}/")
    wait_until(lambda: peer.connections == 1 and not outbound._warmer._busy, "a connection")
    assert ask(outbound, peer).body == b"fresh"


def test_only_approved_places_are_connected_to_and_failures_are_silent(serve, sockets) -> None:
    peer, other = serve(reply(b"x")), serve(reply(b"x"))
    outbound = outbound_to(peer)
    outbound.warm("archive:a", f"http://127.0.0.1:{other.port}/")
    outbound.warm("archive:a", "http://192.168.0.1/")
    time.sleep(0.05)
    assert [entry for entry in sockets.seen if entry[0] == "socket.connect"] == []
    peer.__exit__()
    outbound.warm("archive:a", f"http://127.0.0.1:{peer.port}/", 2)
    wait_until(lambda: not outbound._warmer._busy, "the end of it")
