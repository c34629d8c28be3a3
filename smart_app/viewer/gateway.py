"""Pixels on their way from an archive to one launch: frames, pictures, whole objects, bulk values.

Frames and pictures pass only for instances whose metadata was judged; of a DICOM part the header is read before its
first byte leaves. An answer that breaks off upstream breaks off here: it never ends as if it were whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from smart_app.archives.multipart import PartWriter
from smart_app.archives.wado import DAMAGED, WRONG_CONTENT, ArchiveFault, Place
from smart_app.errors import AppError, OutboundError
from smart_app.viewer.accept import DICOM, FRAME_TYPES, Wanted
from smart_app.viewer.asking import Ask
from smart_app.viewer.checks import Checks
from smart_app.viewer.filling import AS_STORED
from smart_app.viewer.following import Following
from smart_app.viewer.objects import Arriving, Body, passing
from smart_app.viewer.reads import WITHHELD, Reads
from smart_app.viewer.rewriting import BulkTokens
from smart_app.viewer.sent import Sent
from smart_app.viewer.upstream import Upstream

WHOLE_BYTES = 8_000_000
"""An answer up to this size is read to its end before its status leaves: a fault is then a fault, not a broken stream."""


class Gateway:
    """All methods raise AppError (OutboundError among them) before the first byte, and break the stream after it."""

    def __init__(self, upstream: Upstream, checks: Checks, reads: Reads, tokens: BulkTokens, following: Following | None = None) -> None:
        """Without `following` nothing is kept: every answer is the archive's own, as it comes."""
        self._upstream = upstream
        self._checks = checks
        self._reads = reads
        self._tokens = tokens
        self._following = following

    def frames(self, ask: Ask, place: Place, numbers: tuple[int, ...], wanted: Wanted) -> Sent:
        """The frames `numbers` (from 1) of one judged instance, all of them or a fault."""
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "frames", self._checks.count(ask, series))
        if self._following is not None and (kept := self._following.frames(ask, place, numbers, wanted)) is not None:
            return kept
        listed = ",".join(str(number) for number in numbers)
        retrieved = self._upstream.of(ask).parts(place, wanted.form, frames=listed)
        return _answered(retrieved, self._frame_parts(retrieved, len(numbers)), wanted.single, wanted.form.type)

    def rendered(self, ask: Ask, place: Place, accept: str, query: Mapping[str, str], frame: int | None = None) -> Sent:
        """One judged instance as a picture drawn by the archive."""
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "rendered", self._checks.count(ask, series))
        picture = self._upstream.of(ask).picture(place, accept, query, frame=None if frame is None else str(frame))
        return Sent(picture.type, iter((picture.body,)), len(picture.body), instance=instance)

    def thumbnail(self, ask: Ask, series: str, accept: str, query: Mapping[str, str], middle: int | None = None) -> Sent:
        """The middle image of a series as a picture: what the viewer shows while it starts. Names the instance.

        `middle` is an Instance Number to try: finding one image is quicker than judging hundreds.
        """
        order = self._checks.order_if_known(ask, series)
        if order is None and middle is not None:
            try:
                found = self._upstream.of(ask).numbered(Place(ask.study, series), middle)
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
        if self._following is not None and wanted.form == AS_STORED and (kept := self._followed(self._following, ask, place)) is not None:
            return kept
        retrieved = self._upstream.of(ask).parts(place, wanted.form)
        single = wanted.single and place.instance is not None
        bodies = passing(retrieved, place, ask.patients, ask.archive.issuer, lambda withheld: self._reads.withheld(ask, withheld), ask.expected)
        return _answered(retrieved, bodies, single, DICOM, WHOLE_BYTES if place.instance else 0)

    def bulk(self, ask: Ask, place: Place, token: str) -> Sent:
        """A bulk value that this launch's own metadata referred to."""
        path = self._tokens.path(ask.handle, ask.archive.key, place, token)
        if path is None:
            raise AppError(WITHHELD)
        series, instance = _both(place)
        self._checks.ensure(ask, series, instance)
        self._reads.note(ask, series, "bulkdata", 1)
        retrieved = self._upstream.of(ask).bulk(path)
        return _answered(retrieved, self._frame_parts(retrieved, 1), False, "application/octet-stream")

    def _followed(self, following: Following, ask: Ask, place: Place) -> Sent | None:
        """What the shelf gives; None also where the place may give whole studies only, and is to be asked again."""
        try:
            return following.series(ask, place)
        except ArchiveFault:
            if not self._upstream.of(ask).may_be_whole:
                raise
            return None

    def _frame_parts(self, retrieved: Arriving, expected: int) -> Iterator[Body]:
        count = 0
        for kind, part in retrieved.parts():
            count += 1
            if count > expected or kind.name not in FRAME_TYPES:
                raise ArchiveFault(WRONG_CONTENT)
            yield Body(kind, part.length, part.chunks)
        if count < expected:
            raise ArchiveFault(DAMAGED)


def _answered(retrieved: Arriving, bodies: Iterator[Body], single: bool, of: str, whole: int = WHOLE_BYTES) -> Sent:
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


def _framed(writer: PartWriter, bodies: Iterator[Body]) -> Iterator[bytes]:
    for body in bodies:
        head = writer.head(body.headers())
        for chunk in body.chunks:
            yield head + chunk if head else chunk
            head = b""
        if head:
            yield head
    yield writer.tail()


def _one(body: Body, bodies: Iterator[Body]) -> Iterator[bytes]:
    yield from body.chunks
    if next(bodies, None) is not None:
        raise ArchiveFault(WRONG_CONTENT)


class _Rest:
    """What is left to send. Closing it (the client went away), begun or not, closes the upstream at once."""

    def __init__(self, retrieved: Arriving, begun: list[bytes], stream: Iterator[bytes]) -> None:
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
