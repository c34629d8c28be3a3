"""The phantoms: blocks of known stored values in the shape of an F, and three balls at known places in a body.

Stored values are put into their bits here, not by pydicom, so that what is held against them was not made by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

BLOCK = 8
"""Pixels along a block's side: its middle is far from its neighbours, so that interpolation does not matter."""
ACROSS, DOWN = 16, 12
F = ["", "..XXXXXXXXXX", "..XXXXXXXXXX", "..XX", "..XX", "..XXXXXX", "..XXXXXX", "..XX", "..XX", "..XX", "", ""]
"""Looks like itself in no other of the eight ways to lay it."""
STUDY = "Phantom study"


@dataclass(frozen=True)
class Phantom:
    """One series of one image."""

    name: str
    low: int = 0
    high: int = 4095
    stored: int = 12
    allocated: int = 16
    signed: bool = False
    high_bit: int | None = None
    module: Mapping[str, Any] = field(default_factory=dict)
    colour: str = ""
    """Photometric interpretation, where it is no grey one."""
    ybr_reference: bool = False

    def blocks(self) -> NDArray[np.int64]:
        """Stored value of each block: a ramp over the whole range, the F at its top."""
        values = np.linspace(self.low, self.high, ACROSS * DOWN).round().astype(np.int64).reshape(DOWN, ACROSS)
        values[f_shape()] = self.high
        return values


def f_shape() -> NDArray[np.bool_]:
    return np.array([[cell == "X" for cell in row.ljust(ACROSS, ".")] for row in F])


def enlarged(blocks: NDArray[Any]) -> NDArray[Any]:
    return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def coloured() -> NDArray[np.uint8]:
    """Three samples a block, each running its own way."""
    rows, columns = np.mgrid[0:DOWN, 0:ACROSS]
    three = np.stack([16 + columns * 14, 235 - rows * 18, 40 + (columns + rows) * 7], axis=-1)
    three[f_shape()] = (200, 60, 120)
    return three.astype(np.uint8)


def lut(first: int, bits: int, entries: NDArray[np.int64]) -> Sequence:
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return Sequence([item])


def write(folder: Path, pattern: Dataset, phantoms: list[Phantom], study: str) -> None:
    for number, phantom in enumerate(phantoms, start=1):
        ds = empty(pattern, study, STUDY, number, phantom.name)
        ds.Rows, ds.Columns = DOWN * BLOCK, ACROSS * BLOCK
        ds.BitsAllocated, ds.BitsStored = phantom.allocated, phantom.stored
        ds.HighBit = phantom.stored - 1 if phantom.high_bit is None else phantom.high_bit
        ds.PixelRepresentation = int(phantom.signed)
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        if phantom.colour:
            put_colour(ds, phantom)
        else:
            put_grey(ds, phantom)
        for keyword, value in phantom.module.items():
            setattr(ds, keyword, value)
        save(ds, folder / str(number) / "0001.dcm")


def put_grey(ds: Dataset, phantom: Phantom) -> None:
    low_bit = ds.HighBit + 1 - phantom.stored
    masked = (enlarged(phantom.blocks()) & ((1 << phantom.stored) - 1)) << low_bit
    # What lies in the other bits is not the image's: an old overlay above, whatever a scanner left below.
    other = ~(((1 << phantom.stored) - 1) << low_bit) & ((1 << phantom.allocated) - 1)
    ds.PixelData = (masked | (0x5A5A & other)).astype("<u2" if phantom.allocated == 16 else "u1").tobytes()
    ds["PixelData"].VR = "OW" if phantom.allocated == 16 else "OB"


def put_colour(ds: Dataset, phantom: Phantom) -> None:
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation, ds.PhotometricInterpretation = 7, 0, phantom.colour
    if phantom.colour == "PALETTE COLOR":
        ds.PixelData = enlarged(np.arange(DOWN * ACROSS).reshape(DOWN, ACROSS).astype(np.uint8)).tobytes()
        steps = np.arange(256)
        for name, entries in {"Red": steps, "Green": 255 - steps, "Blue": (steps * 3) % 256}.items():
            setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(ds, f"{name}PaletteColorLookupTableData", (entries * 257).astype("<u2").tobytes())
        ds["PixelData"].VR = "OB"
        return
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, int(phantom.module.get("PlanarConfiguration", 0))
    samples = enlarged(coloured())
    if phantom.colour == "YBR_FULL_422":  # two luminances, then the chrominance of both
        pairs = samples.reshape(ds.Rows, ds.Columns // 2, 2, 3)
        samples = np.stack([pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1], pairs[:, :, 0, 2]], axis=-1)
    elif ds.PlanarConfiguration:
        samples = np.moveaxis(samples, -1, 0)
    ds.PixelData = samples.tobytes()
    ds["PixelData"].VR = "OB"


def empty(pattern: Dataset, study: str, title: str, number: int, name: str) -> Dataset:
    """Somebody's image without anything that says how its pixels are to be read."""
    ds = Dataset()
    ds.update(pattern)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, generate_uid(), generate_uid()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.StudyDescription, ds.SeriesDescription, ds.SeriesNumber, ds.InstanceNumber = title, name, number, 1
    for keyword in (
        "ImageOrientationPatient", "ImagePositionPatient", "PatientOrientation", "PixelSpacing", "PixelAspectRatio", "WindowCenter",
        "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "RescaleType", "NumberOfFrames",
        "PlanarConfiguration", "PixelPaddingValue", "SmallestImagePixelValue", "LargestImagePixelValue",
    ):  # fmt: skip
        if keyword in ds:
            del ds[keyword]
    return ds


def save(ds: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def read(path: Path) -> Dataset:
    return pydicom.dcmread(path)
