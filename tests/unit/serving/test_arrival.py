"""When a request is given a thread."""

from __future__ import annotations

import pytest

from smart_app.serving.arrival import MOST_BODY, MOST_HEAD, Come, looked_at


def head(*lines: str) -> bytes:
    return ("POST / HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


@pytest.mark.parametrize(
    ("data", "come"),
    [
        (b"", Come.PART),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", Come.PART),
        (b"GET / HTTP/1.1\r\n\r\n", Come.WHOLE),
        (head("Content-Length: 3") + b"ab", Come.PART),
        (head("Content-Length: 3") + b"abc", Come.WHOLE),
        (head("content-length:3 ") + b"abcGET", Come.WHOLE),
        (head("Content-Length: 1", "Content-Length: 5") + b"a", Come.PART),
        (head(f"Content-Length: {MOST_BODY}"), Come.PART),
        (head(f"Content-Length: {MOST_BODY + 1}"), Come.BODY_LATER),
        (head(f"Content-Length: {10**17}"), Come.BODY_LATER),
        (head("Content-Length: 3", "Expect: 100-continue"), Come.BODY_LATER),
        (head("Transfer-Encoding: chunked") + b"0\r\n\r\n", Come.BODY_LATER),
        (head("X-Content-Length: 9"), Come.WHOLE),
        (head("Content-Length: nine"), Come.WHOLE),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD, Come.TOO_LONG),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD + b"\r\n\r\n", Come.TOO_LONG),
    ],
)
def test_what_has_come(data: bytes, come: Come) -> None:
    assert looked_at(data) is come


def test_it_is_the_same_however_it_is_cut() -> None:
    whole = head("Content-Length: 3") + b"abc"
    assert [looked_at(whole[:end]) for end in range(len(whole))] == [Come.PART] * len(whole)
