"""A standing link for a hospital: urgent by its purpose, its code shown apart and only for that hospital, all of it on the record."""

from __future__ import annotations

from sqlalchemy import select

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.desk.emergency import DAYS, EmergencyLinks
from smart_app.image_requests.types import Facility
from smart_app.links.store import Links
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

BRANNOC, KESTREL = Facility("stbrannoc", "St Brannoc District"), Facility("kestrel", "Kestrel Cancer Centre")
CLERK = Who("t", "northgate", "clerk-moss", "Daniel Moss", "", "", "")


def test_link_and_code_are_told_apart_and_recorded(database: Database, keyring: Keyring) -> None:
    clock = MovingClock()
    audit = AuditLog(database, keyring, clock)
    links = Links(database, keyring, audit, clock, tenant="t", portal_url="https://send.example")
    emergency = EmergencyLinks(database, links, audit)
    made = emergency.make(BRANNOC, CLERK)
    assert made.address.startswith("https://send.example/s/")
    assert made.code == ""
    assert (made.link.purpose, made.link.request, (made.link.expires_at - clock()).days) == (Purpose.INBOUND, None, DAYS)
    told = emergency.code(BRANNOC, made.link.id, CLERK)
    assert told is not None
    assert (told.address, told.code) == ("", links.code(made.link))
    with database.reading() as session:
        events = [(one.event, one.subject) for one in session.scalars(select(AuditRecord).order_by(AuditRecord.sequence))]
    assert events == [("LinkMade", "clerk-moss"), ("CodeShown", "clerk-moss")]


def test_no_code_of_another_hospitals_link_of_a_requests_or_of_one_that_ended(database: Database, keyring: Keyring) -> None:
    clock = MovingClock()
    audit = AuditLog(database, keyring, clock)
    links = Links(database, keyring, audit, clock, tenant="t", portal_url="https://send.example")
    emergency = EmergencyLinks(database, links, audit)
    made = emergency.make(BRANNOC, CLERK)
    assert emergency.code(KESTREL, made.link.id, CLERK) is None
    assert emergency.code(BRANNOC, "0" * 24, CLERK) is None
    with database.transaction() as session:
        of_request = links.issue(session, Purpose.REQUEST, "RQ-7Q2M4TKX")
    assert emergency.code(BRANNOC, of_request.id, CLERK) is None
    clock.forward(days=DAYS)
    assert emergency.code(BRANNOC, made.link.id, CLERK) is None
