"""J8 and statement 4: what is done when nothing comes, by the clock; quiet once something did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.dispatch import rules
from smart_app.dispatch.rules import RULES, WAITING, Done, Step
from smart_app.image_requests.types import Happened, ImageRequest, Party, State, Urgency
from smart_app.image_requests.workflow import CLOSED, Act, Deed
from tests.unit.dispatch.correspondence import AT, asked, request

SENT = Happened(1, AT, Party.CLINICIAN, "Dr S. Halloran", Act.SEND.value, State.DRAFT, State.SENT)


def of(urgency: Urgency, needed: timedelta | None = None, state: State = State.SENT) -> ImageRequest:
    return request(asked(urgency=urgency, needed_by=AT + needed if needed else None), state=state)


def told(one: ImageRequest, history: tuple[Happened, ...] = (SENT,), done: tuple[Done, ...] = (), *, by_mail: bool = True) -> list[tuple[str, str]]:
    return [(plan.rule.step.value, f"{plan.at:%d %H:%M}") for plan in rules.ahead(one, history, done, by_mail=by_mail)]


def due(one: ImageRequest, now: datetime, history: tuple[Happened, ...] = (SENT,), done: tuple[Done, ...] = (), *, by_mail: bool = True) -> list[str]:
    return [plan.rule.step.value for plan in rules.due(one, history, done, now, by_mail=by_mail)]


def test_a_stroke_by_the_clock() -> None:
    """Asked at 07:20, needed at 08:30: who stays silent is reminded, phoned and passed by within half an hour."""
    assert told(of(Urgency.EMERGENCY, timedelta(minutes=70))) == [("remind", "21 07:35"), ("phone", "21 07:40"), ("second", "21 07:50")]
    accepted = Happened(2, AT + timedelta(minutes=6), Party.SENDER, "", Act.ACCEPT.value, State.SENT, State.ACCEPTED)
    assert told(of(Urgency.EMERGENCY, timedelta(minutes=70), State.ACCEPTED), (SENT, accepted)) == [("phone", "21 07:56"), ("remind", "21 08:00"), ("second", "21 08:15")]


def test_today_and_routine_by_the_clock() -> None:
    assert told(of(Urgency.TODAY)) == [("remind", "21 09:20"), ("phone", "21 10:20"), ("second", "21 11:20")]
    assert told(of(Urgency.ROUTINE)) == [("remind", "22 07:20"), ("phone", "25 07:20"), ("second", "27 07:20")]
    assert told(of(Urgency.ROUTINE, timedelta(days=2))) == [("remind", "22 07:20"), ("phone", "23 03:20"), ("second", "23 04:20")]


def test_who_has_hardly_been_asked_is_not_reminded_yet() -> None:
    soon = of(Urgency.EMERGENCY, timedelta(minutes=5))
    assert not due(soon, AT + timedelta(minutes=9))
    assert due(soon, AT + timedelta(minutes=10)) == ["remind", "phone", "second"]


def test_without_mail_there_is_no_reminder_but_a_phone_call() -> None:
    assert [step for step, _ in told(of(Urgency.TODAY), by_mail=False)] == ["phone", "second"]


@pytest.mark.parametrize("state", [*sorted(CLOSED), State.IN_REVIEW, State.DRAFT])
def test_once_answered_all_are_quiet(state: State) -> None:
    for urgency in Urgency:
        assert not told(of(urgency, timedelta(hours=1), state))
        assert not due(of(urgency, timedelta(hours=1), state), AT + timedelta(days=90))


def test_what_was_late_is_done_once() -> None:
    """The worker stood still for four days: one reminder, one call; and the next reminder not on the same day."""
    now = AT + timedelta(days=4, hours=1)
    assert due(of(Urgency.ROUTINE), now) == ["remind", "phone"]
    done = (Done(Step.REMIND, 1, now), Done(Step.PHONE, 1, now))
    assert not due(of(Urgency.ROUTINE), now + timedelta(minutes=1), done=done)
    assert due(of(Urgency.ROUTINE), now + timedelta(days=3), done=done) == ["second"]


def test_a_new_silence_has_its_own_steps_but_one_reminder_a_day() -> None:
    done = tuple(Done(step, 1, AT + timedelta(minutes=30)) for step in Step)
    opened = Happened(2, AT + timedelta(minutes=40), Party.SENDER, "", Act.OPEN.value, State.SENT, State.OPENED)
    later = of(Urgency.EMERGENCY, state=State.OPENED)
    assert due(later, AT + timedelta(minutes=90), (SENT, opened), done) == ["phone", "second"]
    assert "remind" in due(later, AT + timedelta(days=1), (SENT, opened), done)


def test_a_moved_time_moves_the_steps() -> None:
    moved = Happened(2, AT + timedelta(hours=1), Party.SYSTEM, "", Deed.MOVE.value, State.SENT, State.SENT)
    assert told(of(Urgency.TODAY, timedelta(hours=30)), (SENT, moved)) == [("remind", "21 10:20"), ("phone", "21 11:20"), ("second", "21 12:20")]


def test_what_a_person_writes_down_settles_what_was_for_a_person() -> None:
    tell = Happened(2, AT, Party.SYSTEM, "Priors", Deed.TELL.value, State.SENT, State.SENT, "On the desk's list")
    note = Happened(3, AT, Party.STAFF, "T. Amsel", Deed.NOTE.value, State.SENT, State.SENT, "They look for it")
    assert not rules.answered((SENT, tell), 1)
    assert rules.answered((SENT, tell, note), 1)
    assert not rules.answered((SENT, tell, note), 3)


@given(
    urgency=st.sampled_from(Urgency), state=st.sampled_from(State), needed=st.none() | st.integers(-5_000, 20_000), passed=st.integers(0, 60 * 24 * 40),
    by_mail=st.booleans(), stamps=st.lists(st.tuples(st.sampled_from(Step), st.integers(0, 60 * 24 * 40)), max_size=6),
)  # fmt: skip
def test_no_step_is_due_twice(urgency: Urgency, state: State, needed: int | None, passed: int, by_mail: bool, stamps: list[tuple[Step, int]]) -> None:
    one, now = of(urgency, timedelta(minutes=needed) if needed else None, state), AT + timedelta(minutes=passed)
    done = tuple(Done(step, 1, AT + timedelta(minutes=at)) for step, at in stamps if at <= passed)
    plans = rules.due(one, (SENT,), done, now, by_mail=by_mail)
    assert len({plan.rule.step for plan in plans}) == len(plans)
    again = (*done, *(Done(plan.rule.step, plan.since, now) for plan in plans))
    assert not rules.due(one, (SENT,), again, now, by_mail=by_mail)
    for plan in plans:
        assert state in WAITING
        assert by_mail or plan.rule.step is not Step.REMIND
        assert rules.may_be_due(urgency.value, AT, one.asked.needed_by, now), "the cheap question never hides one that is due"
        if plan.rule.step is Step.REMIND:
            assert not [old for old in done if old.step is Step.REMIND and old.at.date() == now.date()]
        else:
            assert not [old for old in done if old.step is plan.rule.step]


def test_the_table_covers_every_urgency_and_names_each_rule_once() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for urgency in Urgency:
        mine = [rule for rule in RULES if urgency in rule.urgencies]
        assert {rule.step for rule in mine} == set(Step)
        assert all((rule.after is None) != (rule.before is None) for rule in mine)
    assert rules.ahead(replace(of(Urgency.TODAY)), (), (), by_mail=True) == ()
