"""Region words from codes, terms and descriptions; unknown stays unknown."""

from __future__ import annotations

import pytest

from smart_app.studies.regions import regions_of


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
