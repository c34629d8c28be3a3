"""Requests follow what they hang on: moved once, told once, and only by the EHR whose appointment it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.image_requests.anchors import Anchors, Planned
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Anchor, ImageRequest
from smart_app.image_requests.workflow import Act
from smart_app.jobs.ledger import Ledger
from smart_app.sealing import Keyring
from tests.unit.image_requests.test_service import KESTREL, NEW, PATIENT, STAFF
from tests.unit.launch.ehr_sim import MovingClock

START = datetime(2026, 5, 22, 8, tzinfo=UTC)
LATER = START + timedelta(hours=5)


class World:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        clock = MovingClock()
        facilities = Facilities(database, keyring, clock, tenant="t")
        facilities.save(KESTREL)
        self.requests = Requests(database, keyring, AuditLog(database, keyring, clock), Ledger(database, clock), facilities, clock, tenant="t")
        self.anchors = Anchors(database, self.requests)
        anchor = Anchor("Appointment/a1", "Surgery", START)
        self.made = self.requests.create(replace(NEW, anchor=anchor, needed_by=anchor.needed_by), STAFF)

    @property
    def now(self) -> ImageRequest:
        return self.requests.get(self.made.id)


@pytest.fixture
def world(database: Database, keyring: Keyring) -> World:
    return World(database, keyring)


def test_it_moves_with_its_appointment_and_is_told_once(world: World) -> None:
    for _ in range(3):
        world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", LATER)])
    assert world.now.asked.needed_by == LATER - timedelta(hours=2)
    assert [one.action for one in world.requests.history(world.made.id)] == ["send", "follow"]


def test_what_says_nothing_moves_nothing(world: World) -> None:
    world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", START), Planned("Appointment/a1", None), Planned("Appointment/a2", LATER)])
    world.anchors.heard("ferrybank", PATIENT.id, [Planned("Appointment/a1", LATER)])
    world.anchors.heard("northgate", "p2", [Planned("Appointment/a1", LATER)])
    assert world.now == world.made


def test_called_off_keeps_the_time_until_a_person_decides(world: World) -> None:
    world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", LATER, is_off=True)])
    world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", LATER)])
    assert (world.now.asked.needed_by, world.now.asked.anchor) == (START - timedelta(hours=2), None)
    assert "called off" in world.requests.history(world.made.id)[-1].note


def test_closed_ones_and_those_a_person_has_moved_stay(world: World) -> None:
    world.requests.move(world.made.id, LATER, STAFF, why="The surgeon asked")
    assert world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", START + timedelta(days=3))]) == 0
    assert world.now.asked.needed_by == LATER
    other = world.requests.create(replace(NEW, wanted=replace(NEW.wanted, accession="KV-2"), anchor=Anchor("Appointment/a1", "Surgery", START)), STAFF)
    world.requests.act(other.id, Act.CANCEL, STAFF, reason="x")
    assert world.anchors.heard("northgate", PATIENT.id, [Planned("Appointment/a1", LATER)]) == 0
