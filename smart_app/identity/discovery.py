"""Who this launch's patient is at a FHIR server of somebody else: the plain search by identifier, and what any way of finding must answer.

Certain is one record alone that carries the same identifier of the same system, with the same birth date and sex and no
other number of that system. Anything less is a candidate for a person to judge (safety.md P1-P3). Demographics never
leave with this search; the identifier does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from smart_app.archives.records import usable
from smart_app.archives.types import Candidate, PatientId
from smart_app.errors import TimedOut
from smart_app.fhir.client import FhirClient
from smart_app.fhir.patient import Identifier, PatientFacts, patient_from
from smart_app.fhir.wire import items, text

PLACEHOLDERS = frozenset({"1900-01-01", "1901-01-01", "1970-01-01", "9999-12-31", "0001-01-01"})
MAX_IDENTIFIERS = 4
MAX_RECORDS = 20
"""Records of one answer that are looked at: a server that sends more has not understood the question."""


@dataclass(frozen=True)
class Person:
    """One patient record there. `id` is its FHIR id."""

    id: str
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True)
class Discovered:
    """The one certain record, or none and why. `person` and `candidates` are never both there."""

    person: Person | None = None
    candidates: tuple[Candidate, ...] = ()
    asked: bool = True
    """False: the chart holds nothing that this server may be asked with."""
    strangers: int = 0
    """Records it sent that do not carry the identifier asked for."""
    persons: tuple[Person, ...] = ()
    """The records behind `candidates`, one each, where the search can name them."""


class Discover(Protocol):
    """One way of finding the patient. Raises what `FhirClient` raises."""

    def __call__(self, client: FhirClient, facts: PatientFacts, deadline: float) -> Discovered: ...


class ByIdentifier:
    """`Patient?identifier=system|value`, for each current identifier of the chart in the configured systems."""

    def __init__(self, systems: Iterable[str], name_of: Callable[[Person], PatientId], today: Callable[[], date]) -> None:
        """`name_of` tells by which id a candidate is called on screen."""
        self._systems = frozenset(systems)
        self._name_of = name_of
        self._today = today

    def __call__(self, client: FhirClient, facts: PatientFacts, deadline: float) -> Discovered:
        known = [one for one in facts.identifiers if one.system in self._systems and not one.is_retired and usable(one.value) and "|" not in one.value]
        if not known:
            return Discovered(asked=False)
        end = time.monotonic() + deadline
        found: dict[str, Mapping[str, Any]] = {}
        strangers = 0
        for identifier in known[:MAX_IDENTIFIERS]:
            for resource in self._asked(client, identifier, end):
                if resource.get("resourceType") != "Patient" or not text(resource.get("id")) or not _carries(resource, identifier):
                    strangers += 1
                elif len(found) < MAX_RECORDS:
                    found[str(resource["id"])] = resource
        judged = [(resource, self._facts(client, resource)) for resource in found.values()]
        doubts = [doubt(facts, there, [one for one in known if _has(there, one)], alone=len(judged) == 1) for _, there in judged]
        if len(judged) == 1 and not doubts[0]:
            there = judged[0][1]
            return Discovered(Person(there.id, there.identifiers), strangers=strangers)
        pairs = zip(judged, doubts, strict=True)
        return Discovered(
            candidates=tuple(self._candidate(raw, there, why) for (raw, there), why in pairs), strangers=strangers,
            persons=tuple(Person(there.id, there.identifiers) for _, there in judged),
        )  # fmt: skip

    def _asked(self, client: FhirClient, identifier: Identifier, end: float) -> Iterable[Mapping[str, Any]]:
        remaining = end - time.monotonic()
        if remaining <= 0:
            raise TimedOut
        params = [("identifier", f"{_escaped(identifier.system or '')}|{_escaped(identifier.value)}")]
        for page in client.search("Patient", params, deadline=remaining):
            for entry in page.entries:
                resource = entry.get("resource") if isinstance(entry, Mapping) else None
                if isinstance(resource, Mapping) and resource.get("resourceType") != "OperationOutcome":
                    yield resource

    def _facts(self, client: FhirClient, resource: Mapping[str, Any]) -> PatientFacts:
        return patient_from(resource, (), base=client.base, today=self._today())

    def _candidate(self, raw: Mapping[str, Any], there: PatientFacts, why: str) -> Candidate:
        return candidate(raw, there, self._name_of(Person(there.id, there.identifiers)), why)


def doubt(here: PatientFacts, there: PatientFacts, shared: Sequence[Identifier], *, alone: bool = True) -> str:
    """Why this record is not certainly the chart's patient; empty when it is. `shared`: the identifiers both carry."""
    if not alone:
        return "several-records"
    if not there.active or there.replaced_by or here.replaced_by:
        return "replaced-record"
    if not shared:
        return "no-shared-identifier"
    if any(other.value != one.value for one in shared for other in there.identifiers if other.system == one.system and not other.is_retired):
        return "another-number"
    for mine, theirs, word in ((here.birth_date, there.birth_date, "birth-date"), (here.sex, there.sex, "sex")):
        if not _tells(mine) or not _tells(theirs):
            return f"{word}-not-given"
        if mine != theirs:
            return f"{word}-differs"
    return ""


def candidate(raw: Mapping[str, Any], there: PatientFacts, called: PatientId, why: str) -> Candidate:
    """A record to be compared by a person, as the server gives it."""
    home = next(iter(items(raw.get("address"))), {})
    lines = home.get("line")
    parts = [*(lines if isinstance(lines, list) else []), home.get("postalCode"), home.get("city")]
    phone = next((one for one in items(raw.get("telecom")) if one.get("system") == "phone"), {})
    return Candidate(
        called, name=there.name, birth_date=there.birth_date, sex=there.sex, address=", ".join(part for part in map(text, parts) if part) or text(home.get("text")),
        telephone=text(phone.get("value")), why=why,
    )  # fmt: skip


def _tells(value: str | None) -> bool:
    return value is not None and value != "Unknown" and value not in PLACEHOLDERS


def _carries(resource: Mapping[str, Any], wanted: Identifier) -> bool:
    return any(text(one.get("system")) == wanted.system and text(one.get("value")) == wanted.value for one in items(resource.get("identifier")))


def _has(there: PatientFacts, wanted: Identifier) -> bool:
    return any(one.system == wanted.system and one.value == wanted.value and not one.is_retired for one in there.identifiers)


def _escaped(value: str) -> str:
    """FHIR R4 3.1.1.5.5: these four stand for themselves only behind a backslash."""
    return "".join("\\" + letter if letter in "\\,$|" else letter for letter in value)
