"""Single pictures and loops that are drawn: chest films, marker cards, coronary angiograms, burn photographs, lumbar spine MR."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sandbox.recipes import chest
from sandbox.recipes.canvas import Canvas, blur, noise, texture
from sandbox.recipes.objects import Job, image, mr, put_pixels, sagittal


def _resize(picture: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _letter(picture: NDArray[np.float32], text: str, x: int, y: int, size: int, value: float) -> None:
    """A lead marker: letters in `value` at (x, y)."""
    layer = Image.new("L", (picture.shape[1], picture.shape[0]))
    ImageDraw.Draw(layer).text((x, y), text, fill=255, font=ImageFont.load_default(size))
    mask = np.asarray(layer, np.float32) / 255
    picture += mask * (value - picture)


def chest_film(job: Job, index: int) -> Dataset:
    view = job.word("view", "PA")
    small = job.small
    if small:
        lines = chest.projection(96, "LATERAL" if view == "LATERAL" else "PA", steps=40, vessels=False)
    else:
        lines = chest.projection(256, "LATERAL" if view == "LATERAL" else "PA", job.option("nodule"), job.option("heart", 1.0), 140)
    side = 512 if small else 1600
    dose = _resize(lines, side, round(side * 0.9))
    path = dose * (380 / lines.shape[1]) / 1000
    body = path[path > 20]
    low, high = np.percentile(body, (4, 99.0))
    flat = np.clip((path - low) / (high - low), -0.4, 1.1)
    # as a digital detector's processing does: fine detail lifted, broad differences pressed together
    fine, broad = flat - blur(flat, side / 200), blur(flat, side / 26)
    tone = np.sign(flat) * np.abs(flat) ** 0.85
    level = np.clip(0.16 + 0.68 * tone + 0.9 * (flat - broad) + 1.8 * fine, 0, 1.05)
    level[path < 6] = 0.02
    grain = noise(1024, 7, 0.8)
    level = level + 0.008 * np.tile(grain, (2, 2))[: level.shape[0], : level.shape[1]]
    # the heart lies to the right of the picture in both PA and AP as displayed
    _letter(level, "R" if view != "LATERAL" else "L", side // 16, side // 14, side // 18, 1.15)
    if view == "AP":
        _letter(level, "PORTABLE", side // 16, side // 7, side // 40, 1.1)
    ds = image("DX")
    ds.ViewPosition = "LL" if view == "LATERAL" else view
    ds.PatientOrientation = ["A", "F"] if view == "LATERAL" else ["L", "F"]
    ds.PresentationIntentType, ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "FOR PRESENTATION", "LOG", 1
    ds.PresentationLUTShape, ds.BurnedInAnnotation, ds.LossyImageCompression = "IDENTITY", "NO", "00"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.ImagerPixelSpacing = [round(380 / side, 4)] * 2
    ds.WindowCenter, ds.WindowWidth = 1850, 3700
    put_pixels(ds, np.clip(level * 3400 + 150, 0, 4095).astype("<u2"), stored=12)
    return ds


def side_marker(job: Job, index: int) -> Dataset:
    """A hand with its lead marker: proof that left stays left."""
    side = job.word("side", "R")
    sign = 1 if side == "R" else -1
    canvas = Canvas(384, 240.0, 120)

    def put(x: float, y: float, rx: float, ry: float, value: float, angle: float = 0.0) -> None:
        canvas.ellipse(sign * x, y, rx, ry, value, angle=sign * angle, soft=2.0)

    fingers = ((-44, -28, -0.42, 40), (-20, -52, -0.12, 52), (4, -57, 0.0, 57), (27, -50, 0.12, 51), (58, 8, 0.75, 40))
    for x, y, angle, length in fingers:
        put(x, y, 11, length, 900, angle)
    put(0, 30, 44, 42, 1000)
    put(0, 88, 28, 50, 1000)
    for x, y, angle, length in fingers:
        for place, part in ((-0.72, 0.16), (-0.32, 0.2), (0.18, 0.26), (0.82, 0.36)):
            cx, cy = x - np.sin(angle) * place * length, y + np.cos(angle) * place * length
            put(cx, cy, 5.2, part * length, 2300, angle)
            put(cx, cy, 2.6, part * length * 0.75, 1900, angle)
    for x, y in ((-16, 62), (-2, 60), (12, 62), (-12, 74), (4, 74), (18, 72)):
        put(x, y, 8, 7, 2300)
    put(-9, 106, 7.5, 26, 2500)
    put(12, 104, 9.5, 26, 2500)
    picture = canvas.pixels
    _letter(picture, side, 30 if side == "R" else 320, 40, 44, 4000)
    ds = image("DX")
    ds.ImageLaterality, ds.ViewPosition, ds.PatientOrientation = side, "PA", ["L" if side == "R" else "R", "F"]
    ds.PresentationIntentType, ds.PresentationLUTShape = "FOR PRESENTATION", "IDENTITY"
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.ImagerPixelSpacing = [0.625, 0.625]
    ds.WindowCenter, ds.WindowWidth = 1700, 3400
    put_pixels(ds, np.clip(picture + 22 * noise(384, 5), 0, 4095).astype("<u2"), stored=12)
    return ds


_ARMS = {
    "left": (((150, 120), (190, 150), (215, 185)), ((215, 185), (260, 215), (300, 265), (330, 330), (345, 400)),
             ((215, 185), (205, 240), (215, 300), (205, 370), (215, 430)), ((260, 215), (310, 225), (365, 260), (400, 300)),
             ((300, 265), (285, 320), (290, 370)), ((205, 240), (165, 285), (150, 345)), ((330, 330), (375, 360), (400, 400))),
    "right": (((140, 110), (180, 125), (215, 165)), ((215, 165), (240, 220), (235, 290), (205, 350)),
              ((205, 350), (240, 390), (300, 405), (360, 400)), ((205, 350), (175, 395), (170, 440)), ((240, 220), (285, 235), (320, 265)),
              ((300, 405), (330, 365), (345, 325))),
}  # fmt: skip


def angiogram(job: Job, index: int) -> Dataset:
    """A coronary run: contrast fills the tree from its root and washes out while the heart beats."""
    frames = 6 if job.small else int(job.option("frames", 48))
    arm = "right" if job.word("arm") == "right" or index else "left"
    size = 512
    back = _thorax(size)
    run = np.empty((frames, size, size), np.uint8)
    for k in range(frames):
        t = k / 15.0
        beat = np.sin(2 * np.pi * t * 1.1) ** 2
        layer = Image.new("L", (size, size))
        pen = ImageDraw.Draw(layer)
        reach = (t if not job.small else 2.0 + t) * 1.15
        for order, line in enumerate(_ARMS[arm]):
            _vessel(pen, line, order, beat, reach)
        catheter = [(60, 0), (95, 60), (125, 105), (150, 120)] if arm == "left" else [(50, 0), (90, 55), (120, 98), (140, 110)]
        pen.line(catheter, fill=120, width=5, joint="curve")
        dye = blur(np.asarray(layer, np.float32), 1.4)
        wash = np.clip(1.35 - t / 3.4, 0.15, 1)
        picture = back * (1 - 0.05 * beat) - dye * 0.52 * wash + 5.5 * noise(size, k + 17, 0.7)
        run[k] = np.clip(picture, 0, 255)
    ds = image("XA")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    ds.FrameTime, ds.CineRate, ds.RecommendedDisplayFrameRate = 66.67, 15, 15
    ds.FrameIncrementPointer = 0x00181063
    ds.KVP, ds.PixelIntensityRelationship = 78, "LIN"
    ds.PositionerPrimaryAngle, ds.PositionerSecondaryAngle = (-30, -20) if arm == "left" else (40, 0)
    ds.WindowCenter, ds.WindowWidth = 128, 256
    put_pixels(ds, run)
    return ds


def _vessel(pen: ImageDraw.ImageDraw, line: tuple[tuple[int, int], ...], order: int, beat: float, reach: float) -> None:
    points = np.array(line, float)
    steps = np.linspace(0, len(points) - 1, 60)
    x = np.interp(steps, np.arange(len(points)), points[:, 0])
    y = np.interp(steps, np.arange(len(points)), points[:, 1])
    wave = 6 * np.sin(steps * 2.3 + order * 1.7)
    x, y = x + wave + beat * (256 - x) * 0.07, y + wave * 0.4 + beat * (270 - y) * 0.10
    start = 0 if order == 0 else 0.35 + 0.18 * order
    width = (15 if order == 0 else 11 - order) * (1 - 0.5 * steps / steps[-1] * (order > 0))
    for k in range(59):
        filled = start + 1.1 * k / 59
        if filled > reach:
            break
        narrow = 0.38 if order == 1 and 18 < k < 23 else 1.0
        half = max(0.8, width[k] * narrow / 2)
        pen.ellipse((x[k] - half, y[k] - half, x[k] + half, y[k] + half), fill=235)
        pen.line((x[k], y[k], x[k + 1], y[k + 1]), fill=235, width=max(1, round(half * 2)))


@lru_cache(maxsize=2)
def _thorax(size: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    back = (
        150
        + 60 * np.exp(-((columns - 0.15) ** 2) / 0.05)
        - 55 * np.exp(-(((columns - 0.62) / 0.33) ** 2 + ((rows - 0.6) / 0.36) ** 2) * 1.4)
    )
    back -= 30 * np.exp(-(((columns - 0.05 - 0.1 * rows) / 0.07) ** 2))
    for k in range(6):
        line = rows - 0.02 - 0.19 * k - 0.28 * (columns - 0.5) ** 2 + 0.12 * columns
        back -= 13 * np.exp(-((line / 0.022) ** 2))
    dome = np.clip((rows - 0.86 + 0.25 * (columns - 0.4) ** 2) * 40, 0, 1)
    back -= 45 * dome
    lobes = texture(31, 64, 1, 9)[10]
    back += 5 * _resize(lobes, size, size)
    round_field = np.hypot(rows - 0.5, columns - 0.5)
    return np.where(round_field < 0.69, back, 0).astype(np.float32)


def burn_photo(job: Job, index: int) -> Dataset:
    """A forearm with a partial thickness burn, on a green drape, with a ruler."""
    width, height = (640, 480) if job.small else (1280, 960)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / width
    zoom = 1.0 - 0.16 * index
    x, y = (x - 0.5) * zoom + 0.5, (y - 0.375) * zoom + 0.375
    fine = _resize(texture(37, 64, 6, 30)[index], width, height)
    coarse = _resize(texture(41, 64, 1, 6)[index], width, height)
    middle = 0.37 + 0.05 * np.sin(3.0 * x) + 0.02 * x
    half = 0.135 + 0.035 * np.sin(2.4 * x + 0.4)
    across = (y - middle) / half
    arm = np.clip((1 - np.abs(across)) * half * width / 2.5, 0, 1)
    light = np.sqrt(np.clip(1 - across**2, 0, 1)) * 0.75 + 0.32 - 0.12 * across
    skin = np.stack([0.80 - 0 * x, 0.60 - 0 * x, 0.49 - 0 * x], -1) * (1 + 0.018 * fine + 0.03 * coarse)[..., None]
    distance = np.hypot((x - 0.55) / 0.20, (across - 0.02) / 0.62) + 0.13 * coarse
    stage = job.option("stage")
    for edge, colour, amount in ((1.30, (0.80, 0.40, 0.34), 0.65), (1.0, (0.72, 0.22, 0.19), 0.85),
                                 (0.62, (0.60, 0.13, 0.13) if not stage else (0.74, 0.46, 0.38), 0.8),
                                 (0.30, (0.88, 0.74, 0.62), 0.7)):  # fmt: skip
        part = np.clip((edge - distance) * 7 + 0.12 * fine, 0, 1)[..., None] * amount
        skin = skin + part * (np.array(colour, np.float32) - skin)
    wet = np.clip((0.9 - distance) * 4, 0, 1) * np.clip(fine + 0.9 * coarse - 1.7, 0, 1) * 0.6
    skin = skin * light[..., None] + wet[..., None]
    folds = 0.9 + 0.1 * np.sin(18 * x + 6 * y + 2.2 * coarse) * 0.4 + 0.03 * fine
    drape = np.stack([0.10 * folds, 0.33 * folds, 0.27 * folds], -1)
    shade = 1 - 0.45 * np.exp(-np.abs(np.clip(np.abs(across) - 1, 0, 9)) * 5)
    scene = drape * shade[..., None] * (1 - arm[..., None]) + skin * arm[..., None]
    picture = Image.fromarray(np.clip(scene * 255, 0, 255).astype(np.uint8))
    _ruler(ImageDraw.Draw(picture), width, height)
    ds = image("SCRGB" if job.option("secondary") else "VL")
    if job.option("secondary"):
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        ds.ConversionType = "DI"
    ds.ImageType = ["ORIGINAL", "PRIMARY"] if not job.option("secondary") else ["DERIVED", "SECONDARY"]
    ds.Laterality, ds.BurnedInAnnotation = "L", "NO"
    ds.AcquisitionContextSequence = Sequence()
    ds.LossyImageCompression = "01"
    put_pixels(ds, np.asarray(picture), photometric="RGB")
    return ds


def _ruler(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
    left, top, unit = width // 8, int(height * 0.88), width // 26
    pen.rectangle((left, top, left + unit * 15 + 12, top + height // 14), fill=(238, 236, 228))
    for k in range(16):
        pen.line((left + 6 + k * unit, top, left + 6 + k * unit, top + height // 40), fill=(20, 20, 20), width=2)
        pen.text((left + 2 + k * unit, top + height // 34), str(k), fill=(20, 20, 20), font=ImageFont.load_default(width // 64))
    pen.text((left + unit * 15 - 14, top + height // 20), "cm", fill=(20, 20, 20), font=ImageFont.load_default(width // 80))


def lumbar_mr(job: Job, index: int) -> Dataset:
    """Sagittal lumbar spine: bodies, discs (the lowest two dried out), sac, cord and roots."""
    t2 = job.word("weight") == "t2"
    tissue = {"fat": 760, "muscle": 190, "bone": 430, "cortex": 40, "disc": 820, "dry": 170, "csf": 980, "cord": 330, "gut": 330} if t2 else {
        "fat": 940, "muscle": 330, "bone": 560, "cortex": 40, "disc": 360, "dry": 330, "csf": 130, "cord": 470, "gut": 380}  # fmt: skip
    x = (index - (job.count - 1) / 2) * 4.4 * (15 / job.count)
    middle = max(0.0, 1 - (abs(x) / 13) ** 4)
    canvas = Canvas(384, 300.0, 8)
    canvas.ellipse(-8, 0, 118, 260, tissue["fat"], soft=3, power=4)
    canvas.ellipse(-48, 0, 62, 250, tissue["gut"], soft=5, power=4)
    lobes = texture(43, 64, 2, 9)[index % 64]
    canvas.blend(canvas.mask(-52, 0, 56, 250, soft=6, power=4) * 0.5, tissue["gut"] + 190 * _resize(lobes, 384, 384))
    canvas.ellipse(52, 10, 24, 240, tissue["muscle"], soft=4, power=4)
    canvas.ellipse(-20, -30, 7.5, 170, 30 if t2 else 60, soft=1.5, angle=0.05, strength=middle)
    previous = None
    for level in range(8):
        y = -150 + 37.5 * level
        cx = 4 - 15 * np.sin((y + 40) / 62.0) * (1 if y > -60 else 0.4)
        tilt = 0.16 * np.cos((y + 40) / 62.0)
        marrow = tissue["bone"] + 25 * np.sin(level * 2.0)
        canvas.ellipse(cx, y, 18.5, 14.5, tissue["cortex"], angle=tilt, soft=1, power=4, strength=min(1, 0.35 + middle))
        canvas.ellipse(cx, y, 17.3, 13.3, marrow, angle=tilt, soft=1, power=4, strength=min(1, 0.4 + middle))
        if previous is not None:
            dry = level >= 6
            mx, my = (cx + previous[0]) / 2, (y + previous[1]) / 2
            canvas.ellipse(
                mx + (2.5 if dry else 0), my, 18.5 if dry else 17, 3.0 if dry else 4.1, tissue["dry"] * 0.8, angle=tilt, soft=1, power=3
            )
            if not dry:
                canvas.ellipse(mx, my, 12, 2.6, tissue["disc"], angle=tilt, soft=1.2)
        previous = (cx, y)
        sac = 7.6 * middle
        for step in range(6):
            sy = y - 18.75 + step * 6.25
            sx = 4 - 15 * np.sin((sy + 40) / 62.0) * (1 if sy > -60 else 0.4) + 27
            squeeze = 0.62 if level >= 6 and abs(sy - (y - 18.75)) < 7 else 1.0
            canvas.ellipse(sx, sy, sac * squeeze, 5.5, tissue["csf"], soft=2)
            if sy < -58:
                canvas.ellipse(sx, sy, 3.6 * middle, 5.5, tissue["cord"], soft=1.2)
            else:
                canvas.ellipse(sx + 2.6, sy, 1.5 * middle, 5.5, tissue["cord"], soft=1.2, strength=0.7)
        canvas.ellipse(cx + 50, y + 10, 15 * middle, 7.5, tissue["bone"], soft=1.2, power=3, angle=0.35)
    coil = np.exp(-np.linspace(-0.9, 0.5, 384, dtype=np.float32) * 0.75)[None, ::-1]
    picture = blur(canvas.pixels, 0.7) * coil
    grain = noise(384, index + 60, 0.7), noise(384, index + 160, 0.7)
    ds = mr(np.hypot(picture + 14 * grain[0], 14 * grain[1]), weight="t2" if t2 else "t1", centre=480, width=1000)
    sagittal(ds, job.study, size=384, field=300.0, x=x, thickness=4.0)
    return ds


def liver_ultrasound(job: Job, index: int) -> Dataset:
    """A curved-array picture: skin line, liver with veins, diaphragm, and a corner of the kidney."""
    height, width = (300, 400) if job.small else (600, 800)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / height, y / height + 0.06
    depth, angle = np.hypot(x, y + 0.22) - 0.30, np.arctan2(x, y + 0.22)
    inside = np.clip((0.78 - depth) * 60, 0, 1) * np.clip(depth * 90, 0, 1) * np.clip((0.62 - np.abs(angle)) * 60, 0, 1)
    coarse = _resize(texture(47, 64, 2, 10)[7 + index], width, height)
    tissue = 0.34 + 0.02 * coarse
    for cx, cy, rx, ry, turn in (
        (-0.10, 0.42, 0.17, 0.022, 0.5),
        (0.08, 0.36, 0.14, 0.018, -0.35),
        (-0.02, 0.60, 0.05, 0.045, 0),
        (0.20, 0.58, 0.03, 0.02, 0),
    ):
        c, s = np.cos(turn), np.sin(turn)
        ring = np.hypot((c * (x - cx) + s * (y - cy)) / rx, (c * (y - cy) - s * (x - cx)) / ry) + 0.06 * coarse
        wall = np.exp(-(((ring - 1.12) / 0.16) ** 2)) * 0.22 * (abs(turn) < 0.45)
        tissue = np.where(ring < 1, 0.035, tissue + wall)
    kidney = np.hypot((x - 0.30) / 0.17, (y - 0.66) / 0.10) + 0.05 * coarse
    tissue = np.where(kidney < 1, np.where(kidney < 0.5, 0.52, 0.17), tissue)
    line = depth - 0.66 - 0.35 * (x + 0.08) ** 2
    tissue = tissue + 0.75 * np.exp(-((line / 0.010) ** 2)) * (x < 0.22)
    tissue = np.where(line > 0.02, tissue * 0.45, tissue)
    tissue = tissue + 0.5 * np.exp(-(((depth - 0.035 - 0.004 * coarse) / 0.012) ** 2)) + 0.22 * np.exp(-(((depth - 0.085) / 0.01) ** 2))
    # speckle is finer along the beam than across it
    fine = noise(1024, 11 + index, 0.9) + 1j * noise(1024, 99 + index, 0.9)
    rows = np.clip(depth * 620, 0, 1023).astype(int)
    columns = np.clip((angle + 0.7) * 330, 0, 1023).astype(int)
    speckle = np.abs(fine[rows, columns]) / 1.25
    picture = inside * np.clip(tissue * (0.45 + 0.55 * speckle) * np.exp(-0.35 * np.clip(depth, 0, 1)), 0, 1)
    grey = Image.fromarray(np.clip(blur(picture.astype(np.float32), 0.6) * 290, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(grey)
    for k in range(9):
        pen.line((width - 16, int(height * (0.1 + k * 0.095)), width - 8, int(height * (0.1 + k * 0.095))), fill=150)
    for k in range(64):
        pen.line((14, height // 4 + k * 2, 24, height // 4 + k * 2), fill=255 - 4 * k, width=2)
    ds = image("US")
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    put_pixels(ds, np.repeat(np.asarray(grey)[..., None], 3, -1), photometric="RGB")
    return ds
