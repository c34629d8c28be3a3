"""What a series is, by its modality: images, or something else that is named and explained in a plain sentence. Data only."""

from __future__ import annotations

from dataclasses import dataclass

IMAGES = frozenset(
    ["CT", "MR", "CR", "DX", "MG", "US", "XA", "RF", "NM", "PT", "IO", "PX", "OT", "SC", "ES", "GM", "XC", "OP", "OPT", "OPM", "OPTBSV", "OCT", "IVOCT", "IVUS", "RG", "DG", "TG", "LS", "BDUS", "BMD", "RTIMAGE", "DSA", "CF", "DF", "VF", "EC", "AS", "CS", "CP", "DM", "FA", "FS", "LP", "MA", "MS", "ST", "HC", "CFM", "DMS"]
)


@dataclass(frozen=True)
class Kind:
    kind: str
    """`images`, `paper` (read here like a page) or `document` (listed, not drawn)."""
    word: str = ""
    sentence: str = ""
    """Why it cannot be drawn; empty when it can be drawn or read."""


def _paper(word: str) -> Kind:
    return Kind("paper", word)


def _document(word: str, why: str) -> Kind:
    return Kind("document", word, why)


_MARKS = "It marks or measures other images and has no picture of its own."
_WAVE = "It holds curves over time, which are not drawn here."
_RT = "It belongs to treatment planning and is not drawn here."

OTHER = {
    "SR": _paper("Structured report"),
    "DOC": _document("Document", "It holds a document, not images. It is not opened here."),
    "KO": _paper("Key image note"),
    "PR": _document("Presentation state", "It says how other images were displayed and has no picture of its own."),
    "SEG": _document("Segmentation", "It outlines regions of other images and is not drawn over them here."),
    "RTSTRUCT": _document("Treatment contours", _RT),
    "RTPLAN": _document("Treatment plan", _RT),
    "RTDOSE": _document("Treatment dose", _RT),
    "RTRECORD": _document("Treatment record", _RT),
    "RTINTENT": _document("Treatment intent", _RT),
    "RTSEGANN": _document("Treatment annotation", _RT),
    "PLAN": _document("Plan", _RT),
    "ECG": _paper("ECG"),
    "HD": _document("Haemodynamic curves", _WAVE),
    "EPS": _document("Electrophysiology curves", _WAVE),
    "RESP": _document("Respiratory curves", _WAVE),
    "EEG": _document("EEG", _WAVE),
    "EMG": _document("EMG", _WAVE),
    "EOG": _document("EOG", _WAVE),
    "POS": _document("Position curves", _WAVE),
    "AU": _document("Audio recording", "It holds sound, which is not played here."),
    "SM": _document("Microscope slide", "Whole slides are too large for this viewer. Open it in the pathology viewer."),
    "M3D": _document("3D object", "This kind of object (3D object) cannot be drawn here."),
    "REG": _document("Registration", "It says how other images fit together and has no picture of its own."),
    "FID": _document("Fiducial points", _MARKS),
    "ANN": _document("Annotations", _MARKS),
    "RWV": _document("Value map", "It says what the values of other images mean and has no picture of its own."),
    "SMR": _document("Stereometric relationship", "It pairs other images and has no picture of its own."),
    "SRF": _document("Refraction measurements", "It holds eye measurements, which are not shown here."),
    "AR": _document("Autorefraction", "It holds eye measurements, which are not shown here."),
    "KER": _document("Keratometry", "It holds eye measurements, which are not shown here."),
    "LEN": _document("Lensometry", "It holds eye measurements, which are not shown here."),
    "VA": _document("Visual acuity", "It holds eye measurements, which are not shown here."),
    "OAM": _document("Eye axis measurements", "It holds eye measurements, which are not shown here."),
    "IOL": _document("Lens calculation", "It holds eye measurements, which are not shown here."),
    "OPV": _document("Visual field", "It holds eye measurements, which are not shown here."),
    "PLETH": _document("Pulse curves", _WAVE),
    "ASMT": _document("Content assessment", "It holds an assessment of other objects, which is not shown here."),
    "CTPROTOCOL": _document("CT protocol", "It holds scanner settings, not images."),
    "XAPROTOCOL": _document("X-ray protocol", "It holds scanner settings, not images."),
    "HANGING": _document("Hanging protocol", "It holds a layout, not images."),
    "STAIN": _document("Stain record", "It holds laboratory data, not images."),
    "TEXTUREMAP": _document("Surface texture", "This kind of object (surface texture) cannot be drawn here."),
}


def kind_of(modality: str | None) -> Kind:
    """An unknown modality is tried as images, and says so: it may well have a picture."""
    if modality in OTHER:
        return OTHER[modality]
    if modality in IMAGES:
        return Kind("images")
    if modality is None:
        return Kind("images", "Kind not given", "The archive does not say what this is. It is drawn if it holds images.")
    return Kind("images", f"Unknown kind ({modality[:16]})", "This kind is not known here. It is drawn if it holds images.")
