"""The reasons a person may give, in their words, and what each is called in an audit. Data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Reason:
    words: str
    purpose: str
    """HL7 v3 ActReason, PurposeOfUse: `ETREAT` emergency treatment, `BTG` break the glass."""


REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        "emergency": Reason("Emergency treatment now", "ETREAT"),
        "unconscious": Reason("The patient cannot be asked, and care cannot wait", "ETREAT"),
        "patient-agrees": Reason("The patient agrees, and is being treated by me", "BTG"),
        "safety": Reason("Needed for the safety of the patient or others", "BTG"),
        "other": Reason("Another reason, given below", "BTG"),
    }
)
TEXT_LEAST, TEXT_MOST = 10, 500
"""Letters of the reason in the person's own words."""


def understood(code: str, text: str) -> str | None:
    """The text, tidied; None: there is no such reason, or it says too little to be reviewed."""
    tidy = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return tidy if code in REASONS and TEXT_LEAST <= len(tidy) <= TEXT_MOST else None
