"""Requests beside the rows they are about: a known row turns to requested, a study in part shows who was asked. Pure.

A request that is of no row in the list is a row of its own: what somebody waits for is seen, whatever the sources answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from smart_app.image_requests import words
from smart_app.image_requests.types import ImageRequest, State
from smart_app.image_requests.workflow import CLOSED
from smart_app.studies import dates
from smart_app.studies.rows import RowRequest, RowSource, StudyRow

KEPT = timedelta(days=14)
"""So long a request that came to nothing is still told."""
OVER = frozenset({State.DECLINED, State.EXPIRED})


def with_requests(rows: Sequence[StudyRow], requests: Sequence[ImageRequest], now: datetime) -> tuple[StudyRow, ...]:
    """All rows, newest first, each with what is being asked for it."""
    told = [one for one in requests if one.state not in CLOSED or (one.state in OVER and now - one.updated_at < KEPT) or (one.state is State.STORED and now - one.updated_at < KEPT)]
    of: dict[str, list[ImageRequest]] = {}
    loose = []
    for one in told:
        row = next((row for row in rows if _is_of(one, row)), None)
        if row is not None:
            of.setdefault(row.uid, []).append(one)
        elif one.state is not State.STORED:
            loose.append(one)
    marked = [_marked(row, of[row.uid], now) if row.uid in of else row for row in rows]
    cases: dict[str, list[ImageRequest]] = {}
    for one in loose:
        cases.setdefault(one.asked.case or one.id, []).append(one)
    own = [_own(each, now) for each in cases.values()]
    return tuple(sorted((*marked, *own), key=lambda row: (row.sort, row.uid), reverse=True)) if own else tuple(marked)


def _is_of(request: ImageRequest, row: StudyRow) -> bool:
    asked = request.asked
    if row.uid in (asked.about, asked.wanted.study_uid) or any(copy.uid == asked.wanted.study_uid for copy in row.copies):
        return True
    number = asked.wanted.accession
    if not number or number != row.accession:
        return False
    days = sorted(one for one in (asked.wanted.date_from, asked.wanted.date_to) if one)
    return not days or not row.iso_date or days[0] <= row.iso_date <= days[-1] or days[0].startswith(row.iso_date)


def _marked(row: StudyRow, requests: Sequence[ImageRequest], now: datetime) -> StudyRow:
    """A study that is here in full shows no request any more: it came, or was found."""
    if row.kind == "study" and row.count_state != "part":
        return row
    live = [one for one in requests if one.state not in CLOSED]
    shown = live or [one for one in requests if one.state is State.STORED] or requests
    asked = tuple(_told(one, now) for one in shown)
    if row.kind == "known" and shown[0].state not in OVER:
        return replace(row, kind="requested", asked=asked, request="", note="")
    return replace(row, asked=asked, request="" if live else row.request)


def _told(request: ImageRequest, now: datetime) -> RowRequest:
    """`Opened by them 09:24`, `Needed 10:30`."""
    due, mark = words.due(request.asked.needed_by, request.state, now), words.MARKS[request.state]
    whom, at = words.whom(request), _at(request.updated_at, now)
    last = {
        State.DRAFT: "Not sent yet; the desk has it", State.SENT: f"Sent to {whom} {at}", State.OPENED: f"Opened by {whom} {at}", State.ACCEPTED: f"{whom} will send it",
        State.RECEIVING: f"{whom} is sending now", State.IN_REVIEW: f"Came from {whom} {at}, being checked", State.STORED: f"Came from {whom}, stored {at}",
        State.STORED_IN_PART: f"Some of it came from {whom}", State.DECLINED: f"Declined by {whom}" + (f": “{request.reason}”" if request.reason else ""),
        State.EXPIRED: f"{whom} did not answer", State.CANCELLED: "Cancelled",
    }[request.state]  # fmt: skip
    needed = f"{'Overdue' if due.tone == 'bad' else 'Needed'} {due.when.removeprefix('Today ')}" if due.when and request.state not in CLOSED else ""
    state = "Requested" if request.state is State.SENT else words.STATES[request.state]
    done = words.REACHED.get(request.state, 0)
    return RowRequest(request.id, state, *mark, last, needed, due.tone, done, len(words.STEPS) if request.state not in OVER else 0)


def _own(requests: Sequence[ImageRequest], now: datetime) -> StudyRow:
    """A row for requests that no row of the list is about."""
    first = requests[0]
    wanted, today = first.asked.wanted, now.astimezone().date()
    day = wanted.date_from or wanted.date_to
    places = ", ".join(dict.fromkeys(words.whom(one) for one in requests))
    live = [one for one in requests if one.state not in CLOSED]
    return StudyRow(
        uid=f"request-{first.asked.case or first.id}", archive=None, sort=dates.sort_key(day or None, None), date=words.window(wanted.date_from, wanted.date_to) or "Unknown date",
        iso_date=day, when=_when(day, today), modality=wanted.modality, modalities=(wanted.modality,) if wanted.modality else (), title=wanted.title, hospital=places,
        regions=(wanted.region,) if wanted.region else (), count="Requested", count_state="unknown", report="", sources=(RowSource("requests", "Requests", places),),
        kind="requested", asked=tuple(_told(one, now) for one in live or requests), accession=wanted.accession,
    )  # fmt: skip


def _when(day: str, today: date) -> str:
    return dates.since(day or None, None, today)


def _at(moment: datetime, now: datetime) -> str:
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else words.moment(moment, now)
