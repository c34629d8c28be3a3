"""Region, site, side and modality from codes, terms and words; unknown stays unknown, and words that look like anatomy do not."""

from __future__ import annotations

import pytest

from smart_app.studies.regions import Anatomy, anatomy_of, modality_of, regions_of
from smart_app.studies.terms import anatomy, codes, phrases


@pytest.mark.parametrize(
    ("parts", "description", "regions"),
    [
        (("HEAD",), None, ("Head",)), (("69536005", "Head structure"), None, ("Head",)), (("CSPINE",), None, ("Spine",)), (("T-D3000",), None, ("Chest",)),
        (("CHEST_TO_PELVIS",), None, ("Chest", "Pelvis")), (("CHESTABDPELVIS",), None, ("Chest", "Abdomen", "Pelvis")), (("XYZ",), "MRI brain", ("Head",)),
        (("HEAD",), "CT chest", ("Head",)), ((), "CTA head and neck", ("Head", "Neck")), ((), "PET-CT, skull base to thigh", ("Whole body",)),
        ((), "Echocardiogram, transthoracic", ("Heart",)), ((), "MRI lumbar spine", ("Spine",)), ((), "X-ray thoracic spine", ("Spine",)), ((), "Carotid duplex", ("Neck",)),
        ((), "CT sinus", ("Head",)), ((), "Chest, 1 view, portable", ("Chest",)), ((), "CT abdomen and pelvis", ("Abdomen", "Pelvis")), ((), "Left hand 2 views", ("Arm",)),
        ((), "Farm accident", ()), ((), "Study", ()), ((), None, ()), (("",), "", ()), ((), "Cervical spine", ("Spine",)), ((), "Ankle, right", ("Leg",)),
    ],
)  # fmt: skip
def test_regions(parts: tuple[str, ...], description: str | None, regions: tuple[str, ...]) -> None:
    assert regions_of(parts, description) == regions


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("MRI hippocampus", {"Head"}), ("XR hip", {"Hip"}), ("chip", set()), ("CT head without chest", {"Head"}), ("CT head without contrast and chest with", {"Head", "Chest"}),
        ("CT head w/o contrast", {"Head"}), ("CT abdomen, no pelvis or hip", {"Abdomen"}), ("No chest pain", set()), ("Chest pain", {"Chest", "Heart"}),
        ("C-spine 3 views", {"Cervical spine"}), ("cervical node biopsy", {"Neck"}), ("cervical cancer, staging", {"Pelvis"}), ("cervical and thoracic spine", {"Cervical spine", "Thoracic spine"}),
        ("Thoracic aorta", {"Chest"}), ("C/T/L-spine", {"Spine"}), ("LS SPINE AP LAT", {"Lumbar spine"}), ("T spine", {"Thoracic spine"}), ("Low back pain", {"Lumbar spine"}),
        ("neck of femur fracture", {"Hip"}), ("head of the pancreas mass", {"Abdomen"}), ("femoral head", {"Hip"}), ("radial head", {"Elbow"}), ("bladder neck", {"Pelvis"}),
        ("MR gradient echo brain", {"Head"}), ("C-arm in theatre", set()), ("great toe", {"Ankle and foot"}), ("TOE echocardiogram", {"Heart"}), ("lateral ventricles", {"Head"}),
        ("left ventricular function", {"Heart"}), ("Interface", set()), ("renal pelvis", {"Abdomen"}), ("pneumoperitoneum?", {"Abdomen"}), ("pneumonia", {"Chest"}),
        ("Coronary artery bypass, 3 vessels", {"Heart"}), ("Aortic valve replacement", {"Heart"}), ("Lobectomy, right upper lobe", {"Chest"}), ("Arthroscopy, right shoulder", {"Shoulder"}),
        ("Carotid endarterectomy, right", {"Neck"}), ("Atrial fibrillation", {"Heart"}), ("Partial thickness burn of forearm", {"Forearm"}), ("CT ABD/PELVIS W/CON 74177", {"Abdomen", "Pelvis"}),
        ("CXR PA", {"Chest"}), ("KUB", {"Abdomen"}), ("tib/fib", {"Lower leg"}), ("Thorakotomie", set()), ("handover", set()), ("whole body PET with head and neck", {"Whole body"}),
        ("Rt knee", {"Knee"}), ("XR upper extremity", {"Arm"}), ("US leg veins", {"Leg"}), ("right upper quadrant", set()), ("CERVICAL SPINE W/O CHEST", {"Cervical spine"}),
    ],
)  # fmt: skip
def test_words_and_the_traps_among_them(text: str, sites: set[str]) -> None:
    assert set(anatomy_of((), text).sites) == sites


