"""Every kind of record leaves as a valid AuditEvent, with its patient, its person and both ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fhirclient.models.auditevent import AuditEvent

from smart_app.audit.balp import audit_event
from smart_app.audit.events import (
    KINDS,
    AccessDenied,
    AppStarted,
    AuditRead,
    BreakGlassEnded,
    BreakGlassOpened,
    Event,
    IndexForgotten,
    InstanceWithheld,
    LaunchEnded,
    LaunchOpened,
    LaunchRefused,
    MatchCompared,
    MatchConfirmed,
    MatchLeftOpen,
    MatchRejected,
    MatchUndone,
    RequestPrepared,
    RowWithheld,
    SeriesRead,
    SourceAnswered,
    StudyArrived,
    StudyOpened,
    Who,
)
from smart_app.audit.log import AuditLog
from smart_app.audit.report import AuditReports, Line, Question
from smart_app.db import Database

WHO = Who("default", "https://ehr.example/fhir", "dr-halloran", "Halloran, M", "0123456789abcdef", "192.0.2.7", "PR-7Q2MK9")
BROKEN = replace(WHO, purpose="ETREAT", opening="BG-7Q2M4TKX")
NOBODY = Who.nobody("default", "", "")
EVENTS: list[Event] = [
    AppStarted(who=NOBODY, version="1"),
    LaunchOpened(who=WHO, patient="p1", kind="chart"),
    LaunchRefused(who=NOBODY, reason="unknown-issuer"),
    LaunchEnded(who=WHO, patient="p1"),
    SourceAnswered(who=WHO, patient="p1", source="archive:kestrel", state="ok", count=3),
    RowWithheld(who=WHO, patient="p1", source="archive:kestrel", reason="other patient"),
    StudyOpened(who=WHO, patient="p1", archive="kestrel", study="1.2.3"),
    SeriesRead(who=WHO, patient="p1", archive="kestrel", study="1.2.3", series="1.2.3.4", what="frames", count=120),
    InstanceWithheld(who=WHO, patient="p1", archive="kestrel", study="1.2.3", series="1.2.3.4", instance="1.2.3.4.5", reason="other patient"),
    MatchCompared(who=WHO, patient="p1", source="kestrel", match="0" * 32),
    MatchConfirmed(who=WHO, patient="p1", source="kestrel", match="0" * 32, stage="proposed", differing=2, decisive=1),
    MatchRejected(who=WHO, patient="p1", source="kestrel", match="0" * 32, reason="birth-date"),
    MatchUndone(who=WHO, patient="p1", source="kestrel", match="0" * 32, was="confirmed"),
    MatchLeftOpen(who=WHO, patient="p1", source="kestrel", match="0" * 32),
    AccessDenied(who=WHO, action="read-audit", reason="role"),
    AuditRead(who=WHO, patient="p1", about="patient"),
    StudyArrived(who=WHO, patient="p1", source="northgate", study="1.2.3", within_seconds=30),
    RequestPrepared(who=WHO, patient="p1", about="known", study="1.2.3"),
    IndexForgotten(who=WHO, patient="p1", count=3),
    BreakGlassOpened(who=BROKEN, patient="p1", reason="emergency", minutes=60, count=2),
    BreakGlassEnded(who=BROKEN, patient="p1", by="time"),
]


def test_no_kind_is_left_out() -> None:
    assert {type(event) for event in EVENTS} == set(KINDS.values())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_each_is_a_valid_audit_event(db: Database, log: AuditLog, event: Event) -> None:
    log.record(event)
    line: Line = AuditReports(db, log).read(Question("default", sort="at"), WHO)[0]
    resource = audit_event(line, observer="https://priors.example")
    parsed = AuditEvent(resource)  # strict: unknown keys, missing fields and wrong types raise
    assert parsed.outcome == str(int(event.outcome))
    assert len(parsed.agent) == (3 if event.who.subject else 2)
    assert [agent.requestor for agent in parsed.agent].count(True) == bool(event.who.subject)
    patients = [entity.what.reference for entity in parsed.entity if entity.what.reference]
    assert patients == ([f"Patient/{event.patient}"] if event.patient else [])


def test_a_query_turns_the_ends_round(db: Database, log: AuditLog) -> None:
    for event in (EVENTS[4], EVENTS[7]):
        log.record(event)
    lines = AuditReports(db, log).read(Question("default", sort="at"), WHO)
    query, read = (audit_event(line, observer="https://priors.example") for line in lines[:2])
    ours = [next(a for a in event["agent"] if a["who"].get("display") == "https://priors.example") for event in (query, read)]
    assert [agent["type"]["coding"][0]["code"] for agent in ours] == ["110153", "110153"]
    assert (query["subtype"][0]["code"], query["action"], read["subtype"][0]["code"], read["action"]) == ("search", "E", "read", "R")
    assert {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"} in [entity["what"].get("identifier") for entity in read["entity"]]


def test_a_read_behind_broken_glass_says_what_it_was_for(db: Database, log: AuditLog) -> None:
    log.record(StudyOpened(who=BROKEN, patient="p1", archive="kestrel", study="1.2.3"))
    log.record(StudyOpened(who=WHO, patient="p1", archive="kestrel", study="1.2.4"))
    broken, plain = (AuditEvent(audit_event(line, observer="https://priors.example")) for line in AuditReports(db, log).read(Question("default", sort="at"), WHO)[:2])
    assert [coding.code for agent in broken.agent for purpose in agent.purposeOfUse or () for coding in purpose.coding] == ["ETREAT"]
    assert {detail.type: detail.valueString for entity in broken.entity for detail in entity.detail or ()}["opening"] == "BG-7Q2M4TKX"
    assert not any(agent.purposeOfUse for agent in plain.agent)
