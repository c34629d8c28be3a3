"""Loops whose frames are known: each is of one grey of its own, and the file says when each was taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from tests.phantoms.objects import empty, save

STUDY = "Loop study"
GREYS = (20, 60, 100, 140, 180, 220)
TAKEN = (0, 20, 100, 120, 200, 240)
"""ms from the first frame."""
SIZE = (90, 120)


def region(kind: int, box: tuple[int, int, int, int], units: tuple[int, int], deltas: tuple[float, float]) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = kind, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = deltas
    return item


SERIES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "US",
        "Uneven loop",
        {
            "FrameIncrementPointer": Tag(0x00181065),
            "FrameTimeVector": [0, *np.diff(TAKEN).tolist()],
            "HeartRate": 72,
            "PixelSpacing": ["0.5", "0.5"],
            "RWaveTimeVector": [50.0, 220.0],
            # The upper half is a picture of 0.5 mm a pixel, the lower a spectrum.
            "SequenceOfUltrasoundRegions": Sequence(
                [region(1, (0, 0, 119, 44), (3, 3), (0.05, 0.05)), region(3, (0, 46, 119, 89), (4, 7), (0.01, -2.0))]
            ),
        },
    ),
    ("XA", "Fifteen a second", {"FrameIncrementPointer": Tag(0x00181063), "FrameTime": "66.67", "CineRate": "15"}),
    ("US", "No rate given", {}),
]


def write(folder: Path, pattern: Dataset, study: str) -> None:
    for number, (modality, name, module) in enumerate(SERIES, start=1):
        ds = empty(pattern, study, STUDY, number, name)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
        ds.Modality, ds.NumberOfFrames = modality, len(GREYS)
        ds.Rows, ds.Columns = SIZE
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.PixelData = np.concatenate([np.full((*SIZE, 3), grey, np.uint8) for grey in GREYS]).tobytes()
        ds["PixelData"].VR = "OB"
        for keyword, value in module.items():
            setattr(ds, keyword, value)
        save(ds, folder / str(number) / "0001.dcm")
