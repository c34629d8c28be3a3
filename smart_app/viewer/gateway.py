"""Pixels on their way from an archive to one launch: frames, pictures, whole objects, bulk values. Streams, stores nothing.

Frames and pictures pass only for instances whose metadata was judged; of a DICOM part the header is read before its
first byte leaves. An answer that breaks off upstream breaks off here: it never ends as if it were whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from smart_app.archives.headers import HeaderFault, HeaderReader
from smart_app.archives.multipart import MediaType, Part, PartWriter
from smart_app.archives.types import PatientId
from smart_app.archives.wado import DAMAGED, WRONG_CONTENT, ArchiveFault, Place, Retrieved, Wado
from smart_app.errors import AppError, OutboundError
from smart_app.viewer.accept import DICOM, FRAME_TYPES, Wanted
from smart_app.viewer.asking import Ask
from smart_app.viewer.checks import WITHHELD, Checks
from smart_app.viewer.reads import Reads, Withheld
from smart_app.viewer.rewriting import BulkTokens, Named

WHOLE_BYTES = 8_000_000
"""An answer up to this size is read to its end before its status leaves: a fault is then a fault, not a broken stream."""


@dataclass(frozen=True)
class Sent:
    """What goes to the client. `length` is known when the answer is whole. Close `body` if it is not read to its end."""

    type: str
    body: Iterator[bytes] = field(repr=False)
    length: int | None = None
    status: int = 200
    instance: str | None = None


class Gateway:
    """All methods raise AppError (OutboundError among them) before the first byte, and break the stream after it."""

    def __init__(self, wado: Wado, checks: Checks, reads: Reads, tokens: BulkTokens) -> None:
        self._wado = wado
        self._checks = checks
        self._reads = reads
        self._tokens = tokens

    def frames(self, ask: Ask, place: Place, numbers: tuple[int, ...], wanted: Wanted) -> Sent:
        """The frames `numbers` (from 1) of one judged instance, all of them or a fault."""
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "frames", self._checks.count(ask, series))
        listed = ",".join(str(number) for number in numbers)
        retrieved = self._wado.parts(ask.archive, ask.launch, place, wanted.form, frames=listed)
        return _answered(retrieved, self._frame_parts(retrieved, len(numbers)), wanted.single, wanted.form.type)

    def rendered(self, ask: Ask, place: Place, accept: str, query: Mapping[str, str], frame: int | None = None) -> Sent:
        """One judged instance as a picture drawn by the archive."""
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "rendered", self._checks.count(ask, series))
        picture = self._wado.picture(ask.archive, ask.launch, place, accept, query, frame=None if frame is None else str(frame))
        return Sent(picture.type, iter((picture.body,)), len(picture.body), instance=instance)

    def thumbnail(self, ask: Ask, series: str, accept: str, query: Mapping[str, str], middle: int | None = None) -> Sent:
        """The middle image of a series as a picture: what the viewer shows while it starts. Names the instance.

        `middle` is an Instance Number to try: finding one image is quicker than judging hundreds.
        """
        order = self._checks.order_if_known(ask, series)
        if order is None and middle is not None:
            try:
                found = self._wado.numbered(ask.archive, ask.launch, Place(ask.study, series), middle)
            except OutboundError:
                found = None  # not every archive can be asked so
            if found is not None:
                return self.rendered(ask, Place(ask.study, series, found), accept, query)
        order = order or self._checks.order(ask, series)
        if not order:
            raise AppError(WITHHELD)
        return self.rendered(ask, Place(ask.study, series, order[len(order) // 2]), accept, query)

    def instances(self, ask: Ask, place: Place, wanted: Wanted) -> Sent:
        """Whole objects at `place`, each let through by its own header."""
        self._reads.note(ask, place.series or "", "instance", self._checks.count(ask, place.series) if place.series else 1)
        retrieved = self._wado.parts(ask.archive, ask.launch, place, wanted.form)
        single = wanted.single and place.instance is not None
        return _answered(retrieved, self._dicom_parts(ask, place, retrieved), single, DICOM, WHOLE_BYTES if place.instance else 0)

    def bulk(self, ask: Ask, place: Place, token: str) -> Sent:
        """A bulk value that this launch's own metadata referred to."""
        path = self._tokens.path(ask.handle, ask.archive.key, place, token)
        if path is None:
            raise AppError(WITHHELD)
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "bulkdata", 1)
        retrieved = self._wado.bulk(ask.archive, ask.launch, path)
        return _answered(retrieved, self._frame_parts(retrieved, 1), False, "application/octet-stream")

    def _frame_parts(self, retrieved: Retrieved, expected: int) -> Iterator[_Body]:
        count = 0
        for kind, part in retrieved.parts():
            count += 1
            if count > expected or kind.name not in FRAME_TYPES:
                raise ArchiveFault(WRONG_CONTENT)
            yield _Body(kind, part.length, part.chunks)
        if count < expected:
            raise ArchiveFault(DAMAGED)

    def _dicom_parts(self, ask: Ask, place: Place, retrieved: Retrieved) -> Iterator[_Body]:
        for kind, part in retrieved.parts():
            if kind.name != DICOM:
                raise ArchiveFault(WRONG_CONTENT)
            held, name, objection = _identify(part, ask.archive.issuer)
            objection = objection or name.objection(place, ask.patients, ask.expected)
            if objection:
                self._reads.withheld(ask, [Withheld(name.series[:64], name.instance[:64], objection)])
                continue
            yield _Body(kind, part.length, chain(held, part.chunks))


