"""Does what the rules say: reminds, puts a request on the desk's list to phone, asks the next hospital, lets an old request expire.

Periodic work over what waits. A step and the row that says it was taken are one transaction, so that two sweeps take it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.dispatch import rules
from smart_app.dispatch.models import FollowUpRow
from smart_app.dispatch.rules import Done, Planned, Step
from smart_app.dispatch.sending import SYSTEM
from smart_app.dispatch.ways import Way, way_of
from smart_app.image_requests.models import RequestRow
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import Happened, ImageRequest, State
from smart_app.image_requests.workflow import TABLE, Act, Deed, NotAllowed
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job, Later, NeedsAttention

BY_HAND = "by-hand"
"""Kind of work that a person does: its key is `<request>.<event>.<reason>`; it is done once they wrote down what they did."""
EVERY_SECONDS = 60
OLD = timedelta(days=30)
"""Without a word for so long, and no longer needed by a time to come, a request expires."""


class FollowUp:
    """One a process; safe for threads. `tell_desk` writes to our own desk's mailbox."""

    def __init__(
        self, db: Database, requests: Requests, ledger: Ledger, clock: Clock, tell_desk: Callable[[Job, ImageRequest, str], None], *, tenant: str, mails: bool
    ) -> None:
        self._db, self._requests, self._ledger, self._clock = db, requests, ledger, clock
        self._tell_desk, self._tenant, self._mails = tell_desk, tenant, mails

    def sweep(self, job: Job) -> None:
        """Take each step that is due."""
        now = self._clock()
        done = self._done()
        for id in self._waiting(now):
            job.heartbeat()
            with suppress(NoSuchRequest, NotAllowed):
                self._follow(id, done[id], now)
        for stuck in self._ledger.attention():
            if stuck.kind == BY_HAND and self._is_settled(stuck.key):
                self._ledger.again(BY_HAND, stuck.key)

    def by_hand(self, job: Job) -> None:
        """:raises NeedsAttention: nobody has done it yet."""
        id, _, reason = job.key.split(".", 2)
        if self._is_settled(job.key):
            return
        if reason in ("call-them", "ask-another"):
            # The list is the truth; the letter only points to it.
            with suppress(Later, NeedsAttention):
                self._tell_desk(job, self._requests.get(id), reason)
        raise NeedsAttention(reason)

    def ahead(self, request: ImageRequest, history: Sequence[Happened]) -> tuple[Planned, ...]:
        """What will be done if nothing comes, for the request's page."""
        return rules.ahead(request, history, [*self._done(request.id)[request.id], *_reminders(history)], by_mail=self._by_mail(request))

    def _follow(self, id: str, done: list[Done], now: datetime) -> None:
        request, history = self._requests.get(id), self._requests.history(id)
        plans = rules.due(request, history, [*done, *_reminders(history)], now, by_mail=self._by_mail(request))
        for plan in plans:
            with self._db.transaction() as session:
                if self._is_first(session, request, plan):
                    self._take(session, request, history, plan)
        quiet = rules.silence(history)
        if quiet and now - quiet.began_at > OLD and (request.asked.needed_by or now) <= now and request.state in TABLE[Act.EXPIRE].sources:
            self._requests.act(id, Act.EXPIRE, SYSTEM)

    def _take(self, session: Session, request: ImageRequest, history: tuple[Happened, ...], plan: Planned) -> None:
        match plan.rule.step:
            case Step.REMIND:
                self._requests.remind(request.id, SYSTEM, session=session)
            case Step.PHONE:
                number = request.facility.phone if request.facility else ""
                self._requests.tell(request.id, f"No answer in time. On the desk's list to phone{': ' + number if number else ''}.", SYSTEM, session=session)
                self._flag(session, request, history, "call-them")
            case Step.SECOND:
                self._second(session, request, history)

    def _second(self, session: Session, request: ImageRequest, history: tuple[Happened, ...]) -> None:
        """A draft of the same case was put there by a person for this patient and these images: it is next in line."""
        case = self._requests.of_case(request.asked.case)
        following = next((one for one in case if one.state is State.DRAFT and one.asked.is_addressed), None)
        if following is None:
            if any(one.state not in (State.DECLINED, State.CANCELLED, State.EXPIRED) for one in case if one.id != request.id):
                return  # another hospital of the case is being asked
            self._requests.tell(request.id, "No answer in time, and no other hospital is lined up. On the desk's list.", SYSTEM, session=session)
            self._flag(session, request, history, "ask-another")
            return
        name = following.facility.name if following.facility else "the patient"
        self._requests.tell(request.id, f"No answer in time: {name} is asked too ({following.id}).", SYSTEM, session=session)
        self._requests.act(following.id, Act.SEND, SYSTEM, session=session)

    def _flag(self, session: Session, request: ImageRequest, history: tuple[Happened, ...], reason: str) -> None:
        self._ledger.add(session, BY_HAND, f"{request.id}.{history[-1].sequence}.{reason}")

    def _is_settled(self, key: str) -> bool:
        id, event, _ = key.split(".", 2)
        try:
            request = self._requests.get(id)
        except NoSuchRequest:
            return True
        return request.state not in rules.WAITING or rules.answered(self._requests.history(id), int(event))

    def _is_first(self, session: Session, request: ImageRequest, plan: Planned) -> bool:
        insert = sqlite_insert if self._db.is_sqlite else postgresql_insert
        values = {"request": request.id, "step": plan.rule.step.value, "slot": plan.slot, "rule": plan.rule.name, "since": plan.since, "at": plan.at}
        return session.scalar(insert(FollowUpRow).values(values).on_conflict_do_nothing().returning(FollowUpRow.request)) is not None

    def _waiting(self, now: datetime) -> list[str]:
        """Those for which a rule may be due, by what the rows say plainly."""
        states = [one.value for one in rules.WAITING]
        with self._db.reading() as session:
            asked = select(RequestRow.id, RequestRow.urgency, RequestRow.created_at, RequestRow.needed_by).where(RequestRow.tenant == self._tenant, RequestRow.state.in_(states))
            return [row.id for row in session.execute(asked) if rules.may_be_due(row.urgency, row.created_at, row.needed_by, now)]

    def _done(self, request: str = "") -> dict[str, list[Done]]:
        found: dict[str, list[Done]] = defaultdict(list)
        with self._db.reading() as session:
            asked = select(FollowUpRow)
            if request:
                asked = asked.where(FollowUpRow.request == request)
            else:
                open_ones = select(RequestRow.id).where(RequestRow.tenant == self._tenant, RequestRow.state.in_([one.value for one in rules.WAITING]))
                asked = asked.where(FollowUpRow.request.in_(open_ones))
            for row in session.scalars(asked):
                found[row.request].append(Done(Step(row.step), row.since, row.at))
        return found

    def _by_mail(self, request: ImageRequest) -> bool:
        return self._mails and way_of(request).way is Way.MAIL


def _reminders(history: Sequence[Happened]) -> list[Done]:
    """Those that people sent count too."""
    since, found = 0, []
    for one in history:
        if one.action in rules.STARTS:
            since = one.sequence
        elif one.action == Deed.REMIND.value:
            found.append(Done(Step.REMIND, since, one.at))
    return found
