"""A photo from the chart with the phone: a QR code for the launch's patient, good for a quarter of an hour and for the first phone.

The picture goes the way of all that arrives: it is looked at before it is in the record.
"""

from __future__ import annotations

from collections.abc import Callable

import segno
from flask import Blueprint, render_template
from pydantic_core import to_json

from launch.context import LaunchContext
from smart_app.access import Action, requires
from smart_app.audit.events import launch_id
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests.patients import as_patient
from smart_app.links.about import About, write_about
from smart_app.links.store import Links
from smart_app.links.types import Purpose
from smart_app.portal import words
from smart_app.web import current_launch, current_who

MINUTES = 15


def make_blueprint(db: Database, links: Links, patient: Callable[[LaunchContext], PatientFacts | None]) -> Blueprint:
    blueprint = Blueprint("photo", __name__)

    @blueprint.post("/l/<launch:handle>/photo")
    @requires(Action.REQUEST_IMAGES)
    def code(handle: str) -> str:
        ctx = current_launch()
        facts = patient(ctx)
        if not links.is_on:
            raise AppError(words.RECEIVING_OFF)
        if facts is None or facts.id != ctx.patient_id:
            raise AppError(words.NOT_READ)
        initials = " ".join(f"{word[0].upper()}." for word in (facts.given or "", facts.family or "") if word)
        whom = to_json(as_patient(facts, ctx.issuer_key)).decode()
        about = About("A photo for the chart.", initials, "", ctx.user.name or "", ctx.issuer_key, facts.id, whom, launch_id(handle), ctx.user.name or "")
        with db.transaction() as session:
            link = links.issue(session, Purpose.PHOTO, None, days=MINUTES / 1440, about=write_about(about), who=current_who())
        address = links.address(link)
        picture = segno.make(address, error="q", micro=False).svg_data_uri(scale=6, border=4)
        return render_template("portal/photo.html", ctx=ctx, patient=facts, picture=picture, address=address, minutes=MINUTES)

    return blueprint
