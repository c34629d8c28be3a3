"""What stands on every page of the desk: who works here, the site and the time, and the views at the left with their counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app

from launch.context import LaunchContext
from smart_app.access import Action, may
from smart_app.audit.events import Who
from smart_app.clock import Clock
from smart_app.desk.people import People, Person
from smart_app.desk.saved import SavedView, SavedViews
from smart_app.desk.selection import STANDING, TITLES, WORK
from smart_app.image_requests import words
from smart_app.image_requests.queries import View, Work
from smart_app.image_requests.types import Actor, Party
from smart_app.jobs.ledger import Ledger
from smart_app.web import current_launch, current_roles, current_who

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Elsewhere:
    """A list of another part that the desk leads to, with how many wait there."""

    title: str
    path: str
    """Under the launch, for instance `intake?view=review`."""
    count: Callable[[], int]
    needs: Action = Action.WORK_DESK
    """Who may open it: to others it is not shown."""
    endpoint: str = ""
    """Of its page, where that may not be installed."""
    key: str = ""
    """Of the desk's own page for it, as `frame` is told."""
    is_loud: Callable[[], bool] = lambda: False
    """Whether something urgent is among it."""


@dataclass(frozen=True)
class Here:
    """Who is at the desk in this request."""

    ctx: LaunchContext
    who: Who
    actor: Actor
    person: str
    """Id of `People`."""


class Surroundings:
    """One a process. `elsewhere`: lists of other parts, shown among the work. `settings`: seconds of the page."""

    def __init__(
        self, work: Work, people: People, saved: SavedViews, ledger: Ledger, clock: Clock, *, site: str, watch_seconds: int, idle_seconds: int, elsewhere: tuple[Elsewhere, ...] = ()
    ) -> None:  # fmt: skip
        self._work, self.people, self.saved, self._ledger, self._clock = work, people, saved, ledger, clock
        self._site, self._watch, self._idle, self._elsewhere = site, watch_seconds, idle_seconds, elsewhere

    def here(self) -> Here:
        """Who asks. The desk acts as staff, whichever of its roles lets somebody in (`access.Action.WORK_DESK`)."""
        ctx, who = current_launch(), current_who()
        name = who.name or who.subject
        actor = Actor(Party.STAFF, who.issuer, who.subject, name, who.address, who.request_id, who.launch)
        return Here(ctx, who, actor, self.people.id_of(Person(who.issuer, who.subject, name)))

    def arrived(self, here: Here) -> None:
        """Somebody opened the desk: from now on work can be given to them."""
        self.people.seen(Person(here.actor.issuer, here.actor.subject, here.actor.name))

    def frame(self, here: Here, current: str, counts: Mapping[View, int] | None = None) -> dict[str, Any]:
        """For templates: `current` is the entry at the left that is open."""
        now, roles = self._clock(), current_roles()
        saved: tuple[SavedView, ...] = self.saved.of(here.person)
        usual = self._work.usual_time()
        return {
            "ctx": here.ctx, "site": self._site, "now": now, "today": in_full(now), "current": current, "saved": saved, "counts": counts or self._work.counts(here.actor),
            "titles": TITLES, "View": View, "work": WORK, "standing": STANDING, "attention": len(self._ledger.attention()), "words": words,
            "elsewhere": [(one.title, one.path, one.count(), one.key, one.is_loud()) for one in self._elsewhere if may(roles, one.needs) and (not one.endpoint or one.endpoint in current_app.view_functions)], "watch_seconds": self._watch, "idle_seconds": self._idle,
            "median": words.lasting(usual) if usual is not None else "",
        }  # fmt: skip


def in_full(at: datetime) -> str:
    """`Thursday 21 May 2026, 09:44`"""
    here = at.astimezone()
    return f"{DAYS[here.weekday()]} {here:%-d %b %Y, %H:%M}"
