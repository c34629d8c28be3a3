"""WADO-RS (PS3.18 10.4): what the client accepts, and bodies that stream, each part with its length."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian

BLOCK = 262_144
PLAIN = str(ExplicitVRLittleEndian)


@dataclass(frozen=True)
class Wanted:
    """One acceptable answer. `syntax`: a transfer syntax UID, `*` for as stored, empty for the default."""

    media: str
    multipart: bool
    syntax: str


def accepted(header: str | None) -> list[Wanted]:
    """The Accept header, best first as the client wrote it (quality values sort)."""
    ranges: list[tuple[float, Wanted]] = []
    for part in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", header or "*/*"):
        kind, options = _options(part.strip())
        if not kind:
            continue
        inner, syntax = options.get("type", ""), options.get("transfer-syntax", "")
        if not syntax and ";" in inner:
            # some clients put the transfer syntax inside the quoted type
            inner, nested = _options(inner)
            syntax = nested.get("transfer-syntax", "")
        try:
            quality = float(options.get("q", "1"))
        except ValueError:
            quality = 1.0
        multipart = kind == "multipart/related"
        ranges.append((quality, Wanted((inner or "*/*") if multipart else kind, multipart, syntax)))
    ranges.sort(key=lambda pair: -pair[0])
    return [wanted for quality, wanted in ranges if quality > 0]


def _options(text: str) -> tuple[str, dict[str, str]]:
    """`a/b; c=d; e="f;g"` taken apart. Clients leave out quotes where they are due (`type=application/dicom`): taken as meant."""
    kind, _, rest = text.partition(";")
    found = re.findall(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^;]*))', rest)
    return kind.strip().lower(), {name.lower(): quoted or bare.strip() for name, quoted, bare in found}


def suits(pattern: str, media: str) -> bool:
    return pattern in ("*/*", media) or (pattern.endswith("/*") and media.startswith(pattern[:-1]))


@dataclass(frozen=True)
class Part:
    """One part of an answer: a file, or bytes in memory."""

    content_type: str
    body: Path | bytes
    location: str = ""

    @property
    def length(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.stat().st_size

    def blocks(self) -> Iterator[bytes]:
        if isinstance(self.body, bytes):
            yield self.body
            return
        with self.body.open("rb") as stream:
            while block := stream.read(BLOCK):
                yield block


class Multipart:
    """A multipart/related body whose parts are made one at a time, when their turn comes."""

    def __init__(self, kind: str) -> None:
        self.boundary = uuid.uuid4().hex
        self.content_type = f'multipart/related; type="{kind}"; boundary={self.boundary}'

    def _head(self, part: Part) -> bytes:
        lines = [f"--{self.boundary}", f"Content-Type: {part.content_type}", f"Content-Length: {part.length}"]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def length(self, parts: Sequence[Part]) -> int:
        return sum(len(self._head(part)) + part.length + 2 for part in parts) + len(self.boundary) + 6

    def stream(self, parts: Iterator[Part]) -> Iterator[bytes]:
        for part in parts:
            yield self._head(part)
            yield from part.blocks()
            yield b"\r\n"
        yield f"--{self.boundary}--\r\n".encode()


def read_parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Parts of a multipart/related body: (content type, bytes). Raises ValueError when it is none."""
    kind, options = _options(content_type)
    boundary = options.get("boundary", "").encode()
    if kind != "multipart/related" or not boundary:
        raise ValueError("not multipart/related")
    parts = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if piece.startswith(b"--"):
            break
        head, gap, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not gap:
            raise ValueError("a part without headers")
        found = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
        parts.append((found[1].decode("latin-1") if found else "", data))
    return parts
