"""What an archive makes of what it is sent: fails in part, loses answers, forgets, is down, has it already. Each image is told as it is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from smart_app.audit.events import Who
from smart_app.db import Database
from smart_app.image_requests.types import State
from smart_app.intake.received import Stage, Standing
from smart_app.intake.review import Reviewer
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import PATIENT, Hospital, ScriptedArchive, made, with_scripted

ONE, TWO = (Reviewer(Who("t", "northgate", subject, name, "", "", "")) for subject, name in (("grant", "O. Grant"), ("lindqvist", "A. Lindqvist")))
Both = tuple[Hospital, ScriptedArchive]


@pytest.fixture
def both(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Both]:
    with with_scripted(database, keyring, tmp_path) as pair:
        yield pair


@pytest.mark.parametrize("k", range(1, 21))
def test_of_twenty_k_fail_and_exactly_k_are_named_until_the_archive_heals(keyring: Keyring, tmp_path: Path, sqlite: Database, k: int) -> None:
    with with_scripted(sqlite, keyring, tmp_path) as (here, archive):
        asked = here.ask()
        here.send("u1", [made(number=number) for number in range(1, 21)], asked)
        here.work_now()
        (item,) = here.all(asked)
        archive.refuse = {one.source.header.instance for one in here.items.instances(item.id)[:k]}
        here.review.confirm(ONE, {item.id: item.version})
        here.work()
        (item,) = here.all(asked)
        refused = [one for one in here.items.instances(item.id) if one.stage is Stage.FAILED]
        assert {one.source.header.instance for one in refused} == archive.refuse
        assert {one.reason for one in refused} == {"refused-A700"}
        assert item.state is (ItemState.STORED_IN_PART if k < 20 else ItemState.IN_REVIEW)
        assert f"{20 - k} of 20 images stored" in item.content.history[-1].words
        assert here.requests.get(asked.id).state is (State.STORED_IN_PART if k < 20 else State.IN_REVIEW)
        archive.refuse = set()
        if k < 20:
            here.review.try_again(ONE, item.id, item.version)
        else:
            here.review.confirm(ONE, {item.id: item.version})
        here.work()
        assert here.all(asked)[0].state is ItemState.STORED
        assert here.requests.get(asked.id).state is State.STORED
        assert len(archive.held) == 20


def test_an_answer_that_is_lost_is_asked_for_not_guessed(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(number=number) for number in range(1, 4)], asked)
    here.work_now()
    (item,) = here.all(asked)
    archive.lose = True
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    archive.lose = False
    here.work()
    (item,) = here.all(asked)
    assert item.state is ItemState.STORED
    assert len(archive.posts) == 1, "it was there: nothing was sent again"


def test_an_archive_that_forgets_what_it_said_it_stored_is_not_believed(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made()], asked)
    here.work_now()
    (item,) = here.all(asked)
    archive.forget = True
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    (item,) = here.all(asked)
    assert item.state is ItemState.STORING
    assert [one.stage for one in here.items.instances(item.id)] == [Stage.CHECKING]
    archive.forget = False
    here.work()
    assert here.all(asked)[0].state is ItemState.STORED


def test_neither_stored_nor_failed_is_unknown_until_it_is_read_back(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(number=1), made(number=2)], asked)
    here.work_now()
    (item,) = here.all(asked)
    archive.silent = {one.source.header.instance for one in here.items.instances(item.id)}
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    assert here.all(asked)[0].state is ItemState.STORED


def test_an_archive_that_is_down_is_waited_for(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made()], asked)
    here.work_now()
    (item,) = here.all(asked)
    archive.down = True
    here.review.confirm(ONE, {item.id: item.version})
    here.work(30)
    assert here.all(asked)[0].state is ItemState.STORING
    archive.down = False
    here.work(2)
    assert here.all(asked)[0].state is ItemState.STORED


def test_the_same_sent_again_changes_nothing(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made()], asked)
    here.work_now()
    here.send("u2", [made()], asked)
    here.work_now()
    (item,) = here.all(asked)
    assert item.summary.images == 1
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    assert len(archive.held) == 1
    assert sum(map(len, archive.posts)) == 1


def test_other_pixels_under_one_uid_are_a_conflict_for_a_person(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(number=1), made(number=1, pixels=9), made(number=2)], asked)
    here.work_now()
    (item,) = here.all(asked)
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    (item,) = here.all(asked)
    assert item.state is ItemState.STORED_IN_PART
    assert sorted(one.stage for one in here.items.instances(item.id)) == [Stage.CONFLICT, Stage.CONFLICT, Stage.STORED]
    assert len(archive.held) == 1, "neither of the two was sent"


def test_what_the_archive_has_already_is_not_overwritten(both: Both) -> None:
    here, archive = both
    mine, other = made(number=1), made(number=2)
    uid = str(dcmread(BytesIO(other)).SOPInstanceUID)
    archive.held[uid] = made(number=2, pixels=5, PatientID="40018334", IssuerOfPatientID="NORTHGATE")
    asked = here.ask()
    here.send("u1", [mine, other], asked)
    here.work_now()
    (item,) = here.all(asked)
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    stages = {one.source.header.instance: (one.stage, one.reason) for one in here.items.instances(item.id)}
    assert stages[uid] == (Stage.CONFLICT, "other-pixels")
    assert here.all(asked)[0].state is ItemState.STORED_IN_PART


def test_what_the_archive_has_under_another_patient_is_a_conflict(both: Both) -> None:
    here, archive = both
    content = made(number=1)
    archive.held[str(dcmread(BytesIO(content)).SOPInstanceUID)] = made(number=1, PatientID="999", IssuerOfPatientID="NORTHGATE")
    asked = here.ask()
    here.send("u1", [content], asked)
    here.work_now()
    (item,) = here.all(asked)
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    assert [(one.stage, one.reason) for one in here.items.instances(item.id)] == [(Stage.CONFLICT, "other-patient")]
    assert here.requests.get(asked.id).state is State.IN_REVIEW


def test_bytes_that_changed_on_our_disk_are_not_sent(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made()], asked)
    here.work_now()
    (item,) = here.all(asked)
    path = Path(here.items.instances(item.id)[0].source.path)
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    assert [(one.stage, one.reason) for one in here.items.instances(item.id)] == [(Stage.FAILED, "changed")]
    assert not archive.held


def test_twenty_workers_and_five_copies_store_exactly_one(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    with with_scripted(database, keyring, tmp_path) as (here, archive):
        files = [made(number=number) for number in range(1, 4)]
        for copy in range(5):
            here.send(f"u{copy}", files, None, purpose=Purpose.BROUGHT)
        here.work_now()
        waiting = here.items.in_state(ItemState.IN_REVIEW)
        assert len(waiting) == 5
        for item in waiting:
            here.review.link(ONE, item.id, item.version, PATIENT)
            item = here.items.get(item.id)
            assert item.standing is Standing.CERTAIN
            here.review.confirm(ONE, {item.id: item.version})
        for _ in range(6):
            threads = [threading.Thread(target=here.work_now) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            here.clock.forward(seconds=61)
        assert {item.state for item in here.items.in_state(*ItemState)} == {ItemState.STORED}
        assert len(archive.held) == 3
        assert sorted(uid for post in archive.posts for uid in post) == sorted(archive.held), "each was sent once"


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    import smart_app.factory  # noqa: F401
    from smart_app.db import Base

    db = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    Base.metadata.create_all(db.engine)
    yield db
    db.engine.dispose()
