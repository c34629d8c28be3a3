"""The process that draws one picture: reads the DICOM object on its standard input, fenced in, and writes a PNG to its standard output."""

from __future__ import annotations

import os
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from smart_app.intake import fence

SIZE = 240


def main(workspace: str) -> None:
    import numpy
    import PIL.Image
    import pydicom
    import pydicom.pixels.processing
    from pydicom.pixels.utils import pixel_array

    for name in ("gdcm", "jpeg_ls", "pydicom.pixels.decoders", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"):
        try:
            __import__(name)
        except ImportError:
            continue
    fence.close(Path(workspace), fence.code_folders(Path(__file__).parents[1]))
    fence.give_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with open(os.dup(0), "rb") as source:
            dataset = pydicom.dcmread(cast(Any, source), stop_before_pixels=False)
        frames = int(dataset.get("NumberOfFrames") or 1)
        values = pixel_array(dataset, index=frames // 2 if frames > 1 else None)
        shades = values if values.ndim == 3 else _grey(numpy, pydicom.pixels.processing.apply_modality_lut, values, dataset)
        picture = PIL.Image.fromarray(shades.astype("uint8"))
        picture.thumbnail((SIZE, SIZE))
        out = BytesIO()
        picture.save(out, "PNG")
    sys.stdout.buffer.write(out.getvalue())


def _grey(numpy: Any, modality_lut: Any, values: Any, dataset: Any) -> Any:
    """Windowed as the file asks, or from the darkest to the brightest."""
    values = modality_lut(values, dataset).astype("float64")
    centre, width = (_number(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    low, high = (centre - width / 2, centre + width / 2) if centre is not None and width else (values.min(), values.max())
    shades = numpy.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
    return 255 - shades if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else shades


def _number(value: Any) -> float | None:
    try:
        return float(value[0] if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else value)
    except (TypeError, ValueError, IndexError):
        return None
