"""A request as a row of the work list: what its eight columns say. Pure; the template only prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from smart_app.desk.board import WAITS
from smart_app.desk.words import STANDINGS, Due, Standing, birth, due, moment, route_word
from smart_app.image_requests.types import ImageRequest, State, Urgency

NOBODY = "Nobody"
TOLD = frozenset({State.DECLINED, State.CANCELLED, State.STORED_IN_PART, State.ACCEPTED})
"""States whose reason belongs beside them: why not, which part, or what did not fit."""


@dataclass(frozen=True)
class Row:
    id: str
    version: int
    due: Due
    patient: str
    about: str
    """Birth date and number, under the name."""
    wanted: str
    reason: str
    """What it is for: the appointment, or why."""
    source: str
    route: str
    standing: Standing
    last: str
    owner: str
    is_urgent: bool


def rows_of(requests: Iterable[ImageRequest], now: datetime) -> tuple[Row, ...]:
    return tuple(row_of(one, now) for one in requests)


def row_of(one: ImageRequest, now: datetime) -> Row:
    asked = one.asked
    standing = STANDINGS[one.state]
    anchor = asked.anchor
    return Row(
        id=one.id,
        version=one.version,
        due=due(asked.needed_by, now, waits=one.state in WAITS),
        patient=asked.patient.name,
        about=" · ".join(part for part in (birth(asked.patient.birth_date), asked.patient.mrn) if part),
        wanted=wanted_words(one),
        reason=f"{anchor.title}, {moment(anchor.starts_at, now)}" if anchor else asked.why,
        source=one.facility.name if one.facility else "The patient",
        route=route_word(asked.route),
        standing=standing,
        last=last_words(one, now),
        owner=one.owner or NOBODY,
        is_urgent=asked.urgency is Urgency.EMERGENCY and one.state in WAITS,
    )


def wanted_words(one: ImageRequest) -> str:
    wanted = one.asked.wanted
    dates = " to ".join(dict.fromkeys(date for date in (wanted.date_from, wanted.date_to) if date))
    return ", ".join(part for part in (wanted.title, dates) if part)


def last_words(one: ImageRequest, now: datetime) -> str:
    """The last event; where nobody wrote one, the state and when it came about, with the reason that was given."""
    if one.last:
        return one.last
    said = f"{STANDINGS[one.state].word} {moment(one.updated_at, now)}"
    return f"{said}: “{one.reason}”" if one.reason and one.state in TOLD else said
