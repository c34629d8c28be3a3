"""DICOM parts on their way: who each says it is, read from its first bytes before any of them goes on, and which may pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from smart_app.archives.headers import Header, HeaderFault, HeaderReader
from smart_app.archives.multipart import MediaType, Part
from smart_app.archives.types import PatientId, Said
from smart_app.archives.wado import WRONG_CONTENT, ArchiveFault, Place
from smart_app.viewer.accept import DICOM
from smart_app.viewer.reads import Withheld
from smart_app.viewer.rewriting import Named

FIRST = 8192


class Arriving(Protocol):
    """Parts on their way: an archive's `Retrieved`, or what lies on the shelf in its stead."""

    @property
    def status(self) -> int: ...

    def parts(self) -> Iterator[tuple[MediaType, Part]]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Met:
    """`held`: the bytes read so far. `header` is None when the object cannot be told; it then has an objection."""

    held: list[bytes]
    named: Named
    header: Header | None

    def objection(self, place: Place, accepted: tuple[PatientId, ...], expected: tuple[Said, ...] = ()) -> str | None:
        """Why it may not pass; None when it is an instance at `place` of one of the `accepted`, who may be one of `expected`."""
        return "header cannot be read" if self.header is None else self.named.objection(place, accepted, expected)


def met(part: Part, archive_issuer: str) -> Met:
    """Reads as much of the part as its header needs. An absent issuer is the archive's own."""
    reader, held = HeaderReader(), []
    try:
        for chunk in part.chunks:
            held.append(chunk)
            # The header is most often in the first bytes of a large chunk, and feeding copies.
            if reader.feed(chunk[:FIRST]) or (len(chunk) > FIRST and reader.feed(chunk[FIRST:])):
                break
        header = reader.finish()
    except HeaderFault:
        return Met([], Named("", "", "", None, None), None)
    patient = PatientId(header.patient_id, header.issuer or archive_issuer) if header.patient_id else None
    return Met(held, Named(header.study, header.series, header.instance, patient, None, header.birth_date, header.sex), header)


def part_headers(kind: MediaType, length: int | None) -> dict[str, str]:
    """What a part of our own answers says of itself."""
    syntax = kind.params.get("transfer-syntax")
    headers = {"Content-Type": kind.name + (f"; transfer-syntax={syntax}" if syntax else "")}
    return headers if length is None else {**headers, "Content-Length": str(length)}


@dataclass
class Body:
    """One part that may pass."""

    kind: MediaType
    length: int | None
    chunks: Iterator[bytes]
    instance: str = ""

    def headers(self) -> dict[str, str]:
        return part_headers(self.kind, self.length)


def passing(
    retrieved: Arriving, place: Place, accepted: tuple[PatientId, ...], archive_issuer: str, withhold: Callable[[list[Withheld]], None],
    expected: tuple[Said, ...] = (),
) -> Iterator[Body]:  # fmt: skip
    """The parts that are instances at `place` of the `accepted`, who may be one of `expected`; `withhold` is told of each other one, whose bytes stop here."""
    for kind, part in retrieved.parts():
        if kind.name != DICOM:
            raise ArchiveFault(WRONG_CONTENT)
        found = met(part, archive_issuer)
        if objection := found.objection(place, accepted, expected):
            withhold([Withheld(found.named.series[:64], found.named.instance[:64], objection)])
            continue
        yield Body(kind, part.length, chain(found.held, part.chunks), found.named.instance)
