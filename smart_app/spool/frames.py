"""How pieces of files travel: many of them in one body, each behind one line of JSON, so that a thousand small files are few requests.

`{"file": 7, "at": 0, "bytes": 524288, "sha256": "…"}\\n` and then exactly that many bytes; and again, to the end of the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

LONGEST_LINE = 300
MOST_FILE = (1 << 31) - 33
"""A number, and those read with it, that any database can be asked for."""
_HASH = re.compile(r"[0-9a-f]{64}")


class NotFrames(Exception):
    """The body is not what we agreed on."""


@dataclass(frozen=True)
class Piece:
    """A part of one announced file: `length` bytes from `at`."""

    file: int
    at: int
    length: int
    sha256: str


class Frames:
    """Reads one body. Each piece's bytes are taken with `read` before the next is asked for."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body, self._left = body, 0

    def __iter__(self) -> Iterator[Piece]:
        """:raises NotFrames:"""
        while line := self._line():
            piece = _piece(line)
            self._left = piece.length
            yield piece
            while self.read(1 << 18):  # what the taker did not want
                pass

    def read(self, most: int) -> bytes:
        """Up to `most` further bytes of this piece; nothing at its end, or when the sender is gone."""
        data = self._body.read(min(most, self._left))
        self._left = self._left - len(data) if data else 0
        return data

    def _line(self) -> bytes:
        line = self._body.readline(LONGEST_LINE)
        if line and not line.endswith(b"\n"):
            raise NotFrames
        return line


def _piece(line: bytes) -> Piece:
    try:
        said = json.loads(line)
        piece = Piece(said["file"], said["at"], said["bytes"], said["sha256"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotFrames from error
    numbers = (piece.file, piece.at, piece.length)
    if not all(type(one) is int and 0 <= one < 1 << 44 for one in numbers) or piece.file > MOST_FILE or not isinstance(piece.sha256, str) or not _HASH.fullmatch(piece.sha256):
        raise NotFrames
    return piece
