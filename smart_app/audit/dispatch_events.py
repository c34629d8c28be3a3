"""What the audit says of paper: a sheet names a patient. Messages name none, and are told by the request's own changes."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class SheetExported(Event):
    """A sheet that names the patient, and holds the link and its code, was given out as a file (DICOM 110106, Export)."""

    request: str
    route: str
    code = "110106"
    verb = "R"
