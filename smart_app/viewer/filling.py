"""Brings a whole series from an archive onto the shelf: one retrieval, whoever asks and in whichever worker.

Of each part the header is read and judged before the rest is kept; what is withheld leaves its reason and no byte. A
distant archive is asked for single images beside the one stream, since a stream is bound by its window for each round
trip; never with more than half of the calls that the archive allows at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import IO

import structlog

from smart_app.archives.frames import frames_in
from smart_app.archives.multipart import MediaType, Part
from smart_app.archives.wado import DAMAGED, WRONG_CONTENT, ArchiveFault, Form, Place, Wado
from smart_app.errors import AppError
from smart_app.viewer.accept import DICOM
from smart_app.viewer.asking import Ask
from smart_app.viewer.lanes import Lanes, Seats
from smart_app.viewer.objects import Met, met, part_headers
from smart_app.viewer.reads import Withheld
from smart_app.viewer.shelf import Shelf
from smart_app.viewer.volume import PIECE, Piece, Volume
from smart_app.viewer.writing import Full, Writer

log = structlog.get_logger("priors.viewer")

AS_STORED = Form(DICOM, "*")
FAR_SECONDS = 0.015
"""An archive whose quickest answer took longer than this is far away: more streams then carry more."""
FEWEST = 24
"""Instances below which one stream is as good."""
AHEAD_SECONDS = 60.0
"""How long a series is fetched for which nobody waits."""
LOOK_EVERY = 0.5
HOLD_BYTES = 4_000_000
HOLD_SECONDS = 1.5
"""From a near archive the first few images are fetched ahead, then it is waited for somebody to want the rest: until then
the page's first image needs the machine more."""
AT_ONCE = 6
MOST_KNOWN = 1000


class Haste(Enum):
    """Who waits for a series: somebody for all of it, somebody for single images of it, or nobody yet."""

    FOLLOWED = "followed"
    SOON = "soon"
    IDLE = "idle"


class Unwanted(Exception):
    """Nobody waits for it any more."""


class Filler:
    """One a process. `tenant` is part of every name: what one site keeps is not there for another."""

    def __init__(self, wado: Wado, shelf: Shelf, seats: Seats, *, tenant: str, elsewhere: Callable[[Ask], bool] = lambda _: False) -> None:
        """`elsewhere`: whether the study is here as a whole, so that there is no series to fetch."""
        self._wado, self._shelf, self._seats, self._tenant, self._elsewhere = wado, shelf, seats, tenant, elsewhere
        self._running = threading.BoundedSemaphore(AT_ONCE)
        self._too_large: set[str] = set()

    def name(self, ask: Ask, series: str) -> str:
        """Archive, patient and series; and the launch, where the archive decides by the user's own token."""
        settings = ask.archive.settings
        owner = ask.handle if settings.credential.kind == "ehr-token" else ""
        patients = chain.from_iterable((one.value, one.issuer) for one in sorted(ask.patients, key=lambda one: (one.issuer, one.value)))
        return self._shelf.name(self._tenant, ask.archive.key, ask.archive.wado_base, owner, ask.study, series, "application/dicom *", *patients)

    def find(self, ask: Ask, series: str) -> Volume | None:
        return self._shelf.find(self.name(ask, series))

    def drop(self, ask: Ask, series: str) -> None:
        self._shelf.drop(self.name(ask, series))

    def begin(self, ask: Ask, series: str, listed: tuple[str, ...] | None, haste: Haste = Haste.FOLLOWED) -> Volume | None:
        """Start to fetch the series, unless somebody does: what can be followed, or None when it cannot be kept now.

        `listed`: all its instances, where this launch knows them.
        """
        name = self.name(ask, series)
        if name in self._too_large or self._elsewhere(ask):
            return None
        seat = self._seats.take(ask.archive)
        if seat is None:
            return self._shelf.find(name)
        if not self._running.acquire(blocking=False):
            seat()
            return self._shelf.find(name)
        writer = self._shelf.begin(name)
        volume = self._shelf.find(name) if writer is not None else None
        if writer is None or volume is None:
            if writer is not None:
                writer.leave()
            self._running.release()
            seat()
            return self._shelf.find(name)

        def work() -> None:
            try:
                self._fill(writer, ask, series, listed, haste)
            finally:
                self._running.release()
                seat()

        threading.Thread(target=work, name="fill", daemon=True).start()
        return volume

    def _fill(self, writer: Writer, ask: Ask, series: str, listed: tuple[str, ...] | None, haste: Haste) -> None:
        retrieval, since = Retrieval(self._wado, self._seats, writer, ask, Place(ask.study, series), listed, haste), time.monotonic()
        try:
            whole = retrieval.run()
            writer.finish(keep=whole)
            log.info("series_fetched", archive=ask.archive.key, bytes=writer.size, streams=retrieval.streams, kept=whole, ms=round((time.monotonic() - since) * 1000))
        except AppError as error:
            writer.fail(error.fault.code, error.retry_after if isinstance(error, ArchiveFault) else None)
        except Full:
            if len(self._too_large) > MOST_KNOWN:
                self._too_large.clear()
            self._too_large.add(self.name(ask, series))
            writer.leave()
        except Unwanted:
            writer.leave()
        except Exception as error:  # a full disk, a launch that ended: whoever waits asks the archive himself
            log.info("frame_cache_fill_failed", archive=ask.archive.key, kind=type(error).__name__)
            writer.leave()


