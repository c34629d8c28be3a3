"""Break-glass on both engines: one opening a launch, its end by person, time or launch, and what reviewers read of it (`review`)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from launch.context import LaunchContext, User
from smart_app.audit.events import StudyOpened, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.report import AuditReports, Line, Question
from smart_app.breakglass.reasons import REASONS, understood
from smart_app.breakglass.review import Review
from smart_app.breakglass.store import BreakGlass
from smart_app.db import Database
from smart_app.sealing import Keyring

NOW = datetime(2026, 5, 21, 10, 42, tzinfo=UTC)
CTX = LaunchContext("L1", "n", "https://ehr", User("https://ehr", "u1", name="Dr One"), "p1", None, frozenset(), NOW, NOW + timedelta(hours=8))
WHO = Who.of(CTX, "192.0.2.7", "PR-1")
TEXT = "unconscious after a fall"


class Town:
    def __init__(self, db: Database, keyring: Keyring) -> None:
        self.now = NOW
        self.log = AuditLog(db, keyring, lambda: self.now)
        self.glass = BreakGlass(db, keyring, self.log, lambda: self.now, minutes=60)
        self.review = Review(self.glass, self.log, db)
        self.reports = AuditReports(db, self.log)

    def lines(self, event: str) -> list[Line]:
        return [line for line in self.reports.read(Question("default", sort="at"), WHO) if line.event == event]


@pytest.fixture
def town(database: Database, keyring: Keyring) -> Town:
    return Town(database, keyring)


def test_it_lasts_its_minutes_and_not_a_moment_more(town: Town) -> None:
    assert town.glass.state("L1") is None
    glass = town.glass.open(CTX, WHO, "unconscious", TEXT, 2)
    assert (glass.minutes_left, glass.purpose, glass.ends_at) == (60, "ETREAT", NOW + timedelta(hours=1))
    for ahead, left in ((timedelta(seconds=1), 60), (timedelta(minutes=1), 59), (timedelta(minutes=59, seconds=59), 1)):
        town.now = NOW + ahead
        now = town.glass.state("L1")
        assert now is not None
        assert now.minutes_left == left
    town.now = NOW + timedelta(hours=1)
    assert not town.glass.is_open("L1")
    (end,) = town.lines("BreakGlassEnded")
    assert (end.details["by"], end.details["opening"], end.patient, end.user) == ("time", glass.id, "p1", "u1")


def test_no_other_launch_is_open_by_it(town: Town) -> None:
    town.glass.open(CTX, WHO, "other", TEXT, 1)
    assert town.glass.is_open("L1")
    assert not town.glass.is_open("L2")
    town.glass.end("L2", WHO)
    town.glass.launch_ended("L2")
    assert town.glass.is_open("L1")


def test_ten_clicks_at_once_open_it_once(town: Town) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(town.glass.open(CTX, WHO, "other", TEXT, 1).id)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 10
    assert len(set(ids)) == 1
    assert len(town.lines("BreakGlassOpened")) == 1


@pytest.mark.parametrize(("end", "by"), [
    (lambda town: town.glass.end("L1", WHO), "person"), (lambda town: town.glass.launch_ended("L1"), "launch"),
])  # fmt: skip
def test_its_end_is_recorded_once(town: Town, end: object, by: str) -> None:
    town.glass.open(CTX, WHO, "other", TEXT, 1)
    for _ in range(2):
        end(town)  # type: ignore[operator]
    assert not town.glass.is_open("L1")
    assert [line.details["by"] for line in town.lines("BreakGlassEnded")] == [by]
    again = town.glass.open(CTX, WHO, "other", TEXT, 1)
    assert again.minutes_left == 60, "a new reason is a new hour"


def test_reviewers_read_why_and_how_much_of_their_own_tenant(town: Town) -> None:
    glass = town.glass.open(CTX, WHO, "patient-agrees", TEXT, 3)
    elsewhere = replace(CTX, tenant="elsewhere", handle="L9")
    town.glass.open(elsewhere, Who.of(elsewhere, "", ""), "other", TEXT, 1)
    broken = replace(WHO, purpose="BTG", opening=glass.id)
    for who in (broken, broken, WHO, replace(broken, opening="BG-OTHER")):
        town.log.record(StudyOpened(who=who, patient="p1", archive="kestrel", study="1.2"))
    town.now = NOW + timedelta(minutes=7)
    town.glass.end("L1", WHO)
    (case,) = town.review.cases(WHO)
    assert (case.who, case.patient, case.reason, case.text, case.restricted) == ("Dr One", "p1", REASONS["patient-agrees"].words, TEXT, 3)
    assert (case.opened, case.ended, case.how, case.reads) == ("21 May 2026 10:42", "10:49", "ended by the person", 2)
    assert "break-glass" in {line.details["about"] for line in town.lines("AuditRead")}


def test_a_lost_key_leaves_the_fact(town: Town, database: Database) -> None:
    town.glass.open(CTX, WHO, "other", TEXT, 1)
    blind = BreakGlass(database, Keyring({"test": b"x" * 32}), town.log, lambda: town.now, minutes=60)
    (one,) = blind.review("default", 10)
    assert one.what is None
    assert blind.is_open("L1"), "it was opened; by whom can no longer be read"
    blind.launch_ended("L1")
    assert [(line.user, line.patient, line.details["opening"]) for line in town.lines("BreakGlassEnded")] == [("", "", one.id)]


@pytest.mark.parametrize(("code", "text", "tidy"), [
    ("other", "  two \n words here ", "two words here"), ("other", "short", None), ("curious", "a long enough text", None), ("", "a long enough text", None),
    ("other", "x" * 501, None), ("other", "\x00\x01" * 20, None), ("other", "Привет, мир!", "Привет, мир!"),
])  # fmt: skip
def test_what_counts_as_a_reason(code: str, text: str, tidy: str | None) -> None:
    assert understood(code, text) == tidy
