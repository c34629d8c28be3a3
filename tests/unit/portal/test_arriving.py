"""A body from its socket is the body, the next request stays the next request, and a sender who is gone is noticed."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask, request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import RequestEntityTooLarge

from smart_app.portal.arriving import body_of

CONTENT = random.Random(11).randbytes(1_700_003)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def given(ours: socket.socket, length: int) -> Body:
    """What gunicorn gives, with as much read ahead as came with the headers."""
    unreader = SocketUnreader(ours)
    unreader.unread(unreader.read())
    return Body(LengthReader(unreader, length))


def read(body: Body, length: int) -> bytes:
    app = Flask(__name__)
    with app.test_request_context("/", method="POST", environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(length), "wsgi.input_terminated": True}):
        request.max_content_length = 2_000_000
        stream = body_of(request)
        return b"".join(iter(lambda: stream.read(524_000), b""))


def test_all_of_it_and_nothing_of_the_next_request(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    sending = Thread(target=theirs.sendall, args=(CONTENT + b"POST /next",))
    sending.start()
    body = given(ours, len(CONTENT))
    assert read(body, len(CONTENT)) == CONTENT
    sending.join()
    assert (body.read(1), body.failed) == (b"", False), "as gunicorn counts it"
    assert body.reader.unreader.read() == b"POST /next"


def test_a_short_body_that_came_with_its_headers_leaves_the_next_request(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"abcPOST /next")
    body = given(ours, 3)
    assert read(body, 3) == b"abc"
    assert body.reader.unreader.read() == b"POST /next"


def test_a_sender_who_is_gone_ends_the_body_and_the_connection(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"abc")
    theirs.close()
    body = given(ours, 10)
    assert (read(body, 10), body.failed) == (b"abc", True)


def test_too_long_is_refused_before_a_byte_is_read(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"abc")
    with pytest.raises(RequestEntityTooLarge):
        read(given(ours, 2_000_001), 2_000_001)
