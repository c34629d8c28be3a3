"""ImagingStudy and Endpoint -> ChartStudy, entry by entry. FHIR R4 ImagingStudy; SMART Imaging Access "Finding studies".

Every entry of every page is checked again: its subject must be the launch's patient, or it is withheld and counted.
One bad entry never hides the good ones. Addresses are only reported here; nothing in them is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from launch.errors import LaunchError
from smart_app.errors import AppError, OutboundError
from smart_app.fhir.client import FhirClient, FhirFailed
from smart_app.fhir.endpoints import ChartEndpoint, Known, endpoints_of, references_of
from smart_app.fhir.wire import codings, count, items, moment_of, reference, text

DICOM_UID = "urn:dicom:uid"
STUDY_UID_CODE = "110180"
ACCESSION_CODES = frozenset({"ACSN", "121022"})
DEAD_STATUS = frozenset({"cancelled", "entered-in-error"})
MAX_ENDPOINT_READS = 20
DOCUMENT = "urn:document"
"""Stands for a base where references are those of one document."""


MAX_SERIES = 200
"""Series kept of one study: more would be sealed with each answer and compared with nothing."""


@dataclass(frozen=True)
class ChartSeries:
    """One ImagingStudy.series, as the chart counts it."""

    uid: str
    number: int | None = None
    modality: str | None = None
    description: str | None = None
    count: int | None = None


@dataclass(frozen=True)
class ChartStudy:
    """One ImagingStudy of the launch's patient."""

    uid: str
    fhir_id: str | None
    date: str | None = None
    time: str | None = None
    offset: str | None = None
    modalities: tuple[str, ...] = ()
    description: str | None = None
    body_parts: tuple[str, ...] = ()
    accession: str | None = None
    series_count: int | None = None
    image_count: int | None = None
    endpoints: tuple[ChartEndpoint, ...] = ()
    faults: tuple[str, ...] = ()
    series: tuple[ChartSeries, ...] = ()
    """Only those with a readable UID."""
    orders: tuple[str, ...] = ()
    """`ServiceRequest/{id}` it is based on."""
    confidentiality: tuple[str, ...] = ()
    """Codes of `meta.security`, upper case."""


@dataclass(frozen=True)
class ChartImaging:
    """What the EHR answered. `failure` came after the studies already read; with none read it is raised instead."""

    studies: tuple[ChartStudy, ...] = ()
    withheld: int = 0
    withheld_studies: tuple[str, ...] = ()
    unreadable: int = 0
    ended: str = ""
    """Why paging stopped early: see `client.Page.ended`."""
    foreign: str = ""
    outcomes: int = 0
    """OperationOutcome entries of severity warning or worse: the server says the answer is not all."""
    failure: AppError | LaunchError | None = None


def imaging_of(client: FhirClient, patient_id: str, *, is_uid: Callable[[object], bool], deadline: float) -> ChartImaging:
    """All ImagingStudy of the patient within `deadline` seconds. `is_uid` tells a well-formed DICOM UID.

    :raises OutboundError, LaunchError: nothing at all could be read.
    """
    reader = _Reader(client, patient_id, is_uid)
    params = [("patient", patient_id), ("_include", "ImagingStudy:endpoint"), ("_count", "100")]
    failure: AppError | LaunchError | None = None
    try:
        try:
            reader.pages(params, deadline)
        except FhirFailed as error:
            if reader.begun or error.status not in (400, 422, 501):
                raise
            # Some servers refuse a search for one parameter they do not know.
            reader.pages(params[:1], deadline)
    except (OutboundError, LaunchError) as error:
        if not reader.begun:
            raise
        failure = error
    return reader.result(failure, deadline)


