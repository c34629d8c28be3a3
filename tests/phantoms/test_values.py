"""Every stored number as the screen shows it, held against pydicom: within one and a half grey levels of 255 in the middle of each block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.functional.viewer_navigator import Navigator
from tests.phantoms import expected
from tests.phantoms.conftest import KEPT
from tests.phantoms.greys import COLOURS, GREYS, SHAPES
from tests.phantoms.objects import STUDY, Phantom, f_shape, read

LEVELS = 1.5
"""Rounding on both sides. A sigmoid is sampled by the renderer: three levels."""
ALL = [*GREYS, *COLOURS, *SHAPES]


@pytest.mark.parametrize("phantom", ALL, ids=lambda each: each.name)
def test_the_screen_shows_what_pydicom_reads(reading: Navigator, phantoms: Path, phantom: Phantom) -> None:
    number = ALL.index(phantom) + 1
    ds = read(phantoms / KEPT / str(number) / "0001.dcm")
    reading.has_open(STUDY)
    reading.picks_series(f"{number} {phantom.name}")
    assert (reading.curtain, reading.fact("state")) == ("", "shown")
    shown = reading.pixels().astype(np.float64)
    rows, columns = expected.middles(ds, (shown.shape[0], shown.shape[1]))
    seen = shown[rows][:, columns]
    wanted = expected.colours(ds) if phantom.colour else np.repeat(expected.greys(ds, phantom)[:, :, None], 3, axis=2)
    assert wanted.std() > 10, "a flat picture proves nothing"
    if phantom.colour != "PALETTE COLOR":
        assert np.ptp(wanted[f_shape()], axis=0).max() < 1, "the F is of one value"
    if phantom.module.get("VOILUTFunction") == "SIGMOID":
        reading.complaints[:] = [
            said for said in reading.complaints if "vtkDataArray.newInstance" not in said
        ]  # the renderer's own, harmless
    assert reading.complaints == []
    far = np.abs(seen - wanted)
    levels = 3.0 if phantom.module.get("VOILUTFunction") == "SIGMOID" else LEVELS
    assert far.max() <= levels, (
        f"{far.max():.1f} levels away at block {np.unravel_index(far.argmax(), far.shape)}, {np.mean(far > levels):.0%} of the blocks"
    )
