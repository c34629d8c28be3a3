"""Many at once on both engines: what two people do at the same time is done once, and each hears what came of it (`bulk`)."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.desk.bulk import Bulk, Doing, Given, Mark, Outcome, marks_of
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Party, State
from smart_app.jobs.ledger import Ledger
from smart_app.sealing import Keyring
from tests.unit.image_requests.test_service import KESTREL, NEW
from tests.unit.launch.ehr_sim import MovingClock

AMSEL, RUIZ = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.STAFF, "northgate", "ruiz", "J. Ruiz")


@pytest.fixture
def requests(database: Database, keyring: Keyring) -> Requests:
    clock = MovingClock()
    facilities = Facilities(database, keyring, clock, tenant="t")
    facilities.save(KESTREL)
    return Requests(database, keyring, AuditLog(database, keyring, clock), Ledger(database, clock), facilities, clock, tenant="t")


def test_of_many_who_remind_at_once_one_does(requests: Requests, database: Database) -> None:
    one, bulk, heard = requests.create(NEW, AMSEL), Bulk(database, requests, tenant="t"), list[Outcome]()
    threads = [threading.Thread(target=lambda: heard.append(bulk.one(Doing.REMIND, Mark(one.id, one.version), RUIZ, Given()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcome.is_done for outcome in heard) == {True: 1, False: 5}
    assert {outcome.words for outcome in heard if not outcome.is_done} == {"Not done: somebody changed it since this page was shown. Look at it again."}
    assert requests.get(one.id).reminded == 1


def test_a_change_that_is_refused_leaves_nothing(requests: Requests, database: Database) -> None:
    one, bulk = requests.create(NEW, AMSEL), Bulk(database, requests, tenant="t")
    for doing, given in ((Doing.CANCEL, Given()), (Doing.DECLINE, Given(text="  ")), (Doing.SEND, Given()), (Doing.REOPEN, Given(text="why"))):
        outcome = bulk.one(doing, Mark(one.id, one.version), RUIZ, given)
        assert (outcome.is_done, outcome.words.startswith("Not done")) == (False, True)
    assert requests.get(one.id) == one
    assert not Bulk(database, requests, tenant="other").one(Doing.REMIND, Mark("RQ-NOTTHERE", 1), RUIZ, Given()).is_done


def test_what_was_closed_is_not_asked_again_beside_the_same(requests: Requests, database: Database) -> None:
    bulk = Bulk(database, requests, tenant="t")
    closed = requests.create(NEW, AMSEL)
    assert bulk.one(Doing.CANCEL, Mark(closed.id, closed.version), RUIZ, Given(text="not needed")).words == "Cancelled"
    other = requests.create(NEW, AMSEL)
    again = bulk.one(Doing.REOPEN, Mark(closed.id, requests.get(closed.id).version), RUIZ, Given(text="needed"))
    assert again.words == f"Not done: the same is already asked by {other.id}."
    assert requests.get(closed.id).state is State.CANCELLED


def test_marks_are_read_once_each_and_rubbish_is_left_out() -> None:
    assert marks_of(["RQ-1:3", "RQ-1:4", "RQ-2:0", "RQ-3", ":1", "RQ-4:x", "RQ-5:-1", "RQ-6:٣", "x" * 40 + ":1"]) == (Mark("RQ-1", 3), Mark("RQ-2", 0))
