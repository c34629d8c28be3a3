"""What one Appointment, Encounter, ServiceRequest or Procedure says of an operation, and which of them are the same one. Pure. FHIR R4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from smart_app.fhir.appointments import CALLED_OFF
from smart_app.fhir.wire import codings, instant_of, items, reference, text
from smart_app.preop.types import Coded

SURGICAL = frozenset({"387713003", "394609007", "SURG"})
"""SNOMED CT surgical procedure, surgery; v2-0074 SURG."""
_SURGICAL = re.compile(r"(?<![a-z])(surg|operation|operating|theatre|theater)", re.I)
_ROOM = re.compile(r"(?<![a-z])(or|theatre|theater|operating room|room|suite|lab)(?![a-z])", re.I)
_ANESTHETIST = re.compile(r"an(a)?esth", re.I)
CATEGORIES = {
    "Appointment": ("serviceCategory", "serviceType", "specialty", "appointmentType"), "Encounter": ("class", "type", "serviceType"),
    "ServiceRequest": ("category",), "Procedure": ("category",),
}  # fmt: skip
"""Where each kind says what kind of visit it is. Not its words: `Echo before surgery` is no surgery."""
OFF = CALLED_OFF | {"revoked", "not-done", "stopped"}


@dataclass(frozen=True)
class Planned:
    """One record that plans an operation."""

    reference: str
    patient: str
    title: str
    starts_at: datetime | None
    codes: tuple[Coded, ...] = ()
    categories: tuple[Coded, ...] = ()
    orders: tuple[str, ...] = ()
    """`ServiceRequest/<id>` that it was booked from."""
    appointments: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """`Location/<id>` and names."""
    room: str = ""
    surgeon: str = ""
    anesthesiologist: str = ""
    is_off: bool = False


def begins(resource: Mapping[str, Any]) -> datetime | None:
    period = next((found for name in ("period", "occurrencePeriod", "performedPeriod") if isinstance(found := resource.get(name), Mapping)), {})
    return instant_of(resource.get("start") or resource.get("occurrenceDateTime") or resource.get("performedDateTime") or period.get("start"))


def planned_of(resource: Mapping[str, Any], base: str) -> Planned | None:
    """None: it names no one patient of this EHR, so nobody can say whose operation it is."""
    kind, id = text(resource.get("resourceType")), text(resource.get("id"))
    patient = _patient(resource, base)
    if id is None or patient is None:
        return None
    concepts = [resource.get(name) for name in ("serviceType", "code", "reasonCode", "type")]
    codes = tuple(one for concept in concepts for one in coded(concept))
    people = _people(resource)
    links = [found for name in ("basedOn", "appointment") for one in items(resource.get(name)) if (found := reference(one, base)) is not None]
    status = text(resource.get("status")) or ""
    return Planned(
        f"{kind}/{id}", patient, _title(resource, concepts), begins(resource), (*codes, *_words(resource)),
        tuple(one for name in CATEGORIES.get(kind or "", ()) for one in coded(resource.get(name))),
        tuple(f"{kind}/{id}" for kind, id in links if kind == "ServiceRequest") + ((f"ServiceRequest/{id}",) if kind == "ServiceRequest" else ()),
        tuple(f"{kind}/{id}" for kind, id in links if kind == "Appointment"), people.places, people.room, people.surgeon, people.anesthesiologist, status in OFF,
    )  # fmt: skip


def is_surgery(planned: Planned, locations: Sequence[str]) -> bool:
    """At one of these places, where the site names any; else by what kind of appointment it says it is."""
    if locations:
        return bool(set(locations) & set(planned.places))
    return any(one.code in SURGICAL or _SURGICAL.search(one.text) for one in planned.categories)


def joined(planned: Sequence[Planned], orders: Mapping[str, Mapping[str, Any]], base: str) -> list[Planned]:
    """One for each operation: records of the same patient that name each other, or begin at the same moment. An appointment leads.

    An order of somebody else says nothing of a case, whatever refers to it.
    """
    rank = ("Appointment", "Encounter", "ServiceRequest", "Procedure")
    out: list[Planned] = []
    for one in sorted(planned, key=lambda one: rank.index(one.reference.partition("/")[0])):
        at = next((at for at, other in enumerate(out) if _is_same(one, other)), None)
        if at is None:
            out.append(one)
        else:
            out[at] = _with(out[at], one)
    return [replace(one, codes=(*one.codes, *(code for name in one.orders if name in orders and is_of(orders[name], one.patient, base) for code in coded(orders[name].get("code"))))) for one in out]


def coded(concepts: Any) -> Iterable[Coded]:
    """Codes and words of a concept or of several."""
    for one in codings(concepts):
        yield Coded(text(one.get("system")) or "", text(one.get("code")) or "", text(one.get("display")) or "")
    for concept in items(concepts):
        if found := text(concept.get("text")):
            yield Coded("", "", found)


def is_of(resource: Mapping[str, Any], patient: str, base: str) -> bool:
    """Whether it says itself that it is this patient's: a server may answer with more than it was asked for."""
    return reference(resource.get("subject"), base.rstrip("/")) == ("Patient", patient)


