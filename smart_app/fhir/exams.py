"""Which imaging a FHIR resource speaks of, by its codes or by its words. Tables; what neither tells stays unknown.

HL7 v2 table 0074 (diagnostic service section), SNOMED CT imaging procedures, LOINC, DICOM modality codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from smart_app.fhir.wire import codings, items, text

IMAGING = "imaging"
OUR_ORDERS = "urn:priors:order"
"""System of the code on orders that Priors itself writes into a chart: they ask for images, and are evidence of none."""
SECTIONS = {
    "RAD": "", "RUS": "US", "CUS": "US", "OUS": "US", "VUS": "US", "CT": "CT", "NMR": "MR", "NMS": "NM", "RX": "XR", "XRC": "RF", "CTH": "XA", "EC": "ECG",
}  # fmt: skip
"""v2-0074 -> modality; empty: imaging of a kind that the section does not tell."""
CONCEPTS = {
    "363679005": "", "394914008": "", "LP29684-5": "", "18748-4": "", "85430-7": "", "68604-8": "", "77477000": "CT", "113091000": "MR", "16310003": "US",
    "363680008": "XR", "168537006": "XR", "399208008": "XR", "71651007": "MG", "24623002": "MG", "82918005": "PT", "105371005": "NM", "40701008": "US",
    "433236007": "US", "77343006": "XA", "33367005": "XA", "44491008": "RF", "41976001": "XA", "29303009": "ECG",
}  # fmt: skip
"""SNOMED CT and LOINC codes -> modality."""
WORDS = (
    ("PT", r"PET|(?i:positron emission)"),
    ("CT", r"CT|CTA|CTP|CTPA|CTV|CAT scan|HRCT|(?i:computed tomogra\w*)"),
    ("MR", r"MRI?|MRA|MRV|MRCP|fMRI|(?i:magnetic resonance)"),
    ("MG", r"(?i:mammo\w*|breast tomosynthesis)"),
    ("US", r"US|TTE|TOE|TEE|(?i:ultrasou\w*|sonogra\w*|echo|echocardio\w*|duplex|doppler)"),
    ("NM", r"NM|SPECT|DEXA scan|(?i:bone scan|scintigra\w*|nuclear medicine|radionuclide|ventilation.perfusion)"),
    ("XA", r"(?i:angiogra\w*|arteriogra\w*|cardiac cath\w*|venogra\w*)"),
    ("RF", r"(?i:fluoro\w*|barium|swallow study|upper gi series|myelogra\w*)"),
    ("XR", r"CXR|KUB|(?i:x.?rays?|radiogra\w*|plain films?|films?|\d views?)"),
    ("ECG", r"ECG|EKG|(?i:electrocardiogra\w*)"),
)
"""Short forms in capitals only: `us` and `mr` are words of other things."""
GENERIC = re.compile(r"(?i)(diagnostic )?(imaging|radiology)( (study|studies|report|procedure|order|note))*|study report|report|document|unknown")
_WORDS = tuple((modality, re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])")) for modality, pattern in WORDS)
_SCANS = frozenset({"PT", "CT", "MR"})


def modality_words(said: str) -> tuple[str, ...]:
    """Modalities that a text names. `CT angiogram` is CT: a scan's name comes before what it looks at."""
    found = [modality for modality, pattern in _WORDS if pattern.search(said)]
    scans = [modality for modality in found if modality in _SCANS]
    return tuple(scans or found[:1])


def coded(*values: Any) -> tuple[bool, tuple[str, ...]]:
    """Whether any of these CodeableConcepts is a code of imaging, and the modalities that the codes tell."""
    imaging, found = False, dict[str, None]()
    for coding in (coding for value in values for coding in codings(value)):
        code, system = text(coding.get("code")) or "", text(coding.get("system")) or ""
        modality = SECTIONS.get(code) if not system or system.endswith("v2-0074") else CONCEPTS.get(code)
        if system.endswith("/DCM") and re.fullmatch(r"[A-Z]{2,6}", code):
            modality = code
        if modality is not None:
            imaging = True
            found |= {modality: None} if modality else {}
    return imaging, tuple(found)


def says_imaging(*values: Any) -> bool:
    """Whether a category's own words are 'imaging' or 'radiology', for EHRs that categorise with codes of their own."""
    return any(re.search(r"(?i)imaging|radiolog", said) for said in words_of(*values))


def words_of(*values: Any) -> list[str]:
    """Texts and displays of CodeableConcepts, the concept's own text first."""
    found: list[str] = []
    for value in values:
        found += [said for item in items(value) if (said := text(item.get("text")))]
        found += [said for coding in codings(value) if (said := text(coding.get("display")))]
    return found


def title_of(candidates: Iterable[str | None]) -> str:
    """The first text that says more than 'imaging study'; empty when there is none."""
    return next((said for said in candidates if said and not GENERIC.fullmatch(said.strip())), "")


def is_our_own(resource: Mapping[str, Any]) -> bool:
    """Whether Priors wrote this order: a request for outside images says nothing of what was done or is planned here."""
    return any(coding.get("system") == OUR_ORDERS for coding in codings(resource.get("code")))
