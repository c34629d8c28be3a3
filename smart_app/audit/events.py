"""Everything the audit can say, one frozen class a sentence: who did what, to which patient, how it went.

Codes are DICOM PS3.16 CID 400 as used by IHE ATNA/BALP (facts.md, "audit"). No names of images, no clinical text, no
token; `details` holds counts, UIDs and fixed words only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import ClassVar

from launch.context import LaunchContext


class Outcome(IntEnum):
    """RFC 3881 / FHIR AuditEvent.outcome."""

    OK = 0
    MINOR = 4
    """Refused, or partly failed."""
    SERIOUS = 8


@dataclass(frozen=True)
class Who:
    """Who stands behind an event. `launch` names the launch without being its handle."""

    tenant: str
    issuer: str
    subject: str
    name: str
    launch: str
    """First 16 hex digits of the SHA-256 of the handle; empty before a launch."""
    address: str
    request_id: str
    purpose: str = ""
    """HL7 PurposeOfUse while a break-glass is open: `BTG` or `ETREAT`."""
    opening: str = ""
    """Reference of that break-glass."""

    @classmethod
    def of(cls, context: LaunchContext, address: str, request_id: str) -> Who:
        user = context.user
        return cls(context.tenant, user.issuer, user.subject, user.name or "", launch_id(context.handle), address, request_id)

    @classmethod
    def nobody(cls, tenant: str, address: str, request_id: str, issuer: str = "") -> Who:
        """Someone without a launch: `issuer` is the key of a registered EHR, never what a caller typed."""
        return cls(tenant, issuer, "", "", "", address, request_id)


def launch_id(handle: str) -> str:
    """How records name a launch: a handle itself is half of a credential."""
    return hashlib.sha256(handle.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. Further fields of a subclass are its details."""

    who: Who
    patient: str | None = None
    """FHIR id at `who.issuer`."""
    outcome: Outcome = Outcome.OK

    code: ClassVar[str]
    """DICOM event id."""
    verb: ClassVar[str]
    """C, R, U, D or E."""

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def details(self) -> Mapping[str, str | int]:
        """What the subclass adds, without what is absent."""
        common = {"who", "patient", "outcome"}
        values = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name not in common]
        values += [("purpose", self.who.purpose), ("opening", self.who.opening)]
        return {name: value for name, value in values if value not in (None, "")}


@dataclass(frozen=True, kw_only=True)
class AppStarted(Event):
    version: str = ""
    code = "110100"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class LaunchOpened(Event):
    kind: str = ""
    """`chart`, `patient` or `staff`."""
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class LaunchRefused(Event):
    reason: str
    """Error code of `launch.errors`, with its fixed reason words."""
    outcome: Outcome = Outcome.MINOR
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class LaunchEnded(Event):
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class SourceAnswered(Event):
    """One source was asked for this patient's studies, and what came of it."""

    source: str
    state: str
    count: int = 0
    withheld: int = 0
    unreadable: int = 0
    code = "110112"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class StudyArrived(Event):
    """A study appeared in an open list. Nobody asked for it by hand, and nobody has opened it yet."""

    source: str
    study: str
    within_seconds: int | None = None
    """It arrived at its source at most this long ago: then it was looked for, and was not there yet."""
    study_seconds: int | None = None
    """Seconds from the study's own date and time to this moment, where it gives them with their zone."""
    code = "110112"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class RowWithheld(Event):
    """Rows of an answer named another patient. They were dropped, and are counted here, not described."""

    source: str
    reason: str
    count: int = 1
    outcome: Outcome = Outcome.SERIOUS
    code = "110113"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class StudyOpened(Event):
    archive: str
    study: str
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class RequestPrepared(Event):
    """A sheet that asks another hospital for images was filled in, to be printed or copied. Priors sent nothing."""

    about: str
    """`known`, `study` or `other`: what kind of row it was made from."""
    study: str = ""
    code = "110106"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class SeriesRead(Event):
    """Something of one series went to the browser: `what` is metadata, frames, rendered, bulkdata or instance."""

    archive: str
    study: str
    series: str
    what: str
    count: int = 1
    code = "110104"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class InstanceWithheld(Event):
    """An instance named another patient or study than the one asked for."""

    archive: str
    study: str
    series: str
    instance: str
    reason: str
    outcome: Outcome = Outcome.SERIOUS
    code = "110113"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class MatchCompared(Event):
    """A record that may be another person's was shown beside the chart. `match` names it without its identifier."""

    source: str
    match: str
    code = "110103"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class MatchConfirmed(Event):
    """`stage`: `proposed` waits for a second person, `confirmed` is a link from now on."""

    source: str
    match: str
    stage: str
    differing: int = 0
    decisive: int = 0
    code = "110113"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class MatchRejected(Event):
    """`reason` is one of the page's fixed words."""

    source: str
    match: str
    reason: str
    code = "110113"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class MatchUndone(Event):
    """`was`: the state that no longer holds."""

    source: str
    match: str
    was: str
    code = "110113"
    verb = "U"


@dataclass(frozen=True, kw_only=True)
class MatchLeftOpen(Event):
    """Somebody compared two records and left the question open: the desk looks at these."""

    source: str
    match: str
    code = "110113"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class AccessDenied(Event):
    """`action` is the access.Action or a route name; `reason` a fixed word."""

    action: str
    reason: str
    outcome: Outcome = Outcome.MINOR
    code = "110113"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class AuditRead(Event):
    """The audit itself was read; `about` is what was asked for, patient in `patient`."""

    about: str
    code = "110101"
    verb = "R"


@dataclass(frozen=True, kw_only=True)
class IndexForgotten(Event):
    """What the index remembered of a patient was deleted on request."""

    count: int = 0
    code = "110100"
    verb = "D"


@dataclass(frozen=True, kw_only=True)
class BreakGlassOpened(Event):
    """Restricted studies were opened with a reason (DICOM 110127, emergency override started). Its words are sealed elsewhere."""

    reason: str
    minutes: int
    count: int
    outcome: Outcome = Outcome.OK
    code = "110113"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class BreakGlassEnded(Event):
    """They are closed again: by a `person`, by `time`, or with the `launch` (DICOM 110128, emergency override stopped)."""

    by: str
    code = "110113"
    verb = "E"


KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        MatchCompared, MatchConfirmed, MatchRejected, MatchUndone, MatchLeftOpen,
        AppStarted, LaunchOpened, LaunchRefused, LaunchEnded, SourceAnswered, StudyArrived, RowWithheld, StudyOpened, RequestPrepared, SeriesRead,
        InstanceWithheld, AccessDenied, AuditRead, IndexForgotten,
        BreakGlassOpened, BreakGlassEnded,
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RequestChanged(Event):
    """A request for images was made, sent, answered, stored or closed."""

    request: str
    action: str
    """An `Act` of `image_requests.workflow`."""
    party: str
    code = "110100"
    verb = "U"
