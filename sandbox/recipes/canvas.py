"""Drawing anatomy: soft-edged shapes on a plane measured in millimetres, and noise that looks like a scanner's.

x runs to the patient's left (right side of the picture), y to the back (down), as in an axial slice. Pure numpy.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


class Canvas:
    """A square plane of `size` pixels, `field` millimetres wide, centred on (0, 0). `pixels` holds the values."""

    def __init__(self, size: int, field: float, background: float) -> None:
        self.size, self.field, self.mm = size, field, field / size
        self.pixels: Plane = np.full((size, size), background, np.float32)
        axis = ((np.arange(size) + 0.5) * self.mm - field / 2).astype(np.float32)
        self.x, self.y = axis[None, :], axis[:, None]

    def _window(self, x: float, y: float, reach: float) -> tuple[slice, slice] | None:
        def span(centre: float) -> slice:
            low = int((centre - reach + self.field / 2) / self.mm)
            high = int((centre + reach + self.field / 2) / self.mm) + 2
            return slice(max(0, low), min(self.size, max(0, high)))

        rows, columns = span(y), span(x)
        return None if rows.start >= rows.stop or columns.start >= columns.stop else (rows, columns)

    def radius(self, x: float, y: float, rx: float, ry: float, angle: float = 0.0, power: float = 2.0) -> Plane:
        """1 on the ellipse's edge, below 1 inside. `power` above 2 makes it squarer."""
        return _radius(self.x - x, self.y - y, rx, ry, angle, power)

    def mask(self, x: float, y: float, rx: float, ry: float, angle: float = 0.0, soft: float = 1.0, power: float = 2.0) -> Plane:
        """Whole-plane mask in [0, 1]; `soft` is the width of its edge in mm."""
        if rx < 0.3 or ry < 0.3:
            return np.zeros_like(self.pixels)
        return _edge(self.radius(x, y, rx, ry, angle, power), min(rx, ry), soft)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, value: float | Plane, *,
        angle: float = 0.0, soft: float = 1.0, power: float = 2.0, within: Plane | None = None, strength: float = 1.0,
    ) -> None:  # fmt: skip
        """Blend `value` into the ellipse. Radii under 0.3 mm draw nothing."""
        if rx < 0.3 or ry < 0.3:
            return
        window = self._window(x, y, max(rx, ry) * 1.05 + soft)
        if window is None:
            return
        rows, columns = window
        part = _edge(_radius(self.x[:, columns] - x, self.y[rows] - y, rx, ry, angle, power), min(rx, ry), soft)
        if within is not None:
            part = part * within[rows, columns]
        if strength != 1.0:
            part = part * np.float32(strength)
        target = self.pixels[rows, columns]
        put = value[rows, columns] if isinstance(value, np.ndarray) else np.float32(value)
        target += part * (put - target)

    def blend(self, mask: Plane, value: float | Plane) -> None:
        self.pixels += mask * (value - self.pixels)

    def pair(self, x: float, y: float, rx: float, ry: float, value: float | Plane, *, angle: float = 0.0, **how: object) -> None:
        """The same on both sides, mirrored."""
        for side in (-1, 1):
            self.ellipse(side * x, y, rx, ry, value, angle=side * angle, **how)  # type: ignore[arg-type]


def _radius(dx: Plane, dy: Plane, rx: float, ry: float, angle: float, power: float) -> Plane:
    if angle:
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = c * dx + s * dy, c * dy - s * dx
    if power == 2.0:
        return np.sqrt((dx / np.float32(rx)) ** 2 + (dy / np.float32(ry)) ** 2)
    power32 = np.float32(power)
    return (np.abs(dx / np.float32(rx)) ** power32 + np.abs(dy / np.float32(ry)) ** power32) ** np.float32(1 / power)


def _edge(radius: Plane, size: float, soft: float) -> Plane:
    return np.clip((1 - radius) * np.float32(size / max(soft, 0.05)) + np.float32(0.5), 0, 1)


