"""The story of one request, ready to print: steps, what it waits for now, what happened. Pure; the chart and the desk show the same.

Every word is decided here, not in a template. `received` is said of bytes on our disk only, `in the chart` of images read back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smart_app.image_requests import words
from smart_app.image_requests.queries import Usual
from smart_app.image_requests.types import Happened, ImageRequest, RouteKind, State
from smart_app.image_requests.workflow import CLOSED

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Progress:
    """Bytes safely received, and how many there are to come; `total` 0: not known."""

    received: int
    total: int = 0

    @property
    def percent(self) -> int | None:
        return min(100, self.received * 100 // self.total) if self.total else None

    @property
    def words(self) -> str:
        return f"{_megabytes(self.received)} of {_megabytes(self.total)} MB" if self.total else f"{_megabytes(self.received)} MB"


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    at: str
    mark: str
    tone: str
    text: str
    quote: str = ""


@dataclass(frozen=True)
class Box:
    """What it waits for now: tone, mark, one bold sentence, one plain one."""

    tone: str
    mark: str
    title: str
    text: str


@dataclass(frozen=True)
class Story:
    request: ImageRequest
    heading: str
    """`Carotid duplex, 3 Nov 2025, from Harrow Vale Clinic`"""
    whom: str
    word: str
    mark: str
    tone: str
    steps: tuple[words.Step, ...]
    box: Box
    due: words.Due
    lines: tuple[Line, ...]
    """Newest first."""
    details: tuple[tuple[str, str], ...]
    progress: Progress | None
    is_open: bool


Told = Callable[[ImageRequest], Progress | None]


def story(request: ImageRequest, history: Sequence[Happened], usual: Usual | None, progress: Progress | None, now: datetime) -> Story:
    whom, due = words.whom(request), words.due(request.asked.needed_by, request.state, now)
    mark, tone = words.MARKS[request.state]
    receiving = progress if request.state is State.RECEIVING else None
    return Story(
        request=request,
        heading=f"{words.title(request)}, from {whom[0].lower() + whom[1:] if whom.startswith(('The ', 'A ')) else whom}",
        whom=whom,
        word=words.STATES[request.state],
        mark=mark,
        tone=tone,
        steps=words.steps(request, history, now),
        box=_box(request, whom, due, usual, receiving, history, now),
        due=due,
        lines=tuple(_line(one, whom, now) for one in reversed(history)),
        details=tuple(_details(request, whom, usual)),
        progress=receiving,
        is_open=request.state not in CLOSED,
    )


def _box(
    request: ImageRequest, whom: str, due: words.Due, usual: Usual | None, progress: Progress | None, history: Sequence[Happened], now: datetime
) -> Box:  # fmt: skip
    by_when = f" Needed by {_lower(due.when)}{f', {_lower(due.left)}' if due.left else ''}." if due.when else ""
    expected = f" They {usual.words.replace('usually', 'usually need')}." if usual else ""
    since = next((words.moment(one.at, now) for one in reversed(history) if one.after is request.state and one.before is not one.after), "")
    reason = f" “{request.reason}”" if request.reason else ""
    mine = "This page and the list change by themselves."
    match request.state:
        case State.DRAFT:
            return Box("warn", "clock", "Nothing has been sent yet", f"It waits for the image desk, which sends it.{by_when}")
        case State.SENT:
            what = "A sheet goes to" if request.asked.route.kind is RouteKind.FAX else "It was sent to"
            return Box("acc", "send", f"{whom} has not opened it yet", f"{what} {_lower_the(whom)}.{by_when}{expected} {mine}")
        case State.OPENED:
            return Box("acc", "mail", f"{whom} has opened it", f"Nothing has been sent yet.{by_when}{expected} {mine}")
        case State.ACCEPTED:
            return Box("acc", "ok", f"{whom} will send the images", f"Nothing has been received yet.{by_when}{expected} {mine}")
        case State.RECEIVING:
            title = f"{progress.words} safely received" if progress else "They are sending now"
            return Box("acc", "up", title, f"{whom} is sending now.{by_when} {mine}")
        case State.IN_REVIEW:
            return Box("ask", "ask", "What they sent is being checked", f"All of it is safely received. It is not in the chart until then.{by_when} {mine}")
        case State.STORED:
            return Box("ok", "ok", f"In the chart since {_lower(since)}" if since else "In the chart", "Every image that was kept was read back from the archive.")
        case State.STORED_IN_PART:
            return Box("warn", "part", "Stored in part", f"Some of it is in the chart, and some is still missing.{reason}{by_when}")
        case State.DECLINED:
            return Box("bad", "bad", f"Declined by {_lower_the(whom)}:{reason}" if reason else f"Declined by {_lower_the(whom)}", "Ask another hospital, or check the birth date.")
        case State.CANCELLED:
            return Box("info", "x", "This request was cancelled", f"Whoever opens its link is told so.{reason}")
        case State.EXPIRED:
            return Box("bad", "clock", f"{whom} did not answer in time", "Its link has ended. Ask again, or ask another hospital.")


def _line(one: Happened, whom: str, now: datetime) -> Line:
    mark, tone = words.EVENT_MARKS.get(one.action, ("info", "m2"))
    local = one.at.astimezone()
    at = f"{local:%H:%M}" if local.date() == now.astimezone().date() else words.moment(one.at, now)
    return Line(at, mark, tone, words.sentence(one, whom), one.note if one.action in words.QUOTED else "")


def _details(request: ImageRequest, whom: str, usual: Usual | None) -> list[tuple[str, str]]:
    asked = request.asked
    told = [("Owner", f"Image desk, {request.owner}" if request.owner else "Image desk"), ("Wanted", words.wanted(request)), ("Accession", asked.wanted.accession)]
    told += [("Missing here", asked.wanted.missing), ("Route", words.ROUTES[asked.route.kind].capitalize().replace("Fhir", "FHIR")), ("Urgency", words.URGENCIES[asked.urgency])]
    told += [("Why", asked.why), ("Basis", words.BASES[asked.basis]), ("Asked by", request.asked_by), ("Hangs on", asked.anchor.title if asked.anchor else "")]
    if usual:
        kept = f", {usual.on_time} of {usual.timed} on time" if usual.timed else ""
        told.append((whom, f"{usual.words[0].upper()}{usual.words[1:]}{kept}"))
    return [(label, value) for label, value in told if value]


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:] if said.startswith(("Today", "Tomorrow", "Yesterday", "Overdue")) else said


def _lower_the(whom: str) -> str:
    return whom[:1].lower() + whom[1:] if whom.startswith(("The ", "A ")) else whom


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:.1f}" if count < 10 * MEGABYTE else f"{count // MEGABYTE:,}"
