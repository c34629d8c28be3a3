"""Studies that came from elsewhere and lie in our own archive: a row says where they are from (safety.md P10). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smart_app.studies.likeness import plain
from smart_app.studies.rows import StudyRow


@dataclass(frozen=True)
class Origin:
    """Where a stored study came from."""

    hospital: str
    """As its images name it; else who sent it."""
    at: datetime
    """When it arrived."""


def with_origins(rows: Sequence[StudyRow], origins: Mapping[str, Origin], own: frozenset[str]) -> tuple[StudyRow, ...]:
    """:param origins: by Study Instance UID. :param own: what our own hospital is called, plainly."""
    return tuple(_named(row, origins[row.uid], own) if row.uid in origins and row.kind == "study" else row for row in rows)


def _named(row: StudyRow, origin: Origin, own: frozenset[str]) -> StudyRow:
    others = [one.organization for one in row.sources if plain(one.organization) not in own]
    told = f"Received {origin.at.day} {origin.at:%b %Y}, kept here."
    return replace(row, hospital=", ".join(dict.fromkeys((origin.hospital, *others))), note=f"{row.note} {told}".strip())