@dataclass
class Retrieval:
    """One retrieval into one volume: of a series, or of a study whose place gives nothing less."""

    wado: Wado
    seats: Seats
    writer: Writer
    ask: Ask
    place: Place
    listed: tuple[str, ...] | None
    haste: Haste
    status: int = 0
    withheld: list[Withheld] = field(default_factory=list)
    kept: int = 0
    looked: float = field(default_factory=time.monotonic)
    until: float = 0.0
    """How long it goes on if nobody waits."""
    hold: float = 0.0
    begun: threading.Event = field(default_factory=threading.Event)
    lanes: Lanes | None = None

    @property
    def clean(self) -> bool:
        return not self.withheld

    @property
    def streams(self) -> int:
        return 1 + (self.lanes.count if self.lanes is not None else 0)

    def run(self) -> bool:
        """Whether all of it is here and may be kept."""
        self.until = self.looked + (AHEAD_SECONDS if self.haste is not Haste.FOLLOWED else 2 * LOOK_EVERY)
        self._widen()
        try:
            self.status = self._stream()
        except BaseException:
            if self.lanes is not None:
                self.begun.set()
                self.lanes.stop()
            raise
        if self.lanes is not None:
            for uid in self.lanes.left():
                self._single(uid)
        return self.clean and self.status == 200 and self.kept > 0

    def _widen(self) -> None:
        """More streams to a distant archive. How far it is may be known only once it has answered."""
        distance = self.wado.distance(self.ask.archive)
        far = distance is not None and distance > FAR_SECONDS
        self.hold = self.looked + HOLD_SECONDS if self.haste is Haste.IDLE and not far else 0.0
        if far and self.lanes is None and self.listed is not None and len(self.listed) >= FEWEST:
            self.lanes = Lanes(self.seats, self.ask.archive, self.listed, self._single)

    def _stream(self) -> int:
        retrieved = self.wado.parts(self.ask.archive, self.ask.launch, self.place, AS_STORED)
        try:
            self.writer.start(retrieved.status)
            self.begun.set()
            self._widen()
            lanes = self.lanes
            for kind, part in retrieved.parts():
                self._look()
                if kind.name != DICOM:
                    raise ArchiveFault(WRONG_CONTENT)
                found = met(part, self.ask.archive.issuer)
                if lanes is None or lanes.claim(found.named.instance):
                    self._keep(kind, part, found, self.place)
                if lanes is not None and lanes.nothing_unclaimed:
                    break
            return retrieved.status
        finally:
            retrieved.close()

    def _single(self, uid: str) -> None:
        """One instance by itself. :raises OutboundError:"""
        place = Place(self.ask.study, self.place.series, uid)
        retrieved = self.wado.parts(self.ask.archive, self.ask.launch, place, AS_STORED)
        try:
            self.begun.wait()
            for count, (kind, part) in enumerate(retrieved.parts()):
                if kind.name != DICOM or count:
                    raise ArchiveFault(WRONG_CONTENT)
                self._keep(kind, part, met(part, self.ask.archive.issuer), place)
        finally:
            retrieved.close()

    def _keep(self, kind: MediaType, part: Part, found: Met, place: Place) -> None:
        objection = found.objection(place, self.ask.patients, self.ask.expected)
        if objection or found.header is None:
            withheld = Withheld(found.named.series[:64], found.named.instance[:64], objection or "")
            self.withheld.append(withheld)
            self.writer.withhold(withheld.series, withheld.instance, withheld.reason)
            return
        chunks: Iterable[bytes] = chain(found.held, part.chunks)
        length = part.length
        if length is None:
            with self.writer.spool() as spool:
                length = _spooled(chunks, spool)
                at, size, body = self._put(kind, length, iter(lambda: spool.read(PIECE), b""))
        else:
            at, size, body = self._put(kind, length, chunks)
        syntax = found.header.transfer_syntax
        frames = frames_in(found.header.pixels, syntax, length, lambda offset, count: self.writer.read(body + offset, count))
        self.writer.add(Piece(found.named, syntax, at, size, body, frames))
        self.kept += 1

    def _put(self, kind: MediaType, length: int, chunks: Iterable[bytes]) -> tuple[int, int, int]:
        """(where the part lies, its size, where the object in it begins)."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in part_headers(kind, length).items())
        head = f"--{self.writer.boundary}\r\n{lines}\r\n".encode("latin-1")
        size = len(head) + length + 2
        at = self.writer.reserve(size)
        self.writer.put(at, head)
        end = body = at + len(head)
        for chunk in chunks:
            if end + len(chunk) > body + length:
                raise ArchiveFault(DAMAGED)
            self._look()
            self.writer.put(end, chunk)
            end += len(chunk)
        if end != body + length:
            raise ArchiveFault(DAMAGED)
        self.writer.put(end, b"\r\n")
        return at, size, body

    def _look(self) -> None:
        """:raises Unwanted: nobody has waited for a while."""
        now = time.monotonic()
        while self.hold > now and self.writer.size > HOLD_BYTES:
            if self.writer.is_wanted():
                self.hold = 0.0
            time.sleep(0.005)
            now = time.monotonic()
        if now - self.looked < LOOK_EVERY:
            return
        self.looked = now
        if self.writer.is_wanted():
            self.until = max(self.until, now + LOOK_EVERY)
        elif now > self.until:
            raise Unwanted


def _spooled(chunks: Iterable[bytes], spool: IO[bytes]) -> int:
    """A part that does not say how long it is."""
    length = 0
    for chunk in chunks:
        spool.write(chunk)
        length += len(chunk)
    spool.seek(0)
    return length
