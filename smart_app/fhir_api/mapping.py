"""A request for images as FHIR R4: ServiceRequest (what is wanted) and Task (who is asked, and where it stands). Pure.

FHIR R4 "Task" and "ServiceRequest"; business status also in the codes of HL7 BSeR. Nothing is said to be stored, received or complete
here that the request's own state does not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from smart_app.fhir.exams import OUR_ORDERS
from smart_app.image_requests.types import Basis, Facility, ImageRequest, Patient, State, Urgency
from smart_app.image_requests.workflow import OPEN

Resource = dict[str, Any]
S = State
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
BSER = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
STATES, INPUTS = "urn:priors:request-state", "urn:priors:request-input"
FULFILL = {"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill", "display": "Fulfill the focal request"}
IMAGING = {"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}
RETRIEVE = {"system": OUR_ORDERS, "code": "retrieve-outside-imaging", "display": "Retrieve outside imaging"}
PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC", "display": "Placer Identifier"}]}

TASK_STATUS: Mapping[State, str] = MappingProxyType(
    {
        S.DRAFT: "draft", S.SENT: "requested", S.OPENED: "received", S.ACCEPTED: "accepted", S.RECEIVING: "in-progress", S.IN_REVIEW: "on-hold",
        S.STORED: "completed", S.STORED_IN_PART: "in-progress", S.DECLINED: "rejected", S.CANCELLED: "cancelled", S.EXPIRED: "failed",
    }
)  # fmt: skip
"""`on-hold` while we look at what came: whoever was asked has nothing to do. Stored in part is not completed: somebody still waits."""
ORDER_STATUS: Mapping[State, str] = MappingProxyType(
    dict.fromkeys(OPEN, "active") | {S.DRAFT: "draft", S.STORED: "completed", S.DECLINED: "revoked", S.CANCELLED: "revoked", S.EXPIRED: "revoked"}
)
_BUSINESS: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        S.DRAFT: ("", "Not sent yet"), S.SENT: ("2.0", "Sent, not opened yet"), S.OPENED: ("2.0", "Opened by whoever was asked"),
        S.ACCEPTED: ("3.0", "They agreed to send the images"), S.RECEIVING: ("3.0", "Files are arriving"),
        S.IN_REVIEW: ("3.0", "All files have come and are being checked; nothing is stored yet"),
        S.STORED: ("7.0", "Stored, and in the patient’s list"), S.STORED_IN_PART: ("3.0", "Stored in part; the rest is still wanted"),
        S.DECLINED: ("4.0", "Declined"), S.CANCELLED: ("6.0", "Cancelled"), S.EXPIRED: ("6.0", "Not answered in time"),
    }
)  # fmt: skip
_BSER_DISPLAY = {
    "2.0": "Service Request Created", "3.0": "Service Request Accepted", "4.0": "Service Request Declined",
    "6.0": "Service Request Fulfillment Cancelled", "7.0": "Service Request Fulfillment Completed",
}  # fmt: skip
PRIORITY: Mapping[Urgency, str] = MappingProxyType({Urgency.EMERGENCY: "stat", Urgency.TODAY: "urgent", Urgency.ROUTINE: "routine"})
HAS_STORED = frozenset({S.STORED, S.STORED_IN_PART})
SAYS_WHY = frozenset({S.DECLINED, S.CANCELLED, S.STORED_IN_PART, S.EXPIRED})


@dataclass(frozen=True)
class Place:
    """Where the resources will lie: how patient, order and whoever is asked are referred to there."""

    numbers: str
    """Identifier system of our request numbers; `<numbers>/task` is that of single askings."""
    patient: Mapping[str, Any]
    order: str
    """Reference to the ServiceRequest."""
    owner: Mapping[str, Any]
    requester: str
    """Name of the hospital that asks."""
    contained: tuple[Resource, ...] = ()


def order(request: ImageRequest, place: Place) -> Resource:
    """What is wanted, as a ServiceRequest without id."""
    asked, wanted = request.asked, request.asked.wanted
    found: Resource = {
        "resourceType": "ServiceRequest",
        "identifier": [{"type": PLACER, "system": place.numbers, "value": request.id}],
        "status": ORDER_STATUS[request.state],
        "intent": "order",
        "category": [{"coding": [IMAGING]}],
        "priority": PRIORITY[asked.urgency],
        "code": {"coding": [RETRIEVE], "text": wanted.title},
        "subject": dict(place.patient),
        "authoredOn": moment(request.created_at),
        "requester": {"display": place.requester},
        "performer": [dict(place.owner)],
    }
    window = _window(wanted.date_from, wanted.date_to)
    if window:
        found["occurrencePeriod"] = window
    if asked.why:
        found["reasonCode"] = [{"text": asked.why}]
    if wanted.region:
        found["bodySite"] = [{"text": wanted.region}]
    if asked.basis is Basis.CONSENT:
        found["supportingInfo"] = [{"type": "Consent", "display": "The patient’s signed consent is with us"}]
    return _with(found, place)


def task(request: ImageRequest, place: Place, now: datetime, *, asking: int, studies: Sequence[str] = ()) -> Resource:
    """Who is asked and where it stands, as a Task without id.

    :param asking: sequence of the change that sent it: asked again, it is another Task for the same order.
    :param studies: Study Instance UIDs of what was stored for it.
    """
    asked = request.asked
    found: Resource = {
        "resourceType": "Task",
        "identifier": [{"system": f"{place.numbers}/task", "value": f"{request.id}.{asking}"}],
        "status": TASK_STATUS[request.state],
        "businessStatus": business_status(request, now),
        "intent": "order",
        "priority": PRIORITY[asked.urgency],
        "code": {"coding": [FULFILL]},
        "description": asked.wanted.title,
        "basedOn": [{"reference": place.order}],
        "focus": {"reference": place.order},
        "for": dict(place.patient),
        "authoredOn": moment(request.created_at),
        "lastModified": moment(request.updated_at),
        "requester": {"display": place.requester},
        "owner": dict(place.owner),
        "input": _input(request),
    }
    if asked.why:
        found["reasonCode"] = {"text": asked.why}
    if asked.needed_by:
        found["restriction"] = {"period": {"end": moment(asked.needed_by)}}
    if request.reason and request.state in SAYS_WHY:
        found["statusReason"] = {"text": request.reason}
    if studies:
        found["output"] = output(studies)
    return _with(found, place)


def output(studies: Sequence[str]) -> list[Resource]:
    """What was stored, by Study Instance UID: the ImagingStudy is the archive's to serve."""
    return [{"type": {"text": "ImagingStudy"}, "valueReference": _study(uid)} for uid in studies]


