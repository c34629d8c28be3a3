"""DocumentReference -> where an imaging manifest is; a MADO document Bundle -> one study with its series, instances and endpoints.

IHE MHD ITI-67; IHE RAD MADO "FHIR Imaging Manifest". The document's own Patient is handed on, to be compared: that a
server lists it under a patient proves nothing of what is inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from smart_app.fhir.client import FhirClient
from smart_app.fhir.endpoints import ChartEndpoint, Known, endpoints_of
from smart_app.fhir.imaging import DOCUMENT, ChartStudy, in_document
from smart_app.fhir.patient import PatientFacts, patient_from
from smart_app.fhir.wire import codings, items, reference, text

KOS_FORMATS = frozenset({"1.2.840.10008.5.1.4.1.1.88.59", "urn:ihe:rad:MADO:kos-manifest:2026"})
FHIR_FORMATS = frozenset({"urn:ihe:rad:MADO:fhir-manifest:2026"})
MAX_ENTRIES, MAX_INSTANCES = 2000, 60_000


class NotManifest(ValueError):
    """The document cannot be used. The text is a few fixed words."""


@dataclass(frozen=True)
class ManifestPlace:
    """One attachment that holds a manifest."""

    kind: str
    """`kos` or `fhir`."""
    content_type: str
    url: str
    data: str | None = None
    """Base64, when the document is inside the reference."""


@dataclass(frozen=True)
class Listed:
    """One page's worth of references."""

    places: tuple[ManifestPlace, ...] = ()
    withheld: int = 0
    unreadable: int = 0
    ended: str = ""
    foreign: str = ""


@dataclass(frozen=True)
class FhirSeries:
    uid: str
    number: int | None
    modality: str | None
    description: str | None
    count: int | None
    instances: tuple[str, ...]
    endpoints: tuple[ChartEndpoint, ...]


@dataclass(frozen=True)
class FhirManifest:
    study: ChartStudy
    series: tuple[FhirSeries, ...]
    patient: PatientFacts


def manifests_of(client: FhirClient, patient_id: str, deadline: float) -> Iterator[Listed]:
    """Current references of the patient to imaging manifests, page by page. Other documents are passed over. Errors as `FhirClient.search`."""
    formats = ",".join(sorted(KOS_FORMATS | FHIR_FORMATS))
    params = [("patient", patient_id), ("status", "current"), ("format", formats), ("_count", "100")]
    for page in client.search("DocumentReference", params, deadline=deadline):
        places: list[ManifestPlace] = []
        withheld = unreadable = 0
        for entry in page.entries:
            resource = entry.get("resource") if isinstance(entry, Mapping) else None
            if not isinstance(resource, Mapping):
                unreadable += 1
            elif resource.get("resourceType") != "DocumentReference" or resource.get("status") not in ("current", None):
                continue
            elif reference(resource.get("subject"), client.base) != ("Patient", patient_id):
                withheld += 1
            else:
                places += _places(resource)
        yield Listed(tuple(places), withheld, unreadable, page.ended, page.foreign)


def _places(resource: Mapping[str, Any]) -> Iterator[ManifestPlace]:
    for content in items(resource.get("content")):
        attachment = content.get("attachment")
        formats = {text(coding.get("code")) for coding in codings(content.get("format"))}
        kind = "kos" if formats & KOS_FORMATS else "fhir" if formats & FHIR_FORMATS else ""
        if kind and isinstance(attachment, Mapping):
            data = attachment.get("data")
            content_type = "application/dicom" if kind == "kos" else "application/fhir+json"
            yield ManifestPlace(kind, content_type, text(attachment.get("url")) or "", data if isinstance(data, str) else None)


def manifest_from(document: object, *, is_uid: Callable[[object], bool], today: date) -> FhirManifest:
    """:raises NotManifest: not one study of one patient."""
    if not isinstance(document, Mapping) or document.get("resourceType") != "Bundle" or not isinstance(document.get("entry"), list):
        raise NotManifest("no Bundle")
    if len(document["entry"]) > MAX_ENTRIES:
        raise NotManifest("too large")
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for entry in items(document["entry"]):
        resource = entry.get("resource")
        if isinstance(resource, Mapping):
            found.setdefault(str(resource.get("resourceType")), []).append((text(entry.get("fullUrl")) or "", resource))
    patients, studies = found.get("Patient", []), found.get("ImagingStudy", [])
    if len(patients) != 1 or len(studies) != 1:
        raise NotManifest("not one study of one patient")
    names = _names(*patients[0])
    raw = studies[0][1]
    for _, holder in (studies[0], *found.get("Composition", [])):
        subject = holder.get("subject")
        if not isinstance(subject, Mapping) or subject.get("reference") not in names:
            raise NotManifest("its subject is not the patient in it")
    endpoints = {name: resource for url, resource in found.get("Endpoint", []) for name in _names(url, resource)}
    study = in_document(raw, endpoints, is_uid)
    if study is None:
        raise NotManifest("no study")
    series = tuple(_series(raw, study, endpoints, is_uid))
    if not series:
        raise NotManifest("names no instance")
    return FhirManifest(study, series, patient_from(patients[0][1], (), base="", today=today))


def _series(
    raw: Mapping[str, Any], study: ChartStudy, endpoints: Known, is_uid: Callable[[object], bool]
) -> Iterator[FhirSeries]:
    known, left = {one.uid: one for one in study.series}, MAX_INSTANCES
    for one in items(raw.get("series")):
        told = known.pop((text(one.get("uid")) or "").removeprefix("urn:oid:"), None)
        if told is None:
            continue
        uids = ((text(instance.get("uid")) or "").removeprefix("urn:oid:") for instance in items(one.get("instance"))[: max(0, left)])
        instances = tuple(dict.fromkeys(uid for uid in uids if is_uid(uid)))
        left -= len(instances)
        own = {"endpoint": one.get("endpoint") or raw.get("endpoint"), "contained": raw.get("contained")}
        yield FhirSeries(told.uid, told.number, told.modality, told.description, told.count, instances, endpoints_of(own, endpoints, DOCUMENT))


def _names(url: str, resource: Mapping[str, Any]) -> set[str]:
    """By what a reference inside the document may call an entry."""
    identity = text(resource.get("id"))
    return {name for name in (url, f"{resource.get('resourceType')}/{identity}" if identity else "") if name}
