"""A change of a request is one transaction: row, event, audit and work, on both engines; and an identical request is shown, not made."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import AlreadyAsked, ChangedMeanwhile, NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, Facility, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.models import WorkRow
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

PATIENT = Patient("northgate", "p1", "CANARY, Rosalind Jane", "CANARY", "Rosalind Jane", "1951-08-09", "Female", "40771953")
KESTREL = Facility("kestrel", "Kestrel Valley", "Harrow", (Route(RouteKind.EMAIL, "images@kestrel.example"),))
NEW = NewRequest(PATIENT, Wanted("CT head", "CT", accession="KV-1"), KESTREL.routes[0], KESTREL.id)
STAFF, SENDER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.SENDER, name="Kestrel Valley")


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
