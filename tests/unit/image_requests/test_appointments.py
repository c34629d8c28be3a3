"""Requests move with their appointment while no chart is open; an EHR that is silent, refuses, or names another patient moves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smart_app.db import Database
from smart_app.errors import TimedOut
from smart_app.fhir.appointments import AppointmentTime, time_of
from smart_app.image_requests.appointments import KIND, Appointments
from smart_app.image_requests.queries import Work
from smart_app.image_requests.types import Anchor
from smart_app.jobs.types import Job
from smart_app.sealing import Keyring
from tests.unit.image_requests.test_anchors import LATER, START, World
from tests.unit.image_requests.test_service import NEW, PATIENT, STAFF
from tests.unit.launch.ehr_sim import MovingClock

JOB = Job(KIND, "1", 1, lambda: None)


@pytest.fixture
def world(database: Database, keyring: Keyring) -> World:
    made = World(database, keyring)
    made.work = Work(database, made.requests, MovingClock())
    return made


def test_it_is_asked_by_its_own_patient_and_moves(world: World) -> None:
    asked: list[tuple[str, str, str]] = []

    def read(ehr: str, id: str, patient: str) -> AppointmentTime:
        asked.append((ehr, id, patient))
        return AppointmentTime(LATER, False)

    Appointments(world.work, world.anchors, read).handle(JOB)
    assert asked == [("northgate", "a1", PATIENT.id)]
    assert world.now.asked.needed_by == LATER - timedelta(hours=2)


def test_silence_of_one_keeps_no_other_from_being_asked(world: World) -> None:
    second = Anchor("Appointment/a2", "Clinic", START)
    other = world.requests.create(replace(NEW, wanted=replace(NEW.wanted, accession="KV-2"), anchor=second, needed_by=second.needed_by), STAFF)

    def read(ehr: str, id: str, patient: str) -> AppointmentTime:
        if id == "a1":
            raise TimedOut
        return AppointmentTime(LATER, False)

    Appointments(world.work, world.anchors, read).handle(JOB)
    assert world.now.asked.needed_by == START - timedelta(hours=2)
    assert world.requests.get(other.id).asked.needed_by == LATER - timedelta(hours=2)


def test_what_is_not_this_patients_or_not_allowed_says_nothing(world: World) -> None:
    Appointments(world.work, world.anchors, lambda ehr, id, patient: None).handle(JOB)
    assert world.now == world.made


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ({"start": "2026-05-22T13:00:00Z", "status": "booked"}, AppointmentTime(datetime(2026, 5, 22, 13, tzinfo=UTC), False)),
        ({"start": "2026-05-22T13:00:00", "status": "booked"}, AppointmentTime(None, False)),
        ({"start": ["x"], "status": "cancelled"}, AppointmentTime(None, True)),
        ({"status": "entered-in-error"}, AppointmentTime(None, True)),
    ],
    ids=["instant", "no zone", "odd", "error"],
)
def test_an_appointment_is_read_leniently(resource: dict[str, Any], told: AppointmentTime) -> None:
    assert time_of(resource) == told
