"""What a person reads of a request: its state, its steps, what happened. Pure; every page that shows a request takes its words from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from smart_app.image_requests.types import Basis, Happened, ImageRequest, Party, RouteKind, State, Urgency
from smart_app.image_requests.workflow import Act, Deed

STATES: Mapping[State, str] = MappingProxyType(
    {
        State.DRAFT: "With the desk", State.SENT: "Sent", State.OPENED: "Opened", State.ACCEPTED: "Accepted", State.RECEIVING: "Receiving",
        State.IN_REVIEW: "In review", State.STORED: "In the chart", State.STORED_IN_PART: "Stored in part", State.DECLINED: "Declined",
        State.CANCELLED: "Cancelled", State.EXPIRED: "Expired",
    }
)  # fmt: skip
MARKS: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.DRAFT: ("clock", "m2"), State.SENT: ("send", "acc"), State.OPENED: ("mail", "acc"), State.ACCEPTED: ("ok", "ok"), State.RECEIVING: ("up", "acc"),
        State.IN_REVIEW: ("ask", "ask"), State.STORED: ("ok", "ok"), State.STORED_IN_PART: ("part", "warn"), State.DECLINED: ("bad", "bad"),
        State.CANCELLED: ("x", "m2"), State.EXPIRED: ("clock", "bad"),
    }
)  # fmt: skip
"""Icon and tone: a state is never told by colour alone."""
STEPS = (State.SENT, State.OPENED, State.ACCEPTED, State.RECEIVING, State.IN_REVIEW, State.STORED)
REACHED: Mapping[State, int] = MappingProxyType(
    {State.DRAFT: 0, State.SENT: 1, State.OPENED: 2, State.ACCEPTED: 3, State.RECEIVING: 4, State.IN_REVIEW: 5, State.STORED: 6, State.STORED_IN_PART: 5}
)
ROUTES: Mapping[RouteKind, str] = MappingProxyType(
    {RouteKind.EMAIL: "e-mail link", RouteKind.FAX: "fax sheet", RouteKind.FHIR: "FHIR task", RouteKind.PATIENT: "link and code by phone"}
)
BASES: Mapping[Basis, str] = MappingProxyType(
    {Basis.TREATMENT: "Treatment, no consent needed", Basis.CONSENT: "Patient consent on file", Basis.PATIENT: "The patient sends what is their own"}
)
URGENCIES: Mapping[Urgency, str] = MappingProxyType({Urgency.EMERGENCY: "Emergency", Urgency.TODAY: "Today", Urgency.ROUTINE: "Routine"})
WITHOUT_NAME: Mapping[Party, str] = MappingProxyType(
    {
        Party.CLINICIAN: "a clinician", Party.STAFF: "the image desk", Party.REVIEWER: "the image desk", Party.SENDER: "whoever holds the link",
        Party.PARTNER: "their system", Party.SYSTEM: "Priors",
    }
)  # fmt: skip
SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Step:
    word: str
    state: str
    """`done`, `now`, `to-come`, or `off` for one that will not come."""
    detail: str = ""


@dataclass(frozen=True)
class Due:
    """Until when it is needed: `tone` is `bad` (overdue), `warn` (within the hour) or empty."""

    when: str = ""
    left: str = ""
    tone: str = ""


def whom(request: ImageRequest) -> str:
    """Who is asked: `Harrow Vale Clinic`, `The patient or family`, or the name that a person gave."""
    if request.facility is not None:
        return request.facility.name
    return "The patient or family" if request.asked.route.kind is RouteKind.PATIENT else request.asked.hospital or "A hospital to be found"


def title(request: ImageRequest) -> str:
    """`Carotid duplex, 3 Nov 2025`"""
    wanted = request.asked.wanted
    return ", ".join(part for part in (wanted.title, window(wanted.date_from, wanted.date_to)) if part)


def window(start: str, end: str) -> str:
    """`3 Nov 2025`, `1 Jan to 31 Dec 2025`, or empty."""
    days = [day(one) for one in (start, end) if one]
    if len(days) < 2 or days[0] == days[1]:
        return days[0] if days else ""
    first, last = days[0].split(" "), days[1].split(" ")
    return f"{' '.join(first[:2]) if first[2:] == last[2:] else days[0]} to {days[1]}"


def day(iso: str) -> str:
    try:
        return datetime.fromisoformat(iso).strftime("%-d %b %Y")
    except ValueError:
        return iso


def moment(at: datetime, now: datetime) -> str:
    """`Today 10:30`, `Yesterday 16:00`, `Tomorrow 07:30`, `4 Jun 07:30`, in the site's own time."""
    local, today = at.astimezone(), now.astimezone().date()
    away = (local.date() - today).days
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get(away)
    return f"{near or local.strftime('%-d %b' if local.year == today.year else '%-d %b %Y')} {local:%H:%M}"


