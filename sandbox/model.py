"""The kinds of thing the demo world is made of. Values only: frozen, dates relative to the day the demo starts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

_NAMESPACE = uuid.UUID("6f2b3a52-0f0d-4c5e-9a3f-5d1a7f0c2b11")


def stable_uid(*parts: object) -> str:
    """A DICOM UID under 2.25 that is the same on every machine for the same parts."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '|'.join(map(str, parts))).int}"


@dataclass(frozen=True)
class DemoArchive:
    key: str
    name: str
    organization: str
    issuer: str
    """Assigning authority as its objects write it in IssuerOfPatientID (0010,0021)."""
    identifier_system: str
    """FHIR identifier.system of the same namespace."""
    local: bool = False
    writes_issuer: bool = True
    """Whether its objects carry IssuerOfPatientID at all."""


@dataclass(frozen=True)
class DemoPatient:
    id: str
    """FHIR id."""
    name: str
    """As charts print it: `MARCHETTI, Rosalind Jane`."""
    story: str
    birth_date: str
    """ISO."""
    sex: str
    """`female` or `male` (FHIR administrative-gender)."""
    identifiers: Mapping[str, str]
    """identifier system -> value."""
    place: str = ""
    """Where the patient is today: `Emergency, bay 4`."""
    problems: tuple[tuple[str, str], ...] = ()
    """(SNOMED CT code, text)."""
    allergy: str = ""
    native_names: Mapping[str, str] = field(default_factory=dict)
    """character set key -> DICOM person name with ideographic group."""

    @property
    def family(self) -> str:
        return self.name.split(", ")[0]

    @property
    def given(self) -> str:
        return self.name.split(", ")[1]


@dataclass(frozen=True)
class DemoSeries:
    number: int
    modality: str
    description: str
    recipe: str
    images: int = 1
    """Instances in the full set."""
    small: int = 1
    """Instances in the set for tests."""
    syntax: str = "explicit"
    """Key of sandbox.recipes.syntaxes.SYNTAXES."""
    options: Mapping[str, object] = field(default_factory=dict)
    held: bool = True
    """Whether any archive has it; if not, only the chart counts it."""


@dataclass(frozen=True)
class DemoStudy:
    key: str
    patient: str
    archives: tuple[str, ...]
    """Archives that hold it; empty: only the chart knows it."""
    days_ago: int | None
    """None: the objects and the chart give no date."""
    time: str
    """HHMM, local and taken as UTC."""
    modality: str
    description: str
    body_part: str
    """DICOM Body Part Examined term."""
    accession: str
    series: tuple[DemoSeries, ...] = ()
    in_chart: bool = True
    chart_shape: str = "plain"
    """plain | codeable-modality | contained-endpoint | no-started | unreadable | series-endpoint | odd-title; at an exchange: capability | kos."""
    endpoint: str | None = None
    """FHIR Endpoint id in the chart; None: the first archive's."""
    report: str | None = None
    """DiagnosticReport.status."""
    conclusion: str = ""
    charset: str = "utf8"
    """utf8 | iso2022 | gb18030 | latin1 | undeclared."""
    other_patient_id: str | None = None
    """Patient ID its objects carry at the archive, where it is not this patient's (mixed-up rows)."""
    as_name: str | None = None
    """DICOM name that its objects carry, where it is not this patient's (lookalikes)."""
    as_birth_date: str | None = None
    security: tuple[str, ...] = ()
    """Confidentiality and sensitivity codes in the chart's record (HL7 v3 Confidentiality, ActCode)."""

    @property
    def uid(self) -> str:
        return stable_uid("study", self.key)

    def series_uid(self, series: DemoSeries) -> str:
        return stable_uid("series", self.key, series.number)

    def day(self, today: date) -> date | None:
        return None if self.days_ago is None else today - timedelta(days=self.days_ago)
