"""What the audit says of the image desk: which requests were shown to whom, which codes were told, what was taken out as a file.

A list names many patients: its record holds the requests, and each request's own records name its patient.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event


@dataclass(frozen=True, kw_only=True)
class DeskShown(Event):
    """A page of the work list went out. `searched`: somebody looked for words; they are not here, they may name a patient."""

    view: str
    count: int = 0
    searched: str = ""
    requests: str = ""
    """Their numbers, joined by commas."""
    code = "110112"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class DeskExported(Event):
    """The work list, its phone list or its sheets were taken out. `what`: `csv`, `phone-list` or `sheets`."""

    what: str
    count: int = 0
    requests: str = ""
    code = "110106"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class RequestShown(Event):
    """One request with its patient and timeline was shown."""

    request: str
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class CodeShown(Event):
    """The code that opens a link was shown, to be told by phone."""

    request: str
    code = "110113"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class PatientSought(Event):
    """The EHR was asked for a patient by number, to ask for images without a chart. `count`: how many it named."""

    count: int = 0
    code = "110112"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class WorkTriedAgain(Event):
    """A person had work tried again that had failed."""

    kind: str
    key: str
    code = "110100"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class FacilitySaved(Event):
    """A hospital of the directory was added or changed: where requests go from now on."""

    facility: str
    is_new: str = ""
    code = "110100"
    verb = "U"
