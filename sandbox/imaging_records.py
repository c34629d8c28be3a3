"""What a chart knows of imaging, as FHIR R4: Endpoint, ImagingStudy in plain and odd shapes, its report and its order.

Dates and archive addresses stay placeholders (see `fixtures`).
"""

from __future__ import annotations

from typing import Any

from sandbox import world
from sandbox.model import DemoSeries, DemoStudy

Resource = dict[str, Any]
DCM = "http://dicom.nema.org/resources/ontology/DCM"
SCT = "http://snomed.info/sct"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
ACCESSIONS = "https://fhir.northgate.example/accession"
BODY_SITES = {
    "HEAD": ("69536005", "Head"),
    "BRAIN": ("12738006", "Brain"),
    "HEADNECK": ("774007", "Head and neck"),
    "CHEST": ("51185008", "Chest"),
    "HEART": ("80891009", "Heart"),
    "NECK": ("45048000", "Neck"),
    "ABDOMEN": ("818983003", "Abdomen"),
    "SHOULDER": ("16982005", "Shoulder"),
    "ARM": ("14975008", "Forearm"),
    "LEG": ("12611008", "Tibia"),
    "LSPINE": ("122496007", "Lumbar spine"),
}


def endpoint(key: str, name: str, address: str) -> Resource:
    return {
        "resourceType": "Endpoint",
        "id": key,
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs",
            "display": "DICOM WADO-RS",
        },
        "name": name,
        "payloadType": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none"}]}],
        "payloadMimeType": ["application/dicom"],
        "address": address,
    }


def day(days_ago: int | None) -> str:
    if not days_ago:
        return "{{today}}"
    return f"{{{{today-{days_ago}d}}}}" if days_ago > 0 else f"{{{{today+{-days_ago}d}}}}"


def moment(days_ago: int | None, time: str) -> str:
    return f"{day(days_ago)}T{time[:2]}:{time[-2:]}:00+00:00"


def _study_identifiers(study: DemoStudy) -> list[Resource]:
    found: list[Resource] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}]
    return found + ([_accession(study)] if study.accession else [])


def _accession(study: DemoStudy) -> Resource:
    kind = {"coding": [{"system": V2_0203, "code": "ACSN", "display": "Accession ID"}]}
    return {"type": kind, "system": ACCESSIONS, "value": study.accession}


def _series(study: DemoStudy, series: DemoSeries) -> Resource:
    told: Resource = {
        "uid": study.series_uid(series),
        "number": series.number,
        "modality": {"system": DCM, "code": series.modality},
        "description": series.description,
        "numberOfInstances": series.images,
    }
    if study.body_part in BODY_SITES:
        code, display = BODY_SITES[study.body_part]
        told["bodySite"] = {"system": SCT, "code": code, "display": display}
    return told


def imaging_study(study: DemoStudy) -> Resource:
    """The chart's record of a study, in the shape that the catalogue asks for."""
    modalities = sorted({one.modality for one in study.series}) or [study.modality]
    told: Resource = {
        "resourceType": "ImagingStudy",
        "id": study.key,
        "identifier": _study_identifiers(study),
        "status": "available",
        "modality": [{"system": DCM, "code": code} for code in modalities],
        "subject": {"reference": f"Patient/{study.patient}"},
        "started": moment(study.days_ago, study.time),
        "basedOn": [{"reference": f"ServiceRequest/order-{study.key}"}],
        "endpoint": [{"reference": f"Endpoint/{study.endpoint or study.archives[0]}"}],
        "numberOfSeries": len(study.series),
        "numberOfInstances": sum(one.images for one in study.series),
        "procedureCode": [{"text": study.description}],
        "description": study.description,
        "series": [_series(study, one) for one in study.series],
    }
    if study.security:
        told["meta"] = {"security": [{"system": SENSITIVITY if len(code) > 1 else CONFIDENTIALITY, "code": code} for code in study.security]}
    if not study.series:
        for name in ("series", "numberOfSeries", "numberOfInstances"):
            del told[name]
    return _shaped(study, told)


def _shaped(study: DemoStudy, told: Resource) -> Resource:
    if study.chart_shape == "codeable-modality":
        told["modality"] = [{"coding": [one]} for one in told["modality"]]
        for one in told["series"]:
            one["modality"] = {"coding": [one["modality"]]}
    elif study.chart_shape == "contained-endpoint":
        inside = endpoint("here", "Northgate archive", f"{{{{dicomweb:{study.archives[0]}}}}}")
        told["contained"] = [inside]
        told["endpoint"] = [{"reference": "#here"}]
    elif study.chart_shape == "series-endpoint":
        told["series"][0]["endpoint"] = told.pop("endpoint")
    elif study.chart_shape == "no-started":
        del told["started"]
    elif study.chart_shape == "unreadable":
        return {
            "resourceType": "ImagingStudy",
            "id": study.key,
            "identifier": {"system": "urn:dicom:uid", "value": 7},
            "status": ["available"],
            "subject": {"reference": f"Patient/{study.patient}"},
            "started": "last spring",
            "series": "none",
        }
    return told


def report(study: DemoStudy) -> Resource:
    told: Resource = {
        "resourceType": "DiagnosticReport",
        "id": f"report-{study.key}",
        "identifier": [_accession(study)],
        "status": study.report,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}],
            "text": study.description,
        },
        "subject": {"reference": f"Patient/{study.patient}"},
        "effectiveDateTime": moment(study.days_ago, study.time),
        "issued": f"{day(study.days_ago)}T23:05:00+00:00",
        "performer": [{"type": "Organization", "display": world.archive(study.archives[0]).organization if study.archives else "Harrow Vale Clinic"}],
        "conclusion": study.conclusion,
    }
    if study.days_ago == 0:
        told["issued"] = moment(0, study.time)
    if study.in_chart:
        told["imagingStudy"] = [{"reference": f"ImagingStudy/{study.key}"}]
    else:
        # an outside report filed by itself: only its numbers say which study it belongs to
        told["identifier"] = _study_identifiers(study)
    return told


def order(study: DemoStudy) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": f"order-{study.key}",
        "identifier": [_accession(study)],
        "status": "completed",
        "intent": "order",
        "category": [{"coding": [{"system": SCT, "code": "363679005", "display": "Imaging"}]}],
        "code": {"text": study.description},
        "subject": {"reference": f"Patient/{study.patient}"},
        "authoredOn": f"{day(study.days_ago)}T{study.time[:2]}:00:00+00:00",
        "requester": {"reference": "Practitioner/dr-halloran"},
    }
