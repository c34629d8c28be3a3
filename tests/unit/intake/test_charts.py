"""Between the request and the storing the chart is merged, corrected, put out of use or out of reach: nothing goes to the archive that nobody has looked at as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.errors import AppError, TimedOut
from smart_app.fhir.client import FhirMissing
from smart_app.fhir.patient import Identifier
from smart_app.image_requests.types import ImageRequest, State
from smart_app.intake.chart_guard import AGAIN
from smart_app.intake.chart_now import FAULTS, LOOK_HOLDS, SILENT, Became, NotTold
from smart_app.intake.charts import REST
from smart_app.intake.received import Received, Stage, Standing
from smart_app.intake.review import CHANGED, NOT_NOW, OTHER_PERSON, Turned
from smart_app.intake.second_person import SAME_PERSON
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import PATIENT, Hospital, ScriptedArchive, facts_of, made, with_scripted
from tests.unit.intake.test_storing import ONE, TWO

Both = tuple[Hospital, ScriptedArchive]
MERGED = {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": facts_of(PATIENT, id="p2", mrn="40099999", identifiers=(Identifier("urn:northgate", "40099999"), Identifier("urn:lakeside", "LK-77")))}
ENDS: dict[str, Any] = {
    "changed": facts_of(PATIENT, birth_date="1966-11-30"), "replaced": MERGED["p1"], "inactive": facts_of(PATIENT, active=False), "gone": FhirMissing(), "unread": None,
}  # fmt: skip


@pytest.fixture
def both(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Both]:
    with with_scripted(database, keyring, tmp_path) as pair:
        yield pair


def came(here: Hospital, files: list[bytes] | None = None) -> tuple[ImageRequest, Received]:
    asked = here.ask()
    here.send("u1", files or [made()], asked)
    here.work_now()
    (item,) = here.all(asked)
    return asked, item


def becomes(here: Hospital, word: str) -> None:
    here.ehr.charts |= MERGED
    here.ehr.charts["p1"] = ENDS[word]


def turned(here: Hospital) -> list[dict[str, Any]]:
    with here.database.reading() as session:
        found = session.query(AuditRecord).order_by(AuditRecord.sequence).all()
        return [json.loads(one.details) for one in found if one.event == "IntakeTurnedBack"]


@pytest.mark.parametrize("word", ["changed", "replaced", "inactive", "gone"])
def test_a_decision_on_a_chart_that_is_not_as_it_was_is_none(both: Both, word: str) -> None:
    here, archive = both
    asked, item = came(here)
    becomes(here, word)
    with pytest.raises(Turned) as refused:
        here.review.confirm(ONE, {item.id: item.version})
    assert refused.value.fault is FAULTS[Became(word)]
    (item,) = here.all(asked)
    assert (item.state, item.content.opinions) == (ItemState.IN_REVIEW, ())
    assert item.content.halt is not None
    assert item.content.halt.word == word
    assert item.content.history[-1].words == item.content.halt.words
    here.work()
    assert not archive.posts
    assert [one["became"] for one in turned(here)] == [word]
    assert here.requests.get(asked.id).state is State.IN_REVIEW


@pytest.mark.parametrize("word", ["changed", "replaced", "inactive", "gone", "unread"])
def test_between_the_decision_and_the_first_byte(both: Both, word: str) -> None:
    here, archive = both
    asked, item = came(here)
    assert here.review.confirm(ONE, {item.id: item.version})[item.id] is ItemState.STORING
    becomes(here, word)
    here.work()
    assert not archive.posts
    (item,) = here.all(asked)
    assert (item.state, item.content.opinions, item.content.patient and item.content.patient.id) == (ItemState.IN_REVIEW, (), "p1")
    assert item.content.halt is not None
    assert item.content.halt.word == word
    assert len(turned(here)) == 1, "once, however often it is looked at"
    assert here.requests.get(asked.id).state is State.IN_REVIEW
    assert not here.receipts.of_item(item.id)


def test_a_corrected_birth_date_is_matched_anew_and_the_files_say_the_chart_as_it_is_now(both: Both) -> None:
    here, archive = both
    asked, item = came(here)
    here.review.confirm(ONE, {item.id: item.version})
    becomes(here, "changed")
    here.work()
    (item,) = here.all(asked)
    assert item.standing is Standing.BIRTH_DATE, "one digit: two people and their reasons"
    assert "birth date was 1966-10-30, is 1966-11-30" in item.content.history[-1].words
    for who in (ONE, TWO):
        (item,) = here.all(asked)
        here.review.confirm(who, {item.id: item.version}, reason="Passport was shown")
    here.work()
    (item,) = here.all(asked)
    assert (item.state, item.content.halt) == (ItemState.STORED, None)
    assert [dcmread(BytesIO(one)).PatientBirthDate for one in archive.held.values()] == ["19661130"]


def test_a_chart_that_became_somebody_else_s_takes_nothing(both: Both) -> None:
    here, archive = both
    asked, item = came(here, [made(IssuerOfPatientID="")])
    here.review.confirm(ONE, {item.id: item.version})
    here.ehr.charts["p1"] = facts_of(PATIENT, birth_date="1931-01-02", family="ADAMS", given="Peter", name="ADAMS, Peter", sex="Male")
    here.work()
    (item,) = here.all(asked)
    assert (item.state, item.standing) == (ItemState.SET_ASIDE, Standing.OTHER)
    assert not archive.posts
    with pytest.raises(AppError) as refused:
        here.review.confirm(ONE, {item.id: item.version})
    assert refused.value.fault is OTHER_PERSON


def test_the_second_person_s_word_is_not_joined_to_one_about_another_chart(both: Both) -> None:
    here, archive = both
    asked, item = came(here, [made(AccessionNumber="X", IssuerOfPatientID="")])
    here.review.confirm(ONE, {item.id: item.version})
    here.ehr.charts["p1"] = facts_of(PATIENT, given="Grace Ada", name="OKONJO, Grace Ada")
    (item,) = here.all(asked)
    with pytest.raises(Turned):
        here.review.confirm(TWO, {item.id: item.version})
    (item,) = here.all(asked)
    assert item.state is ItemState.IN_REVIEW
    assert here.review.confirm(TWO, {item.id: item.version})[item.id] is ItemState.SECOND_PERSON
    (item,) = here.all(asked)
    with pytest.raises(AppError) as refused:
        here.review.confirm(TWO, {item.id: item.version})
    assert refused.value.fault is SAME_PERSON
    here.work()
    assert not archive.posts


def test_the_surviving_chart_is_the_item_s_by_a_person_s_word_alone_and_compared_again(both: Both) -> None:
    here, archive = both
    asked, item = came(here)
    here.review.confirm(ONE, {item.id: item.version})
    becomes(here, "replaced")
    here.work()
    (item,) = here.all(asked)
    assert "that of OKONJO, Grace Adaeze, born 1966-10-30, MRN 40099999" in item.content.history[-1].words
    with pytest.raises(AppError) as refused:
        here.review.take_survivor(ONE, item.id, item.version - 1)
    assert refused.value.fault is CHANGED
    assert here.review.take_survivor(ONE, item.id, item.version) is Standing.CERTAIN
    (item,) = here.all(asked)
    assert (item.state, item.content.patient and item.content.patient.id, item.content.halt) == (ItemState.IN_REVIEW, "p2", None)
    here.work()
    assert not archive.posts, "taking the chart stores nothing"
    here.review.confirm(TWO, {item.id: item.version})
    here.work()
    assert [dcmread(BytesIO(one)).PatientID for one in archive.held.values()] == ["40099999"]
    assert [one.id for one in here.items.stored_of("northgate", "p2")] == [item.id]
    assert here.items.stored_of("northgate", "p1") == ()
    assert here.requests.get(asked.id).state is State.STORED


def test_a_survivor_of_another_birth_date_needs_two_and_one_of_another_person_is_refused(both: Both) -> None:
    here, _ = both
    asked, item = came(here)
    here.ehr.charts |= MERGED | {"p2": replace(MERGED["p2"], birth_date="1966-11-30")}
    with pytest.raises(Turned):
        here.review.confirm(ONE, {item.id: item.version})
    (item,) = here.all(asked)
    here.ehr.charts["p2"] = replace(MERGED["p2"], birth_date="1931-01-02", family="ADAMS", given="Peter", identifiers=(Identifier("urn:northgate", "4"),))
    with pytest.raises(AppError) as refused:
        here.review.take_survivor(ONE, item.id, item.version)
    assert refused.value.fault is OTHER_PERSON
    here.ehr.charts["p2"] = replace(MERGED["p2"], birth_date="1966-11-30")
    assert here.review.take_survivor(ONE, item.id, item.version) is Standing.BIRTH_DATE
    (item,) = here.all(asked)
    with pytest.raises(AppError) as again:
        here.review.take_survivor(ONE, item.id, item.version)
    assert again.value.fault is NOT_NOW


def test_a_survivor_that_was_merged_or_retired_itself_meanwhile(both: Both) -> None:
    here, _ = both
    asked, item = came(here)
    here.ehr.charts |= MERGED
    with pytest.raises(Turned):
        here.review.confirm(ONE, {item.id: item.version})
    (item,) = here.all(asked)
    for facts, became in ((replace(MERGED["p2"], active=False), Became.INACTIVE), (replace(MERGED["p2"], replaced_by="p3"), Became.REPLACED)):
        here.ehr.charts["p2"] = facts
        with pytest.raises(AppError) as refused:
            here.review.take_survivor(ONE, item.id, item.version)
        assert refused.value.fault is FAULTS[became]


def test_an_ehr_that_is_silent_at_the_decision_and_at_the_storing(both: Both) -> None:
    here, archive = both
    asked, item = came(here)
    here.ehr.charts["p1"] = TimedOut()
    with pytest.raises(NotTold) as refused:
        here.review.confirm(ONE, {item.id: item.version})
    assert refused.value.fault is SILENT
    assert here.all(asked) == (item,), "nothing changed"
    here.ehr.charts["p1"] = facts_of(PATIENT)
    here.review.confirm(ONE, {item.id: item.version})
    here.ehr.charts["p1"] = TimedOut()
    here.work(12)
    (item,) = here.all(asked)
    assert not archive.posts
    assert (item.state, item.tries, item.content.halt and item.content.halt.word) == (ItemState.STORING, 0, "ehr-silent")
    assert sum("The EHR did not answer" in line.words for line in item.content.history) == 1
    here.ehr.charts["p1"] = facts_of(PATIENT)
    here.clock.forward(seconds=AGAIN)
    here.work_now()
    (item,) = here.all(asked)
    assert (item.state, item.content.halt) == (ItemState.STORED, None)
    assert len(archive.held) == len(archive.posts) == 1


def test_a_chart_that_was_merged_while_the_ehr_was_silent(both: Both) -> None:
    here, archive = both
    asked, item = came(here)
    here.review.confirm(ONE, {item.id: item.version})
    here.ehr.charts["p1"] = TimedOut()
    here.work(2)
    becomes(here, "replaced")
    here.work()
    (item,) = here.all(asked)
    assert (item.state, item.content.halt and item.content.halt.word) == (ItemState.IN_REVIEW, "replaced")
    assert not archive.posts


def test_where_priors_cannot_read_a_person_looks_and_the_look_holds_an_hour(both: Both) -> None:
    here, archive = both
    asked, item = came(here)
    here.ehr.charts["p1"] = None
    with pytest.raises(AppError) as refused:
        here.review.confirm(ONE, {item.id: item.version})
    assert refused.value.fault is FAULTS[Became.UNREAD]
    assert here.all(asked) == (item,)
    archive.down = True
    here.review.confirm(ONE, {item.id: item.version}, looked=True)
    here.work_now()
    here.clock.forward(seconds=LOOK_HOLDS.total_seconds() + 1)
    archive.down = False
    here.work()
    (item,) = here.all(asked)
    assert (item.state, item.content.halt and item.content.halt.word, archive.posts) == (ItemState.IN_REVIEW, "unread", [])
    here.review.confirm(ONE, {item.id: item.version}, looked=True)
    here.work_now()
    assert here.all(asked)[0].state is ItemState.STORED
    assert "has looked at the chart in the EHR" in str(here.all(asked)[0].content.history)


@pytest.mark.parametrize("word", ["replaced", "unread"])
def test_certain_ones_that_nobody_looks_at_are_read_again_too(database: Database, keyring: Keyring, tmp_path: Path, word: str) -> None:
    with with_scripted(database, keyring, tmp_path, certain_alone=True) as (here, archive):
        asked = here.ask()
        becomes(here, word)
        here.send("u1", [made()], asked)
        here.work()
        (item,) = here.all(asked)
        assert (item.state, item.content.halt and item.content.halt.word, archive.posts) == (ItemState.IN_REVIEW, word, [])


@pytest.mark.parametrize("purpose", [Purpose.INBOUND, Purpose.BROUGHT, Purpose.OFFERED, Purpose.PHOTO])
def test_what_nobody_asked_for_is_linked_and_stored_only_to_a_chart_that_is_as_it_is_shown(both: Both, purpose: Purpose) -> None:
    here, archive = both
    here.send("u1", [made()], None, purpose=purpose)
    here.work_now()
    (item,) = here.items.in_state(ItemState.IN_REVIEW)
    for word in ("replaced", "inactive", "gone"):
        becomes(here, word)
        with pytest.raises(AppError) as refused:
            here.review.link(ONE, item.id, item.version, PATIENT)
        assert refused.value.fault is FAULTS[Became(word)]
    here.ehr.charts["p1"] = facts_of(PATIENT, given="Grace", name="OKONJO, Grace")
    here.review.link(ONE, item.id, item.version, PATIENT)
    item = here.items.get(item.id)
    assert item.content.patient is not None
    assert item.content.patient.name == "OKONJO, Grace", "the chart as it is now, not as the request has it"
    here.review.confirm(ONE, {item.id: item.version})
    becomes(here, "replaced")
    here.work()
    assert not archive.posts
    assert here.items.get(item.id).state is ItemState.IN_REVIEW


def test_what_is_half_stored_goes_under_no_other_number(both: Both) -> None:
    """A study lies under one number: the rest waits, and what is there can be taken out."""
    here, archive = both
    asked, item = came(here, [made(number=1), made(number=2)])
    archive.refuse = {one.source.header.instance for one in here.items.instances(item.id)[:1]}
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    becomes(here, "replaced")
    archive.refuse = set()
    here.work()
    (item,) = here.all(asked)
    assert (item.state, item.content.patient and item.content.patient.id) == (ItemState.STORED_IN_PART, "p1")
    assert (len(archive.held), item.content.history[-1].words) == (1, REST)
    assert here.requests.get(asked.id).state is State.STORED_IN_PART
    assert "40099999" not in here.requests.get(asked.id).reason, "whoever sent it reads that"
    with pytest.raises(AppError):
        here.review.take_survivor(ONE, item.id, item.version)
    here.review.try_again(ONE, item.id, item.version)
    here.work()
    assert len(archive.held) == 1
    assert here.all(asked)[0].state is ItemState.STORED_IN_PART


def test_what_is_half_stored_goes_on_where_only_the_name_was_corrected(both: Both) -> None:
    here, archive = both
    asked, item = came(here, [made(number=1), made(number=2)])
    archive.refuse = {one.source.header.instance for one in here.items.instances(item.id)[:1]}
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    here.ehr.charts["p1"] = facts_of(PATIENT, given="Grace", name="OKONJO, Grace")
    archive.refuse = set()
    here.work()
    (item,) = here.all(asked)
    assert (item.state, len(archive.held)) == (ItemState.IN_REVIEW, 1)
    here.review.confirm(ONE, {item.id: item.version})
    here.work()
    assert here.all(asked)[0].state is ItemState.STORED
    assert {dcmread(BytesIO(one)).PatientID for one in archive.held.values()} == {"40018334"}
    assert {one.stage for one in here.items.instances(item.id)} == {Stage.STORED}
