"""Requests in the chart: the form, what came of it, the timeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Flask

from launch.context import LaunchContext
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests import views
from smart_app.image_requests.asking import Asking
from smart_app.image_requests.form import Prefill
from smart_app.parts import Parts
from smart_app.studies import views as studies_views
from smart_app.studies.listing import Listing
from smart_app.studies.request_sheet import prefill_of
from smart_app.studies.telling import patient_key


def add(app: Flask, parts: Parts, listing: Listing, patient: Callable[[LaunchContext], PatientFacts]) -> None:
    chart = views.Chart(
        patient=patient, prefill=partial(_prefill, listing), appointments=listing.appointments, banner=studies_views.banner, patient_key=patient_key,
        idle_seconds=parts.settings.sessions.idle_minutes * 60, watch_seconds=parts.settings.watch_seconds,
    )  # fmt: skip
    asking = Asking(parts.requests, parts.facilities, parts.work, parts.clock)
    receiving = views.Receiving(is_on=getattr(parts.settings, "portal_url", None) is not None)
    app.register_blueprint(views.make_blueprint(parts.requests, asking, parts.work, parts.audit, parts.clock, chart, receiving))


def _prefill(listing: Listing, context: LaunchContext, of: str | None) -> Prefill | None:
    if not of:
        return prefill_of(None)
    row = listing.asked_for(context, f"request?of={of}")
    return prefill_of(row) if row is not None else None
