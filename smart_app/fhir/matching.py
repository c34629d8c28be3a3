"""Asks a patient index who somebody is elsewhere: IHE PIXm `$ihe-pix` (ITI-83) and PDQm `Patient/$match` (ITI-119).

Lenient with answers, strict with what is made of them: a grade that is not one of FHIR's four words is no grade, and an
answer that may not be whole says so, since a second `certain` might stand in the missing part.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from smart_app.errors import TimedOut
from smart_app.fhir.client import FhirFailed, FhirMissing, FhirRefused
from smart_app.fhir.patient import HumanName, PatientFacts, address_of, names_of, telephone_of
from smart_app.fhir.wire import count, date_of, items, text
from smart_app.outbound import Outbound, Reply

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
GRADES = frozenset({"certain", "probable", "possible", "certainly-not"})
MAX_BYTES = 4_000_000
MAX_ENTRIES = 100
ASK_FOR = 20
"""Entries asked for; an answer with as many may hide more."""


class Proof(Protocol):
    """How we convince the index."""

    def first(self) -> Mapping[str, str]: ...

    def after_401(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None: ...


@dataclass(frozen=True)
class IndexEntry:
    """One record of a patient index."""

    identifiers: tuple[tuple[str, str], ...]
    """(system, value), without retired ones."""
    names: tuple[HumanName, ...]
    birth_date: str | None
    sex: str | None
    active: bool
    """False also for a record that was merged into another."""
    grade: str | None
    score: float | None
    address: str | None = None
    telephone: str | None = None


@dataclass(frozen=True)
class IndexAnswer:
    entries: tuple[IndexEntry, ...]
    whole: bool
    """Whether nothing can be hidden behind these entries."""


class PatientIndex:
    """One configured index; thread-safe, holds nothing of a launch."""

    def __init__(self, outbound: Outbound, lane: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outbound = outbound
        self._lane = lane
        self._clock = clock

    def cross(self, base: str, proof: Proof, known: tuple[str, str], targets: Sequence[str], deadline: float) -> tuple[tuple[str, str], ...]:
        """PIXm: (system, value) in `targets` of whoever has the identifier `known`. Nobody there is no fault: empty.

        :raises OutboundError: it did not answer, or not with FHIR.
        """
        params = [("sourceIdentifier", f"{known[0]}|{known[1]}"), *(("targetSystem", system) for system in targets)]
        try:
            found = self._ask("GET", f"{base.rstrip('/')}/Patient/$ihe-pix?{urlencode(params)}", proof, None, deadline)
        except FhirMissing:
            return ()
        if found.get("resourceType") != "Parameters":
            raise FhirFailed
        told: dict[tuple[str, str], None] = {}
        for parameter in items(found.get("parameter"))[:MAX_ENTRIES]:
            identifier = parameter.get("valueIdentifier")
            if parameter.get("name") == "targetIdentifier" and isinstance(identifier, Mapping) and identifier.get("use") != "old":
                system, value = text(identifier.get("system")), text(identifier.get("value"))
                if system in targets and value:
                    told[(system or "", value)] = None
        return tuple(told)

    def match(self, base: str, proof: Proof, facts: PatientFacts, deadline: float) -> IndexAnswer:
        """PDQm `$match` with what the chart says of the patient.

        :raises OutboundError: it did not answer, or not with FHIR.
        """
        question = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "resource", "resource": _resource(facts)}, {"name": "onlyCertainMatches", "valueBoolean": False}, {"name": "count", "valueInteger": ASK_FOR},
            ],
        }  # fmt: skip
        found = self._ask("POST", f"{base.rstrip('/')}/Patient/$match", proof, json.dumps(question).encode(), deadline)
        if found.get("resourceType") != "Bundle":
            raise FhirFailed
        raw = items(found.get("entry"))
        entries = tuple(entry for one in raw[:MAX_ENTRIES] if (entry := _entry(one)) is not None)
        listed = found.get("entry")
        unread = (len(listed) if isinstance(listed, list) else len(raw)) - len(entries) - sum(_is_outcome(one) for one in raw)
        more = any(link.get("relation") == "next" for link in items(found.get("link")))
        total = count(found.get("total"))
        return IndexAnswer(entries, not more and not unread and len(entries) < ASK_FOR and (total is None or total <= len(entries)))

    def _ask(self, method: str, url: str, proof: Proof, body: bytes | None, deadline: float) -> dict[str, Any]:
        end = self._clock() + deadline
        credential = dict(proof.first())
        for again in (True, False):
            remaining = end - self._clock()
            if remaining <= 0:
                raise TimedOut
            headers = {"Accept": "application/fhir+json", **({"Content-Type": "application/fhir+json"} if body else {}), **credential}
            reply = self._outbound.request(self._lane, method, url, headers=headers, body=body, deadline=remaining, max_bytes=MAX_BYTES)
            renewed = proof.after_401(credential) if reply.status == 401 and again else None
            if renewed is None:
                return _read(reply)
            credential = dict(renewed)
        raise FhirRefused  # not reached: the second round always answers


def _read(reply: Reply) -> dict[str, Any]:
    if reply.status in (401, 403):
        raise FhirRefused
    if reply.status in (404, 410):
        raise FhirMissing
    if reply.status != 200:
        raise FhirFailed(reply.status)
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise FhirFailed from None
    if not isinstance(found, dict):
        raise FhirFailed
    return found


def _is_outcome(entry: Mapping[str, Any]) -> bool:
    resource = entry.get("resource")
    return isinstance(resource, Mapping) and resource.get("resourceType") == "OperationOutcome"


def _entry(entry: Mapping[str, Any]) -> IndexEntry | None:
    resource = entry.get("resource")
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Patient":
        return None
    identifiers = [(text(one.get("system")), text(one.get("value"))) for one in items(resource.get("identifier")) if one.get("use") != "old"]
    search = entry.get("search") if isinstance(entry.get("search"), Mapping) else {}
    assert isinstance(search, Mapping)
    score = search.get("score")
    gone = any(link.get("type") == "replaced-by" for link in items(resource.get("link")))
    return IndexEntry(
        tuple((system, value) for system, value in identifiers if system and value), names_of(resource), date_of(resource.get("birthDate")), text(resource.get("gender")),
        resource.get("active") is not False and not gone, _grade(search), float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
        address_of(resource), telephone_of(resource),
    )  # fmt: skip


def _grade(search: Mapping[str, Any]) -> str | None:
    """The one grade; several, or a word of the server's own, are none."""
    found = {text(one.get("valueCode")) for one in items(search.get("extension")) if one.get("url") == GRADE}
    grade = found.pop() if len(found) == 1 else None
    return grade if grade in GRADES else None


def _resource(facts: PatientFacts) -> dict[str, Any]:
    names = [
        {"family": one.family, "given": one.given.split(), **({"use": one.use} if one.use else {})} if not one.text else {"text": one.text} for one in facts.names
    ] or [{"family": facts.family, "given": facts.given.split()}]
    resource: dict[str, Any] = {"resourceType": "Patient", "name": names, "identifier": [
        {"system": one.system, "value": one.value} for one in facts.identifiers if one.system and not one.is_retired
    ]}  # fmt: skip
    if facts.birth_date:
        resource["birthDate"] = facts.birth_date
    if facts.sex:
        resource["gender"] = facts.sex.lower()
    return resource
