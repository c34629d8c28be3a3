"""Requests in the chart: the form, what came of it, the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from flask import Flask

from launch.context import LaunchContext
from smart_app.dispatch import rules
from smart_app.dispatch.followup import FollowUp
from smart_app.fhir.appointments import AppointmentTime, read_appointment
from smart_app.fhir.client import FhirClient, FhirLimits
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests import views
from smart_app.image_requests.anchors import Anchors
from smart_app.image_requests.appointments import EVERY, Appointments
from smart_app.image_requests.appointments import KIND as APPOINTMENTS
from smart_app.image_requests.asking import Asking
from smart_app.image_requests.form import Prefill
from smart_app.image_requests.telling import Progress
from smart_app.image_requests.types import Happened, ImageRequest
from smart_app.jobs.types import Handler
from smart_app.parts import Parts
from smart_app.studies import views as studies_views
from smart_app.studies.listing import Listing
from smart_app.studies.request_sheet import prefill_of
from smart_app.studies.telling import patient_key
from smart_app.wiring import dispatch

WANTED = "want."
"""How a request is named that a board asks for, where no row is."""
STALLS = {
    rules.Step.REMIND: ("mail", "reminder, if nothing more arrives"), rules.Step.PHONE: ("clock", "on the desk’s list, to be phoned"),
    rules.Step.SECOND: ("split", "the next hospital is asked"),
}  # fmt: skip


def add(app: Flask, parts: Parts, listing: Listing, patient: Callable[[LaunchContext], PatientFacts], wanted: Callable[[LaunchContext, str], Prefill | None]) -> None:
    """`wanted` fills a request in that begins at a board, by what the board calls it; None: it is none of a board's."""
    chart = views.Chart(
        patient=patient, prefill=partial(_prefill, listing, wanted), appointments=listing.appointments, banner=studies_views.banner, patient_key=patient_key,
        idle_seconds=parts.settings.sessions.idle_minutes * 60, watch_seconds=parts.settings.watch_seconds,
    )  # fmt: skip
    asking = Asking(parts.requests, parts.facilities, parts.work, parts.clock)
    way_back = views.WayBack(is_on=parts.settings.portal_url is not None, progress=partial(progress_of, parts), stalls=partial(_stalls, parts, dispatch.make(parts).follow_up))
    app.register_blueprint(views.make_blueprint(parts.requests, asking, parts.work, parts.audit, parts.clock, chart, way_back))


def handlers(parts: Parts) -> Mapping[str, Handler]:
    ehrs = {ehr.key: ehr for ehr in parts.settings.ehrs}

    def read(key: str, id: str, patient: str) -> AppointmentTime | None:
        ehr = ehrs.get(key)
        if ehr is None or ehr.backend is None or not any(scope.startswith(("system/Appointment.", "system/*.")) for scope in ehr.backend.scopes):
            return None
        client = FhirClient(parts.outbound, f"ehr:{key}", ehr.issuer, parts.smart.broker.backend_provider(key), FhirLimits(deadline=10))
        return read_appointment(client, id, patient)

    return {APPOINTMENTS: Appointments(parts.work, Anchors(parts.database, parts.requests), read).handle}


def periods() -> Mapping[str, int]:
    return {APPOINTMENTS: EVERY}


def progress_of(parts: Parts, request: str) -> Progress | None:
    """What is safely received of what was announced last; None: nothing was."""
    for link in parts.links.of_request(request):
        for upload in parts.spool.of_link(link.id):
            found = parts.spool.progress(upload.id)
            if found.bytes:
                return Progress(found.held, found.bytes)
    return None


def _stalls(parts: Parts, follow_up: FollowUp, request: ImageRequest, history: Sequence[Happened]) -> tuple[views.Stall, ...]:
    now = parts.clock()
    return tuple(views.Stall(one.at, *STALLS[one.rule.step]) for one in follow_up.ahead(request, history) if one.at > now)


def _prefill(listing: Listing, wanted: Callable[[LaunchContext, str], Prefill | None], context: LaunchContext, of: str | None) -> Prefill | None:
    if not of:
        return prefill_of(None)
    if of.startswith(WANTED):
        return wanted(context, of)
    row = listing.asked_for(context, of)
    return prefill_of(row) if row is not None else None
