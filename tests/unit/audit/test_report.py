"""Who saw what: the report equals what happened, and reading it is on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smart_app.audit.events import AuditRead, SeriesRead, StudyOpened, Who
from smart_app.audit.log import AuditLog, AuditUnavailable
from smart_app.audit.report import AuditReports, Question
from smart_app.db import Database


@pytest.fixture
def reports(db: Database, log: AuditLog, who: Who) -> AuditReports:
    other = replace(who, subject="clerk-moss", name="Moss, A")
    for patient, person in [("p1", who), ("p2", who), ("p1", other)]:
        log.record(StudyOpened(who=person, patient=patient, archive="kestrel", study="1.2.3"))
    log.record(SeriesRead(who=replace(who, tenant="elsewhere"), patient="p1", archive="k", study="1", series="2", what="frames"))
    return AuditReports(db, log)


def test_by_patient(reports: AuditReports, who: Who) -> None:
    lines = reports.read(Question("default", patient="p1"), who)
    assert [(line.event, line.user) for line in lines] == [("AuditRead", "dr-halloran"), ("StudyOpened", "clerk-moss"), ("StudyOpened", "dr-halloran")]
    assert lines[1].details == {"archive": "kestrel", "study": "1.2.3"}


def test_by_user_and_time(reports: AuditReports, who: Who) -> None:
    assert [line.patient for line in reports.read(Question("default", user="clerk-moss"), who)] == ["p1"]
    until = datetime(2026, 5, 21, 8, 0, 3, tzinfo=UTC)
    assert [line.patient for line in reports.read(Question("default", until=until, sort="at"), who)] == ["p1", "p2"]
    assert reports.read(Question("default", since=datetime(2030, 1, 1, tzinfo=UTC)), who) == ()


@pytest.mark.parametrize("sort", ["event", "-user_name", "patient", "-outcome", "address", "nonsense; DROP"])
def test_sorts_on_each_field(reports: AuditReports, who: Who, sort: str) -> None:
    assert len(reports.read(Question("default", sort=sort), who)) == 4


def test_no_record_no_report(reports: AuditReports, who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AuditUnavailable

    monkeypatch.setattr(AuditLog, "record", refuse)
    with pytest.raises(AuditUnavailable):
        reports.read(Question("default"), who)


def test_the_reading_names_its_filters(reports: AuditReports, who: Who) -> None:
    reports.read(Question("default", patient="p2", user="x"), who)
    newest = reports.read(Question("default", user="dr-halloran"), who)[1]
    assert (newest.event, newest.patient, newest.details) == (AuditRead.__name__, "p2", {"about": "patient,user"})
