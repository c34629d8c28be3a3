"""A report as the side panel tells it: its mark, how it belongs to the study, its words, its documents."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.reports.blocks import Block


@dataclass(frozen=True)
class Paper:
    """One document of a report, read only when it is asked for."""

    id: str
    """Opaque, and good for this launch and study only."""
    title: str
    kind: str
    """What the EHR calls it, in a word: `PDF`, `Clinical document`."""


@dataclass(frozen=True)
class Shown:
    """One version of one report."""

    mark: str
    """A report mark of the design: `Final`, `Preliminary`, `Retracted`…"""
    tone: str
    """`plain`, `warn` or `bad`."""
    said: str
    """What the mark means for who reads it; empty where nothing must be said."""
    title: str
    date: str
    """Of the report, in words."""
    signed: str
    """`Signed I. Brandvold, 27 Jan 2026 15:20.`"""
    sure: bool
    why: str
    superseded: str
    blocks: tuple[Block, ...]
    papers: tuple[Paper, ...]


@dataclass(frozen=True)
class Told:
    """All that is known of a study's reports. `state`: `whole`, `part` or `unread`."""

    state: str
    mark: str
    """The word the list has for it; empty where it cannot be said."""
    sentence: str
    reports: tuple[Shown, ...]
    withheld: int = 0
    notes: tuple[str, ...] = ()
