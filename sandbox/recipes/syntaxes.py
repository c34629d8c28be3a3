"""Writing one dataset in one transfer syntax. Encoders: pydicom (RLE), pyjpegls (JPEG-LS), Pillow (JPEG, JPEG 2000), GDCM (JPEG lossless).

HTJ2K has no encoder here: its frames lie ready beside this module (`htj2k.zip`), drawn by `slices.brain_mr`.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

_PIXEL_MODULE = (
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelData",
)  # fmt: skip
UNKNOWN_SYNTAX = UID("1.2.826.0.1.3680043.8.498.99.1")

SYNTAXES: dict[str, UID] = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "rle": RLELossless,
    "jpeg-baseline": JPEGBaseline8Bit,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-ls-near": JPEGLSNearLossless,
    "jpeg2000": JPEG2000Lossless,
    "jpeg2000-lossy": JPEG2000,
    "htj2k": HTJ2KLossless,
    "htj2k-lossy": HTJ2K,
    "unknown": UNKNOWN_SYNTAX,
}


def encode(ds: Dataset, syntax: str, index: int = 0) -> Dataset:
    """Bring `ds` (native little endian pixels) into `syntax`; sets file_meta. Objects without pixels are only labelled."""
    target = SYNTAXES[syntax]
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if target in (JPEGBaseline8Bit, JPEG2000Lossless, JPEG2000, JPEGLosslessSV1, HTJ2KLossless, HTJ2K, UNKNOWN_SYNTAX):
        _PIXEL_CODERS[target](ds, index)
    elif target in (RLELossless, JPEGLSLossless, JPEGLSNearLossless):
        options = {"jls_error": 3} if target == JPEGLSNearLossless else {}
        ds.compress(target, generate_instance_uid=False, **options)
    elif target == ExplicitVRBigEndian and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = target
    if "PixelData" in ds and (target.is_private or target.is_encapsulated):
        ds["PixelData"].VR = "OB"
    return ds


def _frames(ds: Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8] | np.dtype[np.uint16]]:
    kind = np.dtype("<u2") if ds.BitsAllocated == 16 else np.dtype("u1")
    shape = (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns) + ((3,) if ds.SamplesPerPixel == 3 else ())
    count = int(np.prod(shape))
    return np.frombuffer(ds.PixelData, kind, count).reshape(shape)


def _lossy(ds: Dataset, method: str, ratio: float) -> None:
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", method
    ds.LossyImageCompressionRatio = round(ratio, 1)


def _jpeg(ds: Dataset, index: int) -> None:
    frames = _frames(ds)
    if frames.dtype == np.uint16:
        low, high = float(ds.WindowCenter) - float(ds.WindowWidth) / 2, float(ds.WindowWidth)
        frames = np.clip((frames.astype(np.float32) - low) / high * 255, 0, 255).astype(np.uint8)
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.WindowCenter, ds.WindowWidth = 128, 256
    parts = []
    for frame in frames:
        out = io.BytesIO()
        Image.fromarray(frame).save(out, "JPEG", quality=90, subsampling="4:2:2" if ds.SamplesPerPixel == 3 else -1)
        parts.append(out.getvalue())
    if ds.SamplesPerPixel == 3:
        ds.PhotometricInterpretation = "YBR_FULL_422"
    _lossy(ds, "ISO_10918_1", frames.nbytes / sum(map(len, parts)))
    ds.PixelData = encapsulate(parts, has_bot=len(parts) > 1)


def _jpeg2000(lossy: bool) -> Callable[[Dataset, int], None]:
    def write(ds: Dataset, index: int) -> None:
        parts = []
        frames = _frames(ds)
        for frame in frames:
            out = io.BytesIO()
            picture = Image.fromarray(np.ascontiguousarray(frame))
            picture.save(out, "JPEG2000", irreversible=lossy, quality_mode="rates", quality_layers=[12] if lossy else [0], no_jp2=True)
            parts.append(out.getvalue())
        # the codestream is 16 bits deep, whatever BitsStored says of the samples in it
        ds.BitsStored, ds.HighBit = ds.BitsAllocated, ds.BitsAllocated - 1
        if lossy:
            _lossy(ds, "ISO_15444_1", frames.nbytes / sum(map(len, parts)))
        ds.PixelData = encapsulate(parts)

    return write


def _jpeg_lossless(ds: Dataset, index: int) -> None:
    """By way of files: GDCM's Python images do not survive being built by hand."""
    import gdcm

    plain = Dataset()
    for keyword in _PIXEL_MODULE:
        if keyword in ds:
            plain[keyword] = ds[keyword]
    plain.SOPClassUID, plain.SOPInstanceUID = ds.SOPClassUID, "2.25.1"
    plain.file_meta = FileMetaDataset()
    plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with tempfile.TemporaryDirectory() as folder:
        source, target = str(Path(folder, "in.dcm")), str(Path(folder, "out.dcm"))
        plain.save_as(source, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(source)
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        if not reader.Read():
            raise RuntimeError("GDCM could not read the plain picture")
        change.SetInput(reader.GetImage())
        writer = gdcm.ImageWriter()
        if not change.Change():
            raise RuntimeError("GDCM could not write JPEG lossless")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(target)
        if not writer.Write():
            raise RuntimeError("GDCM could not save JPEG lossless")
        ds.PixelData = pydicom.dcmread(target).PixelData


@lru_cache(maxsize=1)
def _ready() -> dict[str, bytes]:
    with zipfile.ZipFile(Path(__file__).with_name("htj2k.zip")) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _htj2k(kind: str) -> Callable[[Dataset, int], None]:
    def write(ds: Dataset, index: int) -> None:
        ready = _ready()
        frame = ready[f"{kind}-{index % 4}.j2c"]
        if kind == "lossy":
            _lossy(ds, "ISO_15444_15", ds.Rows * ds.Columns * 2 / len(frame))
        ds.PixelData = encapsulate([frame])

    return write


def _label_only(ds: Dataset, index: int) -> None:
    ds.PixelData = encapsulate([bytes(ds.PixelData)])


_PIXEL_CODERS: dict[UID, Callable[[Dataset, int], None]] = {
    JPEGBaseline8Bit: _jpeg,
    JPEG2000Lossless: _jpeg2000(False),
    JPEG2000: _jpeg2000(True),
    JPEGLosslessSV1: _jpeg_lossless,
    HTJ2KLossless: _htj2k("lossless"),
    HTJ2K: _htj2k("lossy"),
    UNKNOWN_SYNTAX: _label_only,
}