@pytest.mark.parametrize(
    ("parts", "sites"),
    [
        (("RPID22",), {"Head"}), (("RPID522",), {"Knee"}), (("rpid145",), {"Abdomen", "Pelvis"}), (("RPID99999",), set()), (("24627-2",), {"Chest"}), (("24968-0",), {"Lumbar spine"}),
        (("99999-9",), set()), (("RID1243",), {"Chest"}), (("RID665",), set()), (("72696002",), {"Knee"}), (("122494005",), {"Cervical spine"}), (("230690007",), {"Head"}),
        (("I63.9",), {"Head"}), (("I639",), {"Head"}), (("M54.5",), {"Lumbar spine"}), (("M545",), {"Lumbar spine"}), (("S72.001A",), {"Hip"}), (("Z00.0",), set()),
        (("24028007", "Right"), set()), (("NECKCHESTABDPELV",), {"Neck", "Chest", "Abdomen", "Pelvis"}), (("EXTREMITY",), set()), (("SINUS",), {"Face and sinuses"}),
    ],
)  # fmt: skip
def test_codes_of_every_system(parts: tuple[str, ...], sites: set[str]) -> None:
    assert set(anatomy_of(parts, None).sites) == sites


@pytest.mark.parametrize(
    ("parts", "text", "side"),
    [
        ((), "MRI knee, left", "L"), ((), "Rt knee", "R"), ((), "L KNEE 2V", "L"), ((), "XR KNEE R", "R"), ((), "XR knees, both", "B"), ((), "left and right hand", "B"), ((), "MRI knee", ""),
        ((), "L spine", ""), ((), "r/o hip fracture", ""), ((), "CT chest, right upper lobe", ""), ((), "left ventricle", ""), (("26086-9",), None, "L"), (("72696002", "24028007"), None, "R"),
        (("KNEE",), "Left knee, no right knee", "L"), ((), "mammogram bilateral", "B"), ((), "shoulder (R)", "R"),
    ],
)  # fmt: skip
def test_a_side_is_one_only_where_a_part_has_sides(parts: tuple[str, ...], text: str | None, side: str) -> None:
    assert anatomy_of(parts, text).side == side


@pytest.mark.parametrize(
    ("given", "text", "modality"),
    [
        (("24627-2",), "", "CT"), (("RPID479",), "", "MR"), ((), "CT perfusion, head", "CT"), ((), "CT angiogram coronary", "CT"), ((), "MRI brain", "MR"), ((), "Echocardiogram", "US"),
        ((), "Chest, 2 views", "XR"), ((), "please help us", ""), ((), "US liver", "US"), ((), "PET/CT", "PT"), ((), "Coronary angiogram", "XA"), ((), "Bone scan", "NM"), ((), "ECG, 12 lead", "ECG"),
        ((), "Stroke", ""), ((), "CATHETER", ""), ((), "Mammogram", "MG"),
    ],
)  # fmt: skip
def test_the_modality_an_order_means(given: tuple[str, ...], text: str, modality: str) -> None:
    assert modality_of(given, text) == modality


def test_a_description_is_not_read_where_a_code_speaks_and_nothing_is_nothing() -> None:
    assert anatomy_of(("HEAD",), "CT chest").sites == ("Head",)
    assert anatomy_of((), None) == Anatomy()


def test_every_table_names_known_sites_and_no_code_twice() -> None:
    named = [site for _, sites in phrases.PHRASES for site in sites]
    for table in (codes.STRUCTURES, codes.OLD_STRUCTURES, codes.REASONS, codes.ICD10, codes.TERMS, codes.RADLEX):
        named += [site for sites in table.values() for site in sites]
    named += [site for table in (codes.LOINC, codes.PLAYBOOK) for _, sites in table.values() for site in sites]
    assert set(named) <= set(anatomy.REGION)
    assert not set(codes.STRUCTURES) & set(codes.REASONS)
    assert len(codes.PLAYBOOK) == sum(len(numbers.split()) for _, _, numbers in codes._PLAYBOOK)
    assert len(codes.LOINC) == sum(len(found.split()) for _, _, found in codes._LOINC)
