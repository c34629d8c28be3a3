"""DICOM objects around pixels: which class, which module attributes. Identity and dates are put on by `sandbox.images`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID

from sandbox.model import DemoSeries, DemoStudy, stable_uid

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "USMF": "1.2.840.10008.5.1.4.1.1.3.1",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SCRGB": "1.2.840.10008.5.1.4.1.1.7.4",
    "VL": "1.2.840.10008.5.1.4.1.1.77.1.4",
    "ECG": "1.2.840.10008.5.1.4.1.1.9.1.1",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
    "DOSE": "1.2.840.10008.5.1.4.1.1.88.67",
    "PDF": "1.2.840.10008.5.1.4.1.1.104.1",
    "KO": "1.2.840.10008.5.1.4.1.1.88.59",
    "PR": "1.2.840.10008.5.1.4.1.1.11.1",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
}


@dataclass(frozen=True)
class Job:
    """One series to draw. `count` instances are asked for; `index` runs from 0."""

    study: DemoStudy
    series: DemoSeries
    count: int
    small: bool

    def option(self, name: str, default: float = 0.0) -> float:
        value = self.series.options.get(name, default)
        return float(value) if isinstance(value, (int, float)) else default

    def word(self, name: str, default: str = "") -> str:
        return str(self.series.options.get(name, default))

    def sibling(self, number: int) -> DemoSeries:
        """Another series of the same study, for objects that refer to images."""
        return next(one for one in self.study.series if one.number == number)

    def seed(self, index: int = 0) -> int:
        return int(instance_uid(self.study, self.series, index)[5:]) % 2**32


Recipe = Callable[[Job, int], Dataset]
"""(job, index) -> one object with explicit little endian pixels and without identity."""


def instance_uid(study: DemoStudy, series: DemoSeries, index: int) -> str:
    return stable_uid("instance", study.key, series.number, index)


def image(kind: str) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = UID(SOP_CLASSES[kind])
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    return ds


def put_pixels(ds: Dataset, pixels: NDArray[np.generic], *, photometric: str = "MONOCHROME2", stored: int | None = None) -> None:
    """`pixels`: (rows, columns), (frames, rows, columns), or with a last axis of 3 for colour; 8 or 16 bit."""
    colour = photometric not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    plane = pixels.shape[:-1] if colour else pixels.shape
    if len(plane) == 3:
        ds.NumberOfFrames = plane[0]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = photometric
    if colour:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = plane[-2], plane[-1]
    bits = pixels.dtype.itemsize * 8
    ds.BitsAllocated = bits
    ds.BitsStored = stored or bits
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    data = np.ascontiguousarray(pixels).tobytes()
    ds.PixelData = data + b"\0" * (len(data) & 1)
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"


def axial(ds: Dataset, study: DemoStudy, *, size: int, field: float, z: float, thickness: float) -> None:
    """Image plane of an axial slice, head first, supine."""
    mm = field / size
    corner = -field / 2 + mm / 2
    ds.FrameOfReferenceUID = stable_uid("frame", study.key)
    ds.PositionReferenceIndicator = ""
    ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [round(corner, 4), round(corner, 4), round(z, 4)]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [round(mm, 6), round(mm, 6)]
    ds.SliceThickness = thickness
    ds.SliceLocation = round(z, 4)


def sagittal(ds: Dataset, study: DemoStudy, *, size: int, field: float, x: float, thickness: float) -> None:
    mm = field / size
    corner = -field / 2 + mm / 2
    ds.FrameOfReferenceUID = stable_uid("frame", study.key)
    ds.PositionReferenceIndicator = ""
    ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [round(x, 4), round(corner, 4), round(-corner, 4)]
    ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    ds.PixelSpacing = [round(mm, 6), round(mm, 6)]
    ds.SliceThickness = thickness
    ds.SliceLocation = round(x, 4)


def ct(hu: NDArray[np.float32], *, centre: float, width: float, kernel: str) -> Dataset:
    ds = image("CT")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.KVP, ds.ConvolutionKernel = 120, kernel
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    ds.WindowCenter, ds.WindowWidth = centre, width
    put_pixels(ds, np.clip(np.round(hu + 1024), 0, 4095).astype("<u2"), stored=12)
    return ds


def mr(signal: NDArray[np.float32], *, weight: str, centre: float, width: float) -> Dataset:
    ds = image("MR")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "NONE", "", "2D"
    ds.RepetitionTime, ds.EchoTime = {"t1": (520, 12), "t2": (4200, 98), "flair": (9000, 120), "dwi": (4800, 84)}[weight]
    if weight == "flair":
        ds.InversionTime = 2500
    ds.MagneticFieldStrength, ds.EchoTrainLength = 1.5, 1
    ds.WindowCenter, ds.WindowWidth = centre, width
    put_pixels(ds, np.clip(np.round(signal), 0, 4095).astype("<u2"), stored=12)
    return ds
