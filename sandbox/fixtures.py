"""Writes `fhir_fixtures/`: the chart of every demo patient as FHIR R4. Run it after changing the world: `python -m sandbox.fixtures`.

Files keep two placeholders that the EHR fills when it starts: `{{today-4d}}` and `{{dicomweb:KEY}}`. What is not valid R4 is so on purpose;
README there lists it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from sandbox import world
from sandbox.imaging_records import SCT, V2_0203, Resource, day, endpoint, imaging_study, moment, order, report
from sandbox.model import DemoPatient

STBRANNOC_ACCESSIONS = "https://ids.stbrannoc.example/accession"
SURGERY = (
    ("grunwald", 1, "07:30", "12:00", "Aortic valve replacement", "OR 4", "Prof. Lindqvist"),
    ("parekh", 1, "07:45", "13:30", "Coronary artery bypass, 3 vessels", "OR 2", "Dr Oduya"),
    ("nakamura", 1, "11:15", "13:00", "Carotid endarterectomy, right", "OR 2", "Dr Oduya"),
    ("oyelaran-femi-ade", 1, "13:00", "14:30", "Arthroscopy, right shoulder", "OR 1", "Dr Brandt"),
    ("thornbury", 1, "14:30", "16:30", "Hip replacement, left", "OR 1", "Dr Brandt"),
    ("penhaligon", 1, "15:00", "16:00", "Thyroidectomy", "OR 3", "Mr Ferris"),
    ("adeyemi-holt", 5, "08:00", "12:30", "Lobectomy, right upper lobe", "OR 3", "Prof. Lindqvist"),
)
SURGERY_CODES = {"grunwald": ("26212005", "Replacement of aortic valve"), "parekh": ("232717009", "Coronary artery bypass grafting"), "nakamura": ("66951008", "Carotid endarterectomy"),
                 "thornbury": ("52734007", "Total replacement of hip"), "penhaligon": ("13619001", "Thyroidectomy"), "adeyemi-holt": ("173171007", "Lobectomy of lung")}  # fmt: skip
"""SNOMED CT codes of the orders that surgery is booked from; one case has words only."""
CALLED_OFF = "penhaligon"
ORDERS = (
    ("marchetti", "ctp", 0, "CT perfusion, head", "stat"),
    ("grunwald", "echo", 1, "Echocardiogram, transthoracic", "urgent"),
    ("adeyemi-holt", "ct", 1, "CT chest with contrast, in 3 months", "routine"),
    ("hathersage", "sinus", 0, "CT sinus", "routine"),
)


def patient(person: DemoPatient) -> Resource:
    identifiers = []
    for archive in world.ARCHIVES:
        value = person.identifiers.get(archive.identifier_system)
        if value:
            kind = ("MR", "Medical record number") if archive.local else ("PI", "Patient internal identifier")
            identifiers.append(
                {
                    "use": "usual" if archive.local else "secondary",
                    "type": {"coding": [{"system": V2_0203, "code": kind[0], "display": kind[1]}]},
                    "system": archive.identifier_system,
                    "value": value,
                    "assigner": {"display": archive.organization},
                }
            )
    return {
        "resourceType": "Patient",
        "id": person.id,
        "identifier": identifiers,
        "active": True,
        "name": [{"use": "official", "family": _title(person.family), "given": person.given.split()}],
        "gender": person.sex,
        "birthDate": person.birth_date,
    }


def _title(family: str) -> str:
    return "-".join(part.capitalize() for part in family.split("-"))


def open_order(who: str, key: str, days_ago: int, text: str, priority: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": f"open-{who}-{key}",
        "status": "active",
        "intent": "order",
        "priority": priority,
        "category": [{"coding": [{"system": SCT, "code": "363679005", "display": "Imaging"}]}],
        "code": {"text": text},
        "subject": {"reference": f"Patient/{who}"},
        "authoredOn": f"{day(days_ago)}T07:40:00+00:00",
        "requester": {"reference": "Practitioner/dr-halloran"},
    }


def old_order() -> Resource:
    """Marked done years ago; no archive here has it, and no report says where it was done."""
    return open_order("hathersage", "temporal", 1400, "CT temporal bones", "routine") | {"id": "old-hathersage-temporal", "status": "completed"}


def procedure() -> Resource:
    """An examination that the chart knows as a procedure only."""
    return {
        "resourceType": "Procedure",
        "id": "grunwald-ct-aorta",
        "status": "completed",
        "category": {"coding": [{"system": SCT, "code": "363679005", "display": "Imaging"}]},
        "code": {"coding": [{"system": SCT, "code": "77477000", "display": "Computed tomography"}], "text": "CT angiogram, aorta"},
        "subject": {"reference": "Patient/grunwald"},
        "performedDateTime": moment(410, "1520"),
        "bodySite": [{"coding": [{"system": SCT, "code": "51185008", "display": "Chest"}]}],
        "performer": [{"actor": {"type": "Organization", "display": "Harrow Vale Clinic"}}],
    }


def encounter(person: DemoPatient) -> Resource:
    kind = (
        ("EMER", "emergency")
        if "Emergency" in person.place
        else ("IMP", "inpatient encounter")
        if "Ward" in person.place
        else ("AMB", "ambulatory")
    )
    return {
        "resourceType": "Encounter",
        "id": f"visit-{person.id}",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind[0], "display": kind[1]},
        "type": [{"text": person.place}],
        "subject": {"reference": f"Patient/{person.id}"},
        "period": {"start": moment(0, "0705")},
        "reasonCode": [{"text": person.problems[0][1]}],
    }


def condition(person: DemoPatient, code: str, text: str) -> Resource:
    return {
        "resourceType": "Condition",
        "id": f"{person.id}-{code}",
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}]}],
        "code": {"coding": [{"system": SCT, "code": code}], "text": text},
        "subject": {"reference": f"Patient/{person.id}"},
    }


def allergy(person: DemoPatient) -> Resource:
    substance, _, reaction = person.allergy.partition(": ")
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"{person.id}-allergy",
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
        "verificationStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "confirmed"}]
        },
        "code": {"text": substance},
        "patient": {"reference": f"Patient/{person.id}"},
        "reaction": [{"manifestation": [{"text": reaction}]}],
    }


def appointment(who: str, days_ahead: int, start: str, end: str, title: str, room: str, surgeon: str) -> Resource:
    on = day(-days_ahead)
    return {
        "resourceType": "Appointment",
        "id": f"surgery-{who}",
        "status": "cancelled" if who == CALLED_OFF else "booked",
        **({"basedOn": [{"reference": f"ServiceRequest/surgery-order-{who}"}]} if who in SURGERY_CODES else {}),
        "serviceCategory": [{"text": "Surgery"}],
        "serviceType": [{"text": title}],
        "description": title,
        "start": f"{on}T{start}:00+00:00",
        "end": f"{on}T{end}:00+00:00",
        "participant": [
            {"actor": {"reference": f"Patient/{who}"}, "status": "accepted"},
            {"actor": {"display": room}, "status": "accepted"},
            {"actor": {"display": surgeon}, "status": "accepted"},
            *([{"type": [{"text": "Anesthesiologist"}], "actor": {"display": "Dr Sato"}, "status": "accepted"}] if room in ("OR 2", "OR 4") else []),
        ],
    }


def surgery_order(who: str) -> Resource:
    """What a case was booked from: it holds the code of the operation."""
    code, words = SURGERY_CODES[who]
    return {
        "resourceType": "ServiceRequest",
        "id": f"surgery-order-{who}",
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": SCT, "code": "387713003", "display": "Surgical procedure"}]}],
        "code": {"coding": [{"system": SCT, "code": code, "display": words}]},
        "subject": {"reference": f"Patient/{who}"},
        "authoredOn": f"{day(9)}T10:00:00+00:00",
    }


def letter() -> Resource:
    """St Brannoc's transfer letter: it names a perfusion study that no archive here has."""
    return {
        "resourceType": "DocumentReference",
        "id": "marchetti-transfer-letter",
        "status": "current",
        "type": {
            "coding": [{"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}],
            "text": "CT perfusion, head",
        },
        "subject": {"reference": "Patient/marchetti"},
        "date": moment(0, "0910"),
        "author": [{"type": "Organization", "display": "St Brannoc District"}],
        "description": "CT perfusion, head, named in the transfer letter",
        "content": [{"attachment": {"contentType": "text/plain", "title": "Transfer letter", "data": "Q1QgcGVyZnVzaW9uIGRvbmUgMDk6MDE="}}],
        "context": {"related": [{"identifier": {"system": STBRANNOC_ACCESSIONS, "value": "SB-26-88122"}}]},
    }


def charts() -> dict[str, Resource | list[Resource]]:
    """Relative path → content: a resource, or a list that becomes a collection Bundle."""
    files: dict[str, Resource | list[Resource]] = {}
    for person in world.PATIENTS:
        studies = world.studies_of(person.id)
        in_chart = [one for one in studies if one.in_chart]
        files[f"patients/{person.id}.json"] = patient(person)
        files[f"imaging_studies/{person.id}.json"] = [imaging_study(one) for one in in_chart]
        files[f"diagnostic_reports/{person.id}.json"] = [report(one) for one in studies if one.report]
        files[f"service_requests/{person.id}.json"] = [
            *(order(one) for one in in_chart if one.chart_shape != "unreadable"),
            *(open_order(*one) for one in ORDERS if one[0] == person.id),
            *([surgery_order(person.id)] if person.id in SURGERY_CODES else []),
            *([old_order()] if person.id == "hathersage" else []),
        ]
        files[f"encounters/{person.id}.json"] = encounter(person)
        files[f"conditions/{person.id}.json"] = [condition(person, *one) for one in person.problems]
        files[f"allergies/{person.id}.json"] = [allergy(person)] if person.allergy else []
    for archive in world.ARCHIVES:
        files[f"endpoints/{archive.key}.json"] = endpoint(archive.key, f"{archive.name} archive", f"{{{{dicomweb:{archive.key}}}}}")
    files["endpoints/harrowvale.json"] = endpoint("harrowvale", "Harrow Vale archive", world.HARROW_VALE)
    files["appointments/surgery.json"] = [appointment(*one) for one in SURGERY]
    files["document_references/marchetti.json"] = letter()
    files["procedures/grunwald.json"] = procedure()
    return {path: content for path, content in files.items() if content}


def write(folder: Path) -> Iterable[Path]:
    """Write every chart file under `folder`; files of a chart that no longer exist are removed."""
    wanted = charts()
    for name in {path.split("/")[0] for path in wanted}:
        for old in (folder / name).glob("*.json"):
            if f"{name}/{old.name}" not in wanted:
                old.unlink()
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(content), encoding="utf-8")
        yield path


def _text(content: Resource | list[Resource]) -> str:
    told = content
    if isinstance(content, list):
        told = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in content]}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def main(argv: list[str]) -> int:
    folder = Path(argv[0]) if argv else Path(__file__).resolve().parents[1] / "fhir_fixtures"
    print(f"{len(list(write(folder)))} files in {folder.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
