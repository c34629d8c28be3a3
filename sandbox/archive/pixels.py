"""Pixels of one stored object: its frames as stored, decoded to little endian, or drawn as a JPEG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

FRAME_TYPES = {
    RLELossless: "image/dicom-rle",
    JPEGBaseline8Bit: "image/jpeg",
    JPEGExtended12Bit: "image/jpeg",
    JPEGLossless: "image/jpeg",
    JPEGLosslessSV1: "image/jpeg",
    JPEGLSLossless: "image/jls",
    JPEGLSNearLossless: "image/jls",
    JPEG2000Lossless: "image/jp2",
    JPEG2000: "image/jp2",
    HTJ2KLossless: "image/jphc",
    HTJ2K: "image/jphc",
}


class CannotDecode(Exception):
    """No decoder here for this transfer syntax, or the object has no pixels."""


def read(path: Path) -> Dataset:
    """The object; its pixels are read from the file when asked for."""
    return pydicom.dcmread(path, defer_size="64 KB")


def frame_count(ds: Dataset) -> int:
    return int(ds.get("NumberOfFrames") or 1) if "Rows" in ds else 0


def is_native(syntax: str) -> bool:
    return not UID(syntax).is_private and not UID(syntax).is_encapsulated


def stored_frame(ds: Dataset, syntax: str, number: int) -> tuple[bytes, str]:
    """Frame `number` (from 1) as stored, and its media type with transfer syntax. Native frames leave little endian."""
    count = frame_count(ds)
    if "PixelData" not in ds or not 1 <= number <= count:
        raise IndexError(number)
    if not is_native(syntax):
        kind = FRAME_TYPES.get(UID(syntax), "application/octet-stream")
        return get_frame(ds.PixelData, number - 1, number_of_frames=count), f"{kind}; transfer-syntax={syntax}"
    data = ds.PixelData
    if ds.BitsAllocated == 1:
        whole = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        size = ds.Rows * ds.Columns
        part = np.packbits(whole[(number - 1) * size : number * size], bitorder="little").tobytes()
    else:
        size = ds.Rows * ds.Columns * ds.SamplesPerPixel * ds.BitsAllocated // 8
        part = data[(number - 1) * size : number * size]
        if syntax == ExplicitVRBigEndian and ds.BitsAllocated == 16:
            part = np.frombuffer(part, ">u2").astype("<u2").tobytes()
    return part, f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"


def decoded_frame(ds: Dataset, syntax: str, number: int) -> NDArray[Any]:
    """Frame `number` as numbers; colour comes out as RGB. Raises CannotDecode."""
    if "PixelData" not in ds:
        raise CannotDecode("no pixels")
    if UID(syntax) in (HTJ2KLossless, HTJ2K):
        # pydicom has no plugin here; OpenJPEG, which Pillow brings, reads the codestream
        try:
            return np.asarray(Image.open(io.BytesIO(stored_frame(ds, syntax, number)[0])))
        except OSError as fault:
            raise CannotDecode(str(fault)) from fault
    try:
        return pixel_array(ds, index=number - 1)
    except (NotImplementedError, RuntimeError, ValueError, AttributeError) as fault:
        raise CannotDecode(type(fault).__name__) from fault


def plain_frame(ds: Dataset, syntax: str, number: int) -> bytes:
    """Frame in explicit little endian."""
    if is_native(syntax):
        return stored_frame(ds, syntax, number)[0]
    return np.ascontiguousarray(decoded_frame(ds, syntax, number)).tobytes()


def plain_object(path: Path, syntax: str) -> bytes:
    """The whole object, transcoded to explicit little endian. Raises CannotDecode."""
    ds = pydicom.dcmread(path)
    if UID(syntax).is_private:
        raise CannotDecode(syntax)
    if "PixelData" in ds and not is_native(syntax):
        frames = [plain_frame(ds, syntax, k + 1) for k in range(frame_count(ds))]
        data = b"".join(frames)
        ds.PixelData = data + b"\0" * (len(data) & 1)
        ds["PixelData"].is_undefined_length = False
        ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
        if ds.SamplesPerPixel == 3:
            ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
    elif syntax == ExplicitVRBigEndian:
        ds.decode()
        if "PixelData" in ds and ds.BitsAllocated == 16:
            ds.PixelData = np.frombuffer(ds.PixelData, ">u2").astype("<u2").tobytes()
    # a fresh dataset: one that remembers big endian refuses to be written any other way
    fresh = Dataset()
    fresh.update({element.tag: element for element in ds})
    fresh.file_meta = ds.file_meta
    fresh.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    fresh.save_as(out, enforce_file_format=True)
    return out.getvalue()


def rendered(
    ds: Dataset, syntax: str, number: int, *, window: tuple[float, float] | None, viewport: tuple[int, int] | None, quality: int
) -> bytes:
    """A JPEG of one frame, windowed as asked, as stored, or from its own range."""
    frame = decoded_frame(ds, syntax, number)
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        colour = apply_color_lut(frame, ds)
        picture = Image.fromarray((colour >> 8).astype(np.uint8) if colour.dtype.itemsize == 2 else colour)
    elif ds.SamplesPerPixel == 3:
        picture = Image.fromarray(np.ascontiguousarray(frame).astype(np.uint8))
    else:
        picture = Image.fromarray(_grey(ds, frame, window))
    if viewport:
        picture.thumbnail(viewport, Image.Resampling.BILINEAR)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _grey(ds: Dataset, frame: NDArray[Any], window: tuple[float, float] | None) -> NDArray[np.uint8]:
    level = apply_modality_lut(frame, ds).astype(np.float32)
    if window is None and "VOILUTSequence" in ds and "WindowWidth" not in ds:
        level = apply_voi_lut(np.round(level).astype(np.int64), ds).astype(np.float32)
    if window is None:
        centre, width = ds.get("WindowCenter"), ds.get("WindowWidth")
        first = [float(one[0] if type(one).__name__ == "MultiValue" else one) for one in (centre, width) if one not in (None, "")]
        window = (first[0], first[1]) if len(first) == 2 and first[1] > 1 else None
    low, high = (window[0] - window[1] / 2, window[0] + window[1] / 2) if window else (float(level.min()), float(level.max()))
    grey = np.clip((level - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    return 255 - grey if ds.PhotometricInterpretation == "MONOCHROME1" else grey
