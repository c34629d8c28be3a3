"""A document-sharing server with imaging manifests as a source: each manifest is one study, its counts, and where it can be had.

A manifest opens only from a configured archive or an approved origin, and only if the patient inside it is the one it
was listed for. IHE MHD ITI-67 and ITI-68, XDS-I.b, MADO.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from smart_app.archives import kos
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.exchanges import ConfiguredExchange
from smart_app.archives.registry import origin_shown
from smart_app.archives.types import Answer, PatientId, SeriesRecord, SourceState, StudyRecord
from smart_app.errors import OutboundError, TimedOut
from smart_app.fhir import manifests
from smart_app.fhir.endpoints import NOWHERE
from smart_app.fhir.manifests import FhirManifest, ManifestPlace
from smart_app.fhir.patient import SEX, PatientFacts
from smart_app.identity.discovery import Discover
from smart_app.sources.exchange import ExchangeSource, Meeting, Surroundings, at_archive
from smart_app.sources.imaging_access import Place

KIND = "Document server (imaging manifests)"
MAX_MANIFESTS = 200
AT_ONCE = 4
DICOM_SEX = {"F": "Female", "M": "Male", "O": "Other"}


class Withheld(ValueError):
    """The manifest is about somebody else. `studies` are the UIDs it names."""

    def __init__(self, studies: Iterable[str]) -> None:
        self.studies = tuple(studies)
        super().__init__("another patient")


class Elsewhere(ValueError):
    """The document lies in an origin that is not approved. `origin` may be shown."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__("not approved")


@dataclass(frozen=True)
class _Series:
    record: SeriesRecord
    place: Place

    @property
    def images(self) -> int:
        return self.record.image_count or 0


