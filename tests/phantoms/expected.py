"""What a screen must show: pydicom's own values as greys and colours, and where on a canvas each block lies."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space, pixel_array

from tests.phantoms.objects import ACROSS, BLOCK, DOWN, Phantom


def stored_values(ds: Dataset, phantom: Phantom) -> NDArray[np.int64]:
    """One a block. Known beforehand where High Bit is odd: pydicom leaves that to its caller."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if phantom.high_bit is None:
            return np.asarray(pixel_array(ds), dtype=np.int64)[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
    return phantom.blocks()


def modality_values(ds: Dataset, phantom: Phantom) -> NDArray[np.float64]:
    """HU for CT: what a probe must read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(apply_modality_lut(stored_values(ds, phantom), ds), dtype=np.float64)


def greys(ds: Dataset, phantom: Phantom) -> NDArray[np.float64]:
    """0 to 255 for each block, by pydicom's windows and tables."""
    values = modality_values(ds, phantom)
    windowed = "VOILUTSequence" not in ds and float(np.atleast_1d(ds.get("WindowWidth", 0))[0]) > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if windowed:
            low, high = (float(apply_voi_lut(np.array([end]), ds)[0]) for end in (-1e9, 1e9))
            share = (np.asarray(apply_voi_lut(values, ds), dtype=np.float64) - low) / (high - low)
        elif "VOILUTSequence" in ds:
            share = np.asarray(apply_voi_lut(values.astype(np.int64), ds), dtype=np.float64) / (
                2 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1
            )
        else:  # nothing is said: the image's own range, whose ends are black and white
            share = (values - values.min()) / (values.max() - values.min())
    return np.asarray((1 - share if ds.PhotometricInterpretation == "MONOCHROME1" else share) * 255)


def colours(ds: Dataset) -> NDArray[np.float64]:
    """Red, green, blue for each block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            found = np.asarray(apply_color_lut(pixel_array(ds), ds)) >> 8
        else:
            found = pixel_array(ds, raw=True)
            if ds.PhotometricInterpretation != "RGB":
                found = convert_color_space(found, "YBR_FULL", "RGB")
    return np.asarray(found, dtype=np.float64)[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]


def middles(ds: Dataset, canvas: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column on the canvas of the middle of each block, of an image fitted into it."""
    tall, wide = canvas
    between, along = (float(each) for each in ds.get("PixelSpacing") or ds.get("PixelAspectRatio") or (1, 1))
    scale = min(wide / (ds.Columns * along), tall / (ds.Rows * between))
    y = (np.arange(DOWN) + 0.5) * BLOCK * between * scale + (tall - ds.Rows * between * scale) / 2
    x = (np.arange(ACROSS) + 0.5) * BLOCK * along * scale + (wide - ds.Columns * along * scale) / 2
    return y.astype(np.int64), x.astype(np.int64)
