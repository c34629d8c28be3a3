"""The address at which another viewer opens a study. Only identifiers of that study go in, each quoted whole; never a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from smart_app.config_viewers import ExternalViewer

_PLACE = re.compile(r"\{(study_uid|accession|patient_id)\}")


class Lacks(Exception):
    """The study has no such number, and this viewer cannot do without. The message is that number's name."""


@dataclass(frozen=True)
class Numbers:
    """What may stand in an address."""

    study_uid: str
    accession: str = ""
    patient_id: str = ""


def viewers_for(viewers: Sequence[ExternalViewer], archive: str) -> list[ExternalViewer]:
    """Those that can show studies of this archive, in the site's order."""
    return [one for one in viewers if not one.archives or archive in one.archives]


def ways_to(viewers: Sequence[ExternalViewer], handle: str, archive: str, study: str) -> list[dict[str, str]]:
    """Name and our own address, by which the way out is recorded first."""
    return [{"name": one.name, "href": f"/l/{handle}/elsewhere/{one.key}/{archive}/{study}"} for one in viewers_for(viewers, archive)]


def address_of(viewer: ExternalViewer, numbers: Numbers) -> str:
    """:raises Lacks: a number that the template wants is not known."""
    if viewer.kind == "iid":
        return f"{viewer.url}?{urlencode({'requestType': 'STUDY', 'studyUID': numbers.study_uid})}"

    def filled(place: re.Match[str]) -> str:
        value = "" if place[1] == "patient_id" and not viewer.with_patient_id else getattr(numbers, place[1])
        # A dot alone would walk the path; quoted it stays a number.
        if not value or set(value) <= {"."}:
            raise Lacks(place[1].replace("_", " "))
        return quote(value, safe="")

    return _PLACE.sub(filled, viewer.url)
