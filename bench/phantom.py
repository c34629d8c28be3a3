"""The load study: a 300-slice 512x512 CT of a phantom, the same on every machine. No patient in it.

Drawn here because no package ships a CT this long. It looks like a chest to pelvis and compresses like a real CT.
"""

from __future__ import annotations

import hashlib
import math
import multiprocessing
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SIZE = 512
SPACING = 0.78125
"""mm between pixels."""
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"

Plane = NDArray[np.float32]


def uid(*parts: object) -> str:
    """The same UID for the same parts, everywhere."""
    return generate_uid(entropy_srcs=["priors-bench", *map(str, parts)])


def draw(folder: Path, slices: int, say: Callable[[str], None]) -> None:
    """Write `slices` objects without a patient to `folder`, once: a file says that it is complete."""
    done = folder / f".complete-{slices}"
    if done.exists():
        return
    say(f"Drawing {slices} CT slices (once, about two minutes).")
    folder.mkdir(parents=True, exist_ok=True)
    with multiprocessing.Pool() as pool:
        for _ in pool.imap_unordered(partial(_write, folder, slices), range(slices), chunksize=4):
            continue
    done.touch()


def _write(folder: Path, slices: int, at: int) -> None:
    data = _object(at)
    hounsfield = _slice(at / max(1, slices - 1), _random("noise", at))
    data.PixelData = np.round(hounsfield + 1024).astype("<i2").tobytes()
    data["PixelData"].VR = "OW"
    data.save_as(folder / f"{at:04d}.dcm", enforce_file_format=True, implicit_vr=False, little_endian=True)


def _object(at: int) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CT_IMAGE
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid("slice", at)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.StudyDate = data.SeriesDate = data.ContentDate = data.AcquisitionDate = "20240108"
    data.StudyTime = data.SeriesTime = data.ContentTime = "101500"
    data.Modality, data.Manufacturer, data.AccessionNumber = "CT", "Phantom", "BENCH1"
    data.StudyDescription = data.SeriesDescription = "CT chest abdomen pelvis"
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", 2, at + 1
    data.PatientPosition, data.KVP = "HFS", 120
    data.PositionReferenceIndicator = ""
    data.ImagePositionPatient = [-SIZE * SPACING / 2, -SIZE * SPACING / 2, -2.0 * at]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.SliceThickness, data.SliceLocation, data.PixelSpacing = 2, -2.0 * at, [SPACING, SPACING]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = SIZE
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -1024, 1, "HU"
    data.WindowCenter, data.WindowWidth = 40, 400
    return data


def _random(*parts: object) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little"))


