"""A request reaches a partner once, whatever is lost on the way; what they say moves it, and how it ended is told to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import fhirkit
import pytest

from sandbox.faults import Faults
from sandbox.partner.app import create_partner
from sandbox.partner.desk import say
from sandbox.serving import serve
from sandbox.writable import Shelf
from smart_app.archives.registry import Fixed
from smart_app.audit.log import AuditLog
from smart_app.config_partners import Partner
from smart_app.db import Database
from smart_app.fhir_api.copies import Copies
from smart_app.fhir_api.partner import FOLLOW, SYSTEM, ConfiguredPartner, Partners, Upload
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import ImageRequest, NewRequest, Party, State, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.models import WorkRow
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.sealing import Keyring
from tests.unit.archives.scripted import outbound_to
from tests.unit.fhir_api.world import BASE, KESTREL, PATIENT, SENDER, STAFF
from tests.unit.launch.ehr_sim import MovingClock


@dataclass
class Hospital:
    """The partner, and us on the other side."""

    partners: Partners
    requests: Requests
    shelf: Shelf
    faults: Faults
    clock: MovingClock
    database: Database
    audit: AuditLog

    def ask(self, **more: Any) -> ImageRequest:
        return self.requests.create(NewRequest(PATIENT, Wanted(more.pop("title", "CT head"), "CT", "head"), KESTREL.routes[0], KESTREL.id, **more), STAFF)

    def send(self, request: ImageRequest, most: int = 10) -> int:
        """As the worker does: again after each Later. How often it was tried."""
        for tried in range(1, most + 1):
            try:
                self.partners.send(self.requests.get(request.id))
            except Later as later:
                self.clock.forward(seconds=later.seconds)
                continue
            return tried
        raise AssertionError("never done")

    def follow(self, request: ImageRequest, asking: int = 1) -> bool:
        """Look once. Whether it will be looked again."""
        try:
            self.partners.follow(Job(FOLLOW, f"{request.id}.{asking}", 1, lambda: None))
        except Later:
            return True
        return False

    def told(self, request: ImageRequest) -> list[str]:
        return [one.note for one in self.requests.history(request.id) if one.action == "tell"]

    @property
    def task(self) -> dict[str, Any]:
        (task,) = self.shelf.all("Task")
        return task


@contextmanager
def hospital(database: Database, keyring: Keyring, *, transaction: bool = True, token: str = "kestrel-token", given: str = "kestrel-token", poll: float = 5) -> Iterator[Hospital]:
    clock, faults, shelf = MovingClock(), Faults(), Shelf(("ServiceRequest", "Task"))
    with serve(create_partner("Kestrel Valley", faults=faults, token=token, shelf=shelf, transactions=transaction)) as server:
        facilities, audit, ledger = Facilities(database, keyring, clock, tenant="t"), AuditLog(database, keyring, clock), Ledger(database, clock)
        facilities.save(KESTREL)
        requests = Requests(database, keyring, audit, ledger, facilities, clock, tenant="t")
        settings = Partner(key="kestrel", name="Kestrel Valley", fhir=f"{server.url}/fhir", transaction=transaction, poll_minutes=poll, deadline=5)
        partners = Partners(
            [ConfiguredPartner(settings, Fixed(f"Bearer {given}"))], outbound_to(partner_kestrel=server.url), database, requests, Copies(database, clock), ledger, audit, clock,
            tenant="t", numbers=f"{BASE}/request", hospitals={"northgate": "Northgate"}, upload=lambda request: Upload("https://send.example/s/secret", "7KQ2MX"),
            studies=lambda request: ("1.2.3",),
        )  # fmt: skip
        yield Hospital(partners, requests, shelf, faults, clock, database, audit)


@pytest.fixture
def here(database: Database, keyring: Keyring) -> Iterator[Hospital]:
    with hospital(database, keyring) as made:
        yield made


def test_a_partner_is_asked_with_all_it_needs(here: Hospital) -> None:
    made = here.ask(why="Headache")
    assert here.send(made) == 1
    (order,), task = here.shelf.all("ServiceRequest"), here.task
    for resource in (order, task):
        assert fhirkit.validate(resource) == []
    assert task["focus"] == {"reference": f"ServiceRequest/{order['id']}"}
    assert (task["status"], task["for"], task["contained"][0]["name"][0]["family"]) == ("requested", {"reference": "#patient"}, "CANARY")
    inputs = {one["type"]["coding"][0]["code"]: one.get("valueUrl") or one.get("valueString") for one in task["input"]}
    assert (inputs["upload"], inputs["upload-code"]) == ("https://send.example/s/secret", "7KQ2MX")
    assert here.told(made) == [f"Kestrel Valley has it on its own work list, as Task {task['id']}."]
    with here.database.reading() as session:
        assert session.get(WorkRow, (FOLLOW, f"{made.id}.1")) is not None
    here.partners.send(here.requests.get(made.id))
    assert len(here.shelf.all("Task")) == 1


FAULTS = [
    ("lose", {}), ("cut", {"bytes": 0}), ("cut", {"bytes": 20}), ("status", {"status": 503}), ("status", {"status": 429}), ("status", {"status": 500}), ("status", {"status": 409}),
    ("slow", {"seconds": 6}), ("huge", {"bytes": 3_000_000}), ("empty", {}), ("html", {}), ("redirect", {"location": "https://evil.example/"}), ("garbage", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), [one for one in FAULTS if one[0] not in ("slow", "redirect")], ids=str)
@pytest.mark.parametrize("transaction", [True, False], ids=["together", "one by one"])
def test_a_lost_answer_never_makes_a_second_request(tmp_path: Any, keyring: Keyring, kind: str, options: dict[str, Any], transaction: bool) -> None:
    database = _fresh(tmp_path)
    with hospital(database, keyring, transaction=transaction) as here:
        made = here.ask()
        here.faults.add("transaction" if transaction else "create", kind, times=2, **options)
        assert here.send(made) >= 1
        assert [len(here.shelf.all(name)) for name in ("ServiceRequest", "Task")] == [1, 1], kind
        assert here.task["identifier"][0]["value"] == f"{made.id}.1"
        assert here.told(made)[-1].startswith("Kestrel Valley has it")
    database.engine.dispose()


def _fresh(folder: Any) -> Database:
    from smart_app.db import Base

    database = Database(f"sqlite:///{folder / 'priors.sqlite3'}")
    Base.metadata.create_all(database.engine)
    return database


def test_two_workers_at_once_make_one(here: Hospital) -> None:
    import threading

    made = here.ask()
    here.faults.add("transaction", "slow", times=2, seconds=0.3)
    threads = [threading.Thread(target=here.partners.send, args=(made,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(here.shelf.all("Task")) == 1
    assert len(here.told(made)) == 1


def test_a_server_that_stays_silent_goes_to_a_person(here: Hospital) -> None:
    made = here.ask()
    here.faults.add("*", "status", status=503)
    with pytest.raises(NeedsAttention, match="partner-silent"):
        here.send(made, most=40)
    assert [words.split(".")[0] for words in here.told(made)] == [
        "Kestrel Valley’s server does not answer at the moment", "Kestrel Valley’s server has not answered for 15 minutes",
    ]  # fmt: skip
    here.faults.clear()
    assert here.send(made) == 1
    assert len(here.shelf.all("Task")) == 1


def test_a_server_that_refuses_us_goes_to_a_person(database: Database, keyring: Keyring) -> None:
    with hospital(database, keyring, given="another-token") as here:
        made = here.ask()
        with pytest.raises(NeedsAttention, match="partner-refused"):
            here.send(made)
        assert here.told(made) == ["Kestrel Valley’s server does not take it (refused). Their side: phone, or ask another way."]
        elsewhere = replace(made, asked=replace(made.asked, route=replace(made.asked.route, address="nowhere")))
        with pytest.raises(NeedsAttention, match="no-partner"):
            here.partners.send(elsewhere)


def test_two_of_it_there_are_not_chosen_from(here: Hospital) -> None:
    made = here.ask()
    here.faults.add("transaction", "lose", times=1)
    with pytest.raises(Later):
        here.partners.send(made)
    here.shelf.create({**here.task, "id": ""}, None)
    with pytest.raises(NeedsAttention, match="partner-refused"):
        here.partners.send(made)
    assert len(here.shelf.all("Task")) == 2


@pytest.mark.parametrize(("words", "state", "moves"), [
    (["received"], State.OPENED, 1), (["accepted"], State.ACCEPTED, 1), (["in-progress"], State.ACCEPTED, 1), (["received", "accepted", "in-progress"], State.ACCEPTED, 2),
    (["rejected"], State.DECLINED, 1), (["accepted", "failed"], State.DECLINED, 2), (["completed"], State.SENT, 0), (["on-hold"], State.SENT, 0), (["nonsense"], State.SENT, 0),
])  # fmt: skip
def test_what_they_say_moves_the_request(here: Hospital, words: list[str], state: State, moves: int) -> None:
    made = here.ask()
    here.send(made)
    for word in words:
        say(here.shelf, here.task["id"], word, "No such patient" if word in ("rejected", "failed") else "")
        looks = [here.follow(made) for _ in range(2)]
    now = here.requests.get(made.id)
    assert (now.state, looks) == (state, [state is not State.DECLINED] * 2)
    assert now.reason == ("No such patient" if state is State.DECLINED else "")
    assert len([one for one in here.requests.history(made.id) if one.party is Party.PARTNER]) == moves
    assert len([one for one in here.told(made) if "says that it is done" in one]) == (words == ["completed"])


def test_a_no_without_words_is_a_no(here: Hospital) -> None:
    made = here.ask()
    here.send(made)
    say(here.shelf, here.task["id"], "rejected")
    assert not here.follow(made)
    assert here.requests.get(made.id).reason == "They gave no reason"


def test_a_task_that_is_gone_or_anothers_goes_to_a_person(here: Hospital) -> None:
    made = here.ask()
    here.send(made)
    task = here.task
    here.shelf.update("Task", task["id"], task | {"identifier": [], "status": "accepted"}, "")
    with pytest.raises(NeedsAttention, match="partner-task-wrong"):
        here.follow(made)
    assert here.requests.get(made.id).state is State.SENT
    here.faults.add("read", "status", status=404)
    with pytest.raises(NeedsAttention, match="partner-task-gone"):
        here.follow(made)
    here.faults.clear()
    here.faults.add("read", "status", status=503)
    assert here.follow(made), "a silent server is asked again"


def test_asked_again_it_is_another_task_for_the_same_order(here: Hospital) -> None:
    made = here.ask()
    here.send(made)
    say(here.shelf, here.task["id"], "rejected", "no")
    here.follow(made)
    here.requests.act(made.id, Act.REOPEN, STAFF, reason="they found it")
    here.send(made)
    asking = max(one.sequence for one in here.requests.history(made.id) if one.action == "reopen")
    assert [task["identifier"][0]["value"] for task in here.shelf.all("Task")] == [f"{made.id}.1", f"{made.id}.{asking}"]
    assert len(here.shelf.all("ServiceRequest")) == 1
    assert not here.follow(made, 1), "the first asking is over"
    assert here.follow(made, asking)
    assert here.requests.get(made.id).state is State.SENT


@pytest.mark.parametrize(("acts", "status", "reason"), [
    ([(Act.CANCEL, STAFF, "not needed")], "cancelled", "not needed"),
    ([(Act.DECLINE, STAFF, "said no by phone")], "cancelled", "said no by phone"),
    ([(Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, "")], "requested", None),
    ([(Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, ""), (Act.STORE, SYSTEM, "")], "completed", None),
    ([(Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, ""), (Act.STORE_PART, SYSTEM, "one is missing")], "requested", None),
])  # fmt: skip
def test_how_it_ended_is_told_to_them(here: Hospital, acts: list[Any], status: str, reason: str | None) -> None:
    made = here.ask()
    here.send(made)
    for act, actor, words in acts:
        here.requests.act(made.id, act, actor, reason=words)
    version = here.task["meta"]["versionId"]
    for _ in range(2):
        here.partners.retell(here.requests.get(made.id))
    assert (here.task["status"], here.task.get("statusReason", {}).get("text")) == (status, reason)
    assert int(here.task["meta"]["versionId"]) - int(version) == (status != "requested")
    assert ("output" in here.task) == (status == "completed")
    assert here.task["contained"][0]["name"][0]["family"] == "CANARY", "the rest stays"


def test_what_was_lost_on_the_way_is_cancelled_too(here: Hospital) -> None:
    """Cancelled while nobody knew whether it had arrived: it is looked for, and taken back."""
    made = here.ask()
    here.faults.add("transaction", "lose", times=1)
    with pytest.raises(Later):
        here.partners.send(made)
    here.requests.act(made.id, Act.CANCEL, STAFF, reason="not needed")
    here.send(made)
    here.partners.retell(here.requests.get(made.id))
    assert here.task["status"] == "cancelled"


def test_another_time_is_told(here: Hospital) -> None:
    from datetime import timedelta

    made = here.ask()
    here.send(made)
    at = here.clock() + timedelta(days=1)
    here.requests.move(made.id, at, STAFF)
    here.partners.retell(here.requests.get(made.id))
    assert here.task["restriction"]["period"]["end"].startswith(f"{at:%Y-%m-%dT%H:%M}")
    here.requests.move(made.id, None, STAFF)
    here.faults.add("update", "status", status=412, times=1)
    with pytest.raises(Later):
        here.partners.retell(here.requests.get(made.id))
    here.partners.retell(here.requests.get(made.id))
    assert "restriction" not in here.task


def test_it_is_on_the_record_before_it_leaves(here: Hospital) -> None:
    from sqlalchemy import select

    from smart_app.audit.models import AuditRecord

    made = here.ask()
    here.faults.add("transaction", "status", status=503, times=1)
    here.send(made)
    with here.database.reading() as session:
        rows = [row for row in session.scalars(select(AuditRecord)) if row.event == "RequestWritten"]
    assert [(row.patient, "partner:kestrel" in row.details) for row in rows] == [("p1", True)] * 2
