"""A patient index as IHE has it: PIXm `$ihe-pix` and PDQm `Patient/$match`, over the demo world's records at one hospital.

Its grading is plain: a shared identifier is certain, the same family name and birthday probable, day and month swapped
as well, a like birthday possible. Any server of the sandbox may mount it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import world
from sandbox.lookalikes import LOOKALIKES

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
SCORES = {"certain": 0.98, "probable": 0.81, "possible": 0.55}


@dataclass(frozen=True)
class IndexRecord:
    """One person as one hospital knows them; `known_as` are identifiers elsewhere that the index has joined."""

    system: str
    value: str
    family: str
    given: str
    birth_date: str
    sex: str
    telephone: str = ""
    known_as: tuple[tuple[str, str], ...] = ()

    def resource(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "resourceType": "Patient", "id": f"rec-{self.value}", "active": True, "identifier": [{"system": self.system, "value": self.value}],
            "name": [{"family": self.family, "given": self.given.split()}], "birthDate": self.birth_date, "gender": self.sex,
        }  # fmt: skip
        return told | ({"telecom": [{"system": "phone", "value": self.telephone}]} if self.telephone else {})


def records_at(archive_key: str) -> tuple[IndexRecord, ...]:
    """Everybody that hospital has a number for, and the lookalikes."""
    return tuple(_records(archive_key))


def _records(archive_key: str) -> Iterator[IndexRecord]:
    system = world.archive(archive_key).identifier_system
    for person in world.PATIENTS:
        if value := person.identifiers.get(system):
            others = tuple((other, number) for other, number in person.identifiers.items() if other != system)
            yield IndexRecord(system, value, person.family, person.given, person.birth_date, person.sex, known_as=others)
    for one in LOOKALIKES:
        if one.archive == archive_key:
            family, _, given = one.name.partition("^")
            yield IndexRecord(system, one.patient_id, family, given, one.birth_date, one.sex, one.telephone)


def grade(asked: dict[str, Any], record: IndexRecord) -> str | None:
    """How sure the index is that the asked-for resource is this record; None: it is not."""
    known = {(one.get("system"), one.get("value")) for one in asked.get("identifier") or []}
    if known & {(record.system, record.value), *record.known_as}:
        return "certain"
    families = {str(name.get("family", "")).casefold() for name in asked.get("name") or []}
    if record.family.casefold() not in families:
        return None
    born = str(asked.get("birthDate") or "")
    if born == record.birth_date or (born[:4] == record.birth_date[:4] and born[5:7] == record.birth_date[8:] and born[8:] == record.birth_date[5:7]):
        return "probable"
    return "possible" if born[:7] == record.birth_date[:7] else None


def make_blueprint(records: tuple[IndexRecord, ...], base: str = "/fhir") -> Blueprint:
    """`$match` and `$ihe-pix` below `base`."""
    blueprint = Blueprint("patient-index", __name__)

    @blueprint.post(f"{base}/Patient/$match", endpoint="match")
    def match() -> Response:
        parameters = (request.get_json(force=True, silent=True) or {}).get("parameter") or []
        asked = next((one.get("resource") for one in parameters if one.get("name") == "resource"), None) or {}
        found = [(graded, one) for one in records if (graded := grade(asked, one)) is not None]
        entries = [
            {"resource": one.resource(), "search": {"mode": "match", "score": SCORES[graded], "extension": [{"url": GRADE, "valueCode": graded}]}} for graded, one in found
        ]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})

    @blueprint.get(f"{base}/Patient/$ihe-pix", endpoint="pix")
    def pix() -> Response:
        system, _, value = request.args.get("sourceIdentifier", "").partition("|")
        found = [one for one in records if (system, value) in {(one.system, one.value), *one.known_as}]
        if not found:
            return _fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}, 404)
        targets = request.args.getlist("targetSystem")
        told = [pair for one in found for pair in ((one.system, one.value), *one.known_as) if not targets or pair[0] in targets]
        return _fhir({"resourceType": "Parameters", "parameter": [{"name": "targetIdentifier", "valueIdentifier": {"system": one[0], "value": one[1]}} for one in told]})

    return blueprint


def _fhir(resource: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(resource)
    response.status_code = status
    response.mimetype = "application/fhir+json"
    return response