def lasting(span: timedelta) -> str:
    """`46 min`, `3 h`, `1 h 14 min`, `2 days`."""
    minutes = max(1, round(abs(span.total_seconds()) / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if hours < 4 and rest else f"{hours} h"
    return f"{hours // 24} days"


def due(needed_by: datetime | None, state: State, now: datetime) -> Due:
    if needed_by is None:
        return Due()
    when, left = moment(needed_by, now), needed_by - now
    if state in (State.STORED, State.DECLINED, State.CANCELLED, State.EXPIRED):
        return Due(when)
    if left < timedelta():
        return Due(when, f"Overdue {lasting(left)}", "bad")
    return Due(when, f"in {lasting(left)}", "warn" if left <= SOON else "")


def wanted(request: ImageRequest) -> str:
    """`CT, Head. Images and report. Thin slices (1 mm or less).`"""
    asked = request.asked.wanted
    said = [", ".join(part for part in (asked.modality, asked.region) if part), "Images and report" if asked.report else "Images, no report"]
    said += ["Thin slices (1 mm or less)"] if asked.thin else []
    said += [f"All other {asked.region.lower()} studies too" if asked.region else "All other studies of this region too"] if asked.others else []
    return ". ".join(part for part in said if part) + "."


def steps(request: ImageRequest, history: Sequence[Happened], now: datetime) -> tuple[Step, ...]:
    """The way of a request, and how far it has come. One that ended otherwise says so in place of what will not come."""
    at = {one.after: _clock(one.at, now) for one in history if one.after != one.before}
    if request.state in (State.DECLINED, State.CANCELLED, State.EXPIRED):
        came = max((REACHED.get(one.before, 0) for one in history), default=0)
        ended = Step(STATES[request.state], "off", at.get(request.state, ""))
        return (*(Step(STATES[state], "done", at.get(state, "")) for state in STEPS[:came]), ended)
    reached = REACHED[request.state]
    last = {State.STORED: "not yet", State.IN_REVIEW: ""}
    told = []
    for number, state in enumerate(STEPS, start=1):
        kind = "done" if number < reached or (number == reached and request.state is State.STORED) else "now" if number == reached else "to-come"
        word = STATES[request.state] if kind == "now" and request.state is State.STORED_IN_PART else STATES[state]
        told.append(Step(word, kind, at.get(state, "") if kind != "to-come" else last.get(state, "")))
    return tuple(told)


def still_missing(history: Sequence[Happened]) -> str:
    """What a reviewer wrote is missing or wrong, for whoever sent it; empty once they have sent more, or were asked anew."""
    for one in reversed(history):
        if one.action in (Act.STORE_PART, Act.REJECT):
            return one.note
        if one.action in (Act.SEND, Act.REOPEN, Act.SUBMIT):
            break
    return ""


def sentence(one: Happened, asked_of: str) -> str:
    """What happened, for the timeline and the desk's last event. The note is shown beside it."""
    by = one.name or WITHOUT_NAME[one.party]
    ours = one.party in (Party.STAFF, Party.REVIEWER)
    match one.action:
        case Act.SEND:
            return f"Requested by {by} from this chart" if one.party is Party.CLINICIAN else f"Sent by {by}"
        case Act.OPEN:
            return "Link opened and proof given" if one.party is Party.SENDER else f"Opened by {by}"
        case Act.ACCEPT:
            return f"Accepted by {asked_of}, written down by {by}" if ours else f"Accepted by {by}"
        case Act.DECLINE:
            return f"Declined by {asked_of}, written down by {by}" if ours else f"Declined by {by}"
        case Act.STORE:
            return "In the chart. Every image was read back from the archive."
        case Deed.ASSIGN:
            return f"{one.note or 'Nobody'} looks after it"
        case Deed.TELL:
            return one.note
    return _SENTENCES[one.action].format(by=by)


_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        Act.RECEIVE: "The first file is safely received", Act.SUBMIT: "All that they have is safely received. It is being checked.",
        Act.STORE_PART: "Stored in part", Act.REJECT: "What came was not what was asked for", Act.REOPEN: "Asked again by {by}", Act.CANCEL: "Cancelled by {by}",
        Act.WITHDRAW: "What was stored was taken out of view again by {by}", Act.SUPERSEDE: "What was stored was taken out of view again by {by}; another request asks for it",
        Act.EXPIRE: "Expired: there was no answer in time", Deed.DRAFT: "Saved for the desk by {by}", Deed.NOTE: "Note by {by}", Deed.MOVE: "Needed by another time, says {by}", Deed.REMIND: "Reminded by {by}",
        Deed.READDRESS: "Addressed by {by}", Deed.FOLLOW: "The appointment it hangs on has changed",
    }
)  # fmt: skip
QUOTED = frozenset({Act.WITHDRAW, Act.SUPERSEDE, Act.ACCEPT, Act.DECLINE, Act.REJECT, Act.STORE_PART, Act.REOPEN, Act.CANCEL, Deed.NOTE, Deed.MOVE, Deed.READDRESS, Deed.FOLLOW, Deed.REMIND})
"""Whose note stands under the sentence."""
EVENT_MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Act.SEND: ("send", "acc"), Act.OPEN: ("mail", "acc"), Act.ACCEPT: ("ok", "ok"), Act.DECLINE: ("bad", "bad"), Act.RECEIVE: ("up", "acc"), Act.SUBMIT: ("up", "acc"),
        Act.STORE: ("ok", "ok"), Act.STORE_PART: ("part", "warn"), Act.REJECT: ("bad", "warn"), Act.REOPEN: ("again", "acc"), Act.CANCEL: ("x", "m2"),
        Act.WITHDRAW: ("bad", "bad"), Act.SUPERSEDE: ("x", "bad"),
        Act.EXPIRE: ("clock", "bad"), Deed.REMIND: ("mail", "m2"), Deed.MOVE: ("clock", "m2"), Deed.FOLLOW: ("clock", "warn"), Deed.ASSIGN: ("two", "m2"),
    }
)  # fmt: skip


def _clock(at: datetime, now: datetime) -> str:
    local = at.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else moment(at, now)