def with_upload(task: Resource, address: str, code: str) -> Resource:
    """The Task with where its images can be brought to, for a server that only whoever is asked can read."""
    return task | {"input": [*task["input"], _named("upload", {"valueUrl": address}), _named("upload-code", {"valueString": code})]}


def business_status(request: ImageRequest, now: datetime) -> Resource:
    """Where it stands in words, with our code and BSeR's; says overdue while somebody still waits and the time has passed."""
    code, text = _BUSINESS[request.state]
    coding = [{"system": STATES, "code": request.state.value}]
    if code:
        coding.append({"system": BSER, "code": code, "display": _BSER_DISPLAY[code]})
    if request.asked.needed_by is not None and request.asked.needed_by < now and request.state in OPEN:
        coding.append({"system": STATES, "code": "overdue"})
        text += "; overdue"
    return {"coding": coding, "text": text}


def person(patient: Patient, **more: Any) -> Resource:
    """The patient as the EHR told when the request was made. `more`: id and meta."""
    found: Resource = {"resourceType": "Patient", **more}
    numbers = [{"system": one.issuer, "value": one.value} for one in patient.identifiers if one.issuer]
    if patient.mrn and patient.mrn not in {one["value"] for one in numbers}:
        numbers.append({"value": patient.mrn})
    if numbers:
        found["identifier"] = numbers
    given = [word for word in patient.given.split() if word]
    name: Resource = {"text": patient.name} | ({"family": patient.family} if patient.family else {}) | ({"given": given} if given else {})
    found["name"] = [name]
    if patient.sex:
        found["gender"] = patient.sex.lower() if patient.sex.lower() in ("female", "male", "other") else "unknown"
    if patient.birth_date:
        found["birthDate"] = patient.birth_date
    return found


def organization(facility: Facility, **more: Any) -> Resource:
    found: Resource = {"resourceType": "Organization", **more, "active": facility.is_active, "name": facility.name}
    if facility.phone:
        found["telecom"] = [{"system": "phone", "value": facility.phone}]
    if facility.place:
        found["address"] = [{"city": facility.place}]
    return found


def owner(request: ImageRequest) -> Resource:
    """Whoever is asked, in words; without a facility it is the patient."""
    return {"display": request.facility.name} if request.facility else {"display": "The patient"}


def communication(request: ImageRequest, place: Place, now: datetime) -> Resource:
    """Where a request stands, as a note in the chart of an EHR that takes no Task."""
    asked = request.asked
    facility = request.facility.name if request.facility else "the patient"
    words = f"{asked.wanted.title}, asked for from {facility} (request {request.id}): {business_status(request, now)['text']}."
    if request.reason and request.state in SAYS_WHY:
        words += f" Reason: {request.reason}."
    return {
        "resourceType": "Communication",
        "identifier": [{"system": place.numbers, "value": request.id}],
        "status": "in-progress" if request.state in OPEN or request.state is S.DRAFT else "completed",
        "category": [{"coding": [RETRIEVE]}],
        "priority": PRIORITY[asked.urgency],
        "subject": dict(place.patient),
        "sent": moment(request.updated_at),
        "payload": [{"contentString": words}],
    }


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _input(request: ImageRequest) -> list[Resource]:
    """The search criteria, one by one: what a computer there can search with."""
    wanted = request.asked.wanted
    texts = {
        "study-uid": wanted.study_uid, "accession": wanted.accession, "modality": wanted.modality, "region": wanted.region, "missing": wanted.missing,
        "basis": request.asked.basis.value,
    }  # fmt: skip
    found = [_named(name, {"valueString": value}) for name, value in texts.items() if value]
    window = _window(wanted.date_from, wanted.date_to)
    if window:
        found.append(_named("study-date", {"valuePeriod": window}))
    flags = {"report": wanted.report, "thin-slices": wanted.thin, "others-of-region": wanted.others}
    return found + [_named(name, {"valueBoolean": True}) for name, value in flags.items() if value]


def _named(name: str, value: Resource) -> Resource:
    return {"type": {"coding": [{"system": INPUTS, "code": name}]}, **value}


def _study(uid: str) -> Resource:
    return {"type": "ImagingStudy", "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}


def _window(start: str, end: str) -> dict[str, str]:
    if start and end and start[: len(end)] > end[: len(start)]:
        return {}  # no window at all: a period that ends before it begins is not FHIR
    return ({"start": start} if start else {}) | ({"end": end} if end else {})


def _with(found: Resource, place: Place) -> Resource:
    return {"resourceType": found.pop("resourceType"), **({"contained": list(place.contained)} if place.contained else {}), **found}
