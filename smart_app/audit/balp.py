"""One audit record as a FHIR R4 AuditEvent in IHE BALP's minimal shape, for whoever collects audits. Pure.

BALP PatientRead and PatientQuery turn source and destination round: of a read we are the source, of a query the asker.
"""

from __future__ import annotations

from typing import Any

from smart_app.audit.report import Line

DCM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
REST = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}
INTERACTION = "http://hl7.org/fhir/restful-interaction"
DISPLAY = {
    "110100": "Application Activity", "110101": "Audit Log Used", "110103": "DICOM Instances Accessed", "110104": "DICOM Instances Transferred",
    "110112": "Query", "110113": "Security Alert", "110114": "User Authentication",
}  # fmt: skip
OVERRIDE = {"BreakGlassOpened": ("110127", "Emergency Override Started"), "BreakGlassEnded": ("110128", "Emergency Override Stopped")}
"""DICOM CID 403, security alert types."""
PURPOSES = {"BTG": "break the glass", "ETREAT": "Emergency Treatment"}
UIDS = ("study", "series", "instance")


def audit_event(line: Line, *, observer: str) -> dict[str, Any]:
    """The record as an AuditEvent resource. `observer` is the origin of this Priors."""
    query = line.event == "SourceAnswered"
    read = line.event in ("StudyOpened", "SeriesRead")
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": line.id,
        "type": REST if query or read else {"system": DCM, "code": line.code, "display": DISPLAY.get(line.code, line.code)},
        "subtype": [{"system": INTERACTION, "code": "search" if query else "read"}] if query or read else [_own_kind(line)],
        "action": line.verb,
        "recorded": line.time.isoformat(timespec="milliseconds"),
        "outcome": str(line.outcome),
        "agent": _agents(line, observer, query=query),
        "source": {"observer": {"display": observer}},
        "entity": _entities(line),
    }
    if "reason" in line.details:
        event["outcomeDesc"] = str(line.details["reason"])
    return event


def _own_kind(line: Line) -> dict[str, str]:
    if line.event in OVERRIDE:
        return {"system": DCM, "code": OVERRIDE[line.event][0], "display": OVERRIDE[line.event][1]}
    return {"system": "urn:priors:audit", "code": line.event}


def _agents(line: Line, observer: str, *, query: bool) -> list[dict[str, Any]]:
    destination, source = _code(DCM, "110152", "Destination Role ID"), _code(DCM, "110153", "Source Role ID")
    asker, answerer = (source, destination) if query else (destination, source)
    other = str(line.details.get("source") or line.details.get("archive") or "")
    ours = {"type": asker if query else answerer, "who": {"display": observer}, "requestor": False, "network": {"address": observer, "type": "5"}}
    theirs: dict[str, Any] = {"type": answerer if query else asker, "requestor": False}
    theirs |= {"who": {"display": other or "archive"}} if query else {"who": {"display": "browser"}}
    if not query and line.address:
        theirs["network"] = {"address": line.address, "type": "2"}
    agents = [theirs, ours]
    if line.user:
        person = {"identifier": {"system": line.issuer, "value": line.user}} | ({"display": line.name} if line.name else {})
        agent = {"type": _code("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"), "who": person, "requestor": True}
        if (purpose := line.details.get("purpose")) in PURPOSES:
            agent["purposeOfUse"] = [_code("http://terminology.hl7.org/CodeSystem/v3-ActReason", purpose, PURPOSES[purpose])]
        agents.append(agent)
    return agents


def _entities(line: Line) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if line.patient:
        what = {"reference": f"Patient/{line.patient}"} | ({"identifier": {"system": line.issuer, "value": line.patient}} if line.issuer else {})
        entities.append({"what": what, "type": {"system": ENTITY_TYPE, "code": "1"}, "role": {"system": ENTITY_ROLE, "code": "1"}})
    facts = [{"type": name, "valueString": str(value)} for name, value in line.details.items() if name not in UIDS]
    if uid := next((line.details[name] for name in reversed(UIDS) if line.details.get(name)), None):
        what = {"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}
        data: dict[str, Any] = {"what": what, "type": {"system": ENTITY_TYPE, "code": "2"}, "role": {"system": ENTITY_ROLE, "code": "4"}}
    else:
        data = {"what": {"display": line.event}, "type": {"system": ENTITY_TYPE, "code": "2"}, "role": {"system": ENTITY_ROLE, "code": "24"}}
    entities.append(data | ({"detail": facts} if facts else {}))
    request = {"what": {"identifier": {"value": line.request_id}}, "type": {"system": ENTITY_TYPE, "code": "4"}}
    return [*entities, request] if line.request_id else entities


def _code(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
