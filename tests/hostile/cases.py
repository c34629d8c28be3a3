"""A named hostile file and the verdict it must get."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    expected: tuple[str, ...]
    """`kind` or `kind:reason`, one for each verdict: the file's own, then its members'."""
    faults: tuple[str, ...] = ()
    """What the header says could not be read, for one that is taken all the same."""


def case(name: str, content: bytes, *expected: str, faults: tuple[str, ...] = ()) -> Case:
    return Case(name, content, expected, faults)
