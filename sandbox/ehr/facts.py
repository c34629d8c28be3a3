"""What the chart pages print, taken from the FHIR resources this EHR serves and the stories of the demo world.

Frozen values for the templates; anything absent is an empty text or tuple, because fixtures are odd on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox import world
from sandbox.ehr.records import Records, Resource, patients_of

CARE_TEAMS: dict[str, tuple[tuple[str, str], ...]] = {
    "marchetti": (("Dr S. Halloran", "Emergency"), ("Dr P. Iyer", "Neurology")),
    "adeyemi-holt": (("Dr R. Castellan", "Oncology"), ("Dr C. Okafor", "Radiology"), ("N. Brandt RN", "Nurse specialist")),
    "parekh": (("Mr J. Aldous", "Cardiac surgery"), ("Dr M. Sato", "Anaesthesia")),
    "grunwald": (("Mr J. Aldous", "Cardiac surgery"), ("Dr M. Sato", "Anaesthesia")),
    "lindgren-vasquez": (("Dr S. Halloran", "Emergency"), ("Ms T. Abara", "Burns and plastics")),
    "hathersage": (("Dr L. Whitcombe", "Allergy"),),
}
DEFAULT_TEAM = (("Dr E. Marsh", "General medicine"),)


@dataclass(frozen=True)
class Result:
    """A report in the chart."""

    when: str
    title: str
    status: str
    text: str


@dataclass(frozen=True)
class Order:
    when: str
    title: str
    status: str
    number: str


@dataclass(frozen=True)
class ChartFacts:
    """One patient as the chart shows them. `born` is `9 Aug 1951`, `age` in years."""

    id: str
    name: str
    short_name: str
    born: str
    age: int | None
    sex: str
    mrn: str
    place: str
    story: str
    problems: tuple[str, ...]
    allergy: str
    team: tuple[tuple[str, str], ...]
    results: tuple[Result, ...]
    orders: tuple[Order, ...]
    encounter_id: str | None
    visit: str


@dataclass(frozen=True)
class Case:
    """One line of the surgery schedule."""

    patient_id: str
    patient: str
    mrn: str
    day: str
    time: str
    title: str
    place: str
    status: str


def chart_facts(records: Records, patient: Resource) -> ChartFacts:
    """Everything the chart prints about `patient`."""
    identity = str(patient["id"])
    story = next((one for one in world.PATIENTS if one.id == identity), None)
    encounter = _current_encounter(records.of_patient("Encounter", identity))
    conditions = tuple(_text(one.get("code")) for one in records.of_patient("Condition", identity))
    allergies = "; ".join(_allergy(one) for one in records.of_patient("AllergyIntolerance", identity))
    family, given = _names(patient)
    born = str(patient.get("birthDate", ""))
    place, tasks = story.place if story else "", records.of_patient("Task", identity)
    return ChartFacts(
        id=identity,
        name=f"{family.upper()}, {given}",
        short_name=f"{family}, {given}",
        born=_day(born),
        age=_age(born),
        sex=str(patient.get("gender", "")),
        mrn=_mrn(patient),
        place=place,
        story=story.story if story else "",
        problems=conditions or tuple(text for _, text in (story.problems if story else ())),
        allergy=allergies or (story.allergy if story else ""),
        team=CARE_TEAMS.get(identity, DEFAULT_TEAM),
        results=tuple(
            sorted((_result(one) for one in records.of_patient("DiagnosticReport", identity)), key=lambda one: one.when, reverse=True)
        ),
        orders=tuple(
            sorted((_order(one, tasks) for one in records.of_patient("ServiceRequest", identity)), key=lambda one: one.when, reverse=True)
        ),
        encounter_id=str(encounter["id"]) if encounter else None,
        visit=_visit(encounter, place),
    )


def schedule(records: Records) -> tuple[Case, ...]:
    """Appointments of all patients, soonest first."""
    cases = []
    for one in records.all("Appointment"):
        patient = next((found for found in (records.read("Patient", id_) for id_ in patients_of(one)) if found), None)
        if patient is None:
            continue
        family, given = _names(patient)
        start = str(one.get("start", ""))
        places = [
            actor.get("display", "")
            for actor in (part.get("actor", {}) for part in one.get("participant", ()))
            if "Patient/" not in actor.get("reference", "Patient/")
        ]
        title = str(one.get("description", "")) or _text(next(iter(one.get("serviceType", ())), None))
        cases.append(
            (
                start,
                Case(
                    patient["id"],
                    f"{family}, {given}",
                    _mrn(patient),
                    _day(start),
                    start[11:16],
                    title,
                    ", ".join(filter(None, places)),
                    str(one.get("status", "")),
                ),
            )
        )
    return tuple(case for _, case in sorted(cases, key=lambda pair: pair[0]))


def _names(patient: Resource) -> tuple[str, str]:
    name = next((one for one in patient.get("name", ()) if one.get("use") == "official"), None) or next(iter(patient.get("name", ())), {})
    return str(name.get("family", "")), " ".join(name.get("given", ()))


def _mrn(patient: Resource) -> str:
    for one in patient.get("identifier", ()):
        if any(coding.get("code") == "MR" for coding in one.get("type", {}).get("coding", ())):
            return str(one.get("value", ""))
    return ""


def _text(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    coding = next(iter(concept.get("coding", ())), {})
    return str(concept.get("text") or coding.get("display") or coding.get("code") or "")


def _allergy(resource: Resource) -> str:
    reactions = [_text(one) for reaction in resource.get("reaction", ()) for one in reaction.get("manifestation", ())]
    return ": ".join(filter(None, (_text(resource.get("code")), ", ".join(reactions))))


def _newest_first(resources: tuple[Resource, ...]) -> list[Resource]:
    return sorted(resources, key=_when, reverse=True)


def _when(resource: Resource) -> str:
    return str(resource.get("effectiveDateTime") or resource.get("issued") or resource.get("authoredOn") or "")


def _result(report: Resource) -> Result:
    return Result(_day(_when(report)), _text(report.get("code")), str(report.get("status", "")), str(report.get("conclusion", "")))


def _order(request: Resource, tasks: tuple[Resource, ...]) -> Order:
    """With where its Task stands, in the words of whoever wrote it."""
    number = next((str(one.get("value", "")) for one in request.get("identifier", ())), "")
    own = f"ServiceRequest/{request.get('id')}"
    stands = [_text(one.get("businessStatus")) or str(one.get("status", "")) for one in tasks if one.get("focus", {}).get("reference") == own]
    return Order(_day(_when(request)), _text(request.get("code")), ": ".join((str(request.get("status", "")), *stands[-1:])), number)


def _current_encounter(encounters: tuple[Resource, ...]) -> Resource | None:
    return next((one for one in encounters if one.get("status") == "in-progress"), next(iter(encounters), None))


def _visit(encounter: Resource | None, place: str) -> str:
    """Why the patient is here; the place itself is already the heading."""
    if encounter is None:
        return ""
    texts = [_text(next(iter(encounter.get(name, ())), None)) for name in ("type", "reasonCode")]
    return next((text for text in texts if text and text != place), "")


def _day(iso: str) -> str:
    try:
        day = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{day.day} {day:%b %Y}"


def _age(born: str) -> int | None:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None
    today = datetime.now().date()  # noqa: DTZ005 - the demo viewer's own day
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))
