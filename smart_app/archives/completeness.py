"""What of a study is known and not here: series by series where somebody counted them. Pure; says no more than the counts do.

Fed by any list of series: an archive's (QIDO-RS series level), a chart's (ImagingStudy.series), a manifest's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smart_app.archives.types import SeriesRecord

THIN = 1.5
"""Slices of up to so many mm are thin: what is rebuilt, measured and planned on."""
MADE = frozenset({"SR", "KO", "PR", "SEG", "DOC", "PLAN", "RTSTRUCT", "REG"})
"""Series that are made from images, not acquired: their absence is named, but is no loss of images."""
MOST_NAMED = 4
_MILLIMETRES = re.compile(r"(?<![\d.])(\d{1,2}(?:[.,]\d{1,3})?)\s*mm(?![a-z²])", re.IGNORECASE)
_WORDS = re.compile(r"(?<![a-z])thin(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Counted:
    """One series as somebody counts it."""

    uid: str
    number: int | None = None
    modality: str | None = None
    description: str | None = None
    count: int | None = None
    thickness: float | None = None
    """Millimetres; None: only its description may tell."""

    @property
    def name(self) -> str:
        """`Series 4, Lung 1.0 mm`."""
        first = f"Series {self.number}" if self.number is not None else f"A series ({self.modality})" if self.modality else "A series"
        return f"{first}, {self.description}" if self.description else first

    @property
    def slices(self) -> float | None:
        """Slice thickness in mm: as given, else as its description says."""
        if self.thickness is not None:
            return self.thickness
        found = _MILLIMETRES.findall(self.description or "")
        return float(found[-1].replace(",", ".")) if found else None

    @property
    def is_thin(self) -> bool:
        if self.modality is not None and self.modality not in ("CT", "PT", "MR"):
            return False
        slices = self.slices
        return slices <= THIN if slices is not None else bool(_WORDS.search(self.description or ""))


def counted(series: Iterable[SeriesRecord]) -> tuple[Counted, ...]:
    return tuple(Counted(one.uid, one.number, one.modality, one.description, one.image_count) for one in series)


@dataclass(frozen=True)
class Lack:
    """One series that is not all here. `here` is 0 when none of it is."""

    series: Counted
    here: int
    of: int | None

    @property
    def sentence(self) -> str:
        if self.here == 0:
            return f"{self.series.name}: not here."
        return f"{self.series.name}: {self.here:,} of {self.of:,} images." if self.of else f"{self.series.name}: in part."


def lacking(here: Sequence[Counted], claims: Iterable[Sequence[Counted]]) -> tuple[Lack, ...]:
    """What the claims count beyond what is here, by series. `here` must be the holder's whole list: a list cut short proves no absence."""
    held = {one.uid: one for one in here}
    most: dict[str, Counted] = {}
    for claimed in (one for claim in claims for one in claim):
        known = most.get(claimed.uid)
        if known is None or (claimed.count or 0) > (known.count or 0):
            most[claimed.uid] = claimed
    found = []
    for uid, claimed in most.items():
        own = held.get(uid)
        if own is None:
            # An empty series is nothing that could be missing.
            if claimed.count != 0:
                found.append(Lack(claimed, 0, claimed.count))
        elif own.count is not None and claimed.count is not None and own.count < claimed.count:
            found.append(Lack(claimed, own.count, claimed.count))
    return tuple(sorted(found, key=lambda one: (one.series.modality in MADE, one.series.number is None, one.series.number or 0, one.series.uid)))


def sentences(lacks: Sequence[Lack], here: Sequence[Counted] = ()) -> tuple[str, ...]:
    """The lacks in words, the first few named; thin slices called out first, when no complete thin series is here instead."""
    if not lacks:
        return ()
    said = [lack.sentence for lack in lacks[:MOST_NAMED]]
    if len(lacks) > MOST_NAMED:
        said.append(f"{len(lacks) - MOST_NAMED} more series are missing or in part.")
    thin = [lack for lack in lacks if lack.series.is_thin]
    in_part = {lack.series.uid for lack in lacks}
    if thin and not any(one.is_thin and one.uid not in in_part for one in here):
        slices = min((lack.series.slices for lack in thin if lack.series.slices is not None), default=None)
        said.insert(0, f"Thin slices{f' ({slices:g} mm)' if slices is not None else ''} are missing.")
    return tuple(said)
