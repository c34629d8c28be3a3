"""Answers: whole, or still on the wire. Translates what the transport raises into the domain's words, without its texts."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as WireTimeout
from urllib3.response import BaseHTTPResponse

from smart_app.errors import Cut, OutboundError, TimedOut, Unreachable

CHUNK = 65536


@dataclass(frozen=True)
class Reply:
    """A whole answer. Redirects arrive as their status. `body` is inflated and under the cap."""

    status: int
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: bytes = field(repr=False)


class StreamedReply:
    """An answer whose body is still on the wire. Close it, whatever happens: it holds a seat of its lane."""

    def __init__(self, response: BaseHTTPResponse, leave: Callable[[], None]) -> None:
        self.status = response.status
        self.headers = _headers(response)
        self._response = response
        self._leave = leave
        self._whole = False
        weakref.finalize(self, leave)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The body in pieces of `size` bytes, the last one shorter.

        :raises Cut: the answer ended early. :raises TimedOut: the deadline, or a silence longer than the lane allows.
        """
        try:
            while piece := self._response.read(size):
                yield piece
        except OutboundError:
            raise
        except Exception as error:
            self.close()
            raise _in_body(error) from None
        self._whole = True
        self.close()

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else drop it. Safe to call twice."""
        try:
            if self._whole:
                self._response.release_conn()
            else:
                self._response.close()
        finally:
            self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _headers(response: BaseHTTPResponse) -> Mapping[str, str]:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(response.headers.items())
    if headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        # The body is handed out inflated: these two would lie.
        headers.pop("Content-Encoding", None)
        headers.pop("Content-Length", None)
    return headers


def before_body(error: Exception) -> OutboundError:
    """What a failure before the first byte of the body is called."""
    return TimedOut() if _timed_out(error) else Unreachable()


def _in_body(error: Exception) -> OutboundError:
    if _timed_out(error):
        return TimedOut()
    if isinstance(error, HTTPError | OSError):
        return Cut()
    raise error


def _timed_out(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, NewConnectionError):
            return False  # urllib3 derives it from its timeout, but a refused connection is not one
        if isinstance(seen, WireTimeout | TimeoutError) or any(isinstance(arg, TimeoutError) for arg in seen.args):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
