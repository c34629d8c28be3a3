"""Other ways in and out: image display by IHE IID, a study as launch context, other viewers."""

from __future__ import annotations

from functools import partial

from flask import Flask, Response, url_for

import launch.views
from launch.authorize import Binding
from launch.context import LaunchContext
from smart_app.doors import preference_views
from smart_app.doors import views as doors_views
from smart_app.doors.notes import Notes
from smart_app.doors.opening import Surroundings
from smart_app.doors.outward import ways_to
from smart_app.doors.preference_store import Preferences
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.parts import Parts
from smart_app.sources.chart import Chart
from smart_app.studies.telling import patient_key
from smart_app.studies.views import NO_PATIENT_FACTS


def add(app: Flask, parts: Parts, chart: Chart) -> None:
    settings = parts.settings

    def facts(context: LaunchContext) -> PatientFacts:
        found = parts.holdings.patient(context.handle)
        if found is None or found.id != context.patient_id:
            raise AppError(NO_PATIENT_FACTS)
        return found

    def sign_in(binding: Binding, params: dict[str, str]) -> Response:
        return launch.views.bound(binding, url_for("launch.sign_in", issuer=settings.iid_ehr), params)

    around = Surroundings(chart, parts.holdings, parts.requests, settings.archives, facts)
    notes = Notes(parts.keyring, parts.clock)
    app.register_blueprint(doors_views.make_blueprint(around, parts.audit, notes, patient_key, sign_in if settings.iid_ehr else None, settings.viewers))
    app.register_blueprint(preference_views.make_blueprint(Preferences(parts.database, parts.keyring, parts.clock)))
    # Rows of the list are drawn in several places: each finds the ways out of its own study.
    app.jinja_env.globals["ways_to"] = partial(ways_to, settings.viewers)
