"""What the board writes into the audit leaves as valid AuditEvents that name the patient, and holds no word of a message."""

from __future__ import annotations

from dataclasses import fields

import pytest
from fhirclient.models.auditevent import AuditEvent

from smart_app.audit.balp import audit_event
from smart_app.audit.events import Event, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.preop_events import BoardShown, CaseDecided, CaseMessageSent, CaseOpened, CaseRefused, CaseShown
from smart_app.audit.report import AuditReports, Question
from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.sealing import Keyring

WHO = Who("default", "https://ehr.example/fhir", "dr-sato", "Sato, M", "0123456789abcdef", "192.0.2.7", "PR-7Q2MK9")
OF_A_CASE: list[Event] = [
    CaseShown(who=WHO, patient="p1", case="c1", verdict="at-risk", count=3),
    CaseOpened(who=WHO, patient="p1", case="c1", derived="fedcba9876543210", by="user"),
    CaseRefused(who=WHO, patient="p1", case="c1", reason="refused"),
    CaseDecided(who=WHO, patient="p1", case="c1", said="without", without=1),
    CaseMessageSent(who=WHO, patient="p1", case="c1"),
]


@pytest.mark.parametrize("event", [*OF_A_CASE, BoardShown(who=WHO, day="2026-11-24", count=8, cases="a,b")], ids=lambda event: type(event).__name__)
def test_each_leaves_as_an_audit_event(database: Database, keyring: Keyring, event: Event) -> None:
    log = AuditLog(database, keyring, utc_now)
    log.record(event)
    line = AuditReports(database, log).read(Question("default", sort="at"), WHO)[0]
    parsed = AuditEvent(audit_event(line, observer="https://priors.example"))
    assert [entity.what.reference for entity in parsed.entity if entity.what.reference] == ([f"Patient/{event.patient}"] if event.patient else [])


def test_a_message_is_recorded_without_its_words() -> None:
    assert {field.name for field in fields(CaseMessageSent)} == {field.name for field in fields(Event)} | {"case"}
