"""From bytes on our disk to images at the archive, over real sockets: once, whole, read back; and honest about what is not there."""

from __future__ import annotations

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
