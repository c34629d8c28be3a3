"""Words and codes that tell a modality, and those that must not."""

from __future__ import annotations

import pytest

from smart_app.fhir.exams import coded, modality_words, title_of


@pytest.mark.parametrize(
    ("text", "modalities"),
    [
        ("CT head", ("CT",)), ("CTA head and neck", ("CT",)), ("CT angiogram, pulmonary", ("CT",)), ("MR angiography", ("MR",)), ("MRI brain", ("MR",)),
        ("PET-CT skull base to thigh", ("PT", "CT")), ("Coronary angiogram", ("XA",)), ("Cardiac catheterisation", ("XA",)), ("Echocardiogram, transthoracic", ("US",)),
        ("Carotid duplex", ("US",)), ("Chest, 2 views", ("XR",)), ("Chest X-ray", ("XR",)), ("Mammography", ("MG",)), ("Bone scan, whole body", ("NM",)),
        ("Barium swallow", ("RF",)), ("ECG, 12 lead", ("ECG",)), ("Mr Smith told us", ()), ("contact lens", ()), ("Doctor's letter", ()), ("Petition", ()), ("", ()),
    ],
)  # fmt: skip
def test_words(text: str, modalities: tuple[str, ...]) -> None:
    assert modality_words(text) == modalities


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "NMR"}, (True, ("MR",))), ({"code": "RAD"}, (True, ())),
        ({"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "MG"}, (True, ("MG",))), ({"system": "http://snomed.info/sct", "code": "77477000"}, (True, ("CT",))),
        ({"system": "http://elsewhere.example", "code": "CT"}, (False, ())), ({"system": "http://snomed.info/sct", "code": "108252007"}, (False, ())),
    ],
)  # fmt: skip
def test_codes(coding: dict[str, str], expected: tuple[bool, tuple[str, ...]]) -> None:
    assert coded([{"coding": [coding]}]) == expected


def test_a_title_says_more_than_imaging_study() -> None:
    assert title_of([None, "Diagnostic imaging study", "Study report", "CT head"]) == "CT head"
    assert title_of(["Radiology report"]) == ""
