"""The bytes of one request body as they arrive: from the socket into the reader's own memory, without the copies on the way.

Gunicorn cuts a body into what it was asked for, and copies what is left over each time; at a hundred megabytes a second that is most of the
work. So a body of known length is read from its socket here, and gunicorn's own count is kept true, so that the connection stays usable. Any
other server, and a body of unknown length, is read as WSGI says.
"""

from __future__ import annotations

import io
from typing import Any

from flask import Request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import ClientDisconnected

from smart_app.serving.pace import PacedUnreader

AHEAD = 1 << 18


def body_of(request: Request) -> io.BufferedReader:
    """A sender that is gone is its end. :raises RequestEntityTooLarge: longer than this request may be."""
    stream = request.stream  # also refuses what is too long
    given = request.environ["wsgi.input"]
    if type(given) is Body and type(given.reader) is LengthReader and type(given.reader.unreader) in (SocketUnreader, PacedUnreader) and not given.buf.tell():
        return io.BufferedReader(_FromSocket(given), AHEAD)
    return io.BufferedReader(_AsGiven(stream), AHEAD)


class _AsGiven(io.RawIOBase):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except ClientDisconnected:
            return 0
        buffer[: len(data)] = data
        return len(data)


class _FromSocket(io.RawIOBase):
    def __init__(self, body: Any) -> None:
        self._body, self._reader, unreader = body, body.reader, body.reader.unreader
        self._receive = unreader.receive_into if isinstance(unreader, PacedUnreader) else unreader.sock.recv_into
        came = self._reader.unreader.take_buffered()  # with the headers
        self._early = memoryview(came)[: self._reader.length]
        self._reader.length -= len(self._early)
        if len(came) > len(self._early):
            self._reader.unreader.unread(came[len(self._early) :])  # the next request

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._early:
            count = min(len(buffer), len(self._early))
            buffer[:count], self._early = self._early[:count], self._early[count:]
            return count
        most = min(len(buffer), self._reader.length)
        if not most:
            return 0
        try:
            count = self._receive(buffer, most)
        except OSError:
            count = 0
        if not count:
            self._body.failed = True  # where a next request would begin is not known
        self._reader.length -= count
        return int(count)
