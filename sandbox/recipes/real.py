"""Real images that registry packages ship: pydicom's own test files and PyPI's pydicom-data.

Takes pixels and how to read them; leaves every name, number and date behind. Needs `pydicom-data` (extra `demo`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.recipes.objects import Job, image

_KEEP = (
    "SOPClassUID", "ImageType", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelData", "NumberOfFrames", "FrameTime", "CineRate", "FrameIncrementPointer",
    "PixelSpacing", "ImagerPixelSpacing", "SliceThickness", "ImageOrientationPatient", "ImagePositionPatient", "PatientPosition",
    "PatientOrientation", "ViewPosition", "WindowCenter", "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData", "WaveformSequence",
    "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "SequenceOfUltrasoundRegions",
    "LossyImageCompression", "LossyImageCompressionMethod",
)  # fmt: skip


@lru_cache(maxsize=4)
def _read(name: str) -> Dataset:
    spec = importlib.util.find_spec("data_store")
    places = [Path(place) / "data" / name for place in (spec.submodule_search_locations or ())] if spec else []
    path = next((place for place in places if place.is_file()), None) or get_testdata_file(name, download=False)
    if path is None:
        raise FileNotFoundError(f"{name} is in neither pydicom nor pydicom-data; install the extra `demo`")
    return pydicom.dcmread(str(path))


def _take(name: str, *, decode: bool = False, drop: Iterable[str] = ()) -> Dataset:
    source = _read(name)
    ds = Dataset()
    for keyword in _KEEP:
        if keyword in source and keyword not in drop:
            ds[keyword] = source[keyword]
    if decode:
        pixels = source.pixel_array
        ds.PixelData = np.ascontiguousarray(pixels).tobytes()
        ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    else:
        # already encoded: `sandbox.images` writes it in the syntax it came in
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = source.file_meta.TransferSyntaxUID
        if source.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian:
            del ds.file_meta
    return ds


def chest_film(job: Job, index: int) -> Dataset:
    ds = _take("RG1_J2KR.dcm" if not job.small else "RG1_J2KI.dcm")
    ds.ViewPosition, ds.PatientOrientation = "PA", ["L", "F"]
    ds.PixelSpacing = [0.2, 0.2]
    return ds


def tibia_film(job: Job, index: int) -> Dataset:
    """Turned the right way round (its marker is mirrored) and cut to the exposed field."""
    ds = _take("RG3_UNCR.dcm")
    _crop(ds, slice(0, ds.Rows), slice(int(ds.Columns * 0.27), int(ds.Columns * 0.73)), mirrored=True)
    ds.ViewPosition, ds.PatientOrientation = "AP", ["L", "F"]
    return ds


def _crop(ds: Dataset, rows: slice, columns: slice, *, mirrored: bool = False) -> None:
    """Keep a part of plain pixels; positions in space no longer hold and go."""
    shape = (ds.Rows, ds.Columns) + ((3,) if ds.SamplesPerPixel == 3 else ())
    kind = np.uint16 if ds.BitsAllocated == 16 else np.uint8
    part = np.frombuffer(ds.PixelData, kind, int(np.prod(shape))).reshape(shape)[rows, columns]
    part = np.ascontiguousarray(part[:, ::-1] if mirrored else part)
    ds.Rows, ds.Columns = part.shape[:2]
    ds.PixelData = part.tobytes() + b"\0" * (part.nbytes & 1)
    ds["PixelData"].VR = "OB" if kind is np.uint8 else "OW"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
        if keyword in ds:
            del ds[keyword]


def shoulder(job: Job, index: int) -> Dataset:
    return _take("MR2_J2KR.dcm")


def abdomen(job: Job, index: int) -> Dataset:
    return _take("MR-SIEMENS-DICOM-WithOverlays.dcm")


def bone_scan(job: Job, index: int) -> Dataset:
    ds = _take("JPEG-LL.dcm")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    if "WindowWidth" not in ds:
        ds.WindowCenter, ds.WindowWidth = 60, 120
    return ds


def echo(job: Job, index: int) -> Dataset:
    """Colour Doppler loop, 120 frames, JPEG baseline; the small set takes the 30-frame loop."""
    return loop(job, index) if job.small else _loop("color3d_jpeg_baseline.dcm")


def loop(job: Job, index: int) -> Dataset:
    return _loop("examples_ybr_color.dcm")


def _loop(name: str) -> Dataset:
    ds = _take(name)
    if "FrameTime" not in ds:
        ds.FrameTime = 40
    ds.FrameIncrementPointer = 0x00181063
    return ds


def still(job: Job, index: int) -> Dataset:
    return _take("JPGLosslessP14SV1_1s_1f_8b.dcm")


def doppler(job: Job, index: int) -> Dataset:
    """The colour picture without the margin, where its maker burned in a place and a time."""
    if job.small:
        return _take("examples_rgb_color.dcm")
    ds = _take("US1_UNCR.dcm")
    _crop(ds, slice(118, 300), slice(0, ds.Columns))
    return ds


def palette(job: Job, index: int) -> Dataset:
    return _take("OBXXXX1A_rle.dcm")


def colour_j2k(job: Job, index: int) -> Dataset:
    return _take("examples_jpeg2k.dcm")


def ecg(job: Job, index: int) -> Dataset:
    ds = image("ECG")
    del ds.ImageType
    recorded = _read("waveform_ecg.dcm")
    ds.WaveformSequence, ds.WaveformAnnotationSequence = recorded.WaveformSequence, recorded.WaveformAnnotationSequence
    return ds
