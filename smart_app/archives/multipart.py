"""multipart/related read and written as it streams: whole parts or a fault, never a guess.

Owns RFC 2046 framing for DICOMweb (PS3.18 8.6.1.2). Holds at most one chunk and one header block, whatever a
part's size. Knows nothing of DICOM, of HTTP clients or of what the parts mean.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HEADER_BYTES = 16_384
PREAMBLE_BYTES = 65_536
PADDING_BYTES = 64
# RFC 2046 allows 70 characters; Orthanc sends 81.
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class MultipartFault(Exception):
    """The body is not the multipart it announced. The text is a few fixed words, never bytes of the body."""


@dataclass(frozen=True)
class MediaType:
    """A media type, lower case, with its parameters (names lower case, values as sent, unquoted)."""

    name: str
    params: Mapping[str, str] = field(default_factory=dict)


def media_type(text: str) -> MediaType:
    """Parse one Content-Type value. Unreadable parameters are dropped; no type at all gives an empty name.

    A boundary may be sent unquoted although it holds characters that want quotes: it is read up to the next `;`.
    """
    name, _, rest = text.partition(";")
    params: dict[str, str] = {}
    for match in re.finditer(r"\s*([^=;\s]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;]*))\s*(?:;|$)", rest):
        key, quoted, plain = match.group(1).lower(), match.group(2), match.group(3)
        params.setdefault(key, re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip())
    return MediaType(name.strip().lower(), params)


def boundary_of(content_type: MediaType) -> bytes:
    """:raises MultipartFault: not multipart/related, or no usable boundary."""
    if content_type.name != "multipart/related":
        raise MultipartFault("not multipart/related")
    boundary = content_type.params.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise MultipartFault("no usable boundary")
    return boundary.encode("ascii")


@dataclass
class Part:
    """One part: `headers` by lower-case name, `length` when announced, and its bytes, once, in order."""

    headers: Mapping[str, str]
    length: int | None
    chunks: Iterator[bytes]


class PartReader:
    """Iterates the parts of a streamed body. A part not read to its end is skipped to its end.

    Ends only after the close delimiter was seen.

    :raises MultipartFault: on wrong framing, or when the stream ends early.
    """

    def __init__(self, chunks: Iterable[bytes], boundary: bytes, *, max_part: int = 2_000_000_000) -> None:
        self._chunks = iter(chunks)
        self._delimiter = b"\r\n--" + boundary
        # A body may begin with its first delimiter: the line break that belongs to it is then implied.
        self._buffer = b"\r\n"
        self._at = 0
        self._max_part = max_part

    def __iter__(self) -> Iterator[Part]:
        self._preamble()
        if self._is_last():
            raise MultipartFault("no parts")
        while True:
            headers = self._headers()
            length = _length(headers)
            if length is not None and length > self._max_part:
                raise MultipartFault("part too large")
            body = self._until_delimiter() if length is None else self._counted(length)
            yield Part(headers, length, body)
            for _ in body:
                pass
            if self._is_last():
                break
        self._epilogue()

    def _preamble(self) -> None:
        skipped = b""
        for chunk in self._until_delimiter():
            skipped += chunk
            if len(skipped) > PREAMBLE_BYTES:
                raise MultipartFault("no boundary at the start")
        if self._delimiter[2:] in skipped:
            # A damaged first delimiter would make a whole part vanish as preamble.
            raise MultipartFault("wrong boundary line")

    def _more(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._buffer = self._buffer[self._at :] + chunk if self._at < len(self._buffer) else chunk
                self._at = 0
                return True
        return False

    def _need(self, count: int) -> None:
        while len(self._buffer) - self._at < count:
            if not self._more():
                raise MultipartFault("cut short")

    def _take(self, count: int) -> bytes:
        self._need(count)
        taken = self._buffer[self._at : self._at + count]
        self._at += count
        return taken

    def _is_last(self) -> bool:
        """Consume the rest of a delimiter line; whether it was the close delimiter."""
        end = self._line_end(self._at)
        if end is None:
            raise MultipartFault("wrong boundary line")
        last = self._buffer.startswith(b"--", self._at)
        self._at = end
        return last

    def _line_end(self, at: int) -> int | None:
        """Where the line of a delimiter that ends at `at` ends; None when this was no delimiter after all.

        `at` counts from the buffer's start, which stays put only while `_at` is 0 or before it.
        """
        offset = at - self._at
        self._need(offset + 2)
        if self._buffer.startswith(b"--", self._at + offset):
            return self._at + offset + 2
        for padding in range(PADDING_BYTES):
            self._need(offset + padding + 2)
            here = self._at + offset + padding
            if self._buffer.startswith(b"\r\n", here):
                return here + 2
            if self._buffer[here : here + 1] not in (b" ", b"\t"):
                return None
        return None

    def _until_delimiter(self) -> Iterator[bytes]:
        """Bytes up to the next delimiter line, leaving `_at` just behind the delimiter itself."""
        keep, given = len(self._delimiter), 0
        searched = self._at
        while True:
            found = self._buffer.find(self._delimiter, searched)
            if found >= 0:
                offset = found - self._at
                is_delimiter = self._line_end(found + keep) is not None
                found = self._at + offset
                if is_delimiter:
                    if offset:
                        yield self._buffer[self._at : found]
                    self._at = found + keep
                    return
                searched = found + 1
                continue
            ready = len(self._buffer) - self._at - keep + 1
            if ready > 0:
                chunk = self._buffer[self._at : self._at + ready]
                self._at += ready
                given += ready
                if given > self._max_part:
                    raise MultipartFault("part too large")
                yield chunk
            if not self._more():
                raise MultipartFault("cut short")
            searched = self._at

    def _counted(self, remaining: int) -> Iterator[bytes]:
        """Exactly `remaining` bytes, behind which the delimiter must stand."""
        while remaining:
            ready = min(len(self._buffer) - self._at, remaining)
            if not ready:
                if not self._more():
                    raise MultipartFault("cut short")
                continue
            remaining -= ready
            yield self._take(ready) if ready < len(self._buffer) else self._all()
        if self._take(len(self._delimiter)) != self._delimiter or self._line_end(self._at) is None:
            raise MultipartFault("a part is not as long as it says")

    def _all(self) -> bytes:
        self._at = len(self._buffer)
        return self._buffer

    def _headers(self) -> dict[str, str]:
        self._need(2)
        if self._buffer.startswith(b"\r\n", self._at):
            self._at += 2
            return {}
        while (end := self._buffer.find(b"\r\n\r\n", self._at)) < 0:
            if len(self._buffer) - self._at > HEADER_BYTES:
                raise MultipartFault("part headers too long")
            if not self._more():
                raise MultipartFault("cut short")
        if end - self._at > HEADER_BYTES:
            raise MultipartFault("part headers too long")
        block = self._buffer[self._at : end].decode("latin-1")
        self._at = end + 4
        return _parse_headers(block)

    def _epilogue(self) -> None:
        """Read what follows the end, so that the connection can be used again and a cut transfer is noticed."""
        total = 0
        while self._more():
            total += len(self._buffer)
            self._at = len(self._buffer)
            if total > PREAMBLE_BYTES:
                return


def _parse_headers(block: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in re.sub(r"\r\n[ \t]+", " ", block).split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not TOKEN.fullmatch(name):
            raise MultipartFault("wrong part header")
        value = value.strip(" \t")
        if headers.setdefault(name, value) != value:
            raise MultipartFault("a part header is given twice")
    if headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise MultipartFault("encoded part")
    return headers


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise MultipartFault("wrong part length")
    return int(text)


class PartWriter:
    """Frames parts of our own answers with a boundary that nobody can have put into a body."""

    def __init__(self) -> None:
        self.boundary = secrets.token_hex(16)
        self._begun = False

    def content_type(self, of: str) -> str:
        return f'multipart/related; type="{of}"; boundary={self.boundary}'

    def head(self, headers: Mapping[str, str]) -> bytes:
        """Delimiter and header block of the next part."""
        lead = "\r\n--" if self._begun else "--"
        self._begun = True
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{lead}{self.boundary}\r\n{lines}\r\n".encode("latin-1")

    def tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode("latin-1")
