"""When two descriptions can be of one examination, and when they cannot. Pure; tables of words; doubt means 'cannot tell'.

Nothing here is enough to call two studies the same: the callers (`evidence`, `copies`) say what else they need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Generic, TypeVar

from smart_app.archives.types import StudyRecord
from smart_app.sources.base import CHART
from smart_app.studies.merge import BOX

T = TypeVar("T")
SIDE_OBJECTS = frozenset({"SR", "KO", "PR", "DOC", "SEG", "PLAN", "AU", "REG", "RTSTRUCT"})
"""What is made from a study is not its modality."""
APART = tuple(
    re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")
    for pattern in (
        "perfusion|ctp", "angio\\w*|cta|mra|ctv|mrv|ctpa", "biopsy|guided|drainage|aspiration", "diffusion", "spectroscopy", "stress|exercise",
        "transoesophageal|transesophageal|toe|tee", "colonography|enterography|mrcp|urogra\\w*", "doppler|duplex", "tomosynthesis", "low.?dose|screening",
        "portable|bedside",
    )
)  # fmt: skip
"""If only one of two titles has a word of one of these, they are different examinations."""
LEFT, RIGHT = re.compile(r"(?<![a-z])(?:left|lt)(?![a-z])"), re.compile(r"(?<![a-z])(?:right|rt)(?![a-z])")
NEAR = 1
"""Days between two clocks of the same moment: sites in other time zones, and reports written after midnight."""
AFTER_ORDER, BEFORE_LETTER = 30, 7
"""Days from an order to what it ordered, and from a study to the letter that speaks of it."""


def modalities_of(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(BOX.get(code, code) for code in codes) - SIDE_OBJECTS


def exams_differ(one: str, other: str) -> bool:
    """Whether the titles themselves say that these are two examinations: another technique, or another side."""
    a, b = one.lower(), other.lower()
    if not a or not b:
        return False
    if any(bool(word.search(a)) != bool(word.search(b)) for word in APART):
        return True
    sides = [(bool(LEFT.search(text)), bool(RIGHT.search(text))) for text in (a, b)]
    return all(any(side) for side in sides) and sides[0] != sides[1]


def same_place(one: str | None, other: str | None) -> bool:
    return bool(one and other) and plain(one or "") == plain(other or "")


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def shares_numbers(place: str | None, record: StudyRecord, own: frozenset[str], local: frozenset[str]) -> bool:
    """Whether an accession number given at `place` (None: not said) is of the same namespace as this record's.

    A number is one hospital's own. What the chart says without a place, or of its own hospital, is the local archives'.
    """
    if same_place(place, record.organization):
        return True
    return (place is None or plain(place) in own) and (record.source in local or record.source.startswith(CHART))


class Days(Generic[T]):
    """Things by their day, so that each is compared with what is near it, not with everything."""

    def __init__(self) -> None:
        self._by_span: dict[int, list[T]] = {}
        self._unclear: list[T] = []
        self._all: list[T] = []

    def add(self, day: str | None, thing: T) -> None:
        span = _span(day)
        (self._unclear if span is None else self._by_span.setdefault(span, [])).append(thing)
        self._all.append(thing)

    def near(self, day: str | None) -> Iterator[T]:
        """All that `in_window` may find near this day, and some more."""
        span = _span(day)
        if span is None:
            yield from self._all
            return
        for one in (span - 1, span, span + 1):
            yield from self._by_span.get(one, ())
        yield from self._unclear


def _span(day: str | None) -> int | None:
    try:
        return date.fromisoformat(day or "").toordinal() // (AFTER_ORDER + 1)
    except ValueError:
        return None


def in_window(said: str | None, dated: str, held: str | None) -> bool:
    """Whether a study of day `held` can be the one that was done, ordered or written about on `said`. Unknown days never can."""
    if not said or not held:
        return False
    if len(said) < 10 or len(held) < 10:
        short = min(len(said), len(held))
        return said[:short] == held[:short]
    try:
        days = (date.fromisoformat(held) - date.fromisoformat(said)) // timedelta(days=1)
    except ValueError:
        return False
    if dated == "ordered":
        return -NEAR <= days <= AFTER_ORDER
    return -BEFORE_LETTER <= days <= NEAR if dated == "written" else abs(days) <= NEAR