class Manifests:
    """`Tell` of one document server."""

    def __init__(self, exchange: ConfiguredExchange, around: Surroundings) -> None:
        self._exchange = exchange
        self._around = around
        self._locations = {location.uid: location.archive for location in exchange.settings.locations}

    def __call__(self, meeting: Meeting, answer: Answer) -> Answer:
        wanted: dict[ManifestPlace, None] = {}
        foreign: dict[str, None] = {}
        withheld, unreadable, more = answer.withheld, 0, False
        for page in manifests.manifests_of(meeting.client, meeting.person.id, meeting.left()):
            wanted |= dict.fromkeys(page.places)
            withheld, unreadable, more = withheld + page.withheld, unreadable + page.unreadable, more or bool(page.ended)
            foreign |= {origin_shown(page.foreign): None} if page.foreign else {}
        more |= len(wanted) > MAX_MANIFESTS
        studies: dict[tuple[str, str | None], StudyRecord] = {}
        strangers: dict[str, None] = {}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="manifest") as pool:
            for found in pool.map(lambda place: self._tried(place, meeting), list(wanted)[:MAX_MANIFESTS]):
                if isinstance(found, Withheld):
                    withheld += 1
                    strangers |= dict.fromkeys(found.studies)
                elif isinstance(found, Elsewhere):
                    foreign[found.origin] = None
                elif isinstance(found, Exception):
                    unreadable += 1
                    more |= isinstance(found, TimedOut)
                else:
                    for record, origin in found:
                        studies.setdefault((record.uid, record.archive), record)
                        foreign |= {origin: None} if origin else {}
        kept = tuple(record for record in studies.values() if record.uid not in strangers)
        state = SourceState.PARTIAL if withheld or unreadable or more or foreign else SourceState.OK if kept else SourceState.EMPTY
        return replace(
            answer, studies=kept, state=state, withheld=withheld, withheld_studies=tuple(strangers), unreadable=unreadable, more_exist=more,
            not_approved=tuple(foreign),
        )  # fmt: skip

    def _tried(self, place: ManifestPlace, meeting: Meeting) -> list[tuple[StudyRecord, str | None]] | Exception:
        try:
            data = self._fetched(place, meeting)
            if place.kind == "kos":
                return self._of_kos(kos.kos_from(data), meeting)
            try:
                document = json.loads(data)
            except (ValueError, RecursionError):
                raise manifests.NotManifest("no JSON") from None
            return self._of_fhir(manifests.manifest_from(document, is_uid=is_uid, today=self._around.clock().date()), meeting)
        except (OutboundError, ValueError) as error:
            return error

    def _fetched(self, place: ManifestPlace, meeting: Meeting) -> bytes:
        if place.data is not None:
            return _from_base64(place.data)
        client, exchange = meeting.client, self._exchange
        url = urljoin(client.base + "/", place.url) if place.url else ""
        if client.holds(url):
            body = client.fetch(url, place.content_type, deadline=meeting.left(), max_bytes=kos.MAX_BYTES * 2).body
        elif exchange.approves(url):
            # Another host of theirs: it gets no credential, whatever it may be.
            reply = self._around.outbound.request(
                exchange.lane, "GET", url, headers={"Accept": place.content_type}, deadline=meeting.left(), max_bytes=kos.MAX_BYTES * 2
            )
            if reply.status != 200:
                raise ValueError("no document")
            body = reply.body
        else:
            raise Elsewhere(origin_shown(url))
        return _unwrapped(body)

    def _of_kos(self, found: kos.Kos, meeting: Meeting) -> list[tuple[StudyRecord, str | None]]:
        exchange = self._exchange
        named = PatientId(found.patient_id, found.issuer or exchange.settings.patient_id_issuer)
        sex = DICOM_SEX.get(found.sex or "")
        if named not in self._ids(meeting) or _conflict(meeting.facts, found.born, sex):
            raise Withheld(study.uid for study in found.studies)
        records = []
        for study in found.studies:
            series = [
                _Series(
                    SeriesRecord(one.uid, study.uid, None, one.modality, one.description, len(one.instances), instances=one.instances),
                    self._place(one.url, one.location, study.uid, meeting),
                )
                for one in study.series
            ]
            base = StudyRecord(
                study.uid, exchange.key, exchange.organization, None, date=study.date, time=study.time, accession=study.accession,
                description=study.description, modalities=_modalities(series),
            )  # fmt: skip
            records += self._records(base, series)
        return records

    def _of_fhir(self, found: FhirManifest, meeting: Meeting) -> list[tuple[StudyRecord, str | None]]:
        study, exchange = found.study, self._exchange
        if not self._same(found.patient, meeting):
            raise Withheld((study.uid,))
        series = []
        for one in found.series:
            places = [self._place(end.address, end.location, study.uid, meeting, not end.needs_token) for end in one.endpoints] or [Place(why="no-location")]
            place = next((place for place in places if place.archive), places[0])
            count = len(one.instances) or one.count
            series.append(_Series(SeriesRecord(one.uid, study.uid, one.number, one.modality, one.description, count, instances=one.instances), place))
        base = StudyRecord(
            study.uid, exchange.key, exchange.organization, None, date=study.date, time=study.time, offset=study.offset, modalities=study.modalities,
            description=study.description, body_parts=study.body_parts, accession=study.accession, faults=study.faults, confidentiality=study.confidentiality,
        )  # fmt: skip
        return self._records(base, series)

    def _records(self, base: StudyRecord, series: list[_Series]) -> list[tuple[StudyRecord, str | None]]:
        """The study where most of it can be had; and once more in whole, as the measure, where that is not all of it."""
        places: dict[Place, int] = {}
        for one in series:
            places[one.place] = places.get(one.place, 0) + one.images
        best = max(places, key=lambda place: (place.archive is not None, places[place]))
        here = [one for one in series if one.place == best]
        opened = replace(
            _counted(base, here), archive=best.archive, claimed_ids=best.ids, retrieve=best.base, open_base=best.open_base, unfetchable=best.why,
            organization=best.organization or base.organization,
        )  # fmt: skip
        origin = next((place.foreign for place in places if place.foreign), None)
        if len(here) == len(series):
            return [(opened, origin)]
        elsewhere = next(place.why for place in places if place != best)
        return [(opened, origin), (replace(_counted(base, series), unfetchable=elsewhere or "no-location"), None)]

    def _place(self, url: str, location: str, study: str, meeting: Meeting, open_base: bool = True) -> Place:
        exchange, archives = self._exchange, self._around.archives
        known = url.rstrip("/") not in ("", NOWHERE)
        archive = archives.by_address(url) if known else None
        key = archive.key if archive is not None else self._locations.get(location.removeprefix("urn:oid:"))
        if key is not None:
            ids, named = at_archive(archives, key, meeting), archives.by_key(key)
            return Place(key if ids else None, "" if ids else "unmapped", ids, organization=named.organization if named else None)
        if not known:
            return Place(why="no-location")
        base = exchange.base_of(url, study)
        if base is None:
            return Place(why="foreign-place", foreign=origin_shown(url))
        ids = self._ids(meeting)
        return Place(exchange.key, "", ids, base, open_base) if ids else Place(why="unmapped")

    def _ids(self, meeting: Meeting) -> tuple[PatientId, ...]:
        return self._exchange.patient_ids((one.system, one.value) for one in meeting.person.identifiers if not one.is_retired)

    def _same(self, there: PatientFacts, meeting: Meeting) -> bool:
        """Whether the document's patient is the one it was found for: an identifier of a configured system, no other of it, no other birth date or sex."""
        settings = self._exchange.settings
        systems = {*settings.identifier_systems, *(namespace.system for namespace in settings.patient_ids)}
        known = {(one.system, one.value) for one in (*meeting.person.identifiers, *meeting.facts.identifiers) if not one.is_retired}
        told = {(one.system, one.value) for one in there.identifiers if one.system in systems and not one.is_retired}
        return bool(told) and told <= known and not _conflict(meeting.facts, there.birth_date, there.sex)


def _conflict(facts: PatientFacts, born: str | None, sex: str | None) -> bool:
    pairs = ((facts.birth_date, born), (facts.sex, sex))
    return any(mine and theirs and mine != theirs and SEX["unknown"] not in (mine, theirs) for mine, theirs in pairs)


def _counted(record: StudyRecord, series: list[_Series]) -> StudyRecord:
    counts = [one.record.image_count for one in series]
    whole = None if None in counts else sum(one.images for one in series)
    return replace(record, series_count=len(series), image_count=whole, series=tuple(one.record for one in series))


def _modalities(series: list[_Series]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.record.modality for one in series if one.record.modality))


def _from_base64(text: str) -> bytes:
    if len(text) > kos.MAX_BYTES * 2:
        raise ValueError("too large")
    try:
        return base64.b64decode(text)
    except binascii.Error:
        raise ValueError("no base64") from None


def _unwrapped(body: bytes) -> bytes:
    """Some servers answer a Binary with the FHIR resource that holds it."""
    if b'"Binary"' not in body[:4096]:
        return body
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return _from_base64(found["data"]) if isinstance(found, dict) and found.get("resourceType") == "Binary" and isinstance(found.get("data"), str) else body


def manifest_source(exchange: ConfiguredExchange, around: Surroundings, find: Discover | None = None) -> ExchangeSource:
    """The source of this document server. `find`: another way of finding the patient than the plain search."""
    return ExchangeSource(exchange, around, Manifests(exchange, around), KIND, find)
