"""What stands in the chart of the EHR is the request as it is now, once, whatever was lost or came late on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import fhirkit
import pytest
from sqlalchemy import select

from sandbox.faults import Faults
from sandbox.partner.app import create_partner
from sandbox.serving import serve
from sandbox.writable import Shelf
from smart_app.archives.registry import Fixed
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.fhir_api.copies import Copies
from smart_app.fhir_api.mirror import Mirror, WritableEhr
from smart_app.fhir_api.partner import Partners
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, ImageRequest, NewRequest, Party, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.models import WorkRow
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.sealing import Keyring
from tests.unit.archives.scripted import outbound_to
from tests.unit.fhir_api.world import BASE, BRANNOC, PATIENT, SENDER, STAFF
from tests.unit.launch.ehr_sim import MovingClock

SYSTEM = Actor(Party.SYSTEM, name="Priors")


@dataclass
class Chart:
    mirror: Mirror
    requests: Requests
    ledger: Ledger
    shelf: Shelf
    faults: Faults
    clock: MovingClock
    database: Database

    def ask(self, **more: Any) -> ImageRequest:
        return self.requests.create(NewRequest(PATIENT, Wanted("CT head", "CT", "head"), BRANNOC.routes[0], BRANNOC.id, **more), STAFF)

    def tell(self, request: ImageRequest, sequence: int = 1, most: int = 8) -> int:
        for tried in range(1, most + 1):
            try:
                self.mirror(Job("mirror", f"{request.id}.{sequence}", 1, lambda: None))
            except Later as later:
                self.clock.forward(seconds=later.seconds)
                continue
            return tried
        raise AssertionError("never done")

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.shelf.all(kind)
        return found


@contextmanager
def chart(database: Database, keyring: Keyring, writes: Any = "task", token: str = "backend") -> Iterator[Chart]:
    clock, faults, shelf = MovingClock(), Faults(), Shelf(("ServiceRequest", "Task", "Communication"))
    with serve(create_partner("EHR", faults=faults, token="backend", shelf=shelf, transactions=False)) as server:
        facilities, audit, ledger = Facilities(database, keyring, clock, tenant="t"), AuditLog(database, keyring, clock), Ledger(database, clock)
        facilities.save(BRANNOC)
        requests = Requests(database, keyring, audit, ledger, facilities, clock, tenant="t")
        outbound, copies = outbound_to(ehr_northgate=server.url), Copies(database, clock)
        partners = Partners([], outbound, database, requests, copies, ledger, audit, clock, tenant="t", numbers=f"{BASE}/request", hospitals={}, upload=lambda request: None)
        ehr = WritableEhr("northgate", f"{server.url}/fhir", "Northgate", writes, Fixed(f"Bearer {token}"))
        mirror = Mirror({"northgate": ehr}, partners, outbound, requests, copies, audit, clock, tenant="t", numbers=f"{BASE}/request", studies=lambda request: ("1.2.3",))
        yield Chart(mirror, requests, ledger, shelf, faults, clock, database)


@pytest.fixture
def here(database: Database, keyring: Keyring) -> Iterator[Chart]:
    with chart(database, keyring) as made:
        yield made


def test_the_chart_shows_the_request_as_it_moves(here: Chart) -> None:
    made = here.ask(why="Headache")
    here.tell(made)
    order, task = here.one("ServiceRequest"), here.one("Task")
    assert (order["subject"], task["for"], task["focus"]) == ({"reference": "Patient/p1"}, {"reference": "Patient/p1"}, {"reference": f"ServiceRequest/{order['id']}"})
    assert "contained" not in task
    for act, actor, reason, status in (
        (Act.OPEN, SENDER, "", "received"), (Act.ACCEPT, SENDER, "", "accepted"), (Act.RECEIVE, SENDER, "", "in-progress"), (Act.SUBMIT, SENDER, "", "on-hold"),
        (Act.STORE_PART, SYSTEM, "one series is missing", "in-progress"), (Act.STORE, SYSTEM, "", "completed"),
    ):  # fmt: skip
        here.requests.act(made.id, act, actor, reason=reason)
        here.tell(made, made.version)
        assert (here.one("Task")["status"], here.one("Task").get("statusReason")) == (status, {"text": reason} if reason else None)
        assert ("output" in here.one("Task")) == act.value.startswith("store")
        assert fhirkit.validate(here.one("Task")) == []
        assert fhirkit.validate(here.one("ServiceRequest")) == []
    assert here.one("ServiceRequest")["status"] == "completed"
    with here.database.reading() as session:
        assert len([row for row in session.scalars(select(AuditRecord)) if row.event == "RequestWritten"]) == 7


def test_work_of_an_older_change_tells_nothing_old(here: Chart) -> None:
    made = here.ask()
    here.requests.act(made.id, Act.OPEN, SENDER)
    here.requests.act(made.id, Act.DECLINE, SENDER, reason="no")
    for sequence in (3, 1, 2):
        here.tell(made, sequence)
        assert (here.one("Task")["status"], here.one("Task")["meta"]["versionId"]) == ("rejected", "1")


def test_what_changes_while_it_is_told_is_told_after(here: Chart) -> None:
    import threading

    made = here.ask()
    here.tell(made)
    here.requests.act(made.id, Act.OPEN, SENDER)
    here.faults.add("update", "slow", times=1, seconds=0.5)
    worker = threading.Thread(target=here.tell, args=(made, 2))
    worker.start()
    here.requests.act(made.id, Act.ACCEPT, SENDER)
    worker.join()
    assert here.one("Task")["status"] == "accepted"


@pytest.mark.parametrize("writes", ["task", "communication"])
@pytest.mark.parametrize(("endpoint", "kind", "options"), [
    (endpoint, *fault) for endpoint in ("create", "update") for fault in (("lose", {}), ("cut", {"bytes": 10}), ("status", {"status": 503}))
] + [("create", "empty", {})], ids=str)  # fmt: skip
def test_a_lost_answer_never_makes_a_second(tmp_path: Any, keyring: Keyring, writes: Any, kind: str, options: dict[str, Any], endpoint: str) -> None:
    from smart_app.db import Base

    database = Database(f"sqlite:///{tmp_path / 'priors.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with chart(database, keyring, writes) as here:
        made = here.ask()
        for at, act in enumerate((None, Act.OPEN, Act.ACCEPT), 1):
            if act is not None:
                here.requests.act(made.id, act, SENDER)
            here.faults.add(endpoint, kind, times=2, **options)
            here.tell(made, at)
            here.faults.clear()
        for name in ("ServiceRequest", "Task") if writes == "task" else ("Communication",):
            assert len(here.shelf.all(name)) == 1
        if writes == "task":
            assert here.one("Task")["status"] == "accepted"
        else:
            assert "They agreed to send the images" in here.one("Communication")["payload"][0]["contentString"]
    database.engine.dispose()


def test_an_ehr_without_task_gets_a_note(database: Database, keyring: Keyring) -> None:
    with chart(database, keyring, "communication") as here:
        made = here.ask()
        here.tell(made)
        here.requests.act(made.id, Act.DECLINE, SENDER, reason="No such patient")
        here.tell(made, 2)
        note = here.one("Communication")
        assert fhirkit.validate(note) == []
        assert note["payload"] == [{"contentString": f"CT head, asked for from St Brannoc (request {made.id}): Declined. Reason: No such patient."}]
        assert (note["status"], here.shelf.all("Task")) == ("completed", ())


def test_what_the_ehr_has_added_stays(here: Chart) -> None:
    made = here.ask(needed_by=here.clock() + timedelta(hours=3))
    here.tell(made)
    task = here.one("Task")
    here.shelf.update("Task", task["id"], task | {"encounter": {"reference": "Encounter/9"}, "note": [{"text": "seen"}]}, "")
    here.requests.move(made.id, None, STAFF)
    here.tell(made, 2)
    assert (here.one("Task")["encounter"], here.one("Task")["note"]) == ({"reference": "Encounter/9"}, [{"text": "seen"}])
    assert "restriction" not in here.one("Task")


def test_a_change_there_meanwhile_is_met_again(here: Chart) -> None:
    made = here.ask()
    here.tell(made)
    here.requests.act(made.id, Act.OPEN, SENDER)
    here.faults.add("update", "status", status=412, times=1)
    assert here.tell(made, 2) == 2
    assert here.one("Task")["status"] == "received"


def test_drafts_and_other_ehrs_are_not_told(here: Chart) -> None:
    from dataclasses import replace

    draft = here.requests.create(NewRequest(PATIENT, Wanted("MR"), BRANNOC.routes[0], BRANNOC.id), STAFF, send=False)
    other = here.requests.create(NewRequest(replace(PATIENT, issuer="elsewhere"), Wanted("MR"), BRANNOC.routes[0], BRANNOC.id), STAFF)
    odd = here.requests.create(NewRequest(replace(PATIENT, id="../Patient/p2"), Wanted("MR"), BRANNOC.routes[0], BRANNOC.id), STAFF)
    for one in (draft, other, odd):
        here.tell(one)
    here.mirror(Job("mirror", "RQ-NOTTHERE.1", 1, lambda: None))
    assert here.shelf.all("Task") == ()


def test_refusals_and_what_is_gone_go_to_a_person(database: Database, keyring: Keyring) -> None:
    with chart(database, keyring, token="wrong") as here, pytest.raises(NeedsAttention, match="ehr-refused"):
        here.tell(here.ask())
    with chart(database, keyring) as here:
        other = here.requests.create(NewRequest(PATIENT, Wanted("MR knee"), BRANNOC.routes[0], BRANNOC.id), STAFF)
        here.tell(other)
        here.requests.act(other.id, Act.OPEN, SENDER)
        here.faults.add("read", "status", status=404)
        with pytest.raises(NeedsAttention, match="ehr-copy-gone"):
            here.tell(other, 2)
        here.faults.clear()
        here.faults.add("*", "status", status=503)
        with pytest.raises(Later):
            here.mirror(Job("mirror", f"{other.id}.2", 1, lambda: None))
        here.clock.forward(hours=25)
        with pytest.raises(NeedsAttention, match="ehr-silent"):
            here.mirror(Job("mirror", f"{other.id}.2", 1, lambda: None))


def test_every_change_has_its_work(here: Chart) -> None:
    made = here.ask()
    here.requests.act(made.id, Act.OPEN, SENDER)
    assert here.ledger.run_due({"mirror": here.mirror}) == 2
    assert here.one("Task")["status"] == "received"
    with here.database.reading() as session:
        assert {row.state for row in session.scalars(select(WorkRow).where(WorkRow.kind == "mirror"))} == {"done"}
