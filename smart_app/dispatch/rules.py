"""When somebody is reminded, when a person must phone, when the next hospital is asked: a table, and what it says of one request. Pure.

A silence begins with the last thing that the other side did, or that set the clock anew. In one silence a person is sent to the phone
once and the next hospital is asked once; a reminder goes out once a day at most (safety.md J8). Once something is in review, all are quiet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from smart_app.image_requests.types import Happened, ImageRequest, Party, State, Urgency
from smart_app.image_requests.workflow import Act, Deed

E, T, R = Urgency.EMERGENCY, Urgency.TODAY, Urgency.ROUTINE
ALL = frozenset(Urgency)
SILENT = frozenset({State.SENT, State.OPENED})
"""They have not said a word."""
UNDER_WAY = frozenset({State.ACCEPTED, State.RECEIVING, State.STORED_IN_PART})
"""They have said yes, and not all is here."""
WAITING = SILENT | UNDER_WAY
STARTS = frozenset({Act.SEND, Act.REOPEN, Act.OPEN, Act.ACCEPT, Act.RECEIVE, Act.STORE_PART, Act.REJECT, Deed.MOVE, Deed.FOLLOW})
"""What begins a silence."""


class Step(StrEnum):
    REMIND = "remind"
    """The same link again, by e-mail."""
    PHONE = "phone"
    """A person phones: it is on the desk's list."""
    SECOND = "second"
    """The next hospital of the case is asked, or a person chooses one."""


@dataclass(frozen=True)
class Rule:
    """`after` the silence began, or `before` the images are needed, whichever is given."""

    name: str
    step: Step
    states: frozenset[State]
    urgencies: frozenset[Urgency]
    after: timedelta | None = None
    before: timedelta | None = None


