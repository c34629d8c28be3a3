"""A study that was taken out of view is stored nowhere and for nobody until all of it was read back as this patient's; no request says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.archives.types import PatientId
from smart_app.audit.events import Who
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.image_requests.types import Actor, ImageRequest, Party, State
from smart_app.image_requests.workflow import Act
from smart_app.intake.awaited import KIND, Awaited
from smart_app.intake.received import Received, Stage, Standing
from smart_app.intake.review import NO_REASON, OTHER_PERSON, Reviewer
from smart_app.intake.second_person import SAME_PERSON
from smart_app.intake.settling import TAKEN_OUT
from smart_app.intake.types import ItemState
from smart_app.intake.withdrawals import is_out, told
from smart_app.jobs.types import Job
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import NAMESPACES, PATIENT, WANTED, Hospital, ScriptedArchive, facts_of, made, with_scripted

ONE, TWO = (Reviewer(Who("t", "northgate", subject, name, "", "", "")) for subject, name in (("grant", "O. Grant"), ("lindqvist", "A. Lindqvist")))
WHY = "It is the sister's: the scar is on the other side"
SURE = "Telephoned Lakeside: it is hers, the label was wrong"
OTHER = replace(PATIENT, id="p2", mrn="40018999", identifiers=(PatientId("40018999", "urn:northgate"), PatientId("LK-78", "urn:lakeside")))
FILES = [made("1", number) for number in (1, 2, 3)]
STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
Both = tuple[Hospital, ScriptedArchive]


@pytest.fixture
def both(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Both]:
    with with_scripted(database, keyring, tmp_path) as pair:
        yield pair


def only(here: Hospital, asked: ImageRequest) -> Received:
    (item,) = here.all(asked)
    return item


def stored(here: Hospital, upload: str = "u1", **wanted: str) -> tuple[ImageRequest, Received]:
    asked = here.ask(replace(WANTED, **wanted))
    here.send(upload, FILES, asked)
    here.work_now()
    here.review.confirm(ONE, {only(here, asked).id: only(here, asked).version})
    here.work_now()
    assert only(here, asked).state is ItemState.STORED
    return asked, only(here, asked)


def out(here: Hospital, item: Received) -> bool:
    with here.database.reading() as session:
        return is_out(session, "northgate", item.study_digest)


def agreed(here: Hospital, asked: ImageRequest) -> None:
    """Two people say that it is right after all, and it is stored as far as that goes."""
    for one in (ONE, TWO):
        here.review.confirm(one, {only(here, asked).id: only(here, asked).version}, reason=SURE)
    here.work()


def state(here: Hospital, asked: ImageRequest) -> State:
    return here.requests.get(asked.id).state


def test_a_request_is_no_longer_called_stored_once_its_study_is_taken_out(both: Both) -> None:
    here, _ = both
    asked, item = stored(here)
    assert state(here, asked) is State.STORED
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    now = here.requests.get(asked.id)
    assert (now.state, now.reason) == (State.ACCEPTED, TAKEN_OUT)
    assert [(one.action, one.after) for one in here.requests.history(asked.id)][-2:] == [(Act.WITHDRAW, State.IN_REVIEW), (Act.REJECT, State.ACCEPTED)]
    assert WHY not in str(here.requests.history(asked.id)), "what a reviewer wrote of another person goes to no sender and no chart"
    known = told(here.items, "northgate", only(here, asked))
    assert known is not None
    assert (known.by, known.whom, known.item.content.taken_out) == ("O. Grant", PATIENT.name, WHY)


def test_a_request_of_which_something_stays_is_stored_in_part(both: Both) -> None:
    here, _ = both
    asked = here.ask()
    here.send("u1", [made("1"), made("2", StudyDescription="CT chest")], asked)
    here.work_now()
    here.review.confirm(ONE, {one.id: one.version for one in here.all(asked)})
    here.work_now()
    assert state(here, asked) is State.STORED
    for left, expected in ((1, State.STORED_IN_PART), (0, State.ACCEPTED)):
        item = next(one for one in here.all(asked) if one.state is ItemState.STORED)
        here.undo.withdraw(ONE, item.id, item.version, WHY)
        assert sum(one.state is ItemState.STORED for one in here.all(asked)) == left
        assert state(here, asked) is expected


def test_where_the_same_is_asked_again_meanwhile_it_ends_and_is_not_called_stored(both: Both) -> None:
    here, _ = both
    asked, item = stored(here)
    other = here.ask()
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    assert state(here, asked) is State.CANCELLED
    assert other.id in here.requests.get(asked.id).reason
    assert only(here, asked).state is ItemState.WITHDRAWN


def test_everything_that_rests_on_the_same_copy_goes_with_it(both: Both) -> None:
    here, _ = both
    first, item = stored(here)
    second, _ = stored(here, "u2", missing="series 2")
    third = here.ask(replace(WANTED, missing="series 3"))
    here.send("u3", FILES, third)
    here.work_now()
    here.review.confirm(ONE, {only(here, third).id: only(here, third).version}, second=True)
    fourth = here.ask(replace(WANTED, missing="series 4"))
    here.send("u4", FILES, fourth)
    here.work_now()
    here.review.confirm(ONE, {only(here, fourth).id: only(here, fourth).version})
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    assert [state(here, one) for one in (first, second)] == [State.ACCEPTED, State.ACCEPTED]
    here.work()
    for one in (third, fourth):
        assert (only(here, one).state, only(here, one).standing, only(here, one).content.opinions) == (ItemState.IN_REVIEW, Standing.TAKEN_OUT, ())
        assert state(here, one) is State.IN_REVIEW


@pytest.mark.parametrize("certain_alone", [False, True])
def test_sent_again_for_another_request_it_waits_for_two_and_is_not_stored_while_hidden(database: Database, keyring: Keyring, tmp_path: Path, certain_alone: bool) -> None:
    with with_scripted(database, keyring, tmp_path, certain_alone=False) as (here, archive):
        _, item = stored(here)
        here.undo.withdraw(ONE, item.id, item.version, WHY)
        here.arrival = replace(here.arrival, certain_alone=certain_alone)
        again = here.ask(replace(WANTED, missing="series 2"))
        here.send("u2", FILES, again)
        here.work()
        assert (only(here, again).state, only(here, again).standing, only(here, again).content.why) == (ItemState.IN_REVIEW, Standing.TAKEN_OUT, "taken-out")
        assert state(here, again) is State.IN_REVIEW
        seen = {only(here, again).id: only(here, again).version}
        with pytest.raises(AppError) as refused:
            here.review.confirm(ONE, seen)
        assert refused.value.fault is NO_REASON
        here.review.confirm(ONE, seen, reason=SURE)
        with pytest.raises(AppError) as refused:
            here.review.confirm(ONE, {only(here, again).id: only(here, again).version}, reason=SURE)
        assert refused.value.fault is SAME_PERSON
        posts = len(archive.posts)
        assert out(here, item)
        here.review.confirm(TWO, {only(here, again).id: only(here, again).version}, reason=SURE)
        here.work()
        assert (only(here, again).state, state(here, again), out(here, item)) == (ItemState.STORED, State.STORED, False)
        assert len(archive.posts) == posts, "the archive has it: it was read back, not sent"


def test_sent_again_for_the_same_request_it_is_looked_at_again(both: Both) -> None:
    here, _ = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    here.send("u2", FILES, asked)
    here.work()
    assert (only(here, asked).state, only(here, asked).standing, state(here, asked)) == (ItemState.IN_REVIEW, Standing.TAKEN_OUT, State.IN_REVIEW)
    here.review.set_aside(ONE, {item.id: only(here, asked).version})
    assert state(here, asked) is State.ACCEPTED
    assert out(here, item)


def test_put_back_by_two_it_is_read_back_before_it_is_seen(both: Both) -> None:
    here, archive = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    here.undo.look_again(ONE, item.id, only(here, asked).version)
    assert out(here, item)
    reads = len(archive.posts)
    agreed(here, asked)
    assert (only(here, asked).state, state(here, asked), out(here, item), len(archive.posts)) == (ItemState.STORED, State.STORED, False, reads)


def test_what_the_archive_holds_otherwise_stays_hidden(both: Both) -> None:
    here, archive = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    uid = item.summary.study + ".1.2"
    archive.held[uid] = made("1", 2, pixels=9, PatientID="40018334", IssuerOfPatientID="NORTHGATE")
    here.undo.look_again(ONE, item.id, only(here, asked).version)
    agreed(here, asked)
    assert only(here, asked).state is ItemState.IN_REVIEW
    assert {one.stage for one in here.items.instances(item.id)} == {Stage.CONFLICT}
    assert (state(here, asked), out(here, item)) == (State.ACCEPTED, True)
    assert "taken out of view" in only(here, asked).content.history[-1].words


def test_an_image_more_at_the_archive_keeps_all_of_it_hidden(both: Both) -> None:
    here, archive = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    archive.held[item.summary.study + ".1.9"] = made("1", 9, PatientID="40018334", IssuerOfPatientID="NORTHGATE")
    here.undo.look_again(ONE, item.id, only(here, asked).version)
    agreed(here, asked)
    assert (only(here, asked).state, out(here, item)) == (ItemState.IN_REVIEW, True)


def test_it_can_be_put_back_when_the_received_files_are_gone(both: Both) -> None:
    here, archive = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    for one in here.items.instances(item.id):
        Path(one.source.path).unlink()
    here.undo.look_again(ONE, item.id, only(here, asked).version)
    posts = len(archive.posts)
    agreed(here, asked)
    assert (only(here, asked).state, out(here, item), len(archive.posts)) == (ItemState.STORED, False, posts)


def for_another(here: Hospital) -> ImageRequest:
    """The same study, named as the other patient, whose it may be."""
    here.ehr.charts[OTHER.id] = facts_of(OTHER)
    asked = here.ask(replace(WANTED, title="For her sister"), OTHER)
    files = [made("1", number, PatientID="LK-78") for number in (1, 2, 3)]
    here.send("u2", files, asked)
    here.work()
    return asked


def test_for_another_patient_the_archives_copy_stands_in_the_way(both: Both) -> None:
    here, archive = both
    _, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    asked = for_another(here)
    posts = len(archive.posts)
    agreed(here, asked)
    assert (only(here, asked).state, state(here, asked), out(here, item)) == (ItemState.IN_REVIEW, State.IN_REVIEW, True)
    assert len(archive.posts) == posts, "nothing is sent into a study that the archive holds as another's"


def test_for_another_patient_it_is_stored_once_the_archive_has_deleted_its_copy(both: Both) -> None:
    here, archive = both
    first, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    asked = for_another(here)
    archive.held.clear()
    agreed(here, asked)
    assert (only(here, asked).state, state(here, asked), out(here, item)) == (ItemState.STORED, State.STORED, False)
    assert len(archive.held) == 3
    assert (only(here, first).state, state(here, first)) == (ItemState.WITHDRAWN, State.ACCEPTED)
    # And it cannot be put back for the first one now: the archive has it as the other's.
    here.undo.look_again(ONE, item.id, only(here, first).version)
    here.review.confirm(ONE, {item.id: only(here, first).version}, reason=SURE)
    here.work()
    assert only(here, first).state is not ItemState.STORED
    assert state(here, first) is not State.STORED


def test_the_wrong_persons_study_is_put_back_for_nobody(both: Both) -> None:
    here, _ = both
    asked, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    with here.database.transaction() as session:
        here.items.change(session, item.id, lambda one: replace(one, content=replace(one.content, patient=replace(OTHER, name="ADAMS, Fred", family="ADAMS", given="Fred", sex="male"))))
    with pytest.raises(AppError) as refused:
        here.undo.look_again(ONE, item.id, only(here, asked).version)
    assert refused.value.fault is OTHER_PERSON
    assert out(here, item)


def test_linked_to_a_chart_that_exists_at_last_it_still_waits_for_two(both: Both) -> None:
    here, _ = both
    _, item = stored(here)
    here.undo.withdraw(ONE, item.id, item.version, WHY)
    here.send("u2", FILES, None, purpose=Purpose.INBOUND)
    here.work_now()
    Awaited(here.database, here.items, here.audit, here.clock, lambda family, born: [PATIENT], NAMESPACES, "t", "northgate").handle(Job(KIND, "u2", 1, lambda: None))
    (ahead,) = here.items.of_scope("u2")
    assert (ahead.standing, ahead.content.patient) == (Standing.TAKEN_OUT, PATIENT)
    with pytest.raises(AppError) as refused:
        here.review.confirm(ONE, {ahead.id: ahead.version})
    assert refused.value.fault is NO_REASON
