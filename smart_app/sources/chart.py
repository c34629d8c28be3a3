"""What the EHR knows: its patient, its ImagingStudy list, its reports, put into the words of the list.

An Endpoint's address is only compared with the configured archives. A study there can be opened only if the chart
also has an identifier to check its images with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import structlog

from launch.context import LaunchContext
from launch.errors import LaunchError
from launch.session import TokenProvider
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.fanout import Question
from smart_app.archives.registry import Archives, origin_shown
from smart_app.archives.types import Answer, PurposeRecord, ReportRecord, SeriesRecord, SourceState, StudyRecord
from smart_app.clock import Clock
from smart_app.config import Ehr
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirClient, FhirRefused
from smart_app.fhir.departures import departures_of
from smart_app.fhir.endpoints import ChartEndpoint
from smart_app.fhir.imaging import ChartImaging, ChartStudy, imaging_of, uid_for
from smart_app.fhir.patient import PatientFacts, patient_from
from smart_app.fhir.purpose import Opened, purposes_of
from smart_app.fhir.reports import reports_of
from smart_app.identity.crosswalk import crossed
from smart_app.identity.people import said_by_chart
from smart_app.outbound import Outbound
from smart_app.sources.base import CHART, Inquiry, Named
from smart_app.sources.chart_evidence import evidence_questions, recorded
from smart_app.sources.failing import code_of, state_of_failure

log = structlog.get_logger("priors.studies")

NO_REPORTS_RIGHT = "The EHR did not allow Priors to read reports, so none are shown. The EHR team can allow it."
NO_REPORTS = "The EHR did not answer about reports, so none are shown."
SOME_REPORTS = "The EHR did not give all its reports, so a report may be missing here."
REPLACED = "The EHR says that this patient record was replaced by another one. Studies may be kept under that one."
INACTIVE = "The EHR says that this patient record is no longer in use."
NOWHERE = "http://notspecified"
"""MADO: the address is to be looked up elsewhere. Never an address."""


@dataclass(frozen=True)
class _Place:
    """Where a chart's study can be had, or why it cannot."""

    archive: str | None = None
    organization: str | None = None
    why: str = ""
    foreign: str | None = None


