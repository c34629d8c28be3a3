"""Who answers for a study: its archive, or, where its place gives only whole studies, the whole study on the shelf.

A place that a source named is asked as any other first; what it does not offer and the whole study holds is read from
there, and asked no more for a while. What comes from the shelf goes the way of what comes from an archive: the gateway
judges each row, entry and header of it again.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from smart_app.archives.multipart import MediaType, Part
from smart_app.archives.object_json import Element, Unreadable, header_json
from smart_app.archives.wado import CANNOT_SEND, NOT_THERE, ArchiveFault, Form, Listed, Picture, Place, Retrieved, Wado
from smart_app.errors import AppError, TooLarge
from smart_app.viewer.accept import DICOM
from smart_app.viewer.asking import Ask
from smart_app.viewer.kept_frames import frame_kind
from smart_app.viewer.objects import Arriving
from smart_app.viewer.retold import WHOLE_NOT_KEPT, WHOLE_TOO_LARGE
from smart_app.viewer.volume import Piece, Volume
from smart_app.viewer.whole import WholeStudies, pieces, withheld_in

NOT_OFFERED = frozenset({400, 404, 405, 406, 501})
"""What a server says to a path that it does not have. Some of them it also says of a study that it does not have."""
FOR_SECONDS = 600.0
REMEMBERED = 1000
STUDY, SERIES, INSTANCE, SOP_CLASS, PATIENT, ISSUER, COUNT, NUMBER = (
    "0020000D", "0020000E", "00080018", "00080016", "00100020", "00100021", "00201209", "00200013",
)  # fmt: skip
Told = TypeVar("Told")


class Upstream:
    """One a process; safe for threads."""

    def __init__(self, wado: Wado, whole: WholeStudies | None = None) -> None:
        self._wado, self._whole = wado, whole
        self._unoffered: OrderedDict[tuple[str, str, str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, ask: Ask) -> Answering:
        return Answering(ask, self._wado, self._whole if self._whole is not None and self._whole.may_be(ask) else None, self)

    def offers(self, ask: Ask, what: str) -> bool:
        """Whether the place may still be asked for `what`."""
        with self._lock:
            return self._unoffered.get(_key(ask, what), 0.0) < time.monotonic()

    def does_not_offer(self, ask: Ask, what: str) -> None:
        key = _key(ask, what)
        with self._lock:
            self._unoffered[key] = time.monotonic() + FOR_SECONDS
            self._unoffered.move_to_end(key)
            while len(self._unoffered) > REMEMBERED:
                self._unoffered.popitem(last=False)


def _key(ask: Ask, what: str) -> tuple[str, str, str, str]:
    """For one launch: the next one finds a server that has learned more."""
    return ask.handle, ask.archive.key, ask.archive.wado_base, what


class Answering:
    """What `Wado` offers, for one ask. :raises OutboundError: as `Wado`, and what the retrieval of a whole study failed with."""

    def __init__(self, ask: Ask, wado: Wado, whole: WholeStudies | None, upstream: Upstream) -> None:
        """`whole`: None where an archive of ours answers, which is then the only one asked."""
        self._ask, self._wado, self._whole, self._upstream = ask, wado, whole, upstream

    @property
    def may_be_whole(self) -> bool:
        return self._whole is not None

    def rows(self, place: Place, level: str, fields: Sequence[str] = (), number: int | None = None) -> Listed:
        def asked() -> Listed:
            listed = self._wado.rows(self._ask.archive, self._ask.launch, place, level, fields, number)
            if self._whole is not None and level == "series" and not listed.rows:
                raise ArchiveFault(NOT_THERE, status=404)  # a study has a series: an empty list is no list
            return listed

        return self._either(f"list of {level}", asked, lambda volume: _listed(volume, self._ask, place, level, fields, number))

    def metadata(self, place: Place) -> tuple[int, bytes]:
        most = self._ask.archive.limits.metadata_bytes
        return self._either("metadata", lambda: self._wado.metadata(self._ask.archive, self._ask.launch, place), lambda volume: (200, _metadata(volume, self._ask, place, most)))

    def numbered(self, place: Place, number: int) -> str | None:
        if self._whole is not None and self._whole.has(self._ask):
            return None  # no picture of it could be drawn
        return self._wado.numbered(self._ask.archive, self._ask.launch, place, number)

    def parts(self, place: Place, form: Form, *, frames: str | None = None) -> Arriving:
        def asked() -> Arriving:
            return self._wado.parts(self._ask.archive, self._ask.launch, place, form, frames=frames)

        if place.series is None and not (self._whole is not None and self._whole.has(self._ask)):
            return asked()
        return self._either("frames" if frames else "objects", asked, lambda volume: _parts(volume, self._ask, place, form, frames))

    def picture(self, place: Place, accept: str, query: Mapping[str, str], *, frame: str | None = None) -> Picture:
        if self._whole is not None and self._whole.has(self._ask):
            raise ArchiveFault(CANNOT_SEND)
        return self._wado.picture(self._ask.archive, self._ask.launch, place, accept, query, frame=frame)

    def bulk(self, path: str) -> Retrieved:
        return self._wado.bulk(self._ask.archive, self._ask.launch, path)

    def _either(self, what: str, asked: Callable[[], Told], kept: Callable[[Volume], Told]) -> Told:
        """The place's own answer; where it offers none and the whole study holds it, that."""
        if self._whole is None:
            return asked()
        refusal: ArchiveFault | None = None
        if self._upstream.offers(self._ask, what) and not (what in ("frames", "objects") and self._whole.has(self._ask)):
            try:
                return asked()
            except ArchiveFault as fault:
                if fault.status not in NOT_OFFERED:
                    raise
                refusal = fault
        try:
            found = kept(self._whole.get(self._ask))
        except AppError as error:
            # That the study cannot be kept says nothing about one series that the place may simply not have.
            if refusal is not None and error.fault in (WHOLE_NOT_KEPT, WHOLE_TOO_LARGE) and what != "list of series" and refusal.status in (400, 404):
                raise refusal from None
            raise
        if refusal is not None:
            self._upstream.does_not_offer(self._ask, what)
        return found


