"""Answers from the shelf: a series as it is being fetched or as it was kept, and single frames out of it.

Owns the rule that nothing kept is served on trust. Each instance's own header is judged against this very launch, and a
series that lies there whole is given only to a launch whose own fresh metadata lists exactly its instances.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator

from smart_app.archives.multipart import MediaType, PartWriter
from smart_app.archives.wado import Place, Wado
from smart_app.errors import AppError
from smart_app.viewer.accept import DICOM, Wanted
from smart_app.viewer.asking import Ask
from smart_app.viewer.checks import Checks
from smart_app.viewer.filling import AS_STORED, Filler, Haste
from smart_app.viewer.kept_frames import OCTETS, frame_kind
from smart_app.viewer.objects import part_headers, passing
from smart_app.viewer.reads import WITHHELD, Reads, Withheld
from smart_app.viewer.retold import retold
from smart_app.viewer.sent import Sent
from smart_app.viewer.volume import FAULT, LEFT, Kept, Piece, Volume

AGAIN_SECONDS = 60.0
SEVERAL = 3
"""Frames of one series asked for one by one, after which the rest is fetched ahead."""
REMEMBERED = 1000


class Following:
    """One a process; safe for threads."""

    def __init__(self, wado: Wado, filler: Filler, checks: Checks, reads: Reads) -> None:
        self._wado, self._filler, self._checks, self._reads = wado, filler, checks, reads
        self._asked: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._missed: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def series(self, ask: Ask, place: Place) -> Sent | None:
        """All instances of the series at `place` that may pass; None: the archive has to be asked directly.

        :raises AppError: nothing of it can be given.
        """
        if place.series is None or place.instance is not None:
            return None
        volume = self._filler.find(ask, place.series)
        if volume is not None and volume.is_whole:
            kept = self._whole(ask, place, place.series, volume)
            if kept is not None:
                return kept
            self._filler.drop(ask, place.series)
            volume = None
        volume = volume or self._filler.begin(ask, place.series, self._checks.listed(ask, place.series))
        return None if volume is None else self._growing(ask, place, volume)

    def frames(self, ask: Ask, place: Place, numbers: tuple[int, ...], wanted: Wanted) -> Sent | None:
        """Frames of a judged instance whose part is here already; None: it has to be asked for by itself."""
        if place.series is None or place.instance is None:
            return None
        volume = self._filler.find(ask, place.series)
        if volume is None:
            self._missing(ask, place.series)
            return None
        piece = volume.piece(place.instance)
        if piece is None or piece.named.objection(place, ask.patients, ask.expected) or max(numbers) > len(piece.frames):
            return None
        kind = frame_kind(piece.syntax, wanted.form)
        return None if kind is None else _framed(volume, piece, kind, numbers, single=wanted.single)

    def ahead(self, ask: Ask, series: str, haste: Haste = Haste.IDLE) -> Volume | None:
        """Begin to fetch a series for which nobody waits yet; once a minute at most, whatever became of it."""
        key, now = (ask.handle, ask.study, series), time.monotonic()
        with self._lock:
            if now - self._asked.get(key, 0.0) < AGAIN_SECONDS and key in self._asked:
                return None
            self._asked[key] = now
            self._asked.move_to_end(key)
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        if ask.archive.limits.parallel < 4:
            return None
        return self._filler.find(ask, series) or self._filler.begin(ask, series, self._checks.listed(ask, series), haste)

    def _missing(self, ask: Ask, series: str) -> None:
        """Frames are asked for one by one: after a few, the rest will be."""
        key = (ask.handle, ask.study, series)
        with self._lock:
            missed = self._missed[key] = self._missed.get(key, 0) + 1
            while len(self._missed) > REMEMBERED:
                self._missed.popitem(last=False)
        if missed >= SEVERAL:
            self.ahead(ask, series, Haste.SOON)

    def _whole(self, ask: Ask, place: Place, series: str, volume: Volume) -> Sent | None:
        """What was kept earlier, if this launch is told of exactly these instances now; None: it has to be fetched again."""
        listed = self._checks.listed(ask, series)
        if listed is None:
            self._checks.order(ask, series)
            listed = self._checks.listed(ask, series)
        if listed is None or frozenset(listed) != volume.instances:
            return None
        if any(isinstance(one, Kept) or one.named.objection(place, ask.patients, ask.expected) for one in volume.entries):
            return None
        try:
            file, size = volume.file()
        except OSError:
            return None
        return Sent(_type(volume), length=size, status=volume.status, file=file)

    def _growing(self, ask: Ask, place: Place, volume: Volume) -> Sent | None:
        interest = None
        try:
            interest = volume.interest()
        except OSError:
            # It has ended meanwhile, well or not, and has another name or none: what was read of it can still be given.
            volume.refresh()
            if volume.end is None:
                return None
        stream = _Stream(interest, self._parts(ask, place, volume))
        try:
            volume.wait(0)
            if not volume.entries and volume.end is not None and volume.end.how == LEFT:
                stream.close()
                return None
            stream.begin()
        except BaseException:
            stream.close()
            raise
        return Sent(_type(volume), stream, status=volume.status)

    def _parts(self, ask: Ask, place: Place, volume: Volume) -> Iterator[bytes]:
        """What has come and may pass, as it comes. Breaks off where the archive's answer did."""
        sent: Counter[str] = Counter()
        have = 0
        while volume.end is None or have < len(volume.entries):
            entries = volume.entries
            if have == len(entries):
                volume.wait(have)
                continue
            entry = entries[have]
            have += 1
            reason = entry.reason if isinstance(entry, Kept) else entry.named.objection(place, ask.patients, ask.expected)
            if isinstance(entry, Kept) or reason:
                names = (entry.series, entry.instance) if isinstance(entry, Kept) else (entry.named.series, entry.named.instance)
                self._reads.withheld(ask, [Withheld(*names, reason or "")])
                continue
            sent[entry.named.instance] += 1
            yield from volume.part(entry)
        if volume.end.how == FAULT:
            raise retold(volume.end.code, volume.end.retry_after)
        if volume.end.how == LEFT:
            yield from self._directly(ask, place, volume.boundary, sent)
        if not sent:
            raise AppError(WITHHELD)
        yield f"--{volume.boundary}--\r\n".encode()

    def _directly(self, ask: Ask, place: Place, boundary: str, sent: Counter[str]) -> Iterator[bytes]:
        """The rest of a series that could not be kept, from the archive itself: what it sends more often than we did."""
        owed = Counter(sent)
        retrieved = self._wado.parts(ask.archive, ask.launch, place, AS_STORED)
        try:
            for body in passing(retrieved, place, ask.patients, ask.archive.issuer, lambda withheld: self._reads.withheld(ask, withheld), ask.expected):
                if owed[body.instance]:
                    owed[body.instance] -= 1
                    continue
                sent[body.instance] += 1
                lines = "".join(f"{name}: {value}\r\n" for name, value in body.headers().items())
                yield f"--{boundary}\r\n{lines}\r\n".encode("latin-1")
                yield from body.chunks
                yield b"\r\n"
        finally:
            retrieved.close()


class _Stream:
    """What is left to send. Closing it, begun or not, says that nobody here waits any more."""

    def __init__(self, interest: int | None, chunks: Iterator[bytes]) -> None:
        self._interest = interest
        self._chunks = chunks
        self._first: bytes | None = None

    def begin(self) -> None:
        """Until the first piece is there, a fault is an answer of its own."""
        self._first = next(self._chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        interest, self._interest = self._interest, None
        if interest is not None:
            os.close(interest)


def _type(volume: Volume) -> str:
    return f'multipart/related; type="{DICOM}"; boundary={volume.boundary}'


def _framed(volume: Volume, piece: Piece, kind: MediaType, numbers: tuple[int, ...], *, single: bool) -> Sent:
    bodies = [volume.read(piece.body + at, length) for at, length in (piece.frames[number - 1] for number in numbers)]
    if single:
        return Sent(part_headers(kind, None)["Content-Type"], iter(bodies), len(bodies[0]))
    writer = PartWriter()
    # Not joined: that would copy half a megabyte once more.
    pieces = [*(piece for body in bodies for piece in (writer.head(part_headers(kind, len(body))), body)), writer.tail()]
    return Sent(writer.content_type(OCTETS), iter(pieces), sum(map(len, pieces)))