@dataclass
class _Body:
    kind: MediaType
    length: int | None
    chunks: Iterator[bytes]

    def headers(self) -> dict[str, str]:
        syntax = self.kind.params.get("transfer-syntax")
        headers = {"Content-Type": self.kind.name + (f"; transfer-syntax={syntax}" if syntax else "")}
        return headers if self.length is None else {**headers, "Content-Length": str(self.length)}


def _identify(part: Part, archive_issuer: str) -> tuple[list[bytes], Named, str | None]:
    """(bytes read so far, who the object says it is, why it cannot be told)."""
    reader, held = HeaderReader(), []
    try:
        for chunk in part.chunks:
            held.append(chunk)
            if reader.feed(chunk):
                break
        header = reader.finish()
    except HeaderFault:
        return [], Named("", "", "", None, None), "header cannot be read"
    patient = PatientId(header.patient_id, header.issuer or archive_issuer) if header.patient_id else None
    return held, Named(header.study, header.series, header.instance, patient, None, header.birth_date, header.sex), None


def _answered(retrieved: Retrieved, bodies: Iterator[_Body], single: bool, of: str, whole: int = WHOLE_BYTES) -> Sent:
    """Bodies as one answer. Up to `whole` bytes are read to the end first; of more, the first piece."""
    try:
        first = next(bodies, None)
        if first is None:
            raise AppError(WITHHELD)
        if single:
            stream, kind = _one(first, bodies), first.headers()["Content-Type"]
        else:
            writer = PartWriter()
            stream, kind = _framed(writer, chain((first,), bodies)), writer.content_type(of)
        begun: list[bytes] = []
        size = 0
        for piece in stream:
            begun.append(piece)
            size += len(piece)
            if size > whole:
                return Sent(kind, _Rest(retrieved, begun, stream), status=retrieved.status)
    except BaseException:
        retrieved.close()
        raise
    retrieved.close()
    return Sent(kind, iter(begun), size, retrieved.status)


def _framed(writer: PartWriter, bodies: Iterator[_Body]) -> Iterator[bytes]:
    for body in bodies:
        head = writer.head(body.headers())
        for chunk in body.chunks:
            yield head + chunk if head else chunk
            head = b""
        if head:
            yield head
    yield writer.tail()


def _one(body: _Body, bodies: Iterator[_Body]) -> Iterator[bytes]:
    yield from body.chunks
    if next(bodies, None) is not None:
        raise ArchiveFault(WRONG_CONTENT)


class _Rest:
    """What is left to send. Closing it (the client went away), begun or not, closes the upstream at once."""

    def __init__(self, retrieved: Retrieved, begun: list[bytes], stream: Iterator[bytes]) -> None:
        self._retrieved = retrieved
        self._stream = chain(_emptied(begun), stream)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._stream)
        except BaseException:
            self._retrieved.close()
            raise

    def close(self) -> None:
        self._retrieved.close()


def _emptied(begun: list[bytes]) -> Iterator[bytes]:
    while begun:
        yield begun.pop(0)


def _both(place: Place) -> tuple[str, str]:
    assert place.series is not None
    assert place.instance is not None
    return place.series, place.instance
