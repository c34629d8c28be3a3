"""A request as a row of the work list: what its columns say. Pure; words are those of every page, the template only prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from smart_app.image_requests import words
from smart_app.image_requests.types import ImageRequest, State, Urgency
from smart_app.image_requests.workflow import CLOSED

NOBODY = "Nobody"
STEPS = len(words.STEPS)
TOLD = frozenset({State.DECLINED, State.CANCELLED, State.STORED_IN_PART})
"""States whose reason belongs beside them: why not, or which part."""


@dataclass(frozen=True)
class Row:
    id: str
    version: int
    due: words.Due
    due_iso: str
    """Empty once nobody waits any more: then nothing grows late."""
    patient: str
    born: str
    mrn: str
    wanted: str
    purpose: str
    """What it is for: the appointment, or why."""
    source: str
    route: str
    state: str
    mark: str
    tone: str
    steps: int
    """How many of `STEPS` are done."""
    last: str
    at: str
    owner: str
    is_urgent: bool


def rows_of(requests: Iterable[ImageRequest], now: datetime) -> tuple[Row, ...]:
    return tuple(row_of(one, now) for one in requests)


def row_of(one: ImageRequest, now: datetime) -> Row:
    asked, waits = one.asked, one.state not in CLOSED
    mark, tone = words.MARKS[one.state]
    return Row(
        id=one.id,
        version=one.version,
        due=words.due(asked.needed_by, one.state, now),
        due_iso=asked.needed_by.isoformat(timespec="seconds") if asked.needed_by and waits else "",
        patient=asked.patient.name,
        born=words.day(asked.patient.birth_date) if asked.patient.birth_date else "birth date unknown",
        mrn=asked.patient.mrn or "",
        wanted=words.title(one),
        purpose=f"{asked.anchor.title}, {words.moment(asked.anchor.starts_at, now)}" if asked.anchor else asked.why,
        source=words.whom(one),
        route=words.ROUTES[asked.route.kind],
        state=words.STATES[one.state],
        mark=mark,
        tone=tone,
        steps=words.REACHED.get(one.state, 0),
        last=f"{one.last}: “{one.reason}”" if one.reason and one.state in TOLD else one.last,
        at=words.moment(one.updated_at, now),
        owner=one.owner or NOBODY,
        is_urgent=asked.urgency is Urgency.EMERGENCY and waits,
    )
