"""A change of a request is one transaction: row, event, audit and work, on both engines; and an identical request is shown, not made."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.queries import Filter, Work
from smart_app.image_requests.service import AlreadyAsked, ChangedMeanwhile, NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, Anchor, Facility, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.models import WorkRow
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

PATIENT = Patient("northgate", "p1", "CANARY, Rosalind Jane", "CANARY", "Rosalind Jane", "1951-08-09", "Female", "40771953")
KESTREL = Facility("kestrel", "Kestrel Valley", "Harrow", (Route(RouteKind.EMAIL, "images@kestrel.example"),))
NEW = NewRequest(PATIENT, Wanted("CT head", "CT", accession="KV-1"), KESTREL.routes[0], KESTREL.id)
STAFF, SENDER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.SENDER, name="Kestrel Valley")


SYSTEM = Actor(Party.SYSTEM)


@pytest.fixture
def requests(database: Database, keyring: Keyring) -> Requests:
    clock = MovingClock()
    facilities = Facilities(database, keyring, clock, tenant="t")
    facilities.save(KESTREL)
    return Requests(database, keyring, AuditLog(database, keyring, clock), Ledger(database, clock), facilities, clock, tenant="t")


def test_a_request_is_made_sent_and_told_with_its_work_and_audit(requests: Requests, database: Database) -> None:
    made = requests.create(NEW, STAFF)
    assert (made.state, made.version, made.asked, made.facility, made.asked_by) == (State.SENT, 1, NEW, KESTREL, "T. Amsel")
    requests.act(made.id, Act.OPEN, SENDER)
    requests.act(made.id, Act.DECLINE, SENDER, reason="No such patient here", version=2)
    assert [(one.party, one.before, one.after, one.note) for one in requests.history(made.id)] == [
        (Party.STAFF, State.DRAFT, State.SENT, ""),
        (Party.SENDER, State.SENT, State.OPENED, ""),
        (Party.SENDER, State.OPENED, State.DECLINED, "No such patient here"),
    ]
    with database.reading() as session:
        assert {tuple(row) for row in session.execute(select(WorkRow.kind, WorkRow.key))} == {
            ("dispatch", f"{made.id}.1"), ("mirror", f"{made.id}.1"), ("mirror", f"{made.id}.2"), ("tell", f"{made.id}.3"), ("mirror", f"{made.id}.3"),
        }  # fmt: skip
        assert [(one.event, one.patient) for one in session.scalars(select(AuditRecord).order_by(AuditRecord.sequence))] == [("RequestChanged", "p1")] * 3
    with database.engine.connect() as connection:
        for table in ("image_requests", "request_events", "facilities"):
            assert b"CANARY" not in repr(connection.execute(text(f"SELECT * FROM {table}")).all()).encode()


def test_what_is_refused_leaves_nothing(requests: Requests, database: Database) -> None:
    made = requests.create(NEW, STAFF)
    for act, actor, kwargs, error in (
        (Act.STORE, STAFF, {}, NotAllowed), (Act.SUBMIT, SENDER, {}, NotAllowed), (Act.DECLINE, SENDER, {}, NotAllowed),
        (Act.OPEN, SENDER, {"version": 9}, ChangedMeanwhile),
    ):  # fmt: skip
        with pytest.raises(error):
            requests.act(made.id, act, actor, **kwargs)
    assert requests.get(made.id).version == 1
    assert len(requests.history(made.id)) == 1
    with pytest.raises(NoSuchRequest):
        requests.get("RQ-NOTTHERE")


def test_an_identical_active_request_is_shown(requests: Requests) -> None:
    made = requests.create(NEW, STAFF)
    for same in (NEW, replace(NEW, why="another reason"), replace(NEW, wanted=replace(NEW.wanted, title="CT of the head"))):
        with pytest.raises(AlreadyAsked) as refused:
            requests.create(same, STAFF)
        assert refused.value.request == made.id
    other = replace(NEW, patient=replace(PATIENT, id="p2"))
    for different in (other, replace(NEW, facility=None, route=Route(RouteKind.PATIENT)), replace(NEW, wanted=Wanted("CT head", accession="KV-2"))):
        requests.create(different, STAFF)
    requests.act(made.id, Act.CANCEL, STAFF, reason="not needed")
    assert requests.create(NEW, STAFF).id != made.id
    assert {one.asked.patient.id for one in requests.of_patient("northgate", "p1")} == {"p1"}
    assert len(requests.of_patient("northgate", "p1")) == 4


def test_of_many_who_ask_at_once_one_is_made(requests: Requests) -> None:
    outcomes: list[str] = []

    def ask() -> None:
        try:
            outcomes.append(f"made {requests.create(NEW, STAFF).id}")
        except AlreadyAsked as asked:
            outcomes.append(f"shown {asked.request}")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    made = [one for one in outcomes if one.startswith("made")]
    assert len(made) == 1
    assert set(outcomes) == {made[0], made[0].replace("made", "shown")}


def test_reopening_takes_the_key_again_or_shows_who_has_it(requests: Requests) -> None:
    first = requests.create(NEW, STAFF)
    requests.act(first.id, Act.DECLINE, SENDER, reason="No such patient here")
    second = requests.create(NEW, STAFF)
    with pytest.raises(AlreadyAsked) as refused:
        requests.act(first.id, Act.REOPEN, STAFF, reason="birth date was wrong")
    assert refused.value.request == second.id
    assert requests.get(first.id).state is State.DECLINED
    requests.act(second.id, Act.CANCEL, STAFF, reason="asked by mistake")
    requests.act(first.id, Act.REOPEN, STAFF, reason="birth date was wrong")
    with pytest.raises(AlreadyAsked) as refused:
        requests.create(NEW, STAFF)
    assert refused.value.request == first.id


def test_a_rotated_key_loses_no_request_and_lets_no_second_one_in(database: Database, requests: Requests, keyring: Keyring) -> None:
    made = requests.create(NEW, STAFF)
    requests.assign(made.id, STAFF, STAFF)
    clock, turned = MovingClock(), Keyring({"new": secrets.token_bytes(32)} | keyring._keys)
    facilities = Facilities(database, turned, clock, tenant="t")
    later = Requests(database, turned, AuditLog(database, turned, clock), Ledger(database, clock), facilities, clock, tenant="t")
    assert [one.id for one in later.of_patient("northgate", "p1")] == [made.id]
    assert [one.id for one in Work(database, later, clock).find(Filter(owner=STAFF))] == [made.id]
    with pytest.raises(AlreadyAsked):
        later.create(NEW, STAFF)


def test_deeds_leave_the_state_and_are_told(requests: Requests, database: Database) -> None:
    made = requests.create(NEW, STAFF)
    requests.assign(made.id, STAFF, STAFF)
    requests.note(made.id, "They are closed on Friday", STAFF)
    requests.remind(made.id, SYSTEM)
    requests.tell(made.id, "E-mail handed over to their mail server. It names no patient.", SYSTEM)
    due = datetime(2026, 5, 21, 8, 30, tzinfo=UTC)
    requests.move(made.id, due, STAFF, why="clinic moved")
    now = requests.get(made.id)
    assert (now.state, now.owner, now.reminded, now.asked.needed_by, now.version) == (State.SENT, "T. Amsel", 1, due, 6)
    assert [one.action for one in requests.history(made.id)] == ["send", "assign", "note", "remind", "tell", "move"]
    assert now.last == "Needed by another time, says T. Amsel"
    with database.reading() as session:
        kinds = [tuple(row) for row in session.execute(select(WorkRow.kind, WorkRow.key).order_by(WorkRow.key, WorkRow.kind))]
    assert ("dispatch", f"{made.id}.4") in kinds
    assert not {(kind, key) for kind, key in kinds if key in {f"{made.id}.2", f"{made.id}.3", f"{made.id}.5"}}
    for deed in (lambda: requests.remind(made.id, SENDER), lambda: requests.note(made.id, " ", STAFF), lambda: requests.tell(made.id, "x", STAFF)):
        with pytest.raises(NotAllowed):
            deed()
    assert requests.get(made.id).version == 6


def test_an_appointment_that_moves_moves_the_time_and_one_called_off_asks(requests: Requests) -> None:
    anchor = Anchor("Appointment/a1", "Surgery", datetime(2026, 5, 22, 8, tzinfo=UTC), hours_before=3)
    made = requests.create(replace(NEW, anchor=anchor, needed_by=anchor.needed_by), STAFF)
    assert made.asked.needed_by == datetime(2026, 5, 22, 5, tzinfo=UTC)
    for _ in range(2):
        requests.follow(made.id, datetime(2026, 5, 23, 8, tzinfo=UTC), SYSTEM)
    moved = requests.get(made.id)
    assert moved.asked.needed_by == datetime(2026, 5, 23, 5, tzinfo=UTC)
    requests.follow(made.id, None, SYSTEM)
    assert [one.action for one in requests.history(made.id)] == ["send", "follow", "follow"]
    assert "called off" in requests.history(made.id)[-1].note
    assert requests.get(made.id).asked.needed_by == moved.asked.needed_by, "until a person decides"


def test_a_draft_without_an_address_cannot_be_sent_until_it_has_one(requests: Requests) -> None:
    lost = replace(NEW, facility=None, route=Route(RouteKind.FAX), hospital="Someplace General")
    with pytest.raises(NotAllowed) as refused:
        requests.create(lost, STAFF)
    assert refused.value.why == "address"
    assert requests.of_patient("northgate", "p1") == ()
    draft = requests.create(lost, STAFF, send=False)
    assert (draft.state, draft.asked_by) == (State.DRAFT, "T. Amsel")
    requests.readdress(draft.id, KESTREL.id, KESTREL.routes[0], STAFF)
    requests.act(draft.id, Act.SEND, STAFF)
    assert [one.action for one in requests.history(draft.id)] == ["draft", "readdress", "send"]
    assert requests.get(draft.id).facility == KESTREL
    with pytest.raises(NotAllowed):
        requests.readdress(draft.id, KESTREL.id, KESTREL.routes[0], STAFF)


def test_a_change_stands_or_falls_with_its_callers_transaction(requests: Requests, database: Database) -> None:
    made = requests.create(NEW, STAFF)

    def half() -> None:
        with database.transaction() as session:
            requests.act(made.id, Act.OPEN, SENDER, session=session)
            requests.note(made.id, "half done", STAFF, session=session)
            raise RuntimeError("the other half failed")

    with pytest.raises(RuntimeError):
        half()
    assert requests.get(made.id) == made
    assert len(requests.history(made.id)) == 1