def _blurred(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur that wraps at the edges, scaled to unit spread."""
    along = np.fft.fftfreq(SIZE)[:, None]
    down = np.fft.rfftfreq(SIZE)[None, :]
    kernel = np.exp(-2 * (math.pi * sigma) ** 2 * (along**2 + down**2))
    blurred = np.fft.irfft2(np.fft.rfft2(plane) * kernel, s=(SIZE, SIZE)).astype(np.float32)
    scaled: Plane = blurred / blurred.std()
    return scaled


@cache
def _texture() -> Plane:
    return _blurred(_random("texture").standard_normal((SIZE, SIZE)).astype(np.float32), SIZE / 90)


@cache
def _grid() -> tuple[Plane, Plane]:
    down, across = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j].astype(np.float32)  # type: ignore[misc]
    return down, across


def _ellipse(center: tuple[float, float], radius: tuple[float, float], turn: float = 0.0, soft: float = 0.03) -> Plane:
    """A soft-edged ellipse as a mask from 0 to 1; (down, across), both from -1 to 1."""
    down, across = _grid()
    cos, sin = math.cos(turn), math.sin(turn)
    y, x = down - center[0], across - center[1]
    distance = np.hypot((cos * x + sin * y) / radius[1], (cos * y - sin * x) / radius[0])
    mask: Plane = np.clip((1.0 - distance) / soft + 0.5, 0, 1)
    return mask


def _put(plane: Plane, mask: Plane, value: Any) -> None:
    plane += mask * (value - plane)


def _bump(at: float, start: float, length: float) -> float:
    """0 outside `start`..`start + length`, a half sine inside."""
    return max(0.0, math.sin(math.pi * min(1.0, max(0.0, (at - start) / length))))


def _slice(at: float, noise: np.random.Generator) -> Plane:
    """One axial slice in HU; `at` runs from 0 (neck) to 1 (pelvis)."""
    texture = np.roll(_texture(), int(at * SIZE), 0)
    plane = np.full((SIZE, SIZE), -1000.0, np.float32)
    high, wide = 0.50 + 0.06 * math.sin(3 * at), 0.78 + 0.06 * math.cos(4 * at)
    _put(plane, _ellipse((0, 0), (high, wide), soft=0.012), -95)
    _put(plane, _ellipse((0.01, 0), (high - 0.055 - 0.03 * at, wide - 0.06 - 0.04 * at), soft=0.02), 52 + 4 * texture)
    lung = _bump(at, 0.02, 0.52) ** 0.55
    if lung > 0.05:
        _chest(plane, at, lung, (high, wide), texture)
    else:
        _put(plane, _ellipse((-0.02, 0), (high - 0.17, wide - 0.20), soft=0.05), -70 + 12 * texture)
    _belly(plane, at, texture)
    _bones(plane, at, (high, wide), texture)
    grain = noise.standard_normal((SIZE, SIZE)).astype(np.float32)
    plane += 18.0 * (0.6 * grain + 0.9 * _blurred(grain, 0.9))
    clipped: Plane = np.clip(plane, -1024, 3071)
    return clipped


def _chest(plane: Plane, at: float, lung: float, body: tuple[float, float], texture: Plane) -> None:
    _put(plane, _ellipse((0, 0), ((body[0] - 0.10) * 0.96, (body[1] - 0.12) * 0.96)), 20)
    for side in (-1, 1):
        inside = _ellipse((0, side * 0.36), (0.36 * lung, 0.28 * lung), side * 0.12, 0.02)
        _put(plane, inside, -860 + 25 * texture)
        vessels = _random("vessel", side)
        for _ in range(40):
            angle, far, drift = vessels.uniform(0, 6.28), vessels.uniform(0.03, 0.30), vessels.uniform(-0.25, 0.25)
            turn = angle + drift * 9 * at
            thick = 0.008 + 0.012 * (1 - far / 0.3)
            center = far * math.sin(turn) * lung, side * 0.36 + far * 0.8 * math.cos(turn) * lung
            _put(plane, inside * _ellipse(center, (thick, thick), soft=0.5), 40)
    heart = _bump(at, 0.18, 0.30)
    if heart > 0.03:
        _put(plane, _ellipse((-0.10, 0.09), (0.27 * heart, 0.25 * heart), 0.6, 0.04), 45 + 5 * texture)
        _put(plane, _ellipse((-0.08, 0.12), (0.13 * heart, 0.11 * heart), 0.6, 0.10), 165)


def _belly(plane: Plane, at: float, texture: Plane) -> None:
    belly = _bump(at, 0.42, 0.40)
    if belly > 0.03:
        _put(plane, _ellipse((-0.05, -0.33), (0.30 * belly, 0.34 * belly), 0.3), 105 + 7 * texture)
        _put(plane, _ellipse((0.05, 0.46), (0.15 * belly, 0.12 * belly), -0.3, 0.05), 118 + 5 * texture)
        _put(plane, _ellipse((-0.16, 0.22), (0.12 * belly, 0.19 * belly), -0.3, 0.05), 22)
        _put(plane, _ellipse((-0.24, 0.22), (0.04 * belly, 0.13 * belly), 0, 0.15), -950)
    kidney = _bump(at, 0.55, 0.22)
    if kidney > 0.03:
        for side in (-1, 1):
            _put(plane, _ellipse((0.16, side * 0.32), (0.12 * kidney, 0.085 * kidney), side * 0.5, 0.08), 165)
            _put(plane, _ellipse((0.16, side * 0.30), (0.05 * kidney, 0.03 * kidney), side * 0.5, 0.3), -30)
    bowel = min(1.0, max(0.0, (at - 0.62) / 0.1)) * min(1.0, max(0.0, (1.02 - at) / 0.1))
    if bowel > 0.03:
        loops = _random("bowel")
        for _ in range(16):
            down, across, phase = loops.uniform(-0.28, 0.08), loops.uniform(-0.42, 0.42), loops.uniform(0, 6.28)
            center = down + 0.03 * math.sin(20 * at + phase), across + 0.03 * math.cos(17 * at + phase)
            _put(plane, _ellipse(center, (0.06 * bowel, 0.075 * bowel), phase, 0.12), 38)


def _bones(plane: Plane, at: float, body: tuple[float, float], texture: Plane) -> None:
    _put(plane, _ellipse((0.14, 0.07), (0.035, 0.035), soft=0.12), 230)
    _put(plane, _ellipse((0.12, -0.07), (0.03, 0.036), soft=0.12), 150)
    disc = 0.5 + 0.5 * math.sin(at * 2 * math.pi * 17)
    vertebra, marrow = _ellipse((0.27, 0), (0.095, 0.115), soft=0.06), _ellipse((0.27, 0), (0.08, 0.10), soft=0.06)
    _put(plane, vertebra, 90 + 190 * disc + 18 * texture)
    _put(plane, np.clip(vertebra - marrow, 0, 1), 350 + 500 * disc)
    _put(plane, _ellipse((0.385, 0), (0.035, 0.04), soft=0.2), 25)
    _put(plane, _ellipse((0.45, 0), (0.045, 0.02), soft=0.2), 500)
    if at < 0.60:
        for rib in range(9):
            for side in (-1, 1):
                angle = -1.15 + rib * 0.30 + (at * 9 + 0.3 * rib) % 0.30
                center = (body[0] - 0.10) * math.sin(angle), side * (body[1] - 0.13) * math.cos(angle)
                _put(plane, _ellipse(center, (0.016, 0.040), side * (angle + 1.57), 0.25), 620)
    if at > 0.78:
        wing = min(1.0, (at - 0.78) / 0.08)
        for side in (-1, 1):
            bone = _ellipse((0.16, side * 0.42), (0.20 * wing + 0.001, 0.10 * wing + 0.001), side * -0.6, 0.06)
            _put(plane, bone, 240 + 25 * texture)