class _Reader:
    def __init__(self, client: FhirClient, patient_id: str, is_uid: Callable[[object], bool]) -> None:
        self._client = client
        self._patient_id = patient_id
        self._is_uid = is_uid
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._endpoints: dict[str, Mapping[str, Any]] = {}
        self._withheld: dict[str, None] = {}
        self._withheld_count = self._unreadable = self._outcomes = 0
        self._ended = self._foreign = ""
        self.begun = False

    def pages(self, params: list[tuple[str, str]], deadline: float) -> None:
        for page in self._client.search("ImagingStudy", params, deadline=deadline):
            self.begun = True
            self._ended, self._foreign = page.ended, page.foreign
            for entry in page.entries:
                self._entry(entry)

    def result(self, failure: AppError | LaunchError | None, deadline: float) -> ChartImaging:
        studies: dict[str, ChartStudy] = {}
        reads = 0
        for uid, raw in self._raw.items():
            for target in references_of(raw, self._client.base):
                if target not in self._endpoints and reads < MAX_ENDPOINT_READS and failure is None:
                    reads += 1
                    self._read_endpoint(target, deadline)
            studies[uid] = _study(uid, raw, self._endpoints, self._client.base, self._is_uid)
        return ChartImaging(
            tuple(studies.values()), self._withheld_count, tuple(self._withheld), self._unreadable, self._ended, self._foreign, self._outcomes, failure
        )

    def _entry(self, entry: object) -> None:
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(resource, Mapping):
            self._unreadable += 1
            return
        kind = resource.get("resourceType")
        if kind == "OperationOutcome":
            self._outcomes += any(issue.get("severity") != "information" for issue in items(resource.get("issue")))
        elif kind == "Endpoint":
            # `fullUrl` may be urn:uuid, valid in this answer only; the id form serves relative references.
            for name in (entry.get("fullUrl"), f"Endpoint/{resource.get('id')}"):
                if isinstance(name, str):
                    self._endpoints[name] = resource
        elif kind == "ImagingStudy":
            self._imaging_study(resource)
        elif kind is None:
            self._unreadable += 1

    def _imaging_study(self, resource: Mapping[str, Any]) -> None:
        if text(resource.get("status")) in DEAD_STATUS:
            return
        uid = _study_uid(resource, self._is_uid)
        # `patient` stands where R4 says `subject` in the wild; if both are there both must agree.
        subjects = [resource[name] for name in ("subject", "patient") if name in resource]
        if not subjects or any(reference(subject, self._client.base) != ("Patient", self._patient_id) for subject in subjects):
            self._withheld_count += 1
            if uid:
                self._withheld[uid] = None
                self._raw.pop(uid, None)
        elif uid is None:
            self._unreadable += 1
        elif uid not in self._withheld:
            self._raw.setdefault(uid, resource)

    def _read_endpoint(self, target: str, deadline: float) -> None:
        kind, _, endpoint_id = target.partition("/")
        if kind != "Endpoint" or not endpoint_id:
            return
        try:
            self._endpoints[target] = self._client.read("Endpoint", endpoint_id, deadline=min(deadline, 5))
        except (OutboundError, LaunchError):
            self._endpoints[target] = {}


class AnotherPatients(Exception):
    """The ImagingStudy is somebody else's, or does not say whose it is."""


def uid_for(resource: Mapping[str, Any], patient_id: str, base: str, is_uid: Callable[[object], bool]) -> str | None:
    """The Study Instance UID of one ImagingStudy that was read by its id; None: it has none, or it no longer stands.

    :raises AnotherPatients: its subject is not `patient_id`.
    """
    subjects = [resource[name] for name in ("subject", "patient") if name in resource]
    if not subjects or any(reference(subject, base) != ("Patient", patient_id) for subject in subjects):
        raise AnotherPatients
    return None if text(resource.get("status")) in DEAD_STATUS else _study_uid(resource, is_uid)


def in_document(raw: Mapping[str, Any], endpoints: Known, is_uid: Callable[[object], bool]) -> ChartStudy | None:
    """One ImagingStudy of a document that holds its endpoints too; None without a Study Instance UID. Whose it is, is the caller's affair."""
    uid = _study_uid(raw, is_uid)
    return None if uid is None else _study(uid, raw, endpoints, DOCUMENT, is_uid)


