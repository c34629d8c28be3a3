"""What the audit says of marks and of pictures that were taken out: whose study, how many, never what a mark says."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class MarksShown(Event):
    """A person's own marks on a study were shown to that person."""

    study: str
    count: int = 0
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class MarksSaved(Event):
    """A person's marks on a study were kept for that person. `count`: how many there are now."""

    study: str
    count: int = 0
    code = "110103"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class MarksToArchive(Event):
    """A person had their marks written to the archive. `step`: `asked`, `stored` (read back) or `refused`."""

    study: str
    archive: str
    instance: str
    step: str
    count: int = 0
    code = "110107"
    verb = "C"


@dataclass(frozen=True, kw_only=True)
class MarksForgotten(Event):
    """All marks on one patient's images were removed on request."""

    count: int = 0
    code = "110103"
    verb = "D"


@dataclass(frozen=True, kw_only=True)
class PictureExported(Event):
    """One image was taken out as a picture. `identity`: `with` or `without` the patient's name on it."""

    study: str
    archive: str
    series: str
    instance: str
    frame: int
    identity: str
    code = "110106"
    verb = "R"
