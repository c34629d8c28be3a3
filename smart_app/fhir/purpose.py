"""ServiceRequest, Encounter, Appointment and the launch's own context -> why this chart may be open now. FHIR R4.

Each kind is asked only where its scope was granted, and a kind that fails costs itself alone: without it there is less to
rank by, nothing wrong on screen. What names another patient is withheld and counted, as everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from launch.errors import LaunchError
from smart_app.errors import OutboundError
from smart_app.fhir.appointments import CALLED_OFF
from smart_app.fhir.client import FhirClient, FhirFailed
from smart_app.fhir.exams import is_our_own
from smart_app.fhir.imaging import ACCESSION_CODES, labels_of
from smart_app.fhir.wire import codings, instant_of, items, moment_of, reference, text

URGENT = frozenset({"urgent", "asap", "stat"})
IMAGING = frozenset({"363679005", "RAD", "IMG", "imaging", "radiology"})
"""ServiceRequest.category: SNOMED CT Imaging, v2-0074 RAD, and words seen instead. A request without category may be one too."""
EMERGENCY = "EMER"
UNDER_WAY = frozenset({"arrived", "triaged", "in-progress", "onleave"})
TO_COME = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"})
OPEN = frozenset({"active", "draft", "on-hold"})
KEPT = 100
"""Records of one kind at most: more would be a history, not a purpose."""


@dataclass(frozen=True)
class ChartPurpose:
    kind: str
    """`order`, `visit`, `appointment` or `study`."""
    reference: str
    title: str
    codes: tuple[str, ...] = ()
    date: str | None = None
    active: bool = True
    urgent: bool = False
    accessions: tuple[str, ...] = ()
    named: bool = False
    confidentiality: tuple[str, ...] = ()
    starts_at: datetime | None = None
    is_off: bool = False


@dataclass(frozen=True)
class ChartPurposes:
    purposes: tuple[ChartPurpose, ...] = ()
    withheld: int = 0
    failed: tuple[str, ...] = ()
    """Resource types that were allowed and could not be read."""


@dataclass(frozen=True)
class Opened:
    """What the launch said of itself: its visit, and the references of `fhirContext`."""

    patient: str
    encounter: str | None = None
    context: tuple[str, ...] = ()


def purposes_of(client: FhirClient, opened: Opened, allows: Callable[[str], bool], *, today: date, deadline: float) -> ChartPurposes:
    """All that the chart says of why it may be open. Never raises for a remote fault: `failed` names what could not be read."""
    reader = _Reader(client, opened, time.monotonic() + deadline)
    for kind, read in (("ServiceRequest", reader.orders), ("Encounter", reader.visits), ("Appointment", lambda: reader.appointments(today))):
        if not allows(kind):
            continue
        try:
            read()
        except (OutboundError, LaunchError):
            reader.failed.append(kind)
    reader.studies()
    return ChartPurposes(tuple(reader.found.values()), reader.withheld, tuple(reader.failed))


class _Reader:
    def __init__(self, client: FhirClient, opened: Opened, end: float) -> None:
        self._client = client
        self._opened = opened
        self._end = end
        self.found: dict[str, ChartPurpose] = {}
        self.withheld = 0
        self.failed: list[str] = []

    def orders(self) -> None:
        named = [one for one in self._opened.context if one.startswith("ServiceRequest/")]
        for resource in self._search("ServiceRequest", [("patient", self._opened.patient), ("_count", str(KEPT))]):
            self._order(resource, named)
        for one in named:
            if one not in self.found:
                self._order(self._client.read("ServiceRequest", one.partition("/")[2], deadline=self._left), named)

    def visits(self) -> None:
        if self._opened.encounter is not None:
            self._visit(self._client.read("Encounter", self._opened.encounter, deadline=self._left), named=True)
            return
        for resource in self._search("Encounter", [("patient", self._opened.patient), ("status", "in-progress"), ("_count", "20")]):
            self._visit(resource, named=False)

    def appointments(self, today: date) -> None:
        # From yesterday, since the EHR's day may begin elsewhere; what is past is sorted out where the site's day is known.
        since = (today - timedelta(days=1)).isoformat()
        for resource in self._search("Appointment", [("patient", self._opened.patient), ("date", f"ge{since}"), ("_count", "20")]):
            people = [actor for part in items(resource.get("participant")) for actor in items(part.get("actor"))]
            if not self._ours([one for one in people if "Patient/" in str(one.get("reference"))], anyone=True):
                continue
            day = moment_of(resource.get("start"))[0]
            if day is None or day < since:
                continue  # a server that does not know `date` gives all
            reasons = [resource.get("serviceType"), resource.get("reasonCode"), resource.get("specialty")]
            title = text(resource.get("description")) or _title(resource.get("serviceType")) or _title(resource.get("reasonCode"))
            self._keep(resource, "appointment", title, _codes(reasons[:2]), day, active=text(resource.get("status")) in TO_COME, starts_at=instant_of(resource.get("start")), is_off=text(resource.get("status")) in CALLED_OFF)

    def studies(self) -> None:
        for one in self._opened.context:
            if one.startswith("ImagingStudy/"):
                self.found[one] = ChartPurpose("study", one, "", named=True)

    def _order(self, resource: Mapping[str, Any], named: Sequence[str]) -> None:
        own = f"ServiceRequest/{resource.get('id')}"
        if not self._ours([resource.get("subject")]) or text(resource.get("status")) == "entered-in-error" or is_our_own(resource):
            return
        categories = {code for coding in codings(resource.get("category")) for code in (text(coding.get("code")), (text(coding.get("display")) or "").lower()) if code}
        if categories and not categories & IMAGING and own not in named:
            return
        accessions = tuple(
            value for one in items(resource.get("identifier"))
            if ACCESSION_CODES & {str(coding.get("code")) for coding in codings(one.get("type"))} and (value := text(one.get("value")))
        )  # fmt: skip
        day = moment_of(resource.get("authoredOn"))[0] or moment_of(resource.get("occurrenceDateTime"))[0]
        self._keep(
            resource, "order", _title(resource.get("code")), _codes([resource.get("code"), resource.get("bodySite")]), day,
            active=text(resource.get("status")) in OPEN, urgent=text(resource.get("priority")) in URGENT, accessions=accessions, named=own in named,
        )  # fmt: skip

    def _visit(self, resource: Mapping[str, Any], *, named: bool) -> None:
        if not self._ours([resource.get("subject")]):
            return
        # R5 puts the reason one level deeper, and makes `class` a list.
        reasons = [resource.get("reasonCode"), *(one.get("value") for one in items(resource.get("reason")))]
        title = next((found for reason in reasons if (found := _title(reason))), None)
        emergency = EMERGENCY in {text(coding.get("code")) for coding in codings(resource.get("class"))}
        period = resource.get("period") if isinstance(resource.get("period"), Mapping) else {}
        begun = moment_of(period.get("start") if isinstance(period, Mapping) else None)[0]
        status = text(resource.get("status"))
        self._keep(resource, "visit", title, _codes(reasons), begun, active=status in UNDER_WAY or (named and status is None), urgent=emergency, named=named)

    def _keep(
        self, resource: Mapping[str, Any], kind: str, title: str | None, codes: tuple[str, ...], day: str | None, *, active: bool, urgent: bool = False,
        accessions: tuple[str, ...] = (), named: bool = False, starts_at: datetime | None = None, is_off: bool = False,
    ) -> None:  # fmt: skip
        own = f"{resource.get('resourceType')}/{text(resource.get('id')) or len(self.found)}"
        self.found[own] = ChartPurpose(kind, own, title or next(iter(codes), "not described"), codes, day, active, urgent, accessions, named, labels_of(resource), starts_at, is_off)

    def _ours(self, subjects: Sequence[Any], *, anyone: bool = False) -> bool:
        """Whether the resource is the launch's patient's. `anyone`: it may name others beside, as a group appointment does."""
        told = [reference(one, self._client.base) == ("Patient", self._opened.patient) for one in subjects]
        if told and (any(told) if anyone else all(told)):
            return True
        self.withheld += 1
        return False

    def _search(self, kind: str, params: list[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        try:
            yield from self._pages(kind, params)
        except FhirFailed as error:
            if error.status not in (400, 422, 501) or len(params) == 1:
                raise
            # Some servers refuse a search for one parameter they do not know.
            yield from self._pages(kind, params[:1])

    def _pages(self, kind: str, params: list[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        count = 0
        for page in self._client.search(kind, params, deadline=self._left):
            for entry in page.entries:
                resource = entry.get("resource") if isinstance(entry, Mapping) else None
                if isinstance(resource, Mapping) and resource.get("resourceType") == kind:
                    count += 1
                    yield resource
            if count >= KEPT:
                return

    @property
    def _left(self) -> float:
        return max(0.1, self._end - time.monotonic())



def _title(concept: Any) -> str | None:
    for one in items(concept):
        inner = one.get("concept") if isinstance(one.get("concept"), Mapping) else one
        if isinstance(inner, Mapping) and (found := text(inner.get("text"))):
            return found
    return next((found for coding in codings(concept) if (found := text(coding.get("display")))), None)


def _codes(concepts: Sequence[Any]) -> tuple[str, ...]:
    """Codes first: their displays and the texts after them, so that a reader of either finds its own."""
    coded = [part for concept in concepts for coding in codings(concept) for part in (text(coding.get("code")), text(coding.get("display"))) if part]
    said = [part for concept in concepts for one in items(concept) if (part := text(one.get("text")))]
    return tuple(dict.fromkeys([*coded, *said]))
