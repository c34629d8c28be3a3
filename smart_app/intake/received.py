"""Values of received studies as the desk, the decision and the store read them. Sealed at rest as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smart_app.archives.types import PatientId, Said
from smart_app.image_requests.types import Patient, Wanted
from smart_app.intake.types import Finding, Header, ItemState, Screened
from smart_app.links.types import Purpose


class Standing(StrEnum):
    """How sure it is that a study is the chart's patient's, by the rules of the list. Decides who must look."""

    CERTAIN = "certain"
    """One person may store it."""
    BELOW = "below"
    """Two different persons must agree."""
    BIRTH_DATE = "birth-date"
    """Two persons, and each says in words why, although the birth date differs."""
    TAKEN_OUT = "taken-out"
    """The archive's copy was taken out of every view: two persons, and each says in words why it is right after all."""
    OTHER = "other"
    """Another person's: nobody may store it into this chart."""
    UNLINKED = "unlinked"
    """Nobody has said yet whose chart it belongs to."""


class Stage(StrEnum):
    """Where one object stands on its way into the archive."""

    WAITING = "waiting"
    CHECKING = "checking"
    """It was sent, and no answer said what became of it: the archive is asked before anything is repeated."""
    FAILED = "failed"
    """The archive refused it. `reason` is its code."""
    CONFLICT = "conflict"
    """Another object has its UID: a person decides."""
    STORED = "stored"
    """Read back from the archive."""
    THERE = "there"
    """The archive had the very same already; read back."""

    @property
    def is_stored(self) -> bool:
        return self in (Stage.STORED, Stage.THERE)


@dataclass(frozen=True)
class Source:
    """One received object: what it says, and where its untouched bytes lie."""

    header: Header
    path: str
    file: str
    member: str
    pixels_decode: bool | None = None


@dataclass(frozen=True)
class Instance:
    """A row of `received_instances`."""

    digest: str
    sha256: str
    upload: str
    size: int
    stage: Stage
    reason: str
    source: Source


@dataclass(frozen=True)
class SeriesSummary:
    number: int | None
    modality: str
    description: str
    images: int


@dataclass(frozen=True)
class Summary:
    """What a received study says of itself, for people."""

    study: str
    title: str
    date: str
    time: str
    modalities: tuple[str, ...]
    accession: str
    institution: str
    body_part: str
    images: int
    series: tuple[SeriesSummary, ...]
    persons: tuple[Named, ...]
    """Everybody its objects name: more than one where they do not agree."""


@dataclass(frozen=True)
class Named:
    said: Said
    patient_id: PatientId | None
    other_ids: tuple[PatientId, ...] = ()


@dataclass(frozen=True)
class Opinion:
    """One reviewer's word that it is the right person. It holds for the version that was looked at, and for no other."""

    issuer: str
    subject: str
    name: str
    at: datetime
    reason: str = ""
    fhir_user: str = ""


@dataclass(frozen=True)
class Line:
    """One line of an item's history."""

    at: datetime
    words: str
    name: str = ""


@dataclass(frozen=True)
class Halt:
    """Why nothing of it is stored although somebody decided so, or was about to: the chart is not as it was, or could not be read again."""

    word: str
    """Fixed word: a value of `chart_now.Became`, or `ehr-silent`, `ehr-refused` where the EHR did not tell."""
    words: str
    survivor: Patient | None = None
    """The chart into which this one was merged. It becomes the item's only when a person says so."""

    @property
    def passes(self) -> bool:
        """It says nothing of the chart, only that the EHR did not."""
        return self.word.startswith("ehr-")


@dataclass(frozen=True)
class Content:
    summary: Summary
    sender: str
    wanted: Wanted | None = None
    patient: Patient | None = None
    why: str = ""
    """Fixed word: why it is not certain."""
    findings: tuple[Finding, ...] = ()
    refused: tuple[Screened, ...] = ()
    """Files that seem to belong to it and could not be used. While one that was asked for lacks them, the request is not done."""
    opinions: tuple[Opinion, ...] = ()
    history: tuple[Line, ...] = ()
    remark: str = ""
    """What the reviewer wrote; the sender reads it."""
    keep: bool = True
    decided_at: datetime | None = None
    """When storing was decided: written into the files, so that coercing again gives the same bytes."""
    archive: str = ""
    """Where it was stored."""
    taken_out: str = ""
    """Why a reviewer took it out of every view, in their words."""
    job: str = ""
    """Key of the work that stores it; another one is of an earlier decision."""
    halt: Halt | None = None
    looked_at: datetime | None = None
    """When a person said last that they had looked at the chart in the EHR, where Priors cannot."""


@dataclass(frozen=True)
class Received:
    """An item: one received study as it stands."""

    id: str
    scope: str
    request: str | None
    purpose: Purpose
    study_digest: str
    subject: str
    state: ItemState
    standing: Standing
    version: int
    urgent: bool
    held: bool
    tries: int
    arrived_at: datetime
    listed_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    content: Content

    @property
    def summary(self) -> Summary:
        return self.content.summary

    @property
    def needs_reason(self) -> bool:
        return self.standing in NEEDS_WORDS


NEEDS_WORDS = frozenset({Standing.BIRTH_DATE, Standing.TAKEN_OUT})
OPEN = frozenset({ItemState.IN_REVIEW, ItemState.SECOND_PERSON})
"""A person must decide."""
KEPT = frozenset({ItemState.STORING, ItemState.STORED, ItemState.STORED_IN_PART})
PASSED_OVER = frozenset({ItemState.SET_ASIDE, ItemState.NOT_USABLE, ItemState.NOT_FOR_US, ItemState.LEFT, ItemState.EXPIRED, ItemState.WITHDRAWN})
