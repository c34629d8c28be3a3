"""A request hangs on a surgery of the demo EHR, which Priors reads by itself, with a key of its own and no chart open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sandbox.world import PATIENTS
from smart_app.image_requests.types import Actor, Anchor, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.jobs.types import Job
from smart_app.parts import build
from smart_app.wiring import image_requests
from tests.town import Jar, Town

WHO = next(one for one in PATIENTS if one.id == "oyelaran-femi-ade")
OTHER = next(one for one in PATIENTS if one.id == "oyelaran-femi")
STAFF = Actor(Party.STAFF, "northgate", "clerk-moss", "Daniel Moss")


def test_needed_by_follows_the_surgery_and_nobody_elses(town: Town) -> None:
    assert Jar().get(f"{town.plan.ehr}/healthz").status == 200
    parts = build(town.settings)
    believed = datetime(2020, 1, 1, tzinfo=UTC)
    made = {}
    for person in (WHO, OTHER):
        anchor = Anchor(f"Appointment/surgery-{WHO.id}", "Arthroscopy", believed)
        patient = Patient("northgate", person.id, person.name, person.family, person.given, person.birth_date)
        new = NewRequest(patient, Wanted("MRI shoulder", "MR"), Route(RouteKind.PATIENT), None, anchor=anchor, needed_by=anchor.needed_by)
        made[person.id] = parts.requests.create(replace(new, why=person.id), STAFF)
    (handler,) = image_requests.handlers(parts).values()
    handler(Job("appointments", "1", 1, lambda: None))
    moved, left = (parts.requests.get(one.id).asked for one in made.values())
    assert moved.anchor is not None
    assert moved.anchor.starts_at > believed + timedelta(days=365)
    assert moved.needed_by == moved.anchor.starts_at - timedelta(hours=2)
    assert left.needed_by == believed - timedelta(hours=2), "the appointment is not this patient's"
    parts.database.engine.dispose()
