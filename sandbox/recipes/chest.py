"""A chest, slice by slice in Hounsfield units, and its sums along a ray for films and scouts.

z in millimetres: +150 above the lung tips, 0 at the carina, -165 in the upper abdomen. The nodule sits in the right upper lobe.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sandbox.recipes.canvas import Canvas, Plane, cap, ramp, texture, texture_slice

NODULE = (-58.0, -18.0, 48.0)
"""x, y, z of the right upper lobe nodule."""


def paint(canvas: Canvas, z: float, *, nodule: float = 0.0, heart: float = 1.0, contrast: bool = True, vessels: bool = True) -> None:
    """Draw the slice at height z. `nodule`: diameter in mm, 0 for none. `heart`: relative size."""
    soft = texture_slice(texture(29, 64, 1, 12), canvas, z, 170.0)
    tip = ramp(z, 175, 95)
    rx, ry = 96 + 62 * tip, 78 + 32 * tip
    shoulders = ramp(z, 60, 125)
    _wall(canvas, z, rx, ry, shoulders, soft)
    _cage(canvas, z, rx - 24, ry - 24, shoulders)
    lung = _lungs(canvas, z, rx - 31, ry - 30, soft)
    _bones(canvas, z, rx, ry, shoulders, soft)
    _middle(canvas, z, soft, heart, 190 if contrast else 42)
    if z < -70:
        _abdomen(canvas, z, soft)
    if vessels:
        _vessels(canvas, z, lung)
    if nodule:
        _nodule(canvas, z, nodule, lung)


def _wall(canvas: Canvas, z: float, rx: float, ry: float, shoulders: float, soft: Plane) -> None:
    if shoulders > 0:
        canvas.pair(150, 12, 52 * shoulders, 46 * shoulders, -95, soft=2)
        canvas.pair(148, 12, 44 * shoulders, 38 * shoulders, 55 + 5 * soft, soft=3)
        canvas.pair(147, 8, 19 * shoulders, 19 * shoulders, 1100, soft=2)
        canvas.pair(147, 8, 15 * shoulders, 15 * shoulders, 260, soft=2)
    canvas.ellipse(0, 0, rx + 10, ry + 10, 40, soft=1.5, power=2.5)
    canvas.ellipse(0, 0, rx + 8, ry + 8, -98 + 6 * soft, soft=2, power=2.5)
    canvas.ellipse(0, 1, rx - 4, ry - 3, 55 + 6 * soft, soft=4, power=2.5)
    for side in (-1, 1):
        canvas.ellipse(side * 62, -ry + 12, 44, 5.5, 58, angle=side * 0.33, soft=2, strength=ramp(z, -10, 50))
        canvas.ellipse(side * 62, -ry + 18, 40, 2.2, -90, angle=side * 0.33, soft=2, strength=ramp(z, -10, 50))
        canvas.ellipse(side * (rx - 6), 22, 4, 30, 58, angle=side * -0.25, soft=2)
        canvas.ellipse(side * 40, ry - 6, 32, 11, 56 + 5 * soft, soft=3)
        canvas.ellipse(side * 55, ry - 14, 42, 1.8, -85, angle=side * -0.2, soft=2)


def _cage(canvas: Canvas, z: float, rx: float, ry: float, shoulders: float) -> None:
    """Ribs run obliquely: at each height one meets them all, each at another place round the ring."""
    ring = canvas.radius(0, 0, rx, ry, power=2.5)
    angle = np.arctan2(canvas.y / np.float32(ry), np.abs(canvas.x) / np.float32(rx))
    # from the spine (angle +pi/2) down to the front: 45 mm lower
    height = z + 52 * (angle - np.float32(np.pi / 2)) / np.float32(np.pi) * -1
    phase = np.mod(height, 25.0) - 12.5
    across = np.sqrt((phase / 6.6) ** 2 + ((ring - 1) * rx / 4.2) ** 2)
    front = np.clip((angle + 0.95) / 0.25, 0, 1)
    shell = np.clip((1 - across) * 4 + 0.5, 0, 1)
    value = 980 - 640 * np.clip((0.72 - across) * 4, 0, 1)
    canvas.blend(shell * front * np.float32(1 - 0.2 * shoulders), value.astype(np.float32))
    canvas.blend(shell * (1 - front) * np.clip((angle + 1.35) / 0.2, 0, 1) * 0.9, 95.0)


def _lungs(canvas: Canvas, z: float, rx: float, ry: float, soft: Plane) -> Plane:
    """Both lungs; returns their mask."""
    total = np.zeros_like(canvas.pixels)
    up = cap(z, -30, 165) if z > -30 else 1.0
    if z > 138:
        return total
    for side, dome in ((-1, -118.0), (1, -130.0)):
        size = up**0.55
        outer = canvas.mask(0, 2, rx * (0.35 + 0.65 * size), ry * (0.35 + 0.65 * size), soft=1.2, power=2.5)
        gap = 22 + 12 * ramp(z, 60, -20) - 8 * ramp(z, 60, 110)
        curve = gap * (0.75 + 0.4 * np.cos((canvas.y + 6) / 38))
        half = np.clip((side * canvas.x - curve) / 1.2 + 0.5, 0, 1)
        lung = outer * half
        if z < -60:
            base = cap(z, dome - 78, 118)
            organ = canvas.mask(side * 58, -4, 66 * base, 78 * base, soft=1.2) if z > dome - 78 else np.float32(1)
            lung = lung * (1 - organ)
        density = -872 + 16 * soft + 55 * np.clip(canvas.y / ry, -0.2, 1)
        canvas.blend(lung, density.astype(np.float32))
        total = np.maximum(total, lung)
    fissure = np.abs(canvas.y - 18 - (z + 20) * 0.55) / 1.1
    canvas.blend(np.clip(1 - fissure, 0, 1) * total * 0.35, -650.0)
    return total


def _bones(canvas: Canvas, z: float, rx: float, ry: float, shoulders: float, soft: Plane) -> None:
    disc = 0.5 + 0.5 * np.cos(z * 2 * np.pi / 24)
    y = ry - 42
    canvas.ellipse(0, y, 18, 15, 160 + 430 * (1 - disc), soft=1.5, power=2.3)
    canvas.ellipse(0, y, 15.5, 12.5, 90 + 110 * (1 - disc) + 14 * soft, soft=1.5, power=2.3)
    canvas.pair(10, y + 14, 4, 7, 480, soft=1.5, angle=0.4)
    canvas.ellipse(0, y + 19, 10.5, 8.5, 560, soft=1.5)
    canvas.ellipse(0, y + 18, 8.6, 7, 18, soft=1)
    canvas.ellipse(0, y + 18, 4.6, 3.6, 40, soft=1)
    canvas.pair(24, y + 17, 14, 4, 420, soft=1.5, angle=-0.25)
    canvas.ellipse(0, y + 33, 2.6, 10, 480, soft=1.2, angle=0.05)
    if -75 < z < 85:
        canvas.ellipse(0, -ry + 17, 17, 5.5, 560, soft=1.2, power=2.6)
        canvas.ellipse(0, -ry + 17, 15, 3.7, 170 + 12 * soft, soft=1.2, power=2.6)
    clavicle = cap(z, 98, 22)
    canvas.pair(55 + (z - 98), -ry + 26, 42 * clavicle, 6, 620, soft=1.5, angle=-0.25)
    blade = ramp(z, -60, -30) * ramp(z, 130, 110)
    canvas.pair(94, ry - 32, 42, 3.4, 560, soft=1.2, angle=-0.72, strength=blade)
    canvas.pair(94, ry - 32, 37, 1.3, 240, soft=1.2, angle=-0.72, strength=blade)


def _middle(canvas: Canvas, z: float, soft: Plane, heart: float, blood: float) -> None:
    around = cap(z, 10, 150)
    canvas.ellipse(0, -10, 33 * around, 52 * around, -92 + 6 * soft, soft=8, strength=ramp(z, -100, -30))
    back = 44.0
    # great vessels and arch
    if z > -8:
        arch = cap(z, 38, 12)
        canvas.ellipse(10, 4, 13.5 * min(1, arch * 1.6), 34 * arch, blood + 6 * soft, angle=0.35, soft=1.2)
    canvas.ellipse(-13, -22, 15.5, 15.5, blood + 6 * soft, soft=1.2, strength=ramp(z, 34, 26) * ramp(z, -46, -34))
    canvas.ellipse(22, back - 4, 12, 12, blood + 5 * soft, soft=1.2, strength=ramp(z, 40, 30))
    canvas.ellipse(-30, -16, 9, 8.5, blood * 0.8, soft=1.2, strength=ramp(z, 80, 66) * ramp(z, -38, -26))
    up = ramp(z, 40, 52)
    for x, y, r in ((-12, -14, 6.5), (8, -10, 4.5), (20, 6, 5.5), (-28, -14, 7.5), (26, -18, 7)):
        canvas.ellipse(x, y, r, r, blood * 0.9, soft=1.2, strength=up)
    trunk = cap(z, -14, 17)
    canvas.ellipse(16, -26, 14 * trunk, 15 * trunk, blood + 8, soft=1.2)
    canvas.ellipse(-20, -2, 34 * trunk, 10 * trunk, blood + 8, angle=-0.15, soft=1.5)
    canvas.ellipse(34, -4, 24 * trunk, 10.5 * trunk, blood + 8, angle=0.55, soft=1.5)
    # airway and gullet
    if z > 2:
        canvas.ellipse(-3, 12, 10.5, 9.5, 70, soft=1)
        canvas.ellipse(-3, 12, 9, 8, -990, soft=0.8)
    else:
        apart = ramp(z, 2, -34)
        for side in (-1, 1):
            canvas.ellipse(-2 + side * (6 + 26 * apart), 13 + 4 * apart, 7.6, 6.6, 65, soft=1, strength=ramp(z, -56, -44))
            canvas.ellipse(-2 + side * (6 + 26 * apart), 13 + 4 * apart, 6.2, 5.2, -985, soft=0.8, strength=ramp(z, -56, -44))
    canvas.ellipse(4, 31, 8, 5.5, 38, soft=1.5, strength=ramp(z, -150, -130))
    canvas.ellipse(4, 31, 2.2, 1.4, -600, soft=1, strength=0.8 * ramp(z, -150, -130))
    _heart(canvas, z, soft, heart, blood)


def _heart(canvas: Canvas, z: float, soft: Plane, heart: float, blood: float) -> None:
    size = cap(z, -82, 58) * heart
    if not size:
        return
    canvas.ellipse(16, -24, 67 * size, 50 * size, -88, angle=0.5, soft=3)
    canvas.ellipse(16, -24, 62 * size, 45 * size, 48 + 5 * soft, angle=0.5, soft=1.5)
    low = cap(z, -92, 44) * heart
    canvas.ellipse(38, -16, 30 * low, 19 * low, blood + 7 * soft, angle=0.62, soft=2.5)
    canvas.ellipse(4, -42, 34 * low, 15 * low, blood * 0.86, angle=0.42, soft=2.5)
    high = cap(z, -66, 36) * heart
    canvas.ellipse(-29, -18, 19 * high, 25 * high, blood * 0.82, angle=0.1, soft=2)
    canvas.ellipse(2, 14, 34 * high, 14 * high, blood + 6, angle=0.05, soft=2)
    canvas.ellipse(-4, -24, 13 * cap(z, -52, 20), 13 * cap(z, -52, 20), blood + 6, soft=1.5)


def _abdomen(canvas: Canvas, z: float, soft: Plane) -> None:
    liver = cap(z, -196, 78)
    canvas.ellipse(-58, -6, 62 * liver, 74 * liver, 108 + 7 * soft, soft=1.5)
    canvas.ellipse(4, -34, 46 * cap(z, -190, 62), 34 * cap(z, -190, 62), 108 + 7 * soft, angle=0.2, soft=2)
    spleen = cap(z, -180, 46)
    canvas.ellipse(78, 30, 24 * spleen, 38 * spleen, 118 + 5 * soft, angle=0.3, soft=1.5)
    stomach = cap(z, -172, 46)
    canvas.ellipse(52, -24, 40 * stomach, 30 * stomach, 45 + 4 * soft, angle=-0.2, soft=2)
    canvas.ellipse(52, -24, 35 * stomach, 25 * stomach, 12, angle=-0.2, soft=2)
    canvas.ellipse(52, -38, 27 * stomach, 9 * stomach, -960, soft=1.2)
    canvas.ellipse(-22, 18, 10, 9, 150, soft=1.5)


@lru_cache(maxsize=1)
def _tree() -> NDArray[np.float64]:
    """Pulmonary vessels as short straight pieces: x, y, z, dx, dy, dz, radius."""
    rng = np.random.default_rng(91)
    pieces: list[tuple[float, ...]] = []

    def grow(point: NDArray[np.float64], way: NDArray[np.float64], radius: float, level: int) -> None:
        length = 5 + radius * 5.5 * rng.uniform(0.7, 1.3)
        end = point + way * length
        pieces.append((*point, *(end - point), radius))
        if level == 0 or radius < 0.55:
            return
        for _ in range(2):
            turn = way + rng.normal(0, 0.5, 3)
            grow(end, turn / np.linalg.norm(turn), radius * rng.uniform(0.68, 0.86), level - 1)

    for side in (-1, 1):
        root = np.array([side * 38.0, 6.0, -24.0])
        for _ in range(9):
            way = np.array([side * rng.uniform(0.3, 1.0), rng.uniform(-1, 1), rng.uniform(-1.0, 1.1)])
            grow(root + rng.normal(0, 4, 3), way / np.linalg.norm(way), rng.uniform(3.2, 4.8), 9)
    return np.array(pieces)


def _vessels(canvas: Canvas, z: float, lung: Plane) -> None:
    tree = _tree()
    low, high = np.minimum(tree[:, 2], tree[:, 2] + tree[:, 5]), np.maximum(tree[:, 2], tree[:, 2] + tree[:, 5])
    near = tree[(low - tree[:, 6] < z) & (high + tree[:, 6] > z)]
    for x, y, base, dx, dy, dz, radius in near:
        part = min(1.0, max(0.0, (z - base) / dz)) if abs(dz) > 0.1 else 0.5
        lean = float(np.hypot(dx, dy)) / max(abs(dz), 0.4 * radius)
        angle = float(np.arctan2(dy, dx))
        length = radius * min(1 + lean, float(np.hypot(dx, dy)) / (2 * radius) + 1.2)
        wide = max(radius, 0.75)
        canvas.ellipse(
            x + dx * part, y + dy * part, max(length, wide), wide, 30 if radius > 0.9 else -330, angle=angle, soft=1.2, within=lung
        )


def _nodule(canvas: Canvas, z: float, diameter: float, lung: Plane) -> None:
    x, y, centre = NODULE
    radius = diameter / 2
    size = cap(z, centre, radius)
    if not size and abs(z - centre) > radius + 2:
        return
    angle = np.arctan2(canvas.y - y, canvas.x - x)
    spikes = 1 + 0.16 * np.sin(7 * angle + z) + 0.10 * np.sin(13 * angle - 2 * z)
    ring = canvas.radius(x, y, max(radius * size, 0.4), max(radius * size * 0.92, 0.4)) / spikes
    canvas.blend(np.clip((1 - ring) * radius / 1.4 + 0.5, 0, 1) * np.clip(lung * 4, 0, 1), 38.0)
    canvas.blend(np.clip(1.9 - ring, 0, 1) ** 2 * 0.25 * lung, -500.0)


@lru_cache(maxsize=8)
def projection(
    size: int, view: str, nodule: float = 0.0, heart: float = 1.0, steps: int = 160, vessels: bool = True
) -> NDArray[np.float32]:
    """Attenuation summed along the ray: rows from head to foot, columns across. Without contrast medium."""
    lines = []
    for z in np.linspace(150, -165, steps):
        canvas = Canvas(size, 380.0, -1000)
        paint(canvas, float(z), nodule=nodule, heart=heart, contrast=False, vessels=vessels)
        lines.append(np.clip(canvas.pixels + 1000, 0, None).sum(1 if view == "LATERAL" else 0))
    return np.array(lines, np.float32)
