"""What both exchanges answer over FHIR: their own patients by identifier, and the studies of the demo world they hold.

Their patients have ids of their own: the chart's FHIR id means nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from flask import Response

from sandbox import world
from sandbox.fixtures import patient as chart_patient
from sandbox.model import DemoArchive, DemoPatient, DemoStudy

Resource = dict[str, Any]
WADO = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}
PAYLOAD = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none"}]}
REQUIRES_TOKEN = "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token"


class People:
    """The patients that this exchange knows: those with a number of its own."""

    def __init__(self, archive: DemoArchive) -> None:
        self._archive = archive
        self._known = {f"{archive.key}-{one.id}": one for one in world.PATIENTS if archive.identifier_system in one.identifiers}

    def by_identifier(self, text: str) -> list[Resource]:
        system, _, value = text.partition("|")
        return [self.resource(key) for key, one in self._known.items() if one.identifiers.get(system) == value]

    def resource(self, key: str) -> Resource:
        person = self._known[key]
        told = chart_patient(person) | {"id": key}
        own = {"system": self._archive.identifier_system, "value": person.identifiers[self._archive.identifier_system]}
        told["identifier"] = [own, *(one for one in told["identifier"] if one["system"] == world.NORTHGATE_MRN)]
        return told

    def person(self, key: str) -> DemoPatient | None:
        return self._known.get(key)

    def studies(self, key: str) -> tuple[DemoStudy, ...]:
        person = self._known.get(key)
        return world.studies_of(person.id, self._archive.key) if person else ()


def dated(resource: Resource) -> Resource:
    """`resource` with the world's relative dates made those of today."""
    found: Resource = json.loads(world.resolve_dates(json.dumps(resource), today()))
    return found


def today() -> date:
    return datetime.now(UTC).date()


def searchset(base: str, found: Iterable[Resource], included: Iterable[Resource] = ()) -> Response:
    entries = [_entry(base, one, "match") for one in found] + [_entry(base, one, "include") for one in included]
    matches = sum(one["search"]["mode"] == "match" for one in entries)
    return answer({"resourceType": "Bundle", "type": "searchset", "total": matches, "entry": entries})


def outcome(status: int, code: str) -> Response:
    told = answer({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]})
    told.status_code = status
    return told


def answer(content: Resource) -> Response:
    return Response(json.dumps(content), mimetype="application/fhir+json", headers={"Cache-Control": "no-store"})


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    return {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource, "search": {"mode": mode}}
