"""The process that draws pictures of one study: reads the DICOM objects it was given open, fenced in, and writes one PNG after the other to its standard output.

Each is its length in four bytes and then itself; no bytes where it cannot be drawn.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from smart_app.intake import fence

LEAST_SHADES = 8
"""A window that leaves fewer shades than this shows nothing: it is not believed."""


def main(workspace: str, size: int, files: Sequence[int]) -> None:
    import numpy  # noqa: F401
    import PIL.Image  # noqa: F401
    import pydicom.pixels.processing
    import pydicom.pixels.utils  # noqa: F401

    for name in ("gdcm", "jpeg_ls", "pydicom.pixels.decoders", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"):
        try:
            __import__(name)
        except ImportError:
            continue
    fence.close(Path(workspace), fence.code_folders(Path(__file__).parents[1]))
    out = sys.stdout.buffer
    for file in files:
        fence.give_time()
        try:
            with warnings.catch_warnings(), open(file, "rb") as source:
                warnings.simplefilter("ignore")
                drawn = _png(source, size)
        except Exception:  # whatever a stranger's file does to a decoder, the next one is drawn
            drawn = b""
        out.write(len(drawn).to_bytes(4) + drawn)
        out.flush()


def _png(source: Any, size: int) -> bytes:
    import numpy
    import PIL.Image
    import pydicom
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    dataset = pydicom.dcmread(cast(Any, source), stop_before_pixels=False)
    frames = int(dataset.get("NumberOfFrames") or 1)
    values = pixel_array(dataset, index=frames // 2 if frames > 1 else None)
    step = max(1, max(values.shape[:2]) // (2 * size))  # fewer before they become floating point: a mammogram would not fit
    values = values[::step, ::step]
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    shades = _colours(numpy, values) if values.ndim == 3 else grey(values, dataset, frames // 2)
    picture = PIL.Image.fromarray(shades.astype("uint8"))
    across = _aspect(dataset)
    if abs(across - 1) > 0.02:  # pixels that are not square
        picture = picture.resize((max(1, round(picture.width * across)), picture.height))
    picture.thumbnail((size, size))
    out = BytesIO()
    picture.save(out, "PNG", compress_level=2)
    return out.getvalue()


def _colours(numpy: Any, values: Any) -> Any:
    """Eight bits a colour, whatever they came in."""
    return values if values.dtype.itemsize == 1 else values.astype("float64") * (255 / max(int(values.max()), 255))


def grey(values: Any, dataset: Any, frame: int = 0) -> Any:
    """Shades of 0 to 255: windowed as the file asks, or, where it asks for nothing or for a window in which nothing is seen, from the darker to the brighter of what is there."""
    import numpy
    import pydicom.pixels.processing

    plain = values
    values = numpy.nan_to_num(pydicom.pixels.processing.apply_modality_lut(values, dataset).astype("float64"))
    window = _window(dataset, frame)
    shades = _shaded(numpy, values, *window) if window is not None else None
    if shades is None or shades.max() - shades.min() < LEAST_SHADES:
        padding = dataset.get("PixelPaddingValue")
        inside = values[plain != padding] if padding is not None else values
        inside = inside if inside.size else values
        low, high = (float(one) for one in numpy.percentile(inside, (0.5, 99.5)))
        if high <= low:
            low, high = float(inside.min()), float(inside.max())
        # One value all over has no darker and no brighter: a grey that is not taken for a picture that did not come.
        shades = _shaded(numpy, values, low, high) if high > low else numpy.full(values.shape, 128.0)
    return 255 - shades if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else shades


def _shaded(numpy: Any, values: Any, low: float, high: float) -> Any:
    return numpy.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255


def _window(dataset: Any, frame: int) -> tuple[float, float] | None:
    """Its darkest and its brightest value, from the file, its frame or all its frames; None where there is none to use."""
    for group in (dataset, *_groups(dataset, frame)):
        centre, width = (_number(group.get(name)) for name in ("WindowCenter", "WindowWidth"))
        if centre is not None and width is not None and width > 0:
            return centre - width / 2, centre + width / 2
    return None


def _groups(dataset: Any, frame: int) -> list[Any]:
    """What an enhanced object says of one of its frames, and of all."""
    each, shared = dataset.get("PerFrameFunctionalGroupsSequence") or [], dataset.get("SharedFunctionalGroupsSequence") or []
    found = [*each[frame : frame + 1], *shared[:1]]
    return [one for group in found for one in (group.get("FrameVOILUTSequence") or [])[:1]]


def _aspect(dataset: Any) -> float:
    """How wide a pixel is for its height."""
    for name in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
        said = dataset.get(name)
        if said is not None and len(said) == 2 and float(said[0]) > 0 and float(said[1]) > 0:
            across = float(said[1]) / float(said[0])
            return across if 0.2 < across < 5 else 1.0
    return 1.0


def _number(value: Any) -> float | None:
    try:
        found = float(value[0] if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else value)
    except (TypeError, ValueError, IndexError):
        return None
    return found if abs(found) < 1e9 else None
