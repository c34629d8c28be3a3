"""Makes a DICOM SR (Comprehensive SR, TID 1500 "Measurement Report") of a person's marks, and reads what it needs of the images they lie on.

Coordinates are SCOORD on the marked image and frame, so that any reader can draw them. The patient and the study are copied from the
marked images, never from a chart. The library is loaded when the first report is made.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smart_app.marks.types import Mark, Value

KEPT = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName",
        "StudyDescription", "SpecificCharacterSet", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "NumberOfFrames", "Rows", "Columns", "Modality")  # fmt: skip
"""What is taken of an image; the patient's and the study's are required to be there, if only empty (type 2)."""
SERIES_NUMBER = 9901
OURS = "99PRIORS"
NOT_STORED = frozenset({"px", "px2"})


class CannotReport(Exception):
    """These marks cannot be a report; the text is a fixed word."""


@dataclass(frozen=True)
class Observer:
    name: str
    login: str
    """The person's address at the EHR (`fhirUser`)."""


@dataclass(frozen=True)
class Report:
    """One object, ready to be sent."""

    content: bytes
    series: str
    instance: str
    study: str
    patient: str
    """Patient ID as the marked images carry it."""
    source: tuple[str, str]
    """Series and instance of one marked image: asked again before anything is sent."""


def build(marks: Sequence[Mark], images: Mapping[str, Mapping[str, Any]], observer: Observer, uids: tuple[str, str], at: datetime) -> Report:
    """`images`: DICOM JSON of each marked instance, by SOP Instance UID. `uids`: series and instance of the report.

    :raises CannotReport: a mark's size is not known, an image is not there, or the images name more than one patient or study.
    """
    from highdicom import sr
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    if not marks:
        raise CannotReport("no-marks")
    sources = {uid: _dataset(images[uid]) for uid in dict.fromkeys(mark.instance for mark in marks) if uid in images}
    if any(mark.instance not in sources for mark in marks):
        raise CannotReport("no-image")
    whose = {(str(each.PatientID), str(each.get("IssuerOfPatientID", "")), str(each.StudyInstanceUID)) for each in sources.values()}
    if len(whose) != 1 or not next(iter(whose))[0]:
        raise CannotReport("patients")
    if any(str(sources[mark.instance].SeriesInstanceUID) != mark.series for mark in marks):
        raise CannotReport("series")
    groups = [_group(sr, mark, sources[mark.instance], generate_uid(None, [uids[1], mark.id])) for mark in marks]
    person = sr.PersonObserverIdentifyingAttributes(name=observer.name or "Unknown", login_name=observer.login or None)
    context = sr.ObservationContext(observer_person_context=sr.ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=person))
    content = sr.MeasurementReport(
        observation_context=context, procedure_reported=_code("LN", "18748-4", "Diagnostic imaging study"),
        imaging_measurements=groups, title=codes.DCM.ImagingMeasurementReport,
    )  # fmt: skip
    made = sr.ComprehensiveSR(
        evidence=list(sources.values()), content=content[0], series_number=SERIES_NUMBER, series_instance_uid=uids[0], sop_instance_uid=uids[1], instance_number=1,
        manufacturer="Priors", is_complete=True, is_final=False, is_verified=False, series_description="Measurements (Priors)",
    )  # fmt: skip
    for keyword, value in (("ContentDate", at.strftime("%Y%m%d")), ("ContentTime", at.strftime("%H%M%S"))):
        setattr(made, keyword, value)
    made.Manufacturer, made.ManufacturerModelName = "Priors", "Priors"
    first = next(iter(sources.values()))
    for keyword in ("IssuerOfPatientID", "StudyDescription"):
        if first.get(keyword):
            setattr(made, keyword, first.get(keyword))
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    patient, _, study = next(iter(whose))
    return Report(file.getvalue(), uids[0], uids[1], study, patient, marks[0].place)


