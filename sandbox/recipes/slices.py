"""Cross-sectional recipes: head CT, CTA, sinus CT, brain MR, chest CT, and their scouts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from sandbox.recipes import chest, head
from sandbox.recipes.canvas import Canvas, blur, double, noise
from sandbox.recipes.objects import Job, axial, ct, image, mr, put_pixels

HEAD_FIELD = 240.0
CHEST_FIELD = 380.0


def _spread(job: Job, index: int, low: float, high: float) -> float:
    """Height of this slice: whole range in the full set, thinned out in the small one."""
    return low + (high - low) * (index + 0.5) / job.count


def _finish(canvas: Canvas, index: int, sigma: float, grain: float) -> NDArray[np.float32]:
    big = double(canvas.pixels)
    return big + sigma * noise(len(big), index, grain)


def head_ct(job: Job, index: int) -> Dataset:
    z = _spread(job, index, -28, 122)
    canvas = Canvas(256, HEAD_FIELD, -1000)
    head.paint(canvas, z, head.CT, stroke=bool(job.option("stroke")))
    bone = bool(job.option("bone"))
    pixels = _finish(canvas, index, 28.0 if bone else 3.2, 0.5 if bone else 1.1)
    ds = ct(pixels, centre=500 if bone else 40, width=2500 if bone else 80, kernel="H70h" if bone else "H30s")
    axial(ds, job.study, size=512, field=HEAD_FIELD, z=z, thickness=job.option("thickness", 5))
    return ds


def neck_cta(job: Job, index: int) -> Dataset:
    z = _spread(job, index, -195, 60)
    canvas = Canvas(256, HEAD_FIELD, -1000)
    head.paint(canvas, z, head.CTA, stroke=True)
    ds = ct(_finish(canvas, index, 11.0, 0.8), centre=120, width=600, kernel="B26f")
    axial(ds, job.study, size=512, field=HEAD_FIELD, z=z, thickness=job.option("thickness", 1))
    ds.ContrastBolusAgent = "Iodinated contrast"
    return ds


def sinus_ct(job: Job, index: int) -> Dataset:
    z = _spread(job, index, -62, 30)
    canvas = Canvas(256, HEAD_FIELD, -1000)
    head.paint(canvas, z, head.CT, age=0.1)
    ds = ct(_finish(canvas, index, 32.0, 0.5), centre=300, width=2500, kernel="H60s")
    axial(ds, job.study, size=512, field=HEAD_FIELD, z=z, thickness=job.option("thickness", 2))
    return ds


_WEIGHTS = {"t1": head.T1, "t2": head.T2, "flair": head.FLAIR, "dwi": head.DWI}


def brain_mr(job: Job, index: int) -> Dataset:
    weight = job.word("weight", "t1")
    z = 20.0 + 14 * index if job.option("format") else _spread(job, index, -40, 118)
    coarse = weight == "dwi"
    canvas = Canvas(128 if coarse else 256, HEAD_FIELD, 0)
    head.paint(canvas, z, _WEIGHTS[weight], age=0.5)
    signal = double(canvas.pixels) if coarse else canvas.pixels
    shade = 1.06 - 0.10 * np.cos(np.linspace(-1.2, 1.3, 256, dtype=np.float32))[:, None]
    sigma = 12.0
    grain = noise(256, index + job.series.number * 1000, 0.7), noise(256, index + 500, 0.7)
    signal = np.hypot(blur(signal, 0.55) * shade + sigma * grain[0], sigma * grain[1])
    ds = mr(signal, weight=weight, centre=430 if weight != "dwi" else 260, width=900 if weight != "dwi" else 560)
    axial(ds, job.study, size=256, field=HEAD_FIELD, z=z, thickness=4.5)
    return ds


def chest_ct(job: Job, index: int) -> Dataset:
    z = _spread(job, index, -165, 150)
    canvas = Canvas(256, CHEST_FIELD, -1000)
    chest.paint(canvas, z, nodule=job.option("nodule"))
    lung = job.word("kernel") == "lung"
    pixels = _finish(canvas, index, 26.0 if lung else 11.0, 0.6 if lung else 1.0)
    ds = ct(pixels, centre=-600 if lung else 40, width=1500 if lung else 400, kernel="B60f" if lung else "B30f")
    axial(ds, job.study, size=512, field=CHEST_FIELD, z=z, thickness=job.option("thickness", 5))
    return ds


def head_scout(job: Job, index: int) -> Dataset:
    """Frontal, then lateral: the head summed along one axis."""
    heights = np.linspace(120, -150, 40 if job.small else 120)
    lines = []
    for z in heights:
        canvas = Canvas(96 if job.small else 128, HEAD_FIELD, -1000)
        head.paint(canvas, float(z), head.CT)
        lines.append(np.clip(canvas.pixels + 1000, 0, None).sum(1 if index else 0))
    return _scout(np.array(lines, np.float32), "LATERAL" if index else "AP")


def chest_scout(job: Job, index: int) -> Dataset:
    return _scout(chest.projection(96, "PA", steps=40, vessels=False), "AP")


def _scout(lines: NDArray[np.float32], view: str) -> Dataset:
    rows = np.linspace(0, len(lines) - 1, 512)
    columns = np.linspace(0, lines.shape[1] - 1, 512)
    tall = np.stack([np.interp(rows, np.arange(len(lines)), lines[:, k]) for k in range(lines.shape[1])], 1)
    wide = np.stack([np.interp(columns, np.arange(lines.shape[1]), row) for row in tall]).astype(np.float32)
    level = np.sqrt(wide / wide.max())
    ds = image("CT")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    ds.RescaleIntercept, ds.RescaleSlope = -1024, 1
    ds.WindowCenter, ds.WindowWidth, ds.ViewPosition = 0, 1400, view
    put_pixels(ds, np.clip(level * 1500 - 700 + 1024 + 8 * noise(512, 3), 0, 4095).astype("<u2"), stored=12)
    return ds
