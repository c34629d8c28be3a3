"""Values of a request for images that cross borders. Sealed at rest as they stand; parsed at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from smart_app.archives.types import PatientId


class State(StrEnum):
    """Where a request stands. `workflow.TABLE` says how it gets from one to another."""

    DRAFT = "draft"
    SENT = "sent"
    OPENED = "opened"
    ACCEPTED = "accepted"
    RECEIVING = "receiving"
    IN_REVIEW = "in-review"
    STORED = "stored"
    STORED_IN_PART = "stored-in-part"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    TODAY = "today"
    ROUTINE = "routine"


class Basis(StrEnum):
    """Why the images may be given to us."""

    TREATMENT = "treatment"
    """Treatment, no consent needed."""
    CONSENT = "consent"
    """The patient has signed; the form is with us."""
    PATIENT = "patient"
    """The patient sends what is the patient's own."""


class RouteKind(StrEnum):
    EMAIL = "email"
    FAX = "fax"
    """A sheet to print, fax or post, with the link as QR."""
    FHIR = "fhir"
    """A FHIR Task at a partner's server; `address` is the key of a configured partner."""
    PATIENT = "patient"
    """The patient or family, by link and code; `address` is an e-mail address or empty (paper, phone)."""


@dataclass(frozen=True)
class Route:
    kind: RouteKind
    address: str = ""


@dataclass(frozen=True)
class Facility:
    """An organization that may have images, and how it can be asked, best route first. Holds no patient data."""

    id: str
    name: str
    place: str = ""
    """Town, as people tell two of the same name apart."""
    routes: tuple[Route, ...] = ()
    phone: str = ""
    note: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class Patient:
    """Whom the request is about, as the EHR told it when the request was made."""

    issuer: str
    """Key of the EHR."""
    id: str
    """FHIR id there."""
    name: str
    """`MARCHETTI, Rosalind Jane`."""
    family: str
    given: str
    birth_date: str | None = None
    """ISO."""
    sex: str | None = None
    """`Female`, `Male`, `Other`, `Unknown`."""
    mrn: str | None = None
    identifiers: tuple[PatientId, ...] = ()
    """In the namespaces of the EHR (`issuer` is the identifier system)."""

    @property
    def initials(self) -> str:
        """All that is shown before somebody has proved who they are: `R. M.`"""
        return " ".join(f"{word[0].upper()}." for word in (self.given, self.family) if word)


@dataclass(frozen=True)
class Wanted:
    """Which images. Every part may be empty but `title`, which a person reads."""

    title: str
    modality: str = ""
    region: str = ""
    date_from: str = ""
    """ISO date; with `date_to` the window in which the study was done."""
    date_to: str = ""
    accession: str = ""
    study_uid: str = ""
    missing: str = ""
    """Which part is missing, in words, when some of it is here."""
    report: bool = True
    thin: bool = False
    others: bool = False
    """Also all other studies of the same region."""


@dataclass(frozen=True)
class Anchor:
    """The appointment or surgery that a request hangs on: `needed_by` is set by it and moves with it."""

    reference: str
    """`Appointment/{id}` at the EHR."""
    title: str
    starts_at: datetime
    hours_before: int = 2

    @property
    def needed_by(self) -> datetime:
        return self.starts_at - timedelta(hours=self.hours_before)


class Party(StrEnum):
    """On whose behalf something is done to a request."""

    CLINICIAN = "clinician"
    STAFF = "staff"
    REVIEWER = "reviewer"
    SENDER = "sender"
    """Whoever holds the link and has proved it."""
    PARTNER = "partner"
    """A registered FHIR client."""
    SYSTEM = "system"
    """Time, or what arrived."""


@dataclass(frozen=True)
class Actor:
    """Who does something. `subject` is empty for senders and the system."""

    party: Party
    issuer: str = ""
    subject: str = ""
    name: str = ""
    address: str = ""
    request_id: str = ""
    launch: str = ""
    """As `Who.launch`."""


@dataclass(frozen=True)
class NewRequest:
    """What a person asks for, of one facility or the patient. Several of them asked together share `case`."""

    patient: Patient
    wanted: Wanted
    route: Route
    facility: str | None
    """Facility id; None: the patient is asked."""
    urgency: Urgency = Urgency.ROUTINE
    why: str = ""
    basis: Basis = Basis.TREATMENT
    needed_by: datetime | None = None
    anchor: Anchor | None = None
    case: str = ""
    hospital: str = ""
    """As a person named it, when it is not in the directory: the desk has to find out how to ask there before it can be sent."""
    about: str = ""
    """The row of the chart's list that it was made from, by its uid."""

    @property
    def is_addressed(self) -> bool:
        """Whether it is known whom to ask, and how."""
        return self.facility is not None or self.route.kind is RouteKind.PATIENT


@dataclass(frozen=True)
class Happened:
    """One change of a request, as it is told in its timeline."""

    sequence: int
    at: datetime
    party: Party
    name: str
    action: str
    before: State
    after: State
    note: str = ""


@dataclass(frozen=True)
class ImageRequest:
    """A request as it stands, read in one piece."""

    id: str
    """`RQ-7Q2M4TKX`: said over the phone, printed, never secret."""
    tenant: str
    state: State
    version: int
    """Grows with every change; a change names the version that it was decided on."""
    asked: NewRequest
    facility: Facility | None
    owner: str
    """Name of the staff member who looks after it; empty: nobody."""
    asked_by: str
    created_at: datetime
    updated_at: datetime
    last: str
    """The last event, a sentence for the desk."""
    reason: str = ""
    """Why it was declined, cancelled or stored in part."""
    reminded: int = 0
