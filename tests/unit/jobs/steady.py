"""A steady clock that the test moves."""

from __future__ import annotations


class SteadyClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds
