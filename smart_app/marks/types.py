"""What a mark is. Its points are places on one image, in that image's own pixels, as DICOM's SCOORD counts them (PS3.3 C.18.6).

Values are what the person saw beside the mark when it was saved. Sees neither Flask nor tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

POINTS: Mapping[str, int] = MappingProxyType({"length": 2, "angle": 3, "ellipse": 4, "rectangle": 4, "bidirectional": 4, "probe": 1, "arrow": 2})
"""Kinds, and how many points each has. Ellipse: ends of the longer axis, then of the shorter; bidirectional: ends of the long line, then of
the short one; angle: end, corner, end; arrow: tip, then tail."""
UNITS = frozenset({"mm", "deg", "mm2", "[hnsf'U]", "1", "Bq/ml", "{SUVbw}g/ml", "px", "px2"})
"""UCUM. `px` and `px2` where the size of a pixel is not known; they are never written to an archive."""
VALUES = frozenset({"length", "angle", "long", "short", "area", "mean", "sd", "min", "max", "value"})


@dataclass(frozen=True)
class Value:
    what: str
    value: float
    unit: str


@dataclass(frozen=True)
class Mark:
    id: str
    """Made by the browser; names the mark in the archive's report too."""
    kind: str
    name: str
    """What the person calls it; of an arrow: its text."""
    series: str
    instance: str
    frame: int
    points: tuple[tuple[float, float], ...]
    """(column, row) in pixels; the middle of the first pixel is (0.5, 0.5)."""
    values: tuple[Value, ...]

    @property
    def place(self) -> tuple[str, str]:
        return self.series, self.instance


@dataclass(frozen=True)
class Kept:
    """All marks of one person on one study. `version` counts the savings; 0: none yet."""

    version: int
    marks: tuple[Mark, ...] = ()
