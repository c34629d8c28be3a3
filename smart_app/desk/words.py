"""How the desk says where a request stands, by when it is due and how it was asked. Pure; design.md sections 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_app.image_requests.types import Route, RouteKind, State

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STEPS = 6


@dataclass(frozen=True)
class Standing:
    """A state in the words, mark and steps of the desk."""

    word: str
    mark: str
    """Name of its icon."""
    tone: str
    """Class of its colour."""
    steps: int
    """How many of the six steps are done."""


STANDINGS = {
    State.DRAFT: Standing("Not sent yet", "clock", "m2", 0),
    State.SENT: Standing("Sent", "mail", "m2", 1),
    State.OPENED: Standing("Opened", "mail", "acc", 2),
    State.ACCEPTED: Standing("Accepted", "ok", "ok", 3),
    State.RECEIVING: Standing("Receiving", "up", "acc", 4),
    State.IN_REVIEW: Standing("To review", "ask", "ask", 5),
    State.STORED: Standing("In the chart", "ok", "ok", 6),
    State.STORED_IN_PART: Standing("Stored in part", "part", "warn", 5),
    State.DECLINED: Standing("Declined", "bad", "bad", 1),
    State.CANCELLED: Standing("Cancelled", "x", "m2", 0),
    State.EXPIRED: Standing("Expired", "clock", "warn", 1),
}
ROUTES = {RouteKind.EMAIL: "E-mail link", RouteKind.FAX: "Fax sheet", RouteKind.FHIR: "FHIR task", RouteKind.PATIENT: "The patient, by link"}


@dataclass(frozen=True)
class Due:
    """When something is needed. `tone` is `bad` once it is late, `warn` in its last hour."""

    when: str
    left: str
    tone: str
    iso: str


def route_word(route: Route) -> str:
    return "Paper for the patient" if route.kind is RouteKind.PATIENT and not route.address else ROUTES[route.kind]


def due(needed_by: datetime | None, now: datetime, *, waits: bool) -> Due:
    """`waits`: somebody still waits for it; what is closed is never late."""
    if needed_by is None:
        return Due("No due time", "", "", "")
    left = needed_by - now
    if not waits:
        return Due(moment(needed_by, now), "", "", "")
    iso = needed_by.isoformat(timespec="seconds")
    if left < timedelta():
        return Due(moment(needed_by, now), f"Overdue {span(-left)}", "bad", iso)
    return Due(moment(needed_by, now), f"in {span(left)}", "warn" if left < timedelta(hours=1) else "", iso)


def moment(at: datetime, now: datetime) -> str:
    """`Today 10:30`, `Yesterday 16:00`, `29 May 16:00`, with the year when it is another one; in the clock of this site."""
    at, now = at.astimezone(), now.astimezone()
    days = (at.date() - now.date()).days
    if -1 <= days <= 1:
        day = ("Yesterday", "Today", "Tomorrow")[days + 1]
    else:
        day = f"{at.day} {MONTHS[at.month - 1]}" + (f" {at.year}" if at.year != now.year else "")
    return f"{day} {at:%H:%M}"


def span(length: timedelta) -> str:
    """`46 min`, `1 h 14 min`, `17 h`, `3 days`: as it is said."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 2 and rest:
        return f"{hours} h {rest} min"
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def birth(iso: str | None) -> str:
    """`9 Aug 1951`; what is no full date is shown as it was given."""
    try:
        year, month, day = (int(part) for part in (iso or "").split("-"))
        return f"{day} {MONTHS[month - 1]} {year}"
    except (ValueError, IndexError):
        return iso or "birth date unknown"