def _m(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


RULES = (
    Rule("emergency-remind", Step.REMIND, SILENT, frozenset({E}), after=_m(15)),
    Rule("emergency-phone", Step.PHONE, SILENT, frozenset({E}), after=_m(20)),
    Rule("emergency-second", Step.SECOND, SILENT, frozenset({E}), after=_m(30)),
    Rule("emergency-phone-under-way", Step.PHONE, UNDER_WAY, frozenset({E}), after=_m(30)),
    Rule("emergency-remind-due", Step.REMIND, WAITING, frozenset({E}), before=_m(30)),
    Rule("emergency-phone-due", Step.PHONE, WAITING, frozenset({E}), before=_m(20)),
    Rule("emergency-second-due", Step.SECOND, WAITING, frozenset({E}), before=_m(15)),
    Rule("today-remind", Step.REMIND, SILENT, frozenset({T}), after=_h(2)),
    Rule("today-phone", Step.PHONE, SILENT, frozenset({T}), after=_h(3)),
    Rule("today-second", Step.SECOND, SILENT, frozenset({T}), after=_h(4)),
    Rule("today-remind-under-way", Step.REMIND, UNDER_WAY, frozenset({T}), after=_h(4)),
    Rule("today-phone-under-way", Step.PHONE, UNDER_WAY, frozenset({T}), after=_h(6)),
    Rule("today-remind-due", Step.REMIND, WAITING, frozenset({T}), before=_h(2)),
    Rule("today-phone-due", Step.PHONE, WAITING, frozenset({T}), before=_h(1)),
    Rule("today-second-due", Step.SECOND, WAITING, frozenset({T}), before=_m(45)),
    Rule("remind", Step.REMIND, SILENT, frozenset({R}), after=_h(24)),
    Rule("remind-again", Step.REMIND, SILENT, frozenset({R}), after=_h(72)),
    Rule("phone", Step.PHONE, SILENT, frozenset({R}), after=_h(96)),
    Rule("second", Step.SECOND, SILENT, frozenset({R}), after=_h(144)),
    Rule("remind-under-way", Step.REMIND, UNDER_WAY, frozenset({R}), after=_h(48)),
    Rule("phone-under-way", Step.PHONE, UNDER_WAY, frozenset({R}), after=_h(120)),
    Rule("remind-due", Step.REMIND, WAITING, frozenset({R}), before=_h(24)),
    Rule("phone-due", Step.PHONE, WAITING, frozenset({R}), before=_h(4)),
    Rule("second-due", Step.SECOND, WAITING, frozenset({R}), before=_h(3)),
)
GRACE = {E: _m(10), T: _m(45), R: _h(4)}
"""A rule that looks at the time of need leaves them so much time to answer first."""


@dataclass(frozen=True)
class Silence:
    """Since when, and by which event (`since`), nothing came."""

    since: int
    began_at: datetime


@dataclass(frozen=True)
class Done:
    """A step that was taken, in which silence."""

    step: Step
    since: int
    at: datetime


@dataclass(frozen=True)
class Planned:
    """A step to take at a time, if nothing comes."""

    rule: Rule
    at: datetime
    since: int

    @property
    def slot(self) -> str:
        """What there is one of: a day for reminders, a silence for the rest."""
        return f"{self.at:%Y-%m-%d}" if self.rule.step is Step.REMIND else str(self.since)


def silence(history: Sequence[Happened]) -> Silence | None:
    """The present silence; None before it was ever sent."""
    last = next((one for one in reversed(history) if one.action in STARTS), None)
    return Silence(last.sequence, last.at) if last is not None else None


def ahead(request: ImageRequest, history: Sequence[Happened], done: Collection[Done], *, by_mail: bool) -> tuple[Planned, ...]:
    """What will be done if nothing comes, in the order of time, each step once: for the timeline. `by_mail`: a reminder can be sent."""
    first: dict[Step, Planned] = {}
    for plan in _plans(request, history, by_mail=by_mail):
        if not _is_done(plan, done) and not _same_day(plan.at, plan.rule.step, done):
            first.setdefault(plan.rule.step, plan)
    return tuple(first.values())


def due(request: ImageRequest, history: Sequence[Happened], done: Collection[Done], now: datetime, *, by_mail: bool) -> tuple[Planned, ...]:
    """What is to be done now, each step once however many of its rules are late."""
    last: dict[Step, Planned] = {}
    for plan in _plans(request, history, by_mail=by_mail):
        if plan.at <= now and not _is_done(plan, done) and not _same_day(now, plan.rule.step, done):
            last[plan.rule.step] = Planned(plan.rule, now, plan.since)
    return tuple(last.values())


def may_be_due(urgency: str, created_at: datetime, needed_by: datetime | None, now: datetime) -> bool:
    """Whether it is worth reading the whole request: some rule's time can have come."""
    mine = [rule for rule in RULES if urgency in rule.urgencies]
    after = min((rule.after for rule in mine if rule.after is not None), default=None)
    before = max((rule.before for rule in mine if rule.before is not None), default=None)
    return (after is not None and created_at + after <= now) or (before is not None and needed_by is not None and needed_by - before <= now)


def answered(history: Sequence[Happened], after: int) -> bool:
    """Whether, after event `after`, the other side did something or one of us wrote down what they did about it."""
    ours = (Party.CLINICIAN, Party.STAFF, Party.REVIEWER)
    return any(one.sequence > after and (one.action in STARTS or one.party in ours or one.before is not one.after) for one in history)


def _plans(request: ImageRequest, history: Sequence[Happened], *, by_mail: bool) -> list[Planned]:
    quiet = silence(history)
    if quiet is None or request.state not in WAITING:
        return []
    rules = (rule for rule in RULES if by_mail or rule.step is not Step.REMIND)
    return sorted((Planned(rule, at, quiet.since) for rule in rules if (at := _when(rule, request, quiet)) is not None), key=lambda one: one.at)


def _is_done(plan: Planned, done: Collection[Done]) -> bool:
    """A reminder counts for the rules whose time had come by then; the others are done once in a silence."""
    return any(one.step is plan.rule.step and one.since == plan.since and (one.step is not Step.REMIND or one.at >= plan.at) for one in done)


def _same_day(at: datetime, step: Step, done: Collection[Done]) -> bool:
    return step is Step.REMIND and any(one.step is step and one.at.date() == at.date() for one in done)


def _when(rule: Rule, request: ImageRequest, quiet: Silence) -> datetime | None:
    if request.state not in rule.states or request.asked.urgency not in rule.urgencies:
        return None
    if rule.after is not None:
        return quiet.began_at + rule.after
    needed_by = request.asked.needed_by
    if rule.before is None or needed_by is None:
        return None
    return max(needed_by - rule.before, quiet.began_at + GRACE[request.asked.urgency])
