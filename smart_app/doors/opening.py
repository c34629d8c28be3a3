"""What the landing needs to know of a launch, asked where it is known: the chart, the list, the requests, the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from launch.context import LaunchContext
from launch.errors import EhrSilent
from smart_app.config_archives import Archive
from smart_app.doors.landing import Named, Said
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirMissing, FhirRefused
from smart_app.fhir.imaging import AnotherPatients
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Held, Holdings
from smart_app.image_requests.service import Requests
from smart_app.sources.chart import Chart


class Surroundings:
    """`facts` gives the launch's patient as read when it began."""

    def __init__(
        self, chart: Chart, holdings: Holdings, requests: Requests, archives: Iterable[Archive], facts: Callable[[LaunchContext], PatientFacts]
    ) -> None:
        self._chart = chart
        self._holdings = holdings
        self._requests = requests
        self._archives = tuple(archives)
        self.facts = facts

    def named(self, ctx: LaunchContext, resource: str) -> Named:
        """Reads one ImagingStudy with the launch's own token."""
        try:
            uid = self._chart.study_named(ctx, resource)
        except AnotherPatients:
            return Named(said=Said.OTHER_PATIENT)
        except FhirMissing:
            return Named(said=Said.NOT_THERE)
        except FhirRefused:
            return Named(said=Said.REFUSED)
        except (OutboundError, EhrSilent):
            return Named(said=Said.UNREAD)
        return Named(uid) if uid else Named(said=Said.NOT_THERE)

    def has_request(self, ctx: LaunchContext, id: str) -> bool:
        return any(one.id == id for one in self._requests.of_patient(ctx.issuer_key, ctx.patient_id or ""))

    def by_accession(self, ctx: LaunchContext, number: str) -> str:
        """The one study that sources of this launch know under this number; empty: none, or more than one. Numbers repeat between hospitals."""
        named = {(study.archive, study.uid) for answer in self._holdings.answers(ctx.handle) for study in answer.studies if study.accession == number}
        # Only what is held may be named here: a study that a rule hides has no name for this launch.
        found = {uid for archive, uid in named if archive and self._holdings.held(ctx.handle, archive, uid) is not None}
        return found.pop() if len(found) == 1 else ""

    def held(self, ctx: LaunchContext, archive: str, study: str) -> Held | None:
        """What this launch may open of this study there; None: it does not exist for it."""
        return self._holdings.held(ctx.handle, archive, study)

    def systems_of(self, authority: str) -> Iterable[str]:
        """Identifier systems of the archives that have this assigning authority."""
        return [system for one in self._archives if one.patient_id_issuer == authority for system in one.identifier_systems]
