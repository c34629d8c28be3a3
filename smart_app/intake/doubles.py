"""Objects of one upload that carry the same number: the same bytes twice are one, other bytes are a conflict that nobody resolves by guessing (safety.md D8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smart_app.intake.types import Kind, Screened


def told_apart(found: Sequence[Screened]) -> tuple[Screened, ...]:
    """The same verdicts, with doubles left out and conflicts refused: all of them, since none is known to be the right one."""
    contents: dict[str, set[str]] = {}
    for one in found:
        if one.header is not None and one.kind is not Kind.REFUSED:
            contents.setdefault(one.header.instance, set()).add(one.sha256)
    seen: set[str] = set()
    told = []
    for one in found:
        if one.header is None or one.kind is Kind.REFUSED:
            told.append(one)
        elif len(contents[one.header.instance]) > 1:
            told.append(replace(one, kind=Kind.REFUSED, reason="conflict", path=None, pixels_decode=None))
        elif one.header.instance in seen:
            told.append(replace(one, kind=Kind.SKIPPED, reason="twice", path=None, header=None, pixels_decode=None))
        else:
            seen.add(one.header.instance)
            told.append(one)
    return tuple(told)
