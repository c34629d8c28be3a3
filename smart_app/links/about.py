"""What a link without a request is about: sealed with the link, read again by the portal and by whoever decides where its images belong."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json


@dataclass(frozen=True)
class About:
    title: str = ""
    """What is wanted, in the words of whoever made it. Shown after proof."""
    initials: str = ""
    birth_date: str = ""
    """ISO; asked for as proof when it is known."""
    sender: str = ""
    """Who was given the link."""
    issuer: str = ""
    patient: str = ""
    """Key of the EHR and FHIR id, where the patient is known."""
    whom: str = ""
    """The patient in full, as whoever made the link wrote it; for whoever decides where the images belong."""
    launch: str = ""
    """For a photo: the launch it was asked from, as records name it."""
    by: str = ""
    """For a photo: who asked."""


_ABOUT = TypeAdapter(About)


def write_about(about: About) -> str:
    return to_json(about).decode()


def read_about(sealed: str) -> About:
    """What was written; nothing at all when it was something else."""
    try:
        return _ABOUT.validate_json(sealed) if sealed else About()
    except ValidationError:
        return About()