def _is_same(one: Planned, other: Planned) -> bool:
    if one.patient != other.patient or one.is_off != other.is_off:
        return False
    linked = bool(set(one.orders) & set(other.orders)) or other.reference in one.appointments
    return linked or (one.starts_at is not None and one.starts_at == other.starts_at and one.reference.partition("/")[0] != other.reference.partition("/")[0])


def _with(first: Planned, more: Planned) -> Planned:
    return replace(
        first, codes=(*first.codes, *more.codes), orders=tuple(dict.fromkeys((*first.orders, *more.orders))), starts_at=first.starts_at or more.starts_at,
        room=first.room or more.room, surgeon=first.surgeon or more.surgeon, anesthesiologist=first.anesthesiologist or more.anesthesiologist,
    )  # fmt: skip


def _patient(resource: Mapping[str, Any], base: str) -> str | None:
    told = [resource.get("subject"), *(part.get("actor") for part in items(resource.get("participant")))]
    found = {id for kind, id in (reference(one, base) or ("", "") for one in told) if kind == "Patient"}
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True)
class _Around:
    places: tuple[str, ...]
    room: str
    surgeon: str
    anesthesiologist: str


def _people(resource: Mapping[str, Any]) -> _Around:
    """Who and where, by role where it is told, else by how it reads; a name that is neither a room nor a role operates."""
    parts = [*items(resource.get("participant")), *items(resource.get("performer")), *({"actor": one.get("location")} for one in items(resource.get("location")))]
    room, surgeon, anesthesiologist, places = "", "", "", list[str]()
    for part in parts:
        actor = next(iter(items(part.get("actor") or part.get("individual") or part)), {})
        target, name = text(actor.get("reference")) or "", text(actor.get("display")) or ""
        role = " ".join((*(one.text or one.code for one in coded(part.get("type") or part.get("function"))), name))
        if "Patient/" in target:
            continue
        if "Location/" in target or (not target and _ROOM.search(name)):
            room = room or name
            places += [one for one in (target, name) if one]
        elif _ANESTHETIST.search(role):
            anesthesiologist = anesthesiologist or name
        else:
            surgeon = surgeon or name
    return _Around(tuple(places), room, surgeon, anesthesiologist)


def _title(resource: Mapping[str, Any], concepts: Sequence[Any]) -> str:
    told = text(resource.get("description"))
    return told or next((one.text for concept in concepts for one in reversed(tuple(coded(concept))) if one.text), "") or "Procedure not stated"


def _words(resource: Mapping[str, Any]) -> tuple[Coded, ...]:
    told = text(resource.get("description"))
    return (Coded("", "", told),) if told else ()

