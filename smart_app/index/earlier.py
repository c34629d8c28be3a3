"""Remembered studies inside a launch: an answer under `<source>/earlier`, until the source itself has answered. Pure.

It has no place in the strip and counts for no word there. The gateway believes it like any answer of the launch, so
that `holdings` stays the one owner of what may be opened.
"""

from __future__ import annotations

from dataclasses import replace

from smart_app.archives.types import Answer, SourceState
from smart_app.index.entry import ANSWERED, Entry, is_all

SUFFIX = "/earlier"


def key_of(source: str) -> str:
    return source + SUFFIX


def is_earlier(key: str) -> bool:
    return key.endswith(SUFFIX)


def as_answer(entry: Entry) -> Answer:
    """Neither answered nor failed: it says what was known, not what is."""
    return Answer(
        entry.source if entry.labels else key_of(entry.source), entry.name, entry.organization, SourceState.ASKING, entry.studies, answered_at=entry.answered_at,
        withheld_studies=entry.withheld, labels=entry.labels,
    )  # fmt: skip


def left(earlier: Answer, now: Answer | None) -> Answer | None:
    """What of an earlier answer still stands beside what its source said `now` (None: not yet); None: nothing of it.

    A whole answer ends it, and so does finding that the source cannot be asked about this patient. An answer in part
    takes away what it names itself. A failure takes nothing.
    """
    if now is None or (now.state not in ANSWERED and now.state is not SourceState.NO_IDENTIFIER):
        return earlier
    if now.state is SourceState.NO_IDENTIFIER or is_all(now):
        return None
    told = {record.uid for record in now.studies} | set(now.withheld_studies)
    named = {record.uid for record in now.studies}
    rest = tuple(record for record in earlier.studies if record.uid not in told)
    return replace(earlier, studies=rest, withheld_studies=tuple(uid for uid in earlier.withheld_studies if uid not in named))


def labels_left(labels: Answer, now: Answer | None) -> Answer:
    """Remembered labels of studies that their source does not name `now`: what it names, it labels itself."""
    named = {record.uid for record in now.studies} if now is not None and now.state in ANSWERED else set()
    return replace(labels, labels=tuple(label for label in labels.labels if label.study not in named))
