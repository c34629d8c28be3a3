"""Which images of a series are not there: holes in its numbers, and holes along the axis it was cut on. Pure arithmetic on headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from smart_app.intake.types import Header

FEWEST = 4
"""With fewer images there is no rule that one could be missing from."""
WIDE = 1.5
"""A step this much wider than the usual one is a hole."""
MIXED_SHARE = 0.25
"""More wide steps than this are a way of scanning, not holes."""
MOST_NUMBERS = 100_000


@dataclass(frozen=True)
class Gaps:
    numbers: tuple[int, ...] = ()
    """Instance numbers that are missing between the first and the last."""
    slices: int = 0
    """Slices missing along the axis."""
    is_mixed: bool = False
    """The spacing changes by design, so holes cannot be told from it."""

    @property
    def missing(self) -> int:
        return max(len(self.numbers), self.slices)


def gaps(headers: Sequence[Header]) -> Gaps:
    """:param headers: of one series."""
    slices, is_mixed = _slices(headers)
    return Gaps(_numbers(headers), slices, is_mixed)


def _numbers(headers: Sequence[Header]) -> tuple[int, ...]:
    given = [one.instance_number for one in headers if one.instance_number is not None]
    present = set(given)
    if len(present) < FEWEST or len(present) != len(headers) or max(present) - min(present) > MOST_NUMBERS:
        return ()  # numbers given twice or left out count something else
    missing = [number for number in range(min(present), max(present)) if number not in present]
    # Numbers that go up in steps (odd ones only, say) are a way of counting.
    return tuple(missing) if len(missing) < len(present) / 2 else ()


def _slices(headers: Sequence[Header]) -> tuple[int, bool]:
    stacks: dict[tuple[float, ...], set[float]] = {}
    for one in headers:
        if one.position is not None and len(one.orientation) == 6 and one.frames == 1:
            normal = _normal(one.orientation)
            stacks.setdefault(tuple(round(part, 2) + 0.0 for part in one.orientation), set()).add(
                round(sum(a * b for a, b in zip(normal, one.position, strict=True)), 2)
            )
    missing, is_mixed = 0, False
    for places in stacks.values():
        if len(places) < FEWEST:
            continue
        steps = [after - before for before, after in pairwise(sorted(places))]
        usual = median(steps)
        wide = [step for step in steps if step > usual * WIDE]
        if len(wide) > len(steps) * MIXED_SHARE:
            is_mixed = True
        else:
            missing += sum(round(step / usual) - 1 for step in wide)
    return missing, is_mixed


def _normal(orientation: Sequence[float]) -> tuple[float, float, float]:
    a, b, c, d, e, f = orientation
    return b * f - c * e, c * d - a * f, a * e - b * d


def ranges(numbers: Iterable[int]) -> str:
    """`212 to 217, 230`."""
    told: list[list[int]] = []
    for number in sorted(set(numbers)):
        if told and number == told[-1][1] + 1:
            told[-1][1] = number
        else:
            told.append([number, number])
    parts = [str(first) if first == last else f"{first} and {last}" if last == first + 1 else f"{first} to {last}" for first, last in told[:6]]
    return ", ".join(parts) + (", and more" if len(told) > 6 else "")
