"""Kinds of imaging: which are the same, which are read against each other where, and how orders name them.

The relations are the working rules of reading rooms, not a standard; they decide an order of rows, never what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from smart_app.studies.terms.anatomy import ABDOMEN, ARM, BREAST, CHEST, HEAD, HEART, LEG, NECK, PELVIS, SPINE, WHOLE

SAME = {"DX": "XR", "CR": "XR", "RG": "XR", "PET": "PT", "MRI": "MR", "CTA": "CT", "MRA": "MR", "ECHO": "US", "ST": "NM"}
"""Codes that the list does not tell apart (DICOM CID 29, and words that stand for a code)."""

BONE = frozenset({"XR", "CT", "MR"})
RELATED: Mapping[str, frozenset[str]] = {
    HEAD: frozenset({"CT", "MR", "PT", "XA", "NM"}),
    NECK: frozenset({"CT", "MR", "US", "XA", "PT"}),
    CHEST: frozenset({"XR", "CT", "PT", "MR"}),
    HEART: frozenset({"US", "XA", "CT", "MR", "NM", "ECG", "IVUS"}),
    BREAST: frozenset({"MG", "US", "MR"}),
    ABDOMEN: frozenset({"CT", "MR", "US", "PT"}),
    PELVIS: frozenset({"CT", "MR", "US", "PT", "XR"}),
    SPINE: BONE, ARM: BONE, LEG: BONE,
    WHOLE: frozenset({"PT", "CT", "MR", "NM"}),
}  # fmt: skip
"""Region -> modalities that answer the same kind of question there."""

SPOKEN = {"XR": "X-ray", "MR": "MRI", "PT": "PET", "US": "ultrasound", "NM": "nuclear medicine", "MG": "mammogram", "XA": "angiogram", "RF": "fluoroscopy",
          "XC": "photographs", "ES": "endoscopy", "SM": "microscopy", "OT": "other images", "SR": "document", "DOC": "document"}  # fmt: skip
"""Code -> word inside a sentence; a code without one is said as it is (`CT`)."""

NAMED = (
    (r"PET", "PT"), (r"(?i:positron)", "PT"), (r"CT[AP]?|CTPA", "CT"), (r"(?i:computed tomogra\w*|cat scan)", "CT"), (r"MR[IAV]?|MRCP", "MR"), (r"(?i:magnetic resonance)", "MR"),
    (r"(?i:mammo\w*|tomosynthesis)|MG", "MG"), (r"(?i:echocardio\w*|echo)|TTE|TEE|TOE", "US"), (r"US|(?i:ultraso\w*|sonogra\w*|doppler|duplex)", "US"),
    (r"(?i:bone scan|scinti\w*|spect|muga)|NM", "NM"), (r"(?i:coronary angiogra\w*|cardiac catheter\w*|catheteri[sz]ation|angiogra\w*)|XA", "XA"),
    (r"(?i:fluoro\w*|barium|swallow)|RF", "RF"), (r"E[CK]G|(?i:electrocardiogra\w*)", "ECG"), (r"CXR|XR|DX|CR|(?i:x-?rays?|radiogra\w*|plain films?|\d views?)", "XR"),
)  # fmt: skip
"""How orders name a modality; the first row that is found anywhere in the text counts. Bare codes only in capitals: `us` is a word."""