class _Lying:
    """Parts of a study on the shelf, as if they came from an archive."""

    status = 200

    def __init__(self, volume: Volume, parts: Sequence[tuple[MediaType, int, int]]) -> None:
        self._volume, self._parts = volume, parts

    def parts(self) -> Iterator[tuple[MediaType, Part]]:
        for kind, at, length in self._parts:
            yield kind, Part({}, length, self._volume.stretch(at, length))

    def close(self) -> None:
        """Nothing is open for it."""


def _parts(volume: Volume, ask: Ask, place: Place, form: Form, frames: str | None) -> _Lying:
    found = pieces(volume, ask, place)
    if not found:
        raise ArchiveFault(NOT_THERE)
    if frames is None:
        if form.type != DICOM or (form.syntax not in (None, "*") and any(one.syntax != form.syntax for one in found)):
            raise ArchiveFault(CANNOT_SEND)
        return _Lying(volume, [(MediaType(DICOM, {"transfer-syntax": one.syntax}), one.body, _length(one)) for one in found])
    piece, numbers = found[0], [int(number) for number in frames.split(",")]
    kind = frame_kind(piece.syntax, form)
    if kind is None or not piece.frames:
        raise ArchiveFault(CANNOT_SEND)
    if max(numbers) > len(piece.frames):
        raise ArchiveFault(NOT_THERE)
    return _Lying(volume, [(kind, piece.body + at, length) for at, length in (piece.frames[number - 1] for number in numbers)])


def _length(piece: Piece) -> int:
    return piece.size - (piece.body - piece.at) - 2


def _metadata(volume: Volume, ask: Ask, place: Place, most: int) -> bytes:
    told: list[bytes] = []
    size = 0
    for piece in pieces(volume, ask, place):
        told.append(json.dumps(_header(volume, piece), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
        size += len(told[-1])
        if size > most:
            raise TooLarge
    if not told:
        raise ArchiveFault(NOT_THERE)
    return b"[" + b",\n".join(told) + b"]"


def _listed(volume: Volume, ask: Ask, place: Place, level: str, fields: Sequence[str], number: int | None) -> Listed:
    at = pieces(volume, ask, place)
    if not at:
        raise ArchiveFault(NOT_THERE)
    wanted = {int(tag, 16) for tag in (*fields, STUDY, SERIES, PATIENT, ISSUER)}
    if level == "series":
        members: dict[str, list[Piece]] = {}
        for one in at:
            members.setdefault(one.named.series, []).append(one)
        rows = [{**_header(volume, held[0], wanted), COUNT: {"vr": "IS", "Value": [len(held)]}} for held in members.values()]
    else:
        wanted |= {int(tag, 16) for tag in (INSTANCE, SOP_CLASS, NUMBER)}
        rows = [_header(volume, one, wanted) for one in at]
        if number is not None:
            rows = [row for row in rows if row.get(NUMBER, {}).get("Value") == [number]]
    return Listed(rows, False, _notes(volume))


def _notes(volume: Volume) -> tuple[str, ...]:
    count = len(withheld_in(volume))
    if not count:
        return ()
    were = "1 image was withheld: it names" if count == 1 else f"{count:,} images were withheld: they name"
    return (f"{were} another patient or study than this one, or cannot be read. The image desk was told.",)


def _header(volume: Volume, piece: Piece, only: set[int] | None = None) -> dict[str, Element]:
    """Its header; where that cannot be read as a whole, who it was judged to be."""
    try:
        return header_json(_length(piece), lambda at, count: volume.read(piece.body + at, count), piece.syntax, only)
    except Unreadable:
        name = piece.named
        assert name.patient is not None
        uids = {STUDY: name.study, SERIES: name.series, INSTANCE: name.instance}
        return {**{tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}, PATIENT: {"vr": "LO", "Value": [name.patient.value]},
                ISSUER: {"vr": "LO", "Value": [name.patient.issuer]}}  # fmt: skip
