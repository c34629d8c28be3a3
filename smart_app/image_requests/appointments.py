"""Asks the EHR, as Priors itself, when the appointments are now that open requests hang on; so that they move while no chart is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from launch.errors import LaunchError
from smart_app.errors import AppError
from smart_app.fhir.appointments import AppointmentTime
from smart_app.image_requests.anchors import Anchors, Planned
from smart_app.image_requests.queries import Filter, Work
from smart_app.jobs.types import Job

log = structlog.get_logger("priors.requests")
KIND, EVERY = "appointments", 300
PAGE = 200


@dataclass(frozen=True)
class Appointments:
    """`read` gives one appointment (EHR key, id, patient id) as it stands; None: Priors may not ask there, or it is not that patient's."""

    work: Work
    anchors: Anchors
    read: Callable[[str, str, str], AppointmentTime | None]

    def handle(self, job: Job) -> None:
        """One EHR that does not answer keeps nobody else from being asked; what was missed is asked next time."""
        wanted, seen = Filter(anchored=True, limit=PAGE), set[tuple[str, str]]()
        while True:
            page = self.work.find(wanted)
            for request in page:
                anchor, patient = request.asked.anchor, request.asked.patient
                if anchor is None or (patient.issuer, anchor.reference) in seen:
                    continue
                seen.add((patient.issuer, anchor.reference))
                job.heartbeat()
                self._follow(patient.issuer, anchor.reference, patient.id)
            if len(page) < PAGE:
                return
            wanted = replace(wanted, offset=wanted.offset + PAGE)

    def _follow(self, ehr: str, reference: str, patient: str) -> None:
        try:
            found = self.read(ehr, reference.rpartition("Appointment/")[2], patient)
        except (AppError, LaunchError) as error:
            log.info("appointment_not_read", ehr=ehr, kind=type(error).__name__)
            return
        if found is not None:
            self.anchors.heard(ehr, patient, [Planned(reference, found.starts_at, found.is_off)])
