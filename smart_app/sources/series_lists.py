"""The question that follows: which series an archive has of studies that seem to lack some. Asked after the list, a few studies only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smart_app.archives.fanout import Question
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.types import Answer, SeriesRecord, SourceState
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.sources.base import Inquiry

MOST_STUDIES = 10
SERIES = "series"
"""Its key is `<archive>/series`."""


class SeriesLists:
    def __init__(self, archives: Archives, qido: Qido, clock: Clock) -> None:
        self._archives = archives
        self._qido = qido
        self._clock = clock

    def questions(self, inquiry: Inquiry, wanted: Sequence[tuple[str, str]]) -> Iterable[Question]:
        """One question an archive. `wanted` is (archive key, Study Instance UID), the most important first."""
        by_archive: dict[str, list[str]] = {}
        for key, uid in wanted[:MOST_STUDIES]:
            by_archive.setdefault(key, []).append(uid)
        for key, uids in by_archive.items():
            archive = self._archives.by_key(key)
            if archive is not None:
                yield Question(f"{key}/{SERIES}", archive.name, archive.organization, self._call(archive, uids, inquiry))

    def _call(self, archive: ConfiguredArchive, uids: Sequence[str], inquiry: Inquiry) -> Callable[[float], Answer]:
        def call(seconds: float) -> Answer:
            asked_at = self._clock()
            found: list[SeriesRecord] = []
            for uid in uids:
                try:
                    found += self._qido.series(archive, uid, inquiry.launch, seconds / len(uids))
                except OutboundError:
                    continue  # the row keeps its counts, and names no series
            state = SourceState.OK if found else SourceState.EMPTY
            return Answer(f"{archive.key}/{SERIES}", archive.name, archive.organization, state, asked_at=asked_at, series=tuple(found), answered_at=self._clock())

        return call
