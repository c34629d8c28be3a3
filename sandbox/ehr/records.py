"""The chart's resources, read from `fhir_fixtures/`, and the searches that FHIR R4 names for them.

Owns what exists and what matches; who may see it is `fhir`'s question. Resources are plain JSON: the fixtures hold
odd ones on purpose, and this server serves them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sandbox.ehr.options import RESOURCES, WRITABLE
from sandbox.ehr.people import USERS, practitioner
from sandbox.world import PATIENTS, resolve_dates

Resource = dict[str, Any]
LAST_UPDATED = "2026-05-20T08:00:00Z"
PREFIXES = {
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
}


class Records:
    """All resources by type and id, in the order of their files."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_type: dict[str, dict[str, Resource]] = {name: {} for name in (*RESOURCES, *WRITABLE)}
        for resource in resources:
            kind, identity = resource.get("resourceType"), resource.get("id")
            if kind in self._by_type and isinstance(identity, str):
                resource.setdefault("meta", {}).setdefault("lastUpdated", LAST_UPDATED)
                self._by_type[kind][identity] = resource

    @classmethod
    def load(cls, fixtures: Path, dicomweb: Mapping[str, str], today: date | None = None) -> Records:
        """Every resource of the folders that are named after a resource type (`imaging_studies` …).

        `{{dicomweb:KEY}}` becomes that archive's base URL of this run, `{{today-4d}}` a date.
        """
        day = today or datetime.now(UTC).date()
        people: list[Resource] = [dict(practitioner(user)) for user in USERS.values()]
        found: list[Resource] = []
        for path in sorted(fixtures.glob("*/*.json")):
            if path.parent.name in ("smart_configuration", "archives"):
                continue
            text = resolve_dates(path.read_text(encoding="utf-8"), day)
            for key, base in dicomweb.items():
                text = text.replace(f"{{{{dicomweb:{key}}}}}", base)
            found += _resources(json.loads(text))
        return cls([*people, *found])

    def read(self, kind: str, identity: str) -> Resource | None:
        return self._by_type.get(kind, {}).get(identity)

    def put(self, resource: Resource) -> None:
        """What an app has written into the chart is found as everything else is."""
        self._by_type[resource["resourceType"]][resource["id"]] = resource

    def all(self, kind: str) -> tuple[Resource, ...]:
        return tuple(self._by_type.get(kind, {}).values())

    def patients(self) -> tuple[Resource, ...]:
        """All patients, in the order in which the demo tells their stories."""
        order = {one.id: place for place, one in enumerate(PATIENTS)}
        return tuple(sorted(self.all("Patient"), key=lambda one: order.get(one["id"], len(order))))

    def of_patient(self, kind: str, patient: str) -> tuple[Resource, ...]:
        return tuple(one for one in self.all(kind) if patient in patients_of(one))

    def search(self, kind: str, wanted: Mapping[str, Sequence[str]]) -> list[Resource]:
        """Resources that match every parameter understood here; others are ignored, as most servers do.

        :raises ValueError: a parameter that cannot be read.
        """
        return [one for one in self.all(kind) if all(_matches(one, name, value) for name, values in wanted.items() for value in values)]


def patients_of(resource: Resource) -> frozenset[str]:
    """Ids of the patients in whose compartment this resource is."""
    if resource.get("resourceType") == "Patient":
        return frozenset({str(resource.get("id"))})
    references = [resource.get("subject"), resource.get("patient"), resource.get("for")]
    references += [one.get("actor") for one in resource.get("participant", ()) if isinstance(one, dict)]
    texts = [one.get("reference", "") for one in references if isinstance(one, dict)]
    return frozenset(text.rpartition("Patient/")[2] for text in texts if "Patient/" in text)


def _resources(content: Any) -> list[Resource]:
    if isinstance(content, list):
        return [one for part in content for one in _resources(part)]
    if content.get("resourceType") == "Bundle":
        return [entry["resource"] for entry in content.get("entry", ()) if "resource" in entry]
    return [content]


def _matches(resource: Resource, name: str, value: str) -> bool:
    choices = value.split(",")
    if name == "_id":
        return resource.get("id") in choices
    if name in ("patient", "subject", "actor"):
        return bool(patients_of(resource) & {choice.rpartition("Patient/")[2] for choice in choices})
    if name == "identifier":
        return any(_has_identifier(resource, choice) for choice in choices)
    if name == "family":
        return any(str(one.get("family", "")).casefold().startswith(choice.casefold()) for one in resource.get("name", ()) for choice in choices)
    if name == "birthdate":
        return resource.get("birthDate") in choices
    if name == "_lastUpdated":
        return _compare(str(resource["meta"]["lastUpdated"]), value)
    if name == "status":
        return resource.get("status") in choices
    if name in ("date", "started"):
        return _compare(_when(resource), value)
    return True


def _has_identifier(resource: Resource, wanted: str) -> bool:
    system, bar, value = wanted.partition("|")
    found = resource.get("identifier") or ()
    for one in found if isinstance(found, list) else [found]:
        same_system = not bar or (one.get("system") or "") == system
        if same_system and one.get("value") == (value if bar else system):
            return True
    return False


def _when(resource: Resource) -> str:
    for name in ("started", "start", "authoredOn", "effectiveDateTime", "date", "performedDateTime"):
        if isinstance(resource.get(name), str):
            return str(resource[name])
    return ""


def _compare(held: str, wanted: str) -> bool:
    """FHIR date search, to the second or to the day: `gt2026-05-01` and so on."""
    prefix, rest = (wanted[:2], wanted[2:]) if wanted[:2] in PREFIXES else ("eq", wanted)
    point = _moment(rest)
    if not held:
        return False
    if prefix == "eq":
        return held.startswith(rest)
    return bool(PREFIXES[prefix](_moment(held), point))


def _moment(text: str) -> datetime:
    full = text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text
    moment = datetime.fromisoformat(full.replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