def cap(z: float, centre: float, reach: float) -> float:
    """Radius factor of an ellipsoid's slice at height z: 1 in the middle, 0 outside."""
    part = 1 - ((z - centre) / reach) ** 2
    return float(np.sqrt(part)) if part > 0 else 0.0


def ramp(value: float, low: float, high: float) -> float:
    """Smooth 0 → 1 between low and high (either order)."""
    part = min(1.0, max(0.0, (value - low) / (high - low)))
    return part * part * (3 - 2 * part)


def blur(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of the last two axes by FFT (edges wrap)."""
    rows = np.fft.fftfreq(image.shape[-2]).astype(np.float32)[:, None]
    columns = np.fft.rfftfreq(image.shape[-1]).astype(np.float32)[None, :]
    kernel = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2))
    return np.fft.irfft2(np.fft.rfft2(image) * kernel, s=image.shape[-2:], axes=(-2, -1)).astype(np.float32)


@lru_cache(maxsize=8)
def texture(seed: int, size: int, low: float, high: float) -> NDArray[np.float32]:
    """Band-passed 3-D noise (size³), unit deviation, seamless. `low`, `high`: cycles across the cube."""
    noise = np.random.default_rng(seed).standard_normal((size, size, size)).astype(np.float32)
    axis = np.fft.fftfreq(size, 1 / size).astype(np.float32)
    last = np.fft.rfftfreq(size, 1 / size).astype(np.float32)
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + last[None, None, :] ** 2)
    band = np.exp(-((radius / high) ** 4)) * (1 - np.exp(-((radius / max(low, 0.01)) ** 4)))
    field = np.fft.irfftn(np.fft.rfftn(noise) * band, s=noise.shape, axes=(0, 1, 2)).astype(np.float32)
    return field / field.std()


def texture_slice(field: NDArray[np.float32], canvas: Canvas, z: float, period: float) -> Plane:
    """One slice of a texture cube laid over the canvas; `period` mm is the cube's width."""
    size = len(field)
    place = z / period * size
    low = int(np.floor(place))
    part = np.float32(place - low)
    flat = field[low % size] * (1 - part) + field[(low + 1) % size] * part
    at = (canvas.x[0] / period * size) % size
    first = at.astype(int) % size
    weight = (at - np.floor(at)).astype(np.float32)
    rows = flat[first] * (1 - weight)[:, None] + flat[(first + 1) % size] * weight[:, None]
    return rows[:, first] * (1 - weight)[None, :] + rows[:, (first + 1) % size] * weight[None, :]


def double(image: Plane) -> Plane:
    """Twice as many pixels, linearly interpolated."""
    size = image.shape[0]
    out = np.empty((size * 2, size), np.float32)
    up, down = np.vstack([image[:1], image[:-1]]), np.vstack([image[1:], image[-1:]])
    out[0::2], out[1::2] = 0.75 * image + 0.25 * up, 0.75 * image + 0.25 * down
    wide = np.empty((size * 2, size * 2), np.float32)
    left, right = np.hstack([out[:, :1], out[:, :-1]]), np.hstack([out[:, 1:], out[:, -1:]])
    wide[:, 0::2], wide[:, 1::2] = 0.75 * out + 0.25 * left, 0.75 * out + 0.25 * right
    return wide


@lru_cache(maxsize=4)
def _noise_bank(size: int, grain: float) -> Plane:
    white = np.random.default_rng(41).standard_normal((size, size)).astype(np.float32)
    soft = blur(white, grain)
    mixed = 0.5 * white + soft / soft.std()
    return (mixed / mixed.std()).astype(np.float32)


def noise(size: int, index: int, grain: float = 0.9) -> Plane:
    """Scanner noise of unit deviation; each index another piece of one bank."""
    bank = _noise_bank(size, grain)
    rng = np.random.default_rng(index)
    turned = np.roll(bank, (int(rng.integers(size)), int(rng.integers(size))), (0, 1))
    return turned[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
