"""Values that cross the archives' border. Parsed here once, trusted everywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SourceState(StrEnum):
    """What one source said, in the words of the source strip (safety.md "States per source")."""

    ASKING = "asking"
    OK = "ok"
    """Answered in full, with studies."""
    EMPTY = "empty"
    """Answered in full, with none."""
    PARTIAL = "partial"
    """Answered, but capped, warned, 206, or with rows that could not be read."""
    FAILED = "failed"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"
    NOT_APPROVED = "not-approved"
    NO_IDENTIFIER = "no-identifier"
    """Never asked: the chart holds no identifier that the configuration maps to it."""

    @property
    def answered_in_full(self) -> bool:
        return self in (SourceState.OK, SourceState.EMPTY)


@dataclass(frozen=True)
class PatientId:
    """An identifier in its namespace: `issuer` is the assigning authority as configured for the archive."""

    value: str
    issuer: str


@dataclass(frozen=True)
class Said:
    """What a row, a header or a chart says of the patient beside the identifier, as given. None: not given."""

    name: str | None = None
    birth_date: str | None = None
    sex: str | None = None


@dataclass(frozen=True)
class StudyRecord:
    """One study as one source tells it. Absent facts are None, never guessed."""

    uid: str
    source: str
    """Key of the archive or EHR that said so."""
    organization: str
    archive: str | None
    """Key of the configured archive that can hand out its images; None: known, not fetchable."""
    patient_id: PatientId | None = None
    date: str | None = None
    """ISO `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, as given."""
    time: str | None = None
    """`HH:MM`, local to the source; `offset` says its zone when given."""
    offset: str | None = None
    modalities: tuple[str, ...] = ()
    description: str | None = None
    body_parts: tuple[str, ...] = ()
    """DICOM body part terms, SNOMED codes or displays, as given."""
    accession: str | None = None
    series_count: int | None = None
    image_count: int | None = None
    fhir_id: str | None = None
    """`ImagingStudy/{id}` when the EHR told it: joins DiagnosticReport."""
    availability: str | None = None
    report: str | None = None
    """FHIR DiagnosticReport.status when a report names this study."""
    unfetchable: str = ""
    """Why `archive` is None: `no-endpoint`, `not-approved`, `no-identifier`, `capability` or `disputed`."""
    claimed_ids: tuple[PatientId, ...] = ()
    """For a study only the EHR names: the patient's identifiers at that archive, any of which its images may carry."""
    faults: tuple[str, ...] = ()
    """Fields that could not be read, by name."""
    retrieve: str | None = field(default=None, repr=False)
    """DICOMweb base that its source named for this study alone, already found to be an approved origin; None: the archive's own."""
    urgent: bool = False
    said: tuple[Said, ...] = ()
    """How its source's rows name the patient; more than one where they do not agree."""
    expected: tuple[Said, ...] = ()
    """Whom its images may name: a header that contradicts all of these is not the patient's. Empty: not known."""
    links: tuple[str, ...] = ()
    """The people's decisions that this study rests on; it goes when one is undone."""
    series: tuple[SeriesRecord, ...] = ()
    """Its series as this source counts them (ImagingStudy.series, a manifest); empty: it did not say."""
    orders: tuple[str, ...] = ()
    """`ServiceRequest/{id}` that it fulfils, when the chart says."""
    confidentiality: tuple[str, ...] = ()
    """Labels its source put on it, upper case: FHIR `meta.security` codes such as `R`, `V`, `PSY`, or DICOM (0040,3001) as given."""
    as_of: datetime | None = None
    """When its source last named it, for a study remembered from before this launch; None: named in this launch."""
    open_base: bool = False
    """`retrieve` is asked without any credential: the address is itself the credential, or it needs none."""


@dataclass(frozen=True)
class Candidate:
    """A patient record at one source that may be this patient's. Its studies stay hidden until a person confirms it."""

    patient_id: PatientId
    name: str | None = None
    """As the source gives it; a DICOM PN with its groups, or `Family, Given`."""
    birth_date: str | None = None
    sex: str | None = None
    address: str | None = None
    telephone: str | None = None
    study_count: int | None = None
    years: tuple[str, ...] = ()
    """Years of its studies, oldest first, as far as known."""
    grade: str | None = None
    """FHIR match-grade, as the source gave it."""
    score: float | None = None
    why: str = ""
    """Fixed word: why it is not certain."""


@dataclass(frozen=True)
class EvidenceRecord:
    """Something in the chart that speaks of an imaging study, whether or not anyone holds its images."""

    kind: str
    """`report`, `order`, `procedure`, `encounter` or `document`."""
    reference: str
    """`DocumentReference/{id}` at the EHR. Never shown."""
    title: str
    """What the chart calls it."""
    date: str | None = None
    """ISO date as given."""
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    """Codes, terms or displays, as `StudyRecord.body_parts`."""
    accessions: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    """Study Instance UIDs, or `ImagingStudy/{id}`."""
    organization: str | None = None
    """Where it was done, when the chart says."""
    status: str | None = None
    urgent: bool = False
    time: str | None = None
    """`HH:MM`, as given."""
    dated: str = "done"
    """What `date` is of: `done`, `ordered`, or `written` (a letter or report that does not say when the study was done)."""
    orders: tuple[str, ...] = ()
    """`ServiceRequest/{id}` that it fulfils: joins an order with its report."""
    wording: str = ""
    """For a document: `transfer letter`, `referral letter`, `discharge letter` or `outside document`."""
    confidentiality: tuple[str, ...] = ()
    """As `StudyRecord.confidentiality`."""


@dataclass(frozen=True)
class PurposeRecord:
    """Why this chart may be open now: an order, the visit, an appointment, or a study that the launch names."""

    kind: str
    """`order`, `visit`, `appointment` or `study`."""
    reference: str
    """`ServiceRequest/{id}` at the EHR. Never shown."""
    title: str
    """What the chart calls it, or the reason it gives."""
    codes: tuple[str, ...] = ()
    """Codes and displays that say what it is about, as given."""
    date: str | None = None
    """ISO date: ordered, begun, or planned for."""
    active: bool = True
    """Still to be done, or under way."""
    urgent: bool = False
    """An order of priority urgent, asap or stat; an emergency visit."""
    accessions: tuple[str, ...] = ()
    named: bool = False
    """The launch itself names it."""
    confidentiality: tuple[str, ...] = ()
    """As `StudyRecord.confidentiality`."""
    starts_at: datetime | None = None
    """When an appointment begins, where the chart gives its time."""
    is_off: bool = False
    """An appointment that was called off, or never meant."""


@dataclass(frozen=True)
class ReportRecord:
    """One DiagnosticReport as far as the list needs it: its status and which studies it names."""

    status: str
    studies: tuple[str, ...] = ()
    """`ImagingStudy/{id}` or Study Instance UIDs."""
    accessions: tuple[str, ...] = ()
    """Accession numbers of the EHR's own namespace."""


@dataclass(frozen=True)
class Label:
    """What a source said of a study's confidentiality, without anything else of it."""

    study: str
    codes: tuple[str, ...]
    as_of: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What one source answered to one question. A failed source has an Answer too."""

    source: str
    name: str
    organization: str
    state: SourceState
    studies: tuple[StudyRecord, ...] = ()
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    withheld: int = 0
    """Rows dropped because they named another patient. Audited."""
    unreadable: int = 0
    more_exist: bool = False
    not_approved: tuple[str, ...] = ()
    """Origins (scheme://host) that rows pointed to and that are not configured."""
    notes: tuple[str, ...] = ()
    """Further plain sentences, for instance a right the EHR did not grant."""
    fault_code: str | None = None
    reference: str = ""
    withheld_studies: tuple[str, ...] = ()
    """Study UIDs of the withheld rows: whoever else names such a study at this archive is not believed. Never shown."""
    reports: tuple[ReportRecord, ...] | None = None
    """None: reports were not read."""
    candidates: tuple[Candidate, ...] = ()
    """Records that wait for a person. While there is one, the answer is not whole."""
    evidence: tuple[EvidenceRecord, ...] | None = None
    """None: it was not read."""
    purpose: tuple[PurposeRecord, ...] | None = None
    """None: it was not read."""
    series: tuple[SeriesRecord, ...] = ()
    """In a side answer: the series that an archive lists of studies that seem to lack some."""
    labels: tuple[Label, ...] = ()
    """Labels remembered from before this launch: they name no row, and bind whoever else names the study."""
    http: int = 0
    """HTTP status behind a failure, for a help desk; 0: there was none, or it does not matter."""


@dataclass(frozen=True)
class SeriesRecord:
    """One series of a study as the archive lists it (QIDO-RS series level, PS3.18 10.6)."""

    uid: str
    study_uid: str
    number: int | None = None
    modality: str | None = None
    description: str | None = None
    image_count: int | None = None
    body_part: str | None = None
    faults: tuple[str, ...] = field(default_factory=tuple)
    instances: tuple[str, ...] = ()
    """Its SOP Instance UIDs, where a manifest gives them."""