class Chart:
    """One process's way to the EHRs. `tokens` gives the bearer provider of a launch."""

    def __init__(
        self, outbound: Outbound, ehrs: Mapping[str, Ehr], archives: Archives, tokens: Callable[[LaunchContext], TokenProvider], clock: Clock
    ) -> None:
        self._outbound = outbound
        self._ehrs = ehrs
        self._archives = archives
        self._tokens = tokens
        self._clock = clock

    def named(self, ctx: LaunchContext) -> Named:
        """The chart as a source, named so that nobody takes it for the archive of the same hospital."""
        ehr = self._ehrs[ctx.issuer_key]
        return Named(f"{CHART}{ehr.key}", "Chart", ehr.organization or ehr.name, "EHR (FHIR)", urlsplit(ehr.issuer).hostname or "")

    def questions(self, inquiry: Inquiry) -> Iterable[Question]:
        """Its studies, and beside them all at once: its reports, what else in it speaks of imaging, and why it may be open now."""
        ctx, facts, own = inquiry.context, inquiry.facts, self.named(inquiry.context)
        yield Question(own.key, own.name, own.organization, lambda seconds: self.imaging(ctx, facts, seconds), watch=True)
        yield Question(self.reports_key(ctx), own.name, own.organization, lambda seconds: self.reports(ctx, facts, seconds))
        yield Question(f"{own.key}/purpose", own.name, own.organization, lambda seconds: self.purpose(ctx, facts, seconds), watch=True)
        yield from evidence_questions(own, self._client(ctx), ctx, facts.id, self._clock)

    def reports_key(self, ctx: LaunchContext) -> str:
        """Key under which the reports' answer is kept. It is no source of studies and has no place in the strip."""
        return f"{CHART}{ctx.issuer_key}/reports"

    def patient(self, ctx: LaunchContext, *, deadline: float = 10) -> PatientFacts:
        """The launch's patient.

        :raises OutboundError: it could not be read. :raises LaunchError: the session has ended.
        """
        if ctx.patient_id is None:
            raise ValueError("this launch has no patient")
        ehr = self._ehrs[ctx.issuer_key]
        resource = self._client(ctx).read("Patient", ctx.patient_id, deadline=deadline)
        if departures := departures_of(resource):
            log.info("patient_departs_from_r4", ehr=ehr.key, fields=departures)
        return patient_from(resource, ehr.mrn, base=ctx.issuer.rstrip("/"), today=self._clock().date())

    def study_named(self, ctx: LaunchContext, resource_id: str, deadline: float = 5) -> str | None:
        """The Study Instance UID of one ImagingStudy of the launch's patient; None: it has none that stands.

        :raises AnotherPatients: it is somebody else's. :raises OutboundError, LaunchError: it could not be read.
        """
        resource = self._client(ctx).read("ImagingStudy", resource_id, deadline=deadline)
        return uid_for(resource, ctx.patient_id or "", ctx.issuer.rstrip("/"), is_uid)

    def imaging(self, ctx: LaunchContext, facts: PatientFacts, deadline: float) -> Answer:
        """The chart's own list of studies. A failure is an Answer."""
        source = self.named(ctx)
        answer = Answer(source.key, source.name, source.organization, SourceState.OK, asked_at=self._clock())
        if not ctx.allows("ImagingStudy"):
            return replace(answer, state=SourceState.REFUSED, fault_code="scope", answered_at=self._clock())
        try:
            found = imaging_of(self._client(ctx), facts.id, is_uid=is_uid, deadline=deadline)
        except (OutboundError, LaunchError) as error:
            return replace(answer, state=state_of_failure(error), fault_code=code_of(error), answered_at=self._clock())
        return self._answer(answer, found, source, facts)

    def reports(self, ctx: LaunchContext, facts: PatientFacts, deadline: float) -> Answer:
        """Which studies have a report. Where reports cannot be read, `reports` is None and a note says so."""
        source = self.named(ctx)
        answer = Answer(self.reports_key(ctx), source.name, source.organization, SourceState.OK, asked_at=self._clock())
        if not ctx.allows("DiagnosticReport"):
            return replace(answer, state=SourceState.REFUSED, notes=(NO_REPORTS_RIGHT,), fault_code="scope")
        try:
            found = reports_of(self._client(ctx), facts.id, is_uid=is_uid, deadline=deadline)
        except (OutboundError, LaunchError) as error:
            refused = isinstance(error, FhirRefused)
            return replace(answer, state=state_of_failure(error), fault_code=code_of(error), notes=(NO_REPORTS_RIGHT if refused else NO_REPORTS,))
        whole = found.complete and not found.unreadable
        return replace(
            answer,
            state=SourceState.OK if whole else SourceState.PARTIAL,
            reports=tuple(ReportRecord(one.status, one.studies, one.accessions) for one in found.reports),
            evidence=recorded(found.pieces),
            withheld=found.withheld,
            unreadable=found.unreadable,
            notes=() if whole else (SOME_REPORTS,),
            answered_at=self._clock(),
        )

    def purpose(self, ctx: LaunchContext, facts: PatientFacts, deadline: float) -> Answer:
        """Why the chart may be open. What could not be read is only missed: it says nothing of imaging."""
        source, asked_at = self.named(ctx), self._clock()
        # A reference of `fhirContext` counts only as the relative one that SMART asks for.
        named = tuple(str(one["reference"]) for one in ctx.fhir_context if isinstance(one.get("reference"), str))
        found = purposes_of(
            self._client(ctx), Opened(facts.id, ctx.encounter_id, named), ctx.allows, today=asked_at.astimezone().date(), deadline=deadline
        )
        return Answer(
            f"{source.key}/purpose", source.name, source.organization, SourceState.PARTIAL if found.failed or found.withheld else SourceState.OK,
            asked_at=asked_at, answered_at=self._clock(), withheld=found.withheld,
            purpose=tuple(
                PurposeRecord(one.kind, one.reference, one.title, one.codes, one.date, one.active, one.urgent, one.accessions, one.named, one.confidentiality, one.starts_at, one.is_off)
                for one in found.purposes
            ),
        )  # fmt: skip

    def _client(self, ctx: LaunchContext) -> FhirClient:
        return FhirClient(self._outbound, f"ehr:{ctx.issuer_key}", ctx.issuer, self._tokens(ctx))

    def _answer(self, answer: Answer, found: ChartImaging, source: Named, facts: PatientFacts) -> Answer:
        foreign: dict[str, None] = {}
        if found.foreign:
            foreign[origin_shown(found.foreign)] = None
        studies = []
        for study in found.studies:
            record, origins = self._record(study, source, facts)
            studies.append(record)
            foreign.update(dict.fromkeys(origins))
        notes = (REPLACED,) if facts.replaced_by else (INACTIVE,) if not facts.active else ()
        more = bool(found.ended or found.outcomes or found.failure)
        partial = more or found.withheld or found.unreadable or foreign or facts.replaced_by
        return replace(
            answer,
            state=SourceState.PARTIAL if partial else SourceState.OK if studies else SourceState.EMPTY,
            studies=tuple(studies),
            answered_at=self._clock(),
            withheld=found.withheld,
            withheld_studies=found.withheld_studies,
            unreadable=found.unreadable,
            more_exist=more,
            not_approved=tuple(foreign),
            notes=notes,
            fault_code=code_of(found.failure) if found.failure else None,
        )

    def _record(self, study: ChartStudy, source: Named, facts: PatientFacts) -> tuple[StudyRecord, list[str]]:
        places = [self._place(endpoint, facts) for endpoint in study.endpoints] or [_Place(why="no-endpoint")]
        place = next((place for place in places if place.archive), places[0])
        archive = self._archives.by_key(place.archive) if place.archive else None
        record = StudyRecord(
            uid=study.uid, source=source.key, organization=place.organization or source.organization, archive=place.archive,
            date=study.date, time=study.time, offset=study.offset, modalities=study.modalities, description=study.description,
            body_parts=study.body_parts, accession=study.accession, series_count=study.series_count, image_count=study.image_count,
            fhir_id=study.fhir_id, faults=study.faults, unfetchable=place.why, claimed_ids=crossed(facts, archive).ids if archive else (),
            expected=(said_by_chart(facts),),
            series=tuple(SeriesRecord(one.uid, study.uid, one.number, one.modality, one.description, one.count) for one in study.series), orders=study.orders,
            confidentiality=study.confidentiality,
        )  # fmt: skip
        return record, [place.foreign for place in places if place.foreign]

    def _place(self, endpoint: ChartEndpoint, facts: PatientFacts) -> _Place:
        archive = self._archives.by_address(endpoint.address)
        if archive is not None:
            if crossed(facts, archive).ids:
                return _Place(archive.key, archive.organization)
            return _Place(None, archive.organization, "no-identifier")
        if endpoint.address.rstrip("/") == NOWHERE:
            return _Place(why="no-endpoint")
        # It is somewhere else, so the chart's own hospital must not stand in its row.
        origin = origin_shown(endpoint.address)
        name = endpoint.name or origin.partition("://")[2] or "Not stated"
        return _Place(None, name, "capability" if endpoint.capability else "not-approved", origin)