def _dataset(image: Mapping[str, Any]) -> Any:
    """The few attributes that a report takes over from an image."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataset import Dataset

    tags = {f"{tag_for_keyword(keyword):08X}" for keyword in KEPT}
    found = Dataset.from_json({tag: element for tag, element in image.items() if tag in tags})
    for keyword in KEPT[:11]:
        if keyword not in found and keyword != "IssuerOfPatientID":
            setattr(found, keyword, "")
    return found


def _group(sr: Any, mark: Mark, image: Any, tracking: str) -> Any:
    import numpy

    if any(value.unit in NOT_STORED for value in mark.values):
        raise CannotReport("no-size")
    frames = [mark.frame] if int(image.get("NumberOfFrames") or 1) > 1 else None
    source = sr.SourceImageForRegion(str(image.SOPClassUID), str(image.SOPInstanceUID), referenced_frame_numbers=frames)
    named = sr.TrackingIdentifier(uid=tracking, identifier=mark.name or mark.kind)

    def place(points: Sequence[tuple[float, float]], kind: str) -> tuple[str, Any]:
        return kind, numpy.array(points, dtype=float)

    def measured(value: Value, points: Sequence[tuple[float, float]] = (), kind: str = "POLYLINE") -> Any:
        at = [sr.CoordinatesForMeasurement(*place(points, kind), source)] if points else None
        name, derivation = _named(value)
        return sr.Measurement(name=name, value=value.value, unit=_unit(value.unit), derivation=derivation, referenced_coordinates=at)

    def region(points: Sequence[tuple[float, float]], kind: str) -> Any:
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=named, referenced_region=sr.ImageRegion(*place(points, kind), source), measurements=[measured(value) for value in mark.values] or None
        )

    points = mark.points
    if mark.kind == "ellipse":
        return region(points, "ELLIPSE")
    if mark.kind == "rectangle":
        return region((*points, points[0]), "POLYLINE")
    if mark.kind == "arrow":
        return region(points, "POLYLINE")
    places = {"long": points[:2], "short": points[2:]}
    shape = "POINT" if mark.kind == "probe" else "POLYLINE"
    lines = [measured(value, places.get(value.what, points), shape) for value in mark.values]
    if not lines:
        raise CannotReport("no-value")
    return sr.MeasurementsAndQualitativeEvaluations(tracking_identifier=named, measurements=lines)


def _named(value: Value) -> tuple[Any, Any]:
    """What was measured, and how many pixels became one number."""
    simple = {
        "length": ("SCT", "410668003", "Length"), "angle": ("SCT", "1483009", "Angle"), "area": ("SCT", "42798000", "Area"), "long": ("SCT", "103339001", "Long Axis"), "short": ("SCT", "103340004", "Short Axis"),
    }  # fmt: skip
    if value.what in simple:
        return _code(*simple[value.what]), None
    quantity = {
        "[hnsf'U]": ("DCM", "112031", "Attenuation Coefficient"), "{SUVbw}g/ml": ("DCM", "126401", "SUVbw"), "Bq/ml": (OURS, "activity", "Activity concentration"),
    }.get(value.unit, (OURS, "pixel-value", "Pixel value"))  # fmt: skip
    derivation = {
        "mean": ("SCT", "373098007", "Mean"), "sd": ("SCT", "386136009", "Standard Deviation"), "min": ("SCT", "255605001", "Minimum"), "max": ("SCT", "56851009", "Maximum"),
    }.get(value.what)  # fmt: skip
    return _code(*quantity), _code(*derivation) if derivation else None


def _unit(unit: str) -> Any:
    meaning = {"mm": "millimeter", "deg": "degree", "mm2": "square millimeter", "[hnsf'U]": "Hounsfield unit", "1": "no units", "Bq/ml": "Becquerels/milliliter", "{SUVbw}g/ml": "SUV body weight"}
    return _code("UCUM", unit, meaning[unit])


def _code(scheme: str, value: str, meaning: str) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value, scheme, meaning)
