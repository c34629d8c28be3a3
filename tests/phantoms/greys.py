"""The phantoms of values: every way in which a stored number becomes a grey or a colour. Data only."""

from __future__ import annotations

import numpy as np

from tests.phantoms.objects import Phantom, lut

CURVE = np.round(4095 * (np.arange(4096) / 4095) ** 2).astype(np.int64)
STAIRS = np.array([0, 160, 360, 520, 720, 1023], dtype=np.int64)
"""Of 10 bits: pydicom wraps the index of a table of 8 bits at 256."""
HU = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "WindowCenter": "40", "WindowWidth": "400"}

GREYS = [
    Phantom("HU in a soft tissue window", module=HU),
    Phantom("The first of two windows", module={**HU, "WindowCenter": ["40", "-600"], "WindowWidth": ["2000", "1500"]}),
    Phantom("Linear exact", module={**HU, "VOILUTFunction": "LINEAR_EXACT", "WindowWidth": "3000", "WindowCenter": "500"}),
    Phantom("Sigmoid", module={**HU, "VOILUTFunction": "SIGMOID", "WindowWidth": "1500", "WindowCenter": "700"}),
    Phantom("Linear exact below one", high=2000, module={"RescaleSlope": "0.001", "RescaleIntercept": "0", "WindowCenter": "1.0", "WindowWidth": "0.8", "VOILUTFunction": "LINEAR_EXACT"}),
    Phantom("Window of width 0", module={**HU, "WindowWidth": "0"}),
    Phantom("Window absent", low=200, high=3000),
    Phantom("White is low", module={**HU, "WindowWidth": "3000", "WindowCenter": "600", "PhotometricInterpretation": "MONOCHROME1"}),
    Phantom("White is low and no window", low=100, high=900, module={"PhotometricInterpretation": "MONOCHROME1"}),
    Phantom("Slope below zero", module={"RescaleSlope": "-1.5", "RescaleIntercept": "100.25", "WindowCenter": "-2900", "WindowWidth": "5000"}),
    Phantom("Fraction of a slope", module={"RescaleSlope": "0.125", "RescaleIntercept": "-10.5", "WindowCenter": "240", "WindowWidth": "480"}),
    Phantom("Signed 12 of 16 bits", low=-2048, high=2047, signed=True, module={"WindowCenter": "0", "WindowWidth": "3600"}),
    Phantom("Signed 16 bits", low=-32768, high=32767, stored=16, signed=True, module={"WindowCenter": "-3000", "WindowWidth": "50000"}),
    Phantom("Unsigned 16 bits", high=65535, stored=16, module={"WindowCenter": "30000", "WindowWidth": "60000"}),
    Phantom("Signed 8 bits", low=-128, high=127, stored=8, allocated=8, signed=True, module={"WindowCenter": "0", "WindowWidth": "220"}),
    Phantom("Unsigned 8 bits", high=255, stored=8, allocated=8, module={"WindowCenter": "128", "WindowWidth": "256"}),
    Phantom("Upper 12 of 16 bits", high_bit=15, module=HU | {"WindowWidth": "3500", "WindowCenter": "900"}),
    Phantom("Signed, bits 2 to 13", low=-2048, high=2047, signed=True, high_bit=13, module={"WindowCenter": "0", "WindowWidth": "3600"}),
    Phantom("Modality table", module={"ModalityLUTSequence": lut(0, 16, CURVE), "WindowCenter": "2000", "WindowWidth": "4000"}),
    Phantom("VOI table", module={"VOILUTSequence": lut(0, 12, CURVE)}),
    Phantom("VOI table of 6 entries after HU", module={"RescaleSlope": "1", "RescaleIntercept": "-1024", "VOILUTSequence": lut(-3, 10, STAIRS)}),
    Phantom("Both tables", module={"ModalityLUTSequence": lut(0, 16, CURVE), "VOILUTSequence": lut(0, 12, 4095 - CURVE)}),
]  # fmt: skip

COLOURS = [
    Phantom("RGB", colour="RGB"),
    Phantom("RGB by planes", colour="RGB", module={"PlanarConfiguration": 1}),
    Phantom("YBR full", colour="YBR_FULL"),
    Phantom("YBR full 4 2 2", colour="YBR_FULL_422"),
    Phantom("Palette", colour="PALETTE COLOR"),
]

SHAPES = [
    Phantom("Tall pixels", module={**HU, "PixelSpacing": ["1.5", "0.75"], "WindowWidth": "3000", "WindowCenter": "600"}),
    Phantom("Wide pixels by aspect alone", module={**HU, "PixelAspectRatio": ["3", "5"], "WindowWidth": "3000", "WindowCenter": "600"}),
]
