"""A head and neck, slice by slice, as tissues. What a tissue looks like is a palette's business: CT, CTA, T1, T2, FLAIR, diffusion.

z in millimetres, 0 at the orbitomeatal line, +118 near the vertex, -75 at the jaw, -190 at the neck base.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sandbox.recipes.canvas import Canvas, Plane, cap, ramp, texture, texture_slice

Palette = Mapping[str, float]

CT: Palette = {
    "air": -1000, "skin": 45, "fat": -95, "muscle": 58, "bone": 1350, "marrow": 520, "csf": 7, "grey": 39, "white": 28, "deep": 37,
    "vessel": 46, "cavity": -990, "mucosa": 42, "globe": 14, "lens": 70, "calcium": 190, "lesion": 21, "cartilage": 110, "cord": 36,
    "dura": 58, "tooth": 2100, "clot": 76,
}  # fmt: skip
CTA: Palette = {**CT, "vessel": 380, "dura": 130, "grey": 44, "mucosa": 75, "clot": 90}
T1: Palette = {
    "air": 0, "skin": 420, "fat": 950, "muscle": 330, "bone": 40, "marrow": 620, "csf": 110, "grey": 400, "white": 590, "deep": 455,
    "vessel": 120, "cavity": 5, "mucosa": 380, "globe": 130, "lens": 340, "calcium": 200, "lesion": 330, "cartilage": 300, "cord": 520,
    "dura": 220, "tooth": 20, "clot": 420,
}  # fmt: skip
T2: Palette = {
    **T1, "skin": 380, "fat": 720, "muscle": 190, "marrow": 430, "csf": 1000, "grey": 500, "white": 330, "deep": 400, "vessel": 60,
    "mucosa": 760, "globe": 980, "lens": 180, "lesion": 690, "cord": 350, "dura": 250, "calcium": 640,
}  # fmt: skip
FLAIR: Palette = {**T2, "csf": 70, "globe": 90, "grey": 520, "white": 400, "deep": 455, "lesion": 860, "fat": 640, "calcium": 110}
DWI: Palette = {
    **T2, "skin": 60, "fat": 45, "muscle": 70, "marrow": 50, "bone": 20, "csf": 90, "grey": 430, "white": 370, "deep": 390, "lesion": 520,
    "globe": 80, "mucosa": 120, "calcium": 60, "vessel": 90,
}  # fmt: skip


def paint(canvas: Canvas, z: float, palette: Palette, *, stroke: bool = False, age: float = 0.6) -> None:
    """Draw the slice at height z. `stroke`: an early left middle cerebral infarct. `age` 0…1 widens ventricles and sulci."""
    if z < -72:
        _neck(canvas, z, palette)
        return
    soft = texture_slice(texture(3, 64, 1, 14), canvas, z, 150.0)
    rx, ry = _outline(z)
    wobble = 1 + 0.006 * texture_slice(texture(5, 32, 0, 3), canvas, z, 220.0)
    skull = canvas.radius(0, 2, rx, ry, power=2.25) * wobble
    _scalp(canvas, skull, rx, palette)
    if z > -8:
        _vault(canvas, z, skull, rx, palette, soft)
        inner = np.clip((0.905 - skull) * rx / 1.2 + 0.5, 0, 1)
        _brain(canvas, z, skull, inner, rx, ry, palette, soft, age)
        if stroke:
            _infarct(canvas, z, inner, palette)
    if z < 42:
        _face(canvas, z, rx, ry, palette, soft)


def _outline(z: float) -> tuple[float, float]:
    if z >= 35:
        size = cap(z, 35, 92)
        return 71 * size, 91 * size
    low = ramp(z, -75, 35)
    return 60 + 11 * low, 78 + 13 * low


def _ring(radius: Plane, middle: float, half: float, mm: float, soft: float = 0.8) -> Plane:
    return np.clip((half - np.abs(radius - middle) * mm) / soft + 0.5, 0, 1)


def _scalp(canvas: Canvas, skull: Plane, rx: float, palette: Palette) -> None:
    canvas.blend(np.clip((1.085 - skull) * rx / 1.0 + 0.5, 0, 1), palette["skin"])
    canvas.blend(np.clip((1.062 - skull) * rx / 1.5 + 0.5, 0, 1), palette["fat"])
    canvas.blend(np.clip((1.016 - skull) * rx / 1.5 + 0.5, 0, 1), palette["muscle"])


def _vault(canvas: Canvas, z: float, skull: Plane, rx: float, palette: Palette, soft: Plane) -> None:
    solid = ramp(z, -10, 8)
    width = 3.2 + 1.2 * cap(z, 110, 60)
    canvas.blend(_ring(skull, 0.952, width, rx) * solid, palette["bone"])
    thick = 0.4 + 0.3 * soft
    canvas.blend(_ring(skull, 0.952, width - 2.3, rx, 1.2) * np.clip(thick + 0.4, 0, 1) * solid, palette["marrow"])


def _brain(canvas: Canvas, z: float, skull: Plane, inner: Plane, rx: float, ry: float, palette: Palette, soft: Plane, age: float) -> None:
    depth = (0.905 - skull) * rx
    canvas.blend(inner, palette["csf"])
    below = ramp(z, 14, 2)
    tissue = np.clip((depth - 1.2 - 1.6 * age) / 1.0, 0, 1) * inner
    folds = texture_slice(texture(11, 64, 5, 10), canvas, z, 118.0)
    cortex = np.clip(1 - np.abs(folds) / 0.62, 0, 1) * np.clip((30 - depth) / 10, 0, 1)
    rim = np.clip((6.5 - depth) / 2, 0, 1)
    grey = np.clip(np.maximum(cortex * 1.6, rim), 0, 1)
    matter = palette["white"] + grey * (palette["grey"] - palette["white"])
    canvas.blend(tissue, matter + soft * abs(palette["grey"] - palette["white"]) * 0.06)
    sulci = np.clip(1 - np.abs(folds) / (0.05 + 0.11 * age), 0, 1) * np.clip((17 - depth) / 5, 0, 1) * (1 - below)
    canvas.blend(sulci * tissue * 0.8, palette["csf"])
    if z < 14:
        _posterior_fossa(canvas, z, inner, palette, below)
    fissure = np.clip((1.1 + 0.8 * age - np.abs(canvas.x + 0.8 * np.sin(canvas.y / 17))) / 0.8, 0, 1)
    front = np.clip((-20 - canvas.y) / 6, 0, 1) if z < 62 else np.float32(1)
    back = np.clip((canvas.y - 34) / 6, 0, 1) if z < 62 else np.float32(0)
    canvas.blend(fissure * np.clip(front + back, 0, 1) * inner * (1 - below), palette["csf"])
    canvas.blend(np.clip((0.55 - np.abs(canvas.x)) / 0.5, 0, 1) * np.clip(front + back, 0, 1) * inner * (1 - below) * 0.7, palette["dura"])
    if 8 < z < 62:
        _deep(canvas, z, inner, palette, age)


def _posterior_fossa(canvas: Canvas, z: float, inner: Plane, palette: Palette, below: float) -> None:
    leaves = palette["grey"] + 0.35 * (palette["white"] - palette["grey"]) * (1 + np.sin(canvas.y * 1.9 + canvas.x * 0.25))
    for side in (-1, 1):
        canvas.ellipse(side * 26, 52, 28, 26, leaves.astype(np.float32), soft=2, within=inner, strength=below)
        canvas.ellipse(side * 36, -28, 22, 30, palette["grey"] * 0.55 + palette["white"] * 0.45, soft=2, within=inner, strength=below)
    canvas.ellipse(0, 8, 19, 9, palette["csf"], soft=3, within=inner, strength=below)
    canvas.ellipse(0, 20, 15, 13, palette["white"] * 0.6 + palette["deep"] * 0.4, soft=1.5, within=inner, strength=below)
    canvas.ellipse(0, 36, 7.5, 4.5, palette["csf"], soft=1.5, within=inner, strength=below)
    canvas.ellipse(0, 7, 1.9, 1.9, palette["vessel"], soft=0.8, strength=below)
    for side in (-1, 1):
        bone = palette["bone"] * 0.8
        canvas.ellipse(side * 41, 14, 31, 9.5, bone, angle=side * -0.62, soft=2.5, strength=below)
        canvas.ellipse(side * 54, 26, 11, 13, bone * 0.7, soft=3, strength=below)
        cells = texture_slice(texture(17, 64, 9, 18), canvas, z, 100.0)
        air = np.clip(cells * 2 - 0.4, 0, 1) * canvas.mask(side * 54, 26, 9, 11, soft=3) * np.float32(below)
        canvas.blend(air, palette["cavity"])
        canvas.ellipse(side * 39, 10, 2.6, 1.8, palette["csf"], soft=1, strength=below)


def _deep(canvas: Canvas, z: float, inner: Plane, palette: Palette, age: float) -> None:
    wide = 0.75 + 0.5 * age
    level = cap(z, 27, 19)
    for side in (-1, 1):
        canvas.ellipse(side * 27, -2, 8.5 * level, 17 * level, palette["deep"], angle=side * -0.22, soft=2, within=inner)
        canvas.ellipse(side * 10.5, 12, 8 * level, 13 * level, palette["deep"], angle=side * 0.35, soft=2, within=inner)
        canvas.ellipse(side * 46, 2, 2.2 + 2 * age, 22 * cap(z, 22, 20), palette["csf"], angle=side * 0.12, soft=2.5, within=inner)
        insula = 2.6 * cap(z, 22, 20)
        canvas.ellipse(side * 40.5, 1, insula, 18 * cap(z, 22, 20), palette["grey"], angle=side * 0.1, soft=1.2, within=inner)
    canvas.ellipse(0, 12, 1.9 * wide, 11 * cap(z, 22, 14), palette["csf"], soft=1, within=inner)
    frontal = cap(z, 34, 17)
    for side in (-1, 1):
        canvas.ellipse(side * 9.5, -24, 4.2 * wide * frontal, 15 * frontal, palette["csf"], angle=side * 0.42, soft=1.6, within=inner)
        canvas.ellipse(side * 16.5, -22, 4.5 * frontal, 9 * frontal, palette["deep"], angle=side * 0.3, soft=1.6, within=inner)
        body = cap(z, 46, 13)
        canvas.ellipse(side * 12, 0, 5.2 * wide * body, 33 * body, palette["csf"], angle=side * 0.08, soft=1.8, within=inner)
        atrium = cap(z, 33, 15)
        canvas.ellipse(side * 24, 37, 5.0 * wide * atrium, 15 * atrium, palette["csf"], angle=side * -0.38, soft=1.8, within=inner)
        canvas.ellipse(side * 23, 36, 2.6 * atrium, 5 * atrium, palette["calcium"], angle=side * -0.38, soft=1.6, within=inner)
    canvas.ellipse(0, -18, 1.1, 12 * frontal, palette["white"], soft=0.8, within=inner)
    canvas.ellipse(0, 27, 2.0 * cap(z, 26, 7), 2.2 * cap(z, 26, 7), palette["calcium"], soft=1)
    canvas.ellipse(0, 33, 11 * cap(z, 22, 8), 5 * cap(z, 22, 8), palette["csf"], soft=2, within=inner)
    circle = cap(z, 14, 7)
    for side in (-1, 1):
        canvas.ellipse(side * 21, -12, 13 * circle, 1.7, palette["vessel"], angle=side * -0.18, soft=0.8)
        canvas.ellipse(side * 4, -34, 1.3 * circle, 16 * circle, palette["vessel"], soft=0.8)


def _infarct(canvas: Canvas, z: float, inner: Plane, palette: Palette) -> None:
    """Early left middle cerebral infarct: insular ribbon and lentiform nucleus lost, dense artery below."""
    size = cap(z, 36, 30)
    canvas.ellipse(43, 2, 17 * size, 30 * size, palette["lesion"], angle=0.12, soft=9, within=inner, strength=0.72)
    dense = cap(z, 14, 6)
    canvas.ellipse(22, -12, 13 * dense, 1.9, palette["clot"], angle=-0.18, soft=0.8)


def _face(canvas: Canvas, z: float, rx: float, ry: float, palette: Palette, soft: Plane) -> None:
    bone, air = palette["bone"], palette["cavity"]
    front = -ry + 4
    fade = ramp(z, 42, 22)
    if z > -2:
        size = cap(z, 18, 22)
        canvas.pair(9, front + 6, 10 * size, 7 * size, bone, soft=1.2, strength=fade)
        canvas.pair(9, front + 6, 8.6 * size, 5.4 * size, air, soft=0.8, strength=fade)
    if z < 12:
        _skull_base(canvas, z, palette)
    orbit = cap(z, 3, 22)
    if orbit > 0:
        for side in (-1, 1):
            canvas.ellipse(side * 32, front + 22, 20 * orbit, 25 * orbit, bone, angle=side * 0.35, soft=1.2)
            canvas.ellipse(side * 32, front + 21, 17.5 * orbit, 24 * orbit, palette["fat"], angle=side * 0.35, soft=1.2)
            globe = cap(z, 3, 12.5)
            canvas.ellipse(side * 32, front + 9, 13 * globe, 13 * globe, palette["dura"], soft=0.8)
            canvas.ellipse(side * 32, front + 9, 11.8 * globe, 11.8 * globe, palette["globe"], soft=0.8)
            canvas.ellipse(side * 32, front - 0.5, 5 * cap(z, 3, 5), 2.2 * cap(z, 3, 5), palette["lens"], soft=0.8)
            canvas.ellipse(side * 25, front + 31, 2.2 * cap(z, 3, 6), 14 * cap(z, 3, 6), palette["muscle"], angle=side * 0.38, soft=1)
            canvas.ellipse(side * 43, front + 24, 2.0 * globe, 11 * globe, palette["muscle"], angle=side * 0.1, soft=1)
    _nose(canvas, z, front, palette, soft)
    if z < -14:
        _jaw(canvas, z, front, palette)
    if z < -4:
        _planes(canvas, z, front, palette)


def _skull_base(canvas: Canvas, z: float, palette: Palette) -> None:
    fade = ramp(z, 12, 0) * ramp(z, -34, -14)
    canvas.ellipse(0, -6, 24, 15, palette["bone"] * 0.75, soft=2, strength=fade)
    size = cap(z, -6, 16)
    for side in (-1, 1):
        canvas.ellipse(side * 8, -9, 7 * size, 9 * size, palette["cavity"], soft=1)
        canvas.ellipse(side * 44, -6, 24, 3.2, palette["bone"], angle=side * 0.9, soft=1.5, strength=fade)
        canvas.ellipse(side * 17, 2, 2.6, 2.6, palette["vessel"], soft=0.8, strength=fade)
    low = ramp(z, -6, -20)
    canvas.ellipse(0, 24, 24, 21, palette["muscle"], soft=3, strength=low)
    canvas.ellipse(0, 58, 50, 26, palette["muscle"], soft=6, strength=low)
    spine = ramp(z, -14, -26)
    canvas.ellipse(0, 30, 21, 15, palette["bone"], soft=2, strength=spine)
    canvas.ellipse(0, 32, 13, 11.5, palette["csf"], soft=1.5, strength=spine)
    canvas.ellipse(0, 33, 6.5, 5, palette["cord"], soft=1, strength=spine)
    canvas.ellipse(0, 17, 6, 5, palette["bone"], soft=1.5, strength=spine)
    canvas.pair(27, 28, 9, 6, palette["bone"] * 0.7, soft=2, strength=spine)


def _nose(canvas: Canvas, z: float, front: float, palette: Palette, soft: Plane) -> None:
    bone, air, mucosa = palette["bone"], palette["cavity"], palette["mucosa"]
    cells = cap(z, 2, 20)
    if cells > 0:
        canvas.ellipse(0, front + 27, 13.5 * cells, 23 * cells, bone, soft=1, power=3)
        for side in (-1, 1):
            for row in range(4):
                width = 4.6 - 0.4 * abs(row - 1.5)
                canvas.ellipse(side * 6.6, front + 11 + 10.5 * row, width * cells, 4.6 * cells, air, soft=0.7, power=2.6)
    cavity = cap(z, -30, 27)
    nose = ramp(z, -48, -36) * ramp(z, 6, -10)
    canvas.ellipse(0, front - 2, 15 * nose, 15 * nose, palette["skin"], soft=1.5)
    canvas.ellipse(0, front + 24, 16.5 * cavity, 34 * cavity, mucosa, soft=1.2)
    for side in (-1, 1):
        canvas.ellipse(side * 5.8, front + 24, 3.0 * cavity, 30 * cavity, air, soft=1)
        for row, (width, length) in enumerate(((5.0, 14.0), (4.4, 11.0))):
            canvas.ellipse(side * (8.6 + row), front + 14 + 22 * row, width * cavity, length * cavity, mucosa, soft=1)
            canvas.ellipse(side * (8.6 + row), front + 14 + 22 * row, 0.9 * cavity, (length - 4) * cavity, bone, soft=0.8, strength=0.6)
        canvas.ellipse(side * 5.2, front - 3, 3.2 * nose, 7 * nose, air, soft=1)
    bend = 1.3 * np.sin((canvas.y - front) / 16)
    septum = np.clip((1.0 - np.abs(canvas.x - bend)) / 0.7, 0, 1) * canvas.mask(0, front + 20, 6, 32, soft=2)
    canvas.blend(septum * np.float32(min(1.0, cavity * 1.5)), bone * 0.35 + mucosa * 0.65)
    sinus = cap(z, -30, 21)
    if sinus > 0:
        for side in (-1, 1):
            x, y = side * 32, front + 27
            canvas.ellipse(x, y, 17.5 * sinus, 20.5 * sinus, bone, angle=side * -0.35, soft=1, power=2.4)
            canvas.ellipse(x, y, 16.2 * sinus, 19.2 * sinus, mucosa, angle=side * -0.35, soft=0.8, power=2.4)
            swollen = 3.6 if side > 0 else 0.9
            shape = soft * 0.9
            rim = canvas.radius(x, y, (16.2 - swollen) * sinus + 0.3, (19.2 - swollen) * sinus + 0.3, side * -0.35, 2.4)
            canvas.blend(np.clip((1 - rim) * 15 + shape * (1.6 if side > 0 else 0.3) + 0.5, 0, 1) * np.float32(min(1, sinus * 3)), air)
    throat = ramp(z, -8, -20)
    canvas.ellipse(0, front + 68, 13, 8, air, soft=1.5, strength=throat)
    canvas.pair(15, front + 69, 5, 7, mucosa, soft=1.5, strength=throat)


def _planes(canvas: Canvas, z: float, front: float, palette: Palette) -> None:
    """Fat in the cheeks and between the muscles of the nape."""
    lines = np.clip(1 - np.abs(texture_slice(texture(53, 64, 3, 7), canvas, z, 130.0)) / 0.16, 0, 1)
    low = np.float32(ramp(z, -4, -24))
    nape = canvas.mask(0, 66, 46, 22, soft=8)
    canvas.blend(lines * nape * low * 0.7, palette["fat"])
    for side in (-1, 1):
        canvas.ellipse(side * 49, front + 36, 4.5, 13, palette["fat"], angle=side * 0.2, soft=2, strength=float(low) * 0.9)
        canvas.ellipse(side * 30, front + 62, 3.5, 9, palette["fat"], angle=side * 0.5, soft=2, strength=float(low) * 0.8)
        canvas.ellipse(
            side * 44, 30, 8, 14, palette["muscle"] * 0.55 + palette["fat"] * 0.45, angle=side * 0.2, soft=2, strength=float(low) * 0.6
        )


def _jaw(canvas: Canvas, z: float, front: float, palette: Palette) -> None:
    bone = palette["bone"]
    ramus = ramp(z, -12, -24)
    canvas.pair(47, front + 62, 3.6, 15, bone, angle=0.12, soft=1, strength=ramus)
    canvas.pair(47, front + 62, 1.7, 12, palette["marrow"], angle=0.12, soft=1, strength=ramus)
    canvas.pair(54, front + 58, 5, 17, palette["muscle"], angle=0.12, soft=1.5, strength=ramus)
    canvas.pair(37, front + 66, 6.5, 12, palette["muscle"], angle=0.3, soft=1.5, strength=ramus)
    cheek = cap(z, -22, 14)
    canvas.pair(46, front + 22, 13 * cheek, 4.2 * cheek, bone, angle=0.75, soft=1)
    canvas.pair(52, front + 38, 2.2 * cheek, 16 * cheek, bone, angle=0.15, soft=1)
    canvas.pair(56, 26, 6, 12, palette["bone"] * 0.7, soft=3, strength=ramp(z, -38, -22))
    canvas.pair(29, 4, 4, 4, palette["vessel"], soft=1, strength=ramus)
    canvas.pair(33, 12, 5.5, 4.5, palette["vessel"] * 0.6 + palette["muscle"] * 0.4, soft=1, strength=ramus)
    palate = cap(z, -52, 4.5)
    canvas.ellipse(0, front + 24, 24 * palate, 28 * palate, bone, soft=1.5, strength=0.8)
    teeth = ramp(z, -50, -54)
    if teeth:
        canvas.ellipse(0, front + 28, 25, 26, palette["muscle"], soft=2, strength=teeth)
        for step in range(-6, 7):
            angle = step * 0.235
            x, y = 25 * np.sin(angle), front + 31 - 26 * np.cos(angle)
            canvas.ellipse(x, y, 3.0, 3.6, palette["tooth"], angle=angle, soft=0.8, strength=teeth)


def _neck(canvas: Canvas, z: float, palette: Palette) -> None:
    wide = ramp(z, -150, -200)
    chin = ramp(z, -100, -74)
    rx, ry = 58 + 34 * wide + 3 * chin, 62 + 8 * wide + 13 * chin
    canvas.ellipse(0, 6, rx, ry, palette["skin"], soft=1.2, power=2.2)
    canvas.ellipse(0, 6, rx - 2.5, ry - 2.5, palette["fat"], soft=1.2, power=2.2)
    canvas.ellipse(0, 9, rx - 9, ry - 9, palette["muscle"], soft=3, power=2.2)
    planes = texture_slice(texture(23, 64, 3, 8), canvas, z, 120.0)
    body = canvas.mask(0, 9, rx - 10, ry - 10, soft=3)
    canvas.blend(np.clip(1 - np.abs(planes) / 0.2, 0, 1) * body * 0.75, palette["fat"])
    disc = 0.5 + 0.5 * np.cos(z * 2 * np.pi / 17)
    canvas.pair(33, -6 + 8 * wide, 11, 15, palette["muscle"], angle=0.5, soft=2)
    canvas.ellipse(0, 14, 13, 10, palette["bone"] * (0.25 + 0.45 * disc), soft=1.5)
    canvas.ellipse(0, 14, 11, 8, palette["marrow"] * (0.4 + 0.4 * disc), soft=1.5)
    canvas.pair(16, 22, 7, 4, palette["bone"] * 0.6, soft=1.5)
    canvas.pair(13, 17, 2.2, 2.2, palette["vessel"], soft=0.8)
    canvas.ellipse(0, 30, 13, 10, palette["bone"] * 0.75, soft=1.5)
    canvas.ellipse(0, 29, 10.5, 7.5, palette["csf"], soft=1.2)
    canvas.ellipse(0, 29.5, 6, 4, palette["cord"], soft=1)
    canvas.ellipse(0, 44, 3, 10 * (0.5 + 0.5 * disc), palette["bone"], soft=1.5)
    larynx = cap(z, -118, 16)
    canvas.ellipse(0, -14, 20 * larynx, 17 * larynx, palette["cartilage"], soft=2)
    canvas.ellipse(0, -14, 17 * larynx, 14 * larynx, palette["muscle"], soft=2)
    canvas.pair(16, -14, 6.5 * cap(z, -148, 22), 13 * cap(z, -148, 22), palette["mucosa"] * 1.5, soft=1.5)
    canvas.ellipse(0, -13, 8.5, 9.5, palette["cartilage"], soft=1)
    canvas.ellipse(0, -13, 7.5, 8.5, palette["cavity"], soft=1)
    canvas.ellipse(3, 0, 5, 3.5, palette["muscle"], soft=1)
    jawbone = ramp(z, -96, -84)
    for step in range(-8, 9):
        angle = step * 0.17
        canvas.ellipse(44 * np.sin(angle), -8 - 44 * np.cos(angle), 8, 4.5, palette["bone"], angle=angle, soft=1.2, strength=jawbone)
    split = ramp(z, -112, -100)
    for side in (-1, 1):
        tight = 1 - 0.55 * np.exp(-(((z + 99) / 5) ** 2)) * (side < 0)
        canvas.ellipse(side * (23 + 3 * split), -2, 3.6 * tight, 3.6 * tight, palette["vessel"], soft=0.8)
        canvas.ellipse(side * 22, -9, 2.6 * split, 2.6 * split, palette["vessel"], soft=0.8)
        canvas.ellipse(side * 31, 2, 6, 4.5, palette["vessel"] * 0.55 + palette["muscle"] * 0.45, angle=side * 0.6, soft=1)
