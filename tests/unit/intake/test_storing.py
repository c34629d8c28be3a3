"""From bytes on our disk to images at the archive, over real sockets: once, whole, read back; and honest about what is not there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from smart_app.audit.events import Who
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.image_requests.types import State
from smart_app.intake import showing
from smart_app.intake.received import Stage, Standing
from smart_app.intake.review import CHANGED, OTHER_PERSON, Reviewer
from smart_app.intake.second_person import SAME_PERSON
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import NAMESPACES, PATIENT, Hospital, ScriptedArchive, made, with_scripted

ONE, TWO = (Reviewer(Who("t", "northgate", subject, name, "", "", "")) for subject, name in (("grant", "O. Grant"), ("lindqvist", "A. Lindqvist")))
Both = tuple[Hospital, ScriptedArchive]


@pytest.fixture
def both(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Both]:
    with with_scripted(database, keyring, tmp_path) as pair:
        yield pair


def test_a_file_that_cannot_be_read_may_be_of_any_study_that_came_with_it(both: Both) -> None:
    """Whose hole it is, is not known: none of them is called whole (rule 2)."""
    here, _ = both
    asked = here.ask()
    here.send("u1", [made("1", 1), made("2", 1), b"torn"], asked)
    here.work_now()
    assert [len(item.content.refused) for item in here.all(asked)] == [1, 1]


def test_a_certain_study_is_stored_by_one_person_and_the_request_is_done(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    files = [made(number=number) for number in range(1, 4)]
    here.send("u1", files, asked)
    here.work_now()
    (item,) = here.all(asked)
    assert (item.state, item.standing, item.summary.images) == (ItemState.IN_REVIEW, Standing.CERTAIN, 3)
    assert not archive.held, "nothing goes to the archive before somebody has looked"
    assert here.review.confirm(ONE, {item.id: item.version}) == {item.id: ItemState.STORING}
    here.work_now()
    (item,) = here.all(asked)
    assert item.state is ItemState.STORED
    assert here.requests.get(asked.id).state is State.STORED
    assert {one.stage for one in here.items.instances(item.id)} == {Stage.STORED}
    assert len(archive.held) == 3
    for content in archive.held.values():
        found = dcmread(BytesIO(content))
        assert (found.PatientID, found.IssuerOfPatientID, str(found.PatientName)) == ("40018334", "NORTHGATE", "OKONJO^Grace^Adaeze")
        assert found.OtherPatientIDsSequence[0].PatientID == "LK-77"
    assert all(Path(one.source.path).read_bytes() in files for one in here.items.instances(item.id)), "the originals are as they came"
    assert len(here.receipts.of_item(item.id)) == 3
    here.work()
    assert len(archive.posts) == 1, "done is done"


def test_below_certain_two_different_people_must_agree(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(AccessionNumber="X-1", IssuerOfPatientID="")], asked)
    here.work_now()
    (item,) = here.all(asked)
    assert item.standing is Standing.BELOW
    assert here.review.confirm(ONE, {item.id: item.version})[item.id] is ItemState.SECOND_PERSON
    (item,) = here.all(asked)
    with pytest.raises(AppError) as refused:
        here.review.confirm(ONE, {item.id: item.version})
    assert (refused.value.fault, refused.value.fault.status) == (SAME_PERSON, 403)
    here.work_now()
    assert not archive.held
    here.review.confirm(TWO, {item.id: item.version})
    here.work_now()
    assert here.all(asked)[0].state is ItemState.STORED


def test_a_disc_with_two_people_is_split_and_the_other_is_stored_by_nobody(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    other = {"PatientName": "SMITH^JOHN", "PatientID": "LK-9", "PatientBirthDate": "19500101", "PatientSex": "M"}
    here.send("u1", [made("1"), made("2", **other)], asked)
    here.work_now()
    ours, theirs = sorted(here.all(asked), key=lambda one: one.state is ItemState.SET_ASIDE)
    assert (ours.state, theirs.state, theirs.standing) == (ItemState.IN_REVIEW, ItemState.SET_ASIDE, Standing.OTHER)
    for reviewer in (ONE, TWO):
        with pytest.raises(AppError) as refused:
            here.review.confirm(reviewer, {theirs.id: theirs.version})
        assert refused.value.fault is OTHER_PERSON
        with pytest.raises(AppError):
            here.review.put_back(reviewer, theirs.id, theirs.version)
    with pytest.raises(AppError):
        here.review.confirm(ONE, {ours.id: ours.version, theirs.id: theirs.version})
    assert here.items.get(ours.id).state is ItemState.IN_REVIEW, "all or none"
    here.review.confirm(ONE, {ours.id: ours.version})
    here.work()
    assert {str(dcmread(BytesIO(one)).StudyInstanceUID) for one in archive.held.values()} == {ours.summary.study}
    assert here.items.get(theirs.id).state is ItemState.SET_ASIDE


def test_nobody_decides_on_what_changed_since_it_was_looked_at(both: Both) -> None:
    here, _ = both
    asked = here.ask()
    here.send("u1", [made(number=1)], asked)
    here.work_now()
    (seen,) = here.all(asked)
    here.send("u2", [made(number=2)], asked)
    here.work_now()
    with pytest.raises(AppError) as refused:
        here.review.confirm(ONE, {seen.id: seen.version})
    assert refused.value.fault is CHANGED


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


def test_where_the_site_allows_it_what_is_certain_by_its_number_is_stored_without_a_look(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    with with_scripted(database, keyring, tmp_path, certain_alone=True) as (here, archive):
        asked = here.ask()
        here.send("u1", [made(number=number, PatientID="40018334", IssuerOfPatientID="NORTHGATE") for number in (1, 2)], asked)
        here.work_now()
        assert [one.state for one in here.all(asked)] == [ItemState.STORED]
        assert len(archive.held) == 2
        assert here.requests.get(asked.id).state is State.STORED


def test_nothing_is_called_stored_while_more_of_it_waits_to_be_looked_at(both: Both) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(number=1)], asked)
    here.work_now()
    (item,) = here.all(asked)
    here.review.confirm(ONE, {item.id: item.version})
    here.send("u2", [made("2")], asked)
    here.ledger.run_due({"store": here.storing.handle})  # quicker than the screening of what came meanwhile
    assert here.items.get(item.id).state is ItemState.STORED
    assert here.requests.get(asked.id).state is State.IN_REVIEW
    here.work_now()
    (second,) = (one for one in here.all(asked) if one.id != item.id)
    here.review.confirm(ONE, {second.id: second.version})
    here.work_now()
    assert here.requests.get(asked.id).state is State.STORED
    assert len(archive.held) == 2


def test_what_arrives_while_a_study_is_on_its_way_to_the_archive_is_looked_at_first(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    here, archive = both
    asked = here.ask()
    here.send("u1", [made(number=1)], asked)
    here.work_now()
    (item,) = here.all(asked)
    here.review.confirm(ONE, {item.id: item.version})
    listed = here.storing.back.listed

    def more_comes(*given: Any) -> set[str]:
        here.send("u2", [made(number=2, PatientName="SMITH^JOHN", PatientID="LK-9", PatientBirthDate="19500101", PatientSex="M")], asked)
        here.ledger.run_due({"screen": here.arrival.handle})
        return listed(*given)

    monkeypatch.setattr(here.storing.back, "listed", more_comes)
    here.ledger.run_due({"store": here.storing.handle})
    assert not archive.held, "another person's image under the same study, seen by nobody"
    assert here.items.get(item.id).state is ItemState.SET_ASIDE


def test_what_is_kept_and_what_is_left_is_decided_together_or_not_at_all(both: Both) -> None:
    here, _ = both
    asked = here.ask()
    here.send("u1", [made("1"), made("2")], asked)
    here.work_now()
    kept, left = here.all(asked)
    with pytest.raises(AppError):
        here.review.confirm(ONE, {kept.id: kept.version}, leaving={left.id: left.version - 1})
    assert here.items.get(kept.id).state is ItemState.IN_REVIEW, "the page says that nothing was changed"


def test_a_page_ticks_no_study_of_which_nobody_has_said_that_it_is_the_same_persons(both: Both) -> None:
    here, _ = both
    here.send("u1", [made("1"), made("2", PatientName="OKONJO^ROBERT", PatientBirthDate="19490202")], None, purpose=Purpose.INBOUND)
    here.work_now()
    linked, other = here.items.of_scope("u1")
    here.review.link(ONE, linked.id, linked.version, PATIENT) if linked.summary.persons[0].said.birth_date != "19490202" else here.review.link(ONE, other.id, other.version, PATIENT)
    mine = next(one for one in here.items.of_scope("u1") if one.subject)
    page = showing.sheet(mine, here.items.of_scope("u1"), NAMESPACES, here.storing.number(mine))
    assert [one.id for one in page.pending] == [mine.id]
    assert len(page.beside) == 1
