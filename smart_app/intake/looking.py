"""Which images of a received study are looked at, and in which order: all of them, series by series, and a few that stand for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smart_app.intake.received import Instance, Received

FEW = 6


@dataclass(frozen=True)
class Place:
    """One image in its study, with the words that say where it stands."""

    instance: Instance
    words: str


@dataclass(frozen=True)
class Few:
    """Images, by their place, that stand for one study on the page."""

    item: Received
    places: tuple[int, ...]
    images: int


def in_order(instances: Sequence[Instance]) -> tuple[Place, ...]:
    """The largest series first, each by its own numbers."""
    return tuple(
        Place(one, f"Series {number}, image {at} of {len(series)}" if len(ordered) > 1 else f"Image {at} of {len(series)}")
        for ordered in [_series(instances)]
        for number, series in enumerate(ordered, 1)
        for at, one in enumerate(series, 1)
    )


def few(studies: Sequence[tuple[Received, Sequence[Instance]]]) -> tuple[Few, ...]:
    """Six in all, spread over the studies and over the series of each, from their middles outwards."""
    shown = studies[:FEW]
    share, found, left = max(1, FEW // len(shown)) if shown else 0, [], FEW
    for item, instances in shown:
        places = _spread([len(one) for one in _series(instances)], min(share, left))
        left -= len(places)
        if places:
            found.append(Few(item, places, len(instances)))
    return tuple(found)


def _series(instances: Sequence[Instance]) -> list[list[Instance]]:
    by_series: dict[str, list[Instance]] = {}
    for one in instances:
        by_series.setdefault(one.source.header.series, []).append(one)
    return [sorted(of, key=lambda one: (one.source.header.instance_number or 0, one.digest)) for of in sorted(by_series.values(), key=lambda of: -len(of))]


def _spread(sizes: Sequence[int], wanted: int) -> tuple[int, ...]:
    """So many places of all images: one of each series, then more of the largest."""
    each = [0] * len(sizes)
    while sum(each) < min(wanted, sum(sizes)):
        for at, size in enumerate(sizes):
            if each[at] < size and sum(each) < wanted:
                each[at] += 1
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    return tuple(start + size * (2 * number + 1) // (2 * count) for start, size, count in zip(starts, sizes, each, strict=True) for number in range(count))