def _study(uid: str, raw: Mapping[str, Any], known: Known, base: str, is_uid: Callable[[object], bool]) -> ChartStudy:
    faults: list[str] = []
    series = items(raw.get("series"))
    date, clock, offset = moment_of(raw.get("started"))
    if raw.get("started") is not None and date is None:
        faults.append("date")
    modalities = _codes([raw.get("modality")]) or _codes([one.get("modality") for one in series])
    parts = [one.get("bodySite") for one in series] + [raw.get("bodySite")]
    identifier = text(raw.get("id"))
    counted = [count(one.get("numberOfInstances")) for one in series]
    return ChartStudy(
        uid=uid, fhir_id=f"ImagingStudy/{identifier}" if identifier else None, date=date, time=clock, offset=offset, modalities=modalities,
        description=_description(raw), body_parts=_body_parts(parts), accession=_accession(raw),
        series_count=count(raw.get("numberOfSeries")) or len(series) or None,
        image_count=count(raw.get("numberOfInstances")) if raw.get("numberOfInstances") is not None
        else (sum(known for known in counted if known) if counted and None not in counted else None),
        endpoints=endpoints_of(raw, known, base), faults=tuple(faults), series=_series(series, is_uid), orders=_orders(raw, base),
        confidentiality=labels_of(raw),
    )  # fmt: skip


def _orders(raw: Mapping[str, Any], base: str) -> tuple[str, ...]:
    known = [reference(one, base) for one in items(raw.get("basedOn"))]
    return tuple("/".join(one) for one in known if one and one[0] == "ServiceRequest")


def _series(told: list[Mapping[str, Any]], is_uid: Callable[[object], bool]) -> tuple[ChartSeries, ...]:
    found: dict[str, ChartSeries] = {}
    for one in told[:MAX_SERIES]:
        uid = (text(one.get("uid")) or "").removeprefix("urn:oid:")
        if is_uid(uid):
            modality = next(iter(_codes([one.get("modality")])), None)
            found[uid] = ChartSeries(uid, count(one.get("number")), modality, text(one.get("description")), count(one.get("numberOfInstances")))
    return tuple(found.values())


def _study_uid(resource: Mapping[str, Any], is_uid: Callable[[object], bool]) -> str | None:
    identifiers = items(resource.get("identifier"))
    typed = [one for one in identifiers if STUDY_UID_CODE in {text(coding.get("code")) for coding in codings(one.get("type"))}]
    for one in [*(one for one in identifiers if one.get("system") == DICOM_UID), *typed]:
        value = (text(one.get("value")) or "").removeprefix("urn:oid:")
        if is_uid(value):
            return value
    # DSTU2-shaped servers put it in `uid`.
    value = (text(resource.get("uid")) or "").removeprefix("urn:oid:")
    return value if is_uid(value) else None


def _accession(raw: Mapping[str, Any]) -> str | None:
    candidates = items(raw.get("identifier"))
    candidates += [one for order in items(raw.get("basedOn")) for one in items(order.get("identifier"))]
    for one in candidates:
        if ACCESSION_CODES & {str(coding.get("code")) for coding in codings(one.get("type"))}:
            return text(one.get("value"))
    return None


def _description(raw: Mapping[str, Any]) -> str | None:
    if found := text(raw.get("description")):
        return found
    for procedure in items(raw.get("procedureCode")):
        for found in (text(procedure.get("text")), *(text(coding.get("display")) for coding in codings(procedure))):
            if found:
                return found
    return None


def _codes(values: list[Any]) -> tuple[str, ...]:
    found = [text(coding.get("code")) for value in values for coding in codings(value)]
    return tuple(dict.fromkeys(code.upper()[:16] for code in found if code))


def _body_parts(values: list[Any]) -> tuple[str, ...]:
    found = [part for value in values for coding in codings(value) for part in (text(coding.get("code")), text(coding.get("display"))) if part]
    found += [part for value in values for item in items(value) if (part := text(item.get("text")))]
    return tuple(dict.fromkeys(found))


def labels_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Security labels, confidentiality and sensitivity alike: R4 Resource.meta.security, and a document's securityLabel."""
    meta = raw.get("meta")
    given = [*(items(meta.get("security")) if isinstance(meta, Mapping) else ()), *codings(raw.get("securityLabel"))]
    return tuple(dict.fromkeys(code.upper()[:64] for one in given if (code := text(one.get("code")))))
