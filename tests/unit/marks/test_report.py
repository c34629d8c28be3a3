"""A report of marks is a DICOM SR that others read: parsed back by highdicom, looked at by dciodvfy, with the patient of the images."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
import pytest
from highdicom.sr import srread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, UltrasoundMultiFrameImageStorage

from smart_app.marks.report import CannotReport, Observer, Report, build
from smart_app.marks.types import Mark, Value

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SERIES, ONE, TWO = "1.2.3.10", "1.2.3.10.1", "1.2.3.10.2"
UIDS = ("2.25.1001", "2.25.1002")
WHO = Observer("Halloran^Ines", "Practitioner/halloran")


def image(uid: str = ONE, **other: Any) -> dict[str, Any]:
    made = Dataset()
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "Márchetti^Rosalind", "K-1", "19510809", "F"
    made.SpecificCharacterSet = "ISO_IR 192"
    made.IssuerOfPatientID = "KESTREL"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = "1.2.3", SERIES, uid
    made.SOPClassUID, made.Modality, made.Rows, made.Columns = CTImageStorage, "CT", 512, 512
    made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = "20260102", "101112", "S1", "A1"
    for keyword, value in other.items():
        setattr(made, keyword, value)
    return made.to_json_dict()


def hu(*pairs: tuple[str, float]) -> tuple[Value, ...]:
    return tuple(Value(what, value, "[hnsf'U]") for what, value in pairs)


MARKS = (
    Mark("a" * 32, "length", "Nodule RUL", SERIES, ONE, 1, ((10.5, 20.5), (40.5, 60.5)), (Value("length", 35.25, "mm"),)),
    Mark("b" * 32, "angle", "", SERIES, ONE, 1, ((10.5, 20.5), (40.5, 60.5), (10.5, 60.5)), (Value("angle", 53.13, "deg"),)),
    Mark("c" * 32, "ellipse", "Liver", SERIES, TWO, 1, ((100.0, 150.0), (200.0, 150.0), (150.0, 120.0), (150.0, 180.0)), (Value("area", 2301.0, "mm2"), *hu(("mean", 61.5), ("sd", 9.2), ("min", 20), ("max", 99)))),
    Mark("d" * 32, "rectangle", "Aorta", SERIES, TWO, 1, ((10.0, 10.0), (30.0, 10.0), (30.0, 40.0), (10.0, 40.0)), (Value("area", 600.0, "mm2"), *hu(("mean", 150.5)))),
    Mark("e" * 32, "bidirectional", "Node", SERIES, ONE, 1, ((1.0, 1.0), (21.0, 1.0), (11.0, 1.0), (11.0, 9.0)), (Value("long", 20.0, "mm"), Value("short", 8.0, "mm"))),
    Mark("f" * 32, "probe", "Point", SERIES, ONE, 1, ((5.5, 6.5),), hu(("value", -1000.0))),
    Mark("1" * 32, "arrow", "Look here", SERIES, ONE, 1, ((50.0, 60.0), (70.0, 80.0)), ()),
)  # fmt: skip
IMAGES = {ONE: image(), TWO: image(TWO)}


def made(marks: tuple[Mark, ...] = MARKS, images: dict[str, dict[str, Any]] = IMAGES) -> Report:
    return build(marks, images, WHO, UIDS, AT)


def test_another_reader_finds_every_value_and_place() -> None:
    report = srread(io.BytesIO(made().content))
    assert (report.PatientID, str(report.PatientName), report.IssuerOfPatientID, report.StudyInstanceUID) == ("K-1", "Márchetti^Rosalind", "KESTREL", "1.2.3")
    assert (report.SeriesInstanceUID, report.SOPInstanceUID, report.Modality, report.AccessionNumber) == (*UIDS, "SR", "A1")
    groups = report.content.get_image_measurement_groups()
    rois = report.content.get_planar_roi_measurement_groups()
    assert {each.tracking_identifier for each in groups} == {"Nodule RUL", "angle", "Node", "Point"}
    assert {each.tracking_identifier for each in rois} == {"Liver", "Aorta", "Look here"}
    values = {each.tracking_identifier: [(m.name.meaning, m.value, m.unit.value) for m in each.get_measurements()] for each in (*groups, *rois)}
    assert values["Nodule RUL"] == [("Length", 35.25, "mm")]
    assert values["Node"] == [("Long Axis", 20.0, "mm"), ("Short Axis", 8.0, "mm")]
    assert values["Liver"] == [("Area", 2301.0, "mm2"), *(("Attenuation Coefficient", value, "[hnsf'U]") for value in (61.5, 9.2, 20.0, 99.0))]
    liver = next(each for each in rois if each.tracking_identifier == "Liver")
    assert liver.reference_type is not None
    assert liver.roi.value.tolist() == [list(point) for point in MARKS[2].points]
    assert len({each.tracking_uid for each in (*groups, *rois)}) == len(MARKS)


def test_the_person_who_measured_is_named() -> None:
    said = {str(each.value) for each in pydicom.dcmread(io.BytesIO(made().content)).iterall() if each.keyword in ("PersonName", "TextValue")}
    assert {"Halloran^Ines", "Practitioner/halloran"} <= said


def test_a_loop_names_its_frame() -> None:
    loop = image(SOPClassUID=UltrasoundMultiFrameImageStorage, NumberOfFrames=40)
    report = pydicom.dcmread(io.BytesIO(made((replace(MARKS[0], frame=17),), {ONE: loop}).content))
    assert "17" in {str(each.value) for each in report.iterall() if each.keyword == "ReferencedFrameNumber"}


@pytest.mark.parametrize(
    ("marks", "images", "why"),
    [
        ((), IMAGES, "no-marks"), (MARKS[:1], {}, "no-image"), (MARKS, IMAGES | {TWO: image(TWO, PatientID="K-2")}, "patients"), (MARKS, IMAGES | {TWO: image(TWO, StudyInstanceUID="1.2.4")}, "patients"),
        (MARKS, IMAGES | {TWO: image(TWO, IssuerOfPatientID="OTHER")}, "patients"), (MARKS[:1], {ONE: image(PatientID="")}, "patients"), (MARKS[:1], {ONE: image(SeriesInstanceUID="1.9")}, "series"),
        ((replace(MARKS[0], values=(Value("length", 3.0, "px"),)),), IMAGES, "no-size"), ((replace(MARKS[0], values=()),), IMAGES, "no-value"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_report_is_none(marks: tuple[Mark, ...], images: dict[str, dict[str, Any]], why: str) -> None:
    with pytest.raises(CannotReport, match=why):
        made(marks, images)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is not installed")
def test_a_validator_finds_no_error(tmp_path: Path) -> None:
    path = tmp_path / "report.dcm"
    path.write_bytes(made().content)
    told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert [line for line in told.splitlines() if line.startswith("Error")] == []
