"""Figures of one interleaved run: named samples, their medians, and ratios between them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Samples:
    """All that was measured, by name. Seconds, bytes or MiB: the name says which."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def median(self, name: str) -> float:
        """NaN when nothing was measured under this name."""
        return statistics.median(self.values[name]) if self.values.get(name) else float("nan")

    def count(self, name: str) -> int:
        return len(self.values.get(name, ()))

    def ratio(self, ours: str, anchor: str) -> float:
        return self.median(ours) / self.median(anchor)


def interleaved(samples: Samples, rounds: int, measured: Mapping[str, Callable[[], float]]) -> None:
    """A B C A B C …: each of `measured` once a round, in turn, so that a slow minute slows them all."""
    for _ in range(rounds):
        for name, measure in measured.items():
            samples.add(name, measure())
