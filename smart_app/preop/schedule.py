"""One day's surgical list from the EHR: Appointment, Encounter, ServiceRequest and Procedure, joined where they name each other. FHIR R4.

What fails costs itself and is told: a kind that was not given, a patient whose record was not read. A case is never matched by a name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from launch.errors import LaunchError
from smart_app.config import MrnRule
from smart_app.errors import OutboundError
from smart_app.fhir.client import ID, FhirClient
from smart_app.fhir.patient import PatientFacts, patient_from
from smart_app.fhir.wire import text
from smart_app.preop import records
from smart_app.preop.records import Planned
from smart_app.preop.types import Case, SurgicalList

AT_ONCE = 40
"""Ids in one question."""
MOST = 400
"""Records of one kind: a hospital's day is less."""
MERGED = "The EHR says this record was replaced by another one; the appointment names the old one"
UNREAD = "The patient’s record could not be read"


@dataclass(frozen=True)
class Day:
    """A day of the site, which has 23 or 25 hours when the clocks change."""

    on: date

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.on, clock_time()).astimezone()

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.on + timedelta(days=1), clock_time()).astimezone()

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.begins <= at < self.ends


def read(client: FhirClient, day: Day, locations: Sequence[str], mrn: tuple[MrnRule, ...], *, deadline: float = 12) -> SurgicalList:
    """The cases of that day. :raises OutboundError, LaunchError: appointments could not be read, so there is no list at all."""
    reader = _Reader(client, day, time.monotonic() + deadline)
    planned = [one for one in reader.appointments() if records.is_surgery(one, locations)]
    failed: list[str] = []
    for kind, date_name in (("Encounter", "date"), ("ServiceRequest", "occurrence"), ("Procedure", "date")):
        try:
            planned += [one for one in reader.others(kind, date_name) if records.is_surgery(one, locations)]
        except (OutboundError, LaunchError):
            failed.append(kind)
    try:
        orders = reader.orders(planned)
    except (OutboundError, LaunchError):
        orders = {}
        failed.append("orders of the cases")
    cases, unread = _cases(records.joined(planned, orders, client.base), day), reader.unread
    people = reader.patients({case.patient for case in cases})
    told = tuple(sorted((_with_patient(case, people.get(case.patient), mrn, client.base, day.on) for case in cases), key=lambda one: (one.starts_at is None, one.starts_at or day.begins, one.reference)))
    return SurgicalList(told, unread + sum(one.problem == UNREAD for one in told), tuple(failed), reader.cut)


def _cases(planned: Iterable[Planned], day: Day) -> list[Case]:
    return [
        Case(one.reference, one.patient, one.title, one.starts_at, one.codes, one.room, one.surgeon, one.anesthesiologist, one.is_off)
        for one in planned if day.holds(one.starts_at)
    ]  # fmt: skip


def _with_patient(case: Case, resource: Mapping[str, Any] | None, mrn: tuple[MrnRule, ...], base: str, today: date) -> Case:
    if resource is None:
        return replace(case, problem=UNREAD)
    facts: PatientFacts = patient_from(resource, mrn, base=base, today=today)
    problem = MERGED if facts.replaced_by is not None or not facts.active else ""
    return replace(case, name=facts.name, born=facts.birth_date or "", sex=facts.sex or "", mrn=facts.mrn or "", problem=problem)


class _Reader:
    def __init__(self, client: FhirClient, day: Day, end: float) -> None:
        self._client, self._day, self._end = client, day, end
        self.unread = 0
        self.cut = False

    def appointments(self) -> list[Planned]:
        return self._planned("Appointment", "date")

    def others(self, kind: str, date_name: str) -> list[Planned]:
        return self._planned(kind, date_name)

    def orders(self, planned: Sequence[Planned]) -> dict[str, Mapping[str, Any]]:
        """The orders that cases were booked from: they hold the codes."""
        ids = {one.partition("/")[2] for case in planned for one in case.orders}
        return {f"ServiceRequest/{id}": found for id, found in self._by_id("ServiceRequest", ids).items()}

    def patients(self, ids: set[str]) -> dict[str, Mapping[str, Any]]:
        """By id; whoever is missing could not be read."""
        try:
            return self._by_id("Patient", ids)
        except (OutboundError, LaunchError):
            return {}

    def _planned(self, kind: str, date_name: str) -> list[Planned]:
        # A day to either side: servers differ in how they compare a day's end; what lies outside is sorted out here.
        window = [(date_name, f"ge{(self._day.on - timedelta(days=1)).isoformat()}"), (date_name, f"lt{(self._day.on + timedelta(days=2)).isoformat()}"), ("_count", "200")]
        found = []
        for resource in self._search(kind, window):
            planned = records.planned_of(resource, self._client.base)
            if planned is not None:
                found.append(planned)
            elif kind == "Appointment" and self._day.holds(records.begins(resource)):
                self.unread += 1  # there is something at that time, and nobody can say whose it is
        return found

    def _by_id(self, kind: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        good = sorted(id for id in ids if ID.fullmatch(id))
        found: dict[str, Mapping[str, Any]] = {}
        for at in range(0, len(good), AT_ONCE):
            part = good[at : at + AT_ONCE]
            for resource in self._search(kind, [("_id", ",".join(part)), ("_count", str(AT_ONCE))]):
                if text(resource.get("id")) in part:
                    found[str(resource["id"])] = resource
        return found

    def _search(self, kind: str, params: list[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        count = 0
        for page in self._client.search(kind, params, deadline=max(0.1, self._end - time.monotonic())):
            for entry in page.entries:
                resource = entry.get("resource") if isinstance(entry, Mapping) else None
                if isinstance(resource, Mapping) and resource.get("resourceType") == kind:
                    count += 1
                    yield resource
            if page.ended or count >= MOST:
                self.cut = True
                return


