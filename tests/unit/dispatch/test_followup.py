"""Time passes: reminders, the phone, the next hospital; each once, whoever sweeps and however often, and each in the request's story."""

from __future__ import annotations

import threading
from dataclasses import replace

from sqlalchemy import func, select

from smart_app.audit.models import AuditRecord
from smart_app.dispatch.models import FollowUpRow
from smart_app.image_requests.types import Party, Route, RouteKind, State, Urgency
from smart_app.image_requests.workflow import Act, Deed
from smart_app.jobs.types import Job
from tests.unit.dispatch.correspondence import BRANNOC, DESK, HARROW, SENDER, STAFF, Office, asked

TO = HARROW.routes[0].address
STROKE = asked(urgency=Urgency.EMERGENCY)


def test_a_silent_hospital_is_reminded_phoned_and_passed_by(office: Office) -> None:
    id = office.ask(replace(STROKE, case="C1"))
    draft = office.ask(replace(STROKE, case="C1", route=BRANNOC.routes[0], facility=BRANNOC.id), send=False)
    office.work()
    for _ in range(40):
        office.later(minutes=1)
    assert office.mail(TO) == [(TO, "Images asked for"), (TO, "Reminder: images asked for")]
    assert office.mail("library@brannoc.example") == [("library@brannoc.example", "Images asked for")]
    assert office.requests.get(draft).state is State.SENT
    assert office.requests.get(id).reminded == 1
    said = office.story(id)
    assert "No answer in time. On the desk's list to phone: 555 0198." in said
    assert f"No answer in time: St Brannoc is asked too ({draft})." in said
    assert ("by-hand", "call-them") in office.stuck()
    assert (DESK, "Please look at") in office.mail(DESK)


def test_quiet_once_answered(office: Office) -> None:
    id = office.ask(STROKE)
    office.work()
    office.later(minutes=5)
    for act in (Act.OPEN, Act.RECEIVE, Act.SUBMIT):
        office.act(id, act, SENDER)
    for _ in range(10):
        office.later(hours=12)
    assert office.mail(TO) == [(TO, "Images asked for")]
    assert not office.stuck()


def test_a_call_that_was_made_leaves_the_list(office: Office) -> None:
    id = office.ask(STROKE)
    office.work()
    office.later(minutes=21)
    assert ("by-hand", "call-them") in office.stuck()
    office.requests.note(id, "Phoned at 07:41: they look for it", STAFF)
    office.later(minutes=1)
    assert ("by-hand", "call-them") not in office.stuck()


def test_with_nobody_lined_up_the_desk_chooses(office: Office) -> None:
    office.ask(STROKE)
    office.work()
    office.later(minutes=31)
    assert ("by-hand", "ask-another") in office.stuck()


def test_with_another_hospital_already_asked_nobody_is_bothered(office: Office) -> None:
    office.ask(replace(STROKE, case="C1"))
    office.ask(replace(STROKE, case="C1", route=BRANNOC.routes[0], facility=BRANNOC.id))
    office.work()
    office.later(minutes=31)
    assert ("by-hand", "ask-another") not in office.stuck()


def test_a_reminder_by_hand_counts_for_the_day(office: Office) -> None:
    id = office.ask(asked(urgency=Urgency.TODAY))
    office.work()
    office.later(hours=1)
    for _ in range(3):
        office.requests.remind(id, STAFF)
        office.work()
    office.later(hours=1, minutes=30)
    assert office.mail(TO) == [(TO, "Images asked for"), (TO, "Reminder: images asked for")]
    office.later(hours=24)
    assert len(office.mail(TO)) == 3


def test_a_sheet_is_not_reminded_by_mail(office: Office) -> None:
    office.ask(asked(Route(RouteKind.FAX, "555 0199"), urgency=Urgency.TODAY))
    office.work()
    office.later(hours=5)
    assert not [one for one in office.mail() if one[0] != DESK]
    assert {("by-hand", "sheet-to-fax"), ("by-hand", "call-them"), ("by-hand", "ask-another")} == set(office.stuck())


def test_sweeps_at_once_take_each_step_once(office: Office) -> None:
    id = office.ask(STROKE)
    office.work()
    office.clock.forward(minutes=40)
    faults: list[BaseException] = []

    def sweep() -> None:
        try:
            office.follow_up.sweep(Job("follow-up", "x", 1, lambda: None))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=sweep) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not faults
    with office.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(FollowUpRow)) == 3
    reminded = [one for one in office.requests.history(id) if one.action == Deed.REMIND.value]
    assert [(one.party, one.name) for one in reminded] == [(Party.SYSTEM, "Priors")]
    assert len(office.story(id)) == 3  # handed over, phone, another hospital


def test_a_step_that_could_not_be_written_down_was_not_taken(office: Office) -> None:
    id = office.ask(STROKE)
    office.work()
    office.clock.forward(minutes=16)
    real = office.requests.remind

    def broken(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]
        raise RuntimeError("killed before the end of the transaction")

    office.requests.remind = broken  # type: ignore[method-assign]
    try:
        office.follow_up.sweep(Job("follow-up", "x", 1, lambda: None))
    except RuntimeError:
        office.requests.remind = real  # type: ignore[method-assign]
    assert office.requests.get(id).reminded == 0
    office.later(minutes=1)
    assert office.requests.get(id).reminded == 1
    assert office.mail(TO)[-1] == (TO, "Reminder: images asked for")


def test_what_nobody_waits_for_any_more_expires(office: Office) -> None:
    id = office.ask(asked(urgency=Urgency.ROUTINE))
    office.work()
    office.later(days=31)
    office.work()
    assert office.requests.get(id).state is State.EXPIRED
    assert office.mail(TO)[-1] == (TO, "No longer needed")
    with office.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditRecord)) >= len(office.requests.history(id))


def test_what_will_be_done_can_be_told(office: Office) -> None:
    id = office.ask(STROKE)
    office.work()
    assert [plan.rule.step.value for plan in office.follow_up.ahead(office.requests.get(id), office.requests.history(id))] == ["remind", "phone", "second"]
    office.later(minutes=16)
    assert [plan.rule.step.value for plan in office.follow_up.ahead(office.requests.get(id), office.requests.history(id))] == ["phone", "second"]
