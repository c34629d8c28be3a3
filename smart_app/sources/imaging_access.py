"""A SMART Imaging Access server, or an HIE's FHIR server, as a source: the patient first, then their ImagingStudy with endpoints.

An endpoint's address is called later, when a person opens the study, and only in an approved origin: with the server's
own credential where it says so, without any where the address is itself the credential. SMART Imaging Access
"Finding studies", "Retrieving images".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from smart_app.archives.dicom_json import is_uid
from smart_app.archives.exchanges import ConfiguredExchange
from smart_app.archives.registry import Archives, origin_shown
from smart_app.archives.types import Answer, PatientId, SeriesRecord, SourceState, StudyRecord
from smart_app.fhir.endpoints import NOWHERE, ChartEndpoint
from smart_app.fhir.imaging import ChartImaging, ChartStudy, imaging_of
from smart_app.identity.discovery import Discover
from smart_app.sources.exchange import ExchangeSource, Meeting, Surroundings, at_archive, http_of
from smart_app.sources.failing import code_of

KIND = "Imaging exchange (FHIR)"


@dataclass(frozen=True)
class Place:
    """Where a study can be had, or why it cannot."""

    archive: str | None = None
    why: str = ""
    ids: tuple[PatientId, ...] = ()
    base: str | None = None
    open_base: bool = False
    organization: str | None = None
    foreign: str | None = None


class ImagingAccess:
    """`Tell` of one imaging access server."""

    def __init__(self, exchange: ConfiguredExchange, archives: Archives) -> None:
        self._exchange = exchange
        self._archives = archives

    def __call__(self, meeting: Meeting, answer: Answer) -> Answer:
        found = imaging_of(meeting.client, meeting.person.id, is_uid=is_uid, deadline=meeting.left())
        foreign: dict[str, None] = {}
        if found.foreign:
            foreign[origin_shown(found.foreign)] = None
        studies = []
        for study in found.studies:
            place = self._best([self._place(endpoint, study, meeting) for endpoint in study.endpoints])
            studies.append(self._record(study, place))
            if place.foreign:
                foreign[place.foreign] = None
        return _stated(replace(answer, studies=tuple(studies), not_approved=tuple(foreign)), found)

    def _best(self, places: list[Place]) -> Place:
        return next((place for place in places if place.archive), places[0] if places else Place(why="no-location"))

    def _place(self, endpoint: ChartEndpoint, study: ChartStudy, meeting: Meeting) -> Place:
        exchange, address = self._exchange, endpoint.address
        if address.rstrip("/") == NOWHERE:
            return Place(why="no-location", organization=endpoint.name)
        if not endpoint.capability and not endpoint.needs_token and (archive := self._archives.by_address(address)) is not None:
            ids = at_archive(self._archives, archive.key, meeting)
            return Place(archive.key if ids else None, "" if ids else "unmapped", ids, organization=archive.organization)
        base = exchange.base_of(address, study.uid)
        if base is None:
            # Nothing of a capability's address may be told, not even where it is; its host is what help desks need.
            return Place(why="foreign-place", organization=endpoint.name, foreign=origin_shown(address))
        ids = exchange.patient_ids((one.system, one.value) for one in meeting.person.identifiers if not one.is_retired)
        if not ids:
            return Place(why="unmapped", organization=endpoint.name)
        return Place(exchange.key, "", ids, base, not endpoint.needs_token, endpoint.name)

    def _record(self, study: ChartStudy, place: Place) -> StudyRecord:
        return StudyRecord(
            uid=study.uid, source=self._exchange.key, organization=place.organization or self._exchange.organization, archive=place.archive,
            date=study.date, time=study.time, offset=study.offset, modalities=study.modalities, description=study.description,
            body_parts=study.body_parts, accession=study.accession, series_count=study.series_count, image_count=study.image_count,
            faults=study.faults, unfetchable=place.why, claimed_ids=place.ids, retrieve=place.base, open_base=place.open_base,
            series=tuple(SeriesRecord(one.uid, study.uid, one.number, one.modality, one.description, one.count) for one in study.series),
            confidentiality=study.confidentiality,
        )  # fmt: skip


def _stated(answer: Answer, found: ChartImaging) -> Answer:
    more = bool(found.ended or found.outcomes or found.failure)
    withheld = answer.withheld + found.withheld
    partial = more or withheld or found.unreadable or answer.not_approved
    return replace(
        answer,
        state=SourceState.PARTIAL if partial else SourceState.OK if answer.studies else SourceState.EMPTY,
        withheld=withheld,
        withheld_studies=found.withheld_studies,
        unreadable=found.unreadable,
        more_exist=more,
        fault_code=code_of(found.failure) if found.failure else None,
        http=http_of(found.failure) if found.failure else 0,
    )


def imaging_access(exchange: ConfiguredExchange, around: Surroundings, find: Discover | None = None) -> ExchangeSource:
    """The source of this server. `find`: another way of finding the patient than the plain search."""
    return ExchangeSource(exchange, around, ImagingAccess(exchange, around.archives), KIND, find)
