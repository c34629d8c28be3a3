"""A study that its place gives only as a whole: retrieved once for a launch, every part judged, then read from the shelf.

SMART Imaging Access "Retrieving images": of an exchange's retrieve location only `/studies/{uid}` is certain. Such a place
has no metadata by which what was kept could be judged again for another launch, so each launch retrieves for itself.
What is withheld leaves its reason and no byte; what broke off, or was called a part, is not kept.
"""

from __future__ import annotations

import os
import threading
from itertools import chain

import structlog

from smart_app.archives.wado import WRONG_CONTENT, ArchiveFault, Place, Wado
from smart_app.errors import AppError, Busy
from smart_app.viewer.asking import Ask
from smart_app.viewer.filling import AS_STORED, Haste, Retrieval
from smart_app.viewer.lanes import Leave, Seats
from smart_app.viewer.reads import WITHHELD, Reads, Withheld
from smart_app.viewer.retold import PART_OF_STUDY, WHOLE_NOT_KEPT, WHOLE_TOO_LARGE, retold
from smart_app.viewer.shelf import Shelf
from smart_app.viewer.volume import FAULT, LEFT, Kept, Piece, Volume
from smart_app.viewer.writing import Full, Writer

log = structlog.get_logger("priors.viewer")


class WholeStudies:
    """One a process. Without a `shelf` nothing can be kept, and such studies do not open."""

    def __init__(self, wado: Wado, shelf: Shelf | None, seats: Seats, reads: Reads, *, tenant: str) -> None:
        self._wado, self._shelf, self._seats, self._reads, self._tenant = wado, shelf, seats, reads, tenant
        self._too_large: set[str] = set()

    @staticmethod
    def may_be(ask: Ask) -> bool:
        """Whether the study lies at an address that its source named: an archive of ours answers for itself."""
        return ask.held.record.retrieve is not None

    def has(self, ask: Ask) -> bool:
        """Whether this launch has the whole study here now, or is getting it."""
        return self.may_be(ask) and self._shelf is not None and self._shelf.find(self._name(ask)) is not None

    def get(self, ask: Ask) -> Volume:
        """The whole study, once it is here to its last byte.

        :raises AppError: it cannot be had, or nothing of it may be shown. :raises AuditUnavailable:
        """
        if self._shelf is None:
            # Only a place that does give the study may be said to give nothing else.
            self._wado.parts(ask.archive, ask.launch, Place(ask.study), AS_STORED).close()
            raise ArchiveFault(WHOLE_NOT_KEPT)
        name = self._name(ask)
        if name in self._too_large:
            raise ArchiveFault(WHOLE_TOO_LARGE)
        volume = self._shelf.find(name)
        if volume is None or not volume.is_whole:
            volume = self._awaited(volume or self._begin(self._shelf, name, ask))
        if not any(isinstance(one, Piece) for one in volume.entries):
            raise AppError(WITHHELD)
        return volume

    def _name(self, ask: Ask) -> str:
        assert self._shelf is not None
        patients = chain.from_iterable((one.value, one.issuer) for one in sorted(ask.patients, key=lambda one: (one.issuer, one.value)))
        return self._shelf.name(self._tenant, "whole study", ask.archive.key, ask.archive.wado_base, ask.handle, ask.study, *patients)

    def _begin(self, shelf: Shelf, name: str, ask: Ask) -> Volume:
        """Start to retrieve, unless another worker has. :raises Busy: not now."""
        seat = self._seats.take(ask.archive)
        if seat is None:
            raise Busy
        writer = shelf.begin(name)
        volume = shelf.find(name)
        if writer is None or volume is None:
            seat()
            if writer is not None:
                writer.leave()
            if volume is None:
                raise Busy
            return volume
        threading.Thread(target=self._fill, args=(writer, ask, name, seat), name="whole", daemon=True).start()
        return volume

    def _awaited(self, volume: Volume) -> Volume:
        try:
            interest = volume.interest()
        except OSError:
            interest = None  # it has ended meanwhile
        try:
            have = 0
            while volume.end is None:
                volume.wait(have)
                have = len(volume.entries)
        finally:
            if interest is not None:
                os.close(interest)
        if volume.end.how == FAULT:
            raise retold(volume.end.code, volume.end.retry_after)
        if volume.end.how == LEFT:
            raise Busy
        return volume

    def _fill(self, writer: Writer, ask: Ask, name: str, seat: Leave) -> None:
        retrieval = Retrieval(self._wado, self._seats, writer, ask, Place(ask.study), None, Haste.FOLLOWED)
        try:
            retrieval.run()
            if retrieval.status != 200:
                raise ArchiveFault(PART_OF_STUDY)
            if not retrieval.kept and retrieval.clean:
                raise ArchiveFault(WRONG_CONTENT)
            if retrieval.withheld:
                self._reads.withheld(ask, retrieval.withheld)
            writer.finish(keep=True)
            log.info("whole_study_fetched", archive=ask.archive.key, bytes=writer.size, instances=retrieval.kept, withheld=len(retrieval.withheld))
        except AppError as error:
            writer.fail(error.fault.code, error.retry_after if isinstance(error, ArchiveFault) else None)
        except Full:
            if len(self._too_large) > 1000:
                self._too_large.clear()
            self._too_large.add(name)
            writer.fail(WHOLE_TOO_LARGE.code, None)
        except Exception as error:  # a full disk, a launch that ended, nobody who waits
            log.info("whole_study_failed", archive=ask.archive.key, kind=type(error).__name__)
            writer.leave()
        finally:
            seat()


def pieces(volume: Volume, ask: Ask, place: Place) -> list[Piece]:
    """What of the study lies at `place` and may be shown now, each instance once, in the order it came."""
    found: dict[str, Piece] = {}
    for one in volume.entries:
        if isinstance(one, Piece) and one.named.objection(place, ask.patients, ask.expected) is None:
            found.setdefault(one.named.instance, one)
    return list(found.values())


def withheld_in(volume: Volume) -> list[Withheld]:
    return [Withheld(one.series, one.instance, one.reason) for one in volume.entries if isinstance(one, Kept)]
