"""Holdings: what one launch may see, on both engines, sealed, gone when forgotten, and never another launch's."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from smart_app.archives.types import Answer, PatientId, ReportRecord, SourceState, StudyRecord
from smart_app.db import Base, Database
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.holdings.models import HoldingAnswer, HoldingChecked, HoldingPatient, HoldingStudy
from smart_app.holdings.store import Holdings
from smart_app.policy.gate import Passage
from smart_app.sealing import Keyring

NOW = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)
MINE = PatientId("CANARY-77", "KESTREL")
STUDY = StudyRecord("2.25.1", "kestrel", "Kestrel", "kestrel", MINE, date="2026-01-12", description="CANARY brain", modalities=("MR",), faults=("time",))
ANSWER = Answer("kestrel", "Kestrel", "Kestrel", SourceState.OK, (STUDY,), NOW, NOW, reports=(ReportRecord("final", ("2.25.1",)),))
FACTS = PatientFacts("p1", "CANARY, Ann", "Canary", "Ann", "1951-08-09", "Female", (Identifier("urn:k", "77", ("MR",), None, "usual"),), "77")
TABLES = [model.__table__ for model in (HoldingPatient, HoldingAnswer, HoldingStudy, HoldingChecked)]
CHECKED = ("L1", "kestrel", "2.25.1", "2.25.1.1")


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'h.sqlite3'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    Base.metadata.drop_all(made.engine, tables=TABLES)
    Base.metadata.create_all(made.engine, tables=TABLES)
    yield made
    made.engine.dispose()


@pytest.fixture
def holdings(db: Database, keyring: Keyring) -> Holdings:
    return Holdings(db, keyring, lambda: NOW)


def test_what_is_saved_is_read_back_exactly(holdings: Holdings) -> None:
    holdings.save_patient("L1", FACTS)
    holdings.save_answer("L1", ANSWER)
    chart = replace(STUDY, uid="2.25.2", source="ehr:n", patient_id=None, claimed_ids=(MINE, PatientId("2", "K")))
    told = Answer("ehr:n", "N", "N", SourceState.PARTIAL, (chart,), withheld=2, not_approved=("https://x",), notes=("n",), withheld_studies=("2.25.9",))
    holdings.save_answer("L1", told)
    assert holdings.patient("L1") == FACTS
    assert holdings.answers("L1") == (told, ANSWER)


def test_only_this_launch_this_archive_this_study(holdings: Holdings) -> None:
    holdings.save_answer("L1", ANSWER)
    held = holdings.held("L1", "kestrel", "2.25.1")
    assert held is not None
    assert (held.patient_id, held.record, held.study_uid, held.archive) == (MINE, STUDY, "2.25.1", "kestrel")
    assert holdings.held("L2", "kestrel", "2.25.1") is None
    assert holdings.held("L1", "northgate", "2.25.1") is None
    assert holdings.held("L1", "kestrel", "2.25.11") is None
    assert holdings.held("L1", "kestrel2.25.1", "") is None
    assert holdings.patient("L2") is None
    assert holdings.answers("L2") == ()


def test_a_replaced_answer_takes_its_studies_away_in_every_worker(db: Database, keyring: Keyring) -> None:
    one, other = Holdings(db, keyring, lambda: NOW), Holdings(db, keyring, lambda: NOW)
    one.save_answer("L1", ANSWER)
    one.check(*CHECKED, frozenset({"1.1"}))
    assert other.held("L1", "kestrel", "2.25.1")
    assert other.checked(*CHECKED) == {"1.1"}
    one.save_answer("L1", replace(ANSWER, studies=()))
    assert other.held("L1", "kestrel", "2.25.1") is None
    one.forget("L1")
    assert other.checked(*CHECKED) == frozenset()
    assert one.checked(*CHECKED) == frozenset()


def test_forget_leaves_nothing(holdings: Holdings, db: Database) -> None:
    holdings.save_patient("L1", FACTS)
    holdings.save_answer("L1", ANSWER)
    holdings.check(*CHECKED, frozenset({"1.1"}))
    holdings.save_patient("L2", FACTS)
    holdings.forget("L1")
    with db.reading() as session:
        counts = [session.execute(text(f"SELECT count(*) FROM {table.name}")).scalar() for table in TABLES]
    assert counts == [1, 0, 0, 0]


def test_purge_forgets_old_launches_only(db: Database, keyring: Keyring) -> None:
    Holdings(db, keyring, lambda: NOW - timedelta(hours=9)).save_patient("old", FACTS)
    Holdings(db, keyring, lambda: NOW - timedelta(hours=9)).save_answer("old", ANSWER)
    fresh = Holdings(db, keyring, lambda: NOW)
    fresh.save_patient("new", FACTS)
    assert fresh.purge(NOW - timedelta(hours=8)) == 1
    assert fresh.patient("old") is None
    assert fresh.held("old", "kestrel", "2.25.1") is None
    assert fresh.patient("new") == FACTS


def test_the_chart_alone_holds_only_what_can_be_checked(holdings: Holdings) -> None:
    also = PatientId("K-12", "KESTREL")
    named = StudyRecord("2.25.5", "ehr:n", "Kestrel", "kestrel", claimed_ids=(MINE, also))
    unmapped = StudyRecord("2.25.6", "ehr:n", "N", None, unfetchable="no-identifier")
    unchecked = StudyRecord("2.25.7", "ehr:n", "Kestrel", "kestrel")
    holdings.save_answer("L1", Answer("ehr:n", "N", "N", SourceState.OK, (named, unmapped, unchecked)))
    held = holdings.held("L1", "kestrel", "2.25.5")
    assert held is not None
    assert held.patient_ids == (MINE, also)
    assert holdings.held("L1", "kestrel", "2.25.6") is None
    assert holdings.held("L1", "kestrel", "2.25.7") is None


def test_what_the_archive_gives_to_another_patient_is_not_held_whatever_the_chart_says(holdings: Holdings) -> None:
    named = StudyRecord("2.25.5", "ehr:n", "Kestrel", "kestrel", claimed_ids=(MINE,))
    holdings.save_answer("L1", Answer("ehr:n", "N", "N", SourceState.OK, (named,)))
    holdings.save_answer("L1", replace(ANSWER, withheld=1, withheld_studies=("2.25.5",)))
    assert holdings.held("L1", "kestrel", "2.25.5") is None
    assert holdings.held("L1", "kestrel", "2.25.1") is not None


def test_checked_instances_add_up_and_belong_to_one_series(holdings: Holdings) -> None:
    holdings.check(*CHECKED, frozenset({"1.1", "1.2"}))
    assert holdings.checked(*CHECKED) == {"1.1", "1.2"}
    holdings.check(*CHECKED, frozenset({"1.3"}))
    assert holdings.checked(*CHECKED) == {"1.1", "1.2", "1.3"}
    assert holdings.checked("L1", "kestrel", "2.25.1", "2.25.1.2") == frozenset()
    assert holdings.checked("L2", "kestrel", "2.25.1", "2.25.1.1") == frozenset()


def test_two_tabs_that_write_at_once_lose_nothing(holdings: Holdings) -> None:
    faults: list[BaseException] = []

    def write(number: int) -> None:
        try:
            holdings.check(*CHECKED, frozenset({f"1.{number}"}))
            holdings.save_answer("L1", ANSWER)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert holdings.checked(*CHECKED) == {f"1.{number}" for number in range(8)}
    assert len(holdings.answers("L1")) == 1


def test_nothing_readable_lies_in_the_file(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 's.sqlite3'}")
    Base.metadata.create_all(made.engine, tables=TABLES)
    holdings = Holdings(made, Keyring({"k": secrets.token_bytes(32)}), lambda: NOW)
    holdings.save_patient("HANDLE-CANARY", FACTS)
    holdings.save_answer("HANDLE-CANARY", ANSWER)
    holdings.check("HANDLE-CANARY", "kestrel", "2.25.1", "2.25.1.1", frozenset({"2.25.777"}))
    made.engine.dispose()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"CANARY" not in stored
    assert b"2.25." not in stored
    assert b"1951" not in stored


@pytest.mark.parametrize(("passage", "there"), [(Passage.OPEN, True), (Passage.BROKEN_GLASS, True), (Passage.SHUT, False)])
def test_the_policy_hears_all_that_is_said_of_the_study_and_has_the_last_word(db: Database, keyring: Keyring, passage: Passage, there: bool) -> None:
    heard: list[set[tuple[str, tuple[str, ...]]]] = []

    def judge(handle: str, records: Sequence[StudyRecord]) -> Passage:
        heard.append({(record.source, record.confidentiality) for record in records})
        return passage

    kept = Holdings(db, keyring, lambda: NOW, judge)
    kept.save_answer("L1", ANSWER)
    chart = replace(STUDY, source="ehr:n", archive=None, patient_id=None, confidentiality=("PSY",))
    kept.save_answer("L1", Answer("ehr:n", "N", "N", SourceState.OK, (chart, replace(chart, uid="2.25.2"))))
    held = kept.held("L1", "kestrel", "2.25.1")
    assert heard == [{("kestrel", ()), ("ehr:n", ("PSY",))}]
    assert (held is not None) is there
    assert held is None or held.break_glass is (passage is Passage.BROKEN_GLASS)
    assert kept.held("L1", "kestrel", "2.25.2") is None, "a chart's word without a place opens nothing"
    assert kept.held("L2", "kestrel", "2.25.1") is None


def test_rows_of_an_earlier_version_are_still_found(db: Database, holdings: Holdings) -> None:
    holdings.save_answer("L1", ANSWER)
    with db.transaction() as session:
        session.execute(text("UPDATE holding_studies SET named = ''"))
    assert holdings.held("L1", "kestrel", "2.25.1") is not None


def test_what_was_remembered_of_a_dispute_binds_until_the_archive_speaks_again(holdings: Holdings) -> None:
    chart = replace(STUDY, source="ehr:n", patient_id=None, claimed_ids=(MINE,))
    holdings.save_answer("L1", Answer("ehr:n", "N", "N", SourceState.OK, (chart,)))
    assert holdings.held("L1", "kestrel", "2.25.1") is not None
    holdings.save_answer("L1", Answer("kestrel/earlier", "K", "K", SourceState.ASKING, withheld_studies=("2.25.1",)))
    assert holdings.held("L1", "kestrel", "2.25.1") is None
    holdings.save_answer("L1", ANSWER)
    assert holdings.held("L1", "kestrel", "2.25.1") is not None
    holdings.drop_answer("L1", "kestrel")
    assert holdings.held("L1", "kestrel", "2.25.1") is None
    assert {answer.source for answer in holdings.answers("L1")} == {"ehr:n", "kestrel/earlier"}
    assert holdings.answer("L1", "kestrel") is None
