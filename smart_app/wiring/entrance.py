"""Launches and sign-ins: who comes in, and what is said to who does not."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template
from flask.typing import ResponseReturnValue

import launch.views
from launch.assertions import keys_of, public_jwks
from launch.context import LaunchContext
from launch.errors import LaunchError
from launch.issuers import SigningKey
from smart_app import registration
from smart_app.access import Action, public, requires
from smart_app.audit.events import LaunchEnded, LaunchRefused, Who
from smart_app.config import Settings
from smart_app.doors.notes import Notes
from smart_app.doors.wishes import wants_more
from smart_app.entrance.opening import Opening
from smart_app.parts import Parts
from smart_app.sources.chart import Chart
from smart_app.sources.warmth import Warmth
from smart_app.web import current_launch, current_who, request_reference


def add(app: Flask, parts: Parts, chart: Chart, warmth: Warmth) -> None:
    opening = Opening(
        chart.patient, parts.holdings, parts.audit, warmth, lambda context: wants_more(context.fhir_context, context.app_context, context.sought)
    )
    notes = Notes(parts.keyring, parts.clock)
    names = {ehr.key: ehr.name for ehr in parts.settings.ehrs}

    def refused(error: LaunchError, *, issuer: str | None, retry_url: str | None) -> ResponseReturnValue:
        parts.audit.record(LaunchRefused(who=current_who(), reason=error.reason or error.code))
        name, reference = names.get(issuer or "", ""), request_reference()
        page = render_template(
            "launch/error.html", code=error.code, detail=error.detail, reference=reference, retry_url=retry_url, issuer_name=name
        )
        return page, error.status

    def ended(context: LaunchContext) -> Response:
        parts.audit.record(LaunchEnded(who=current_who(), patient=context.patient_id))
        return make_response(render_template("launch/error.html", code="session-ended", reference=request_reference(), detail=""))

    hooks = launch.views.Hooks(
        opened=lambda context: opening.open(context, Who.of(context, current_who().address, request_reference())),
        ended=ended,
        error=refused,
        current=current_launch,
        sought=notes.read,
        public=public,
        ends=requires(Action.END_LAUNCH),
    )
    jwks = public_jwks([*keys_of(parts.directory), *_archive_keys(parts.settings)])
    app.register_blueprint(launch.views.make_blueprint(parts.smart.launcher, parts.store, jwks, hooks))


def _archive_keys(settings: Settings) -> list[SigningKey]:
    credentials = [one.credential for one in settings.archives] + [one.credential for one in settings.exchanges] + [one.credential for one in settings.partners]
    return [registration.signing_key(one.client_key) for one in credentials if one.client_key]
