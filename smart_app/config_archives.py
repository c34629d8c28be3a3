"""Settings of those who hold images, archives and exchanges, and what all settings are made of: frozen, no secret inline.

Their meaning is their `description`, held against `docs/configuration.md` by a test. `config` puts them into `Settings`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from smart_app.dialect_settings import DialectName, Profile

KEY = r"^[a-z][a-z0-9-]{0,30}$"
Key = Annotated[str, Field(pattern=KEY)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretRef(Frozen):
    """Where a secret is found; exactly one of the two."""

    env: str | None = Field(None, description="Name of the environment variable that holds the secret.")
    file: Path | None = Field(None, description="Path of a file that holds the secret; surrounding white space is dropped.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise ValueError("give exactly one of `env` and `file`")
        return self


class KeyFile(Frozen):
    """A private key of ours for private_key_jwt."""

    kid: str = Field(description="Key id as registered at the server.")
    alg: Literal["RS384", "ES384"] = Field("ES384", description="Signature algorithm; SMART names these two.")
    pem: SecretRef = Field(description="The private key in PEM form.")


class Credential(Frozen):
    """How Priors proves itself to an archive."""

    kind: Literal["none", "basic", "bearer", "oauth", "ehr-token"] = Field(
        "none", description="`oauth` is client credentials; `ehr-token` sends the launch's own EHR token, only where `ehr` names that EHR."
    )
    username: str | None = Field(None, description="For basic.")
    password: SecretRef | None = Field(None, description="For basic.")
    token: SecretRef | None = Field(None, description="For bearer.")
    token_url: str | None = Field(None, description="For oauth.")
    client_id: str | None = Field(None, description="For oauth.")
    client_secret: SecretRef | None = Field(None, description="For oauth with a secret.")
    client_key: KeyFile | None = Field(None, description="For oauth with private_key_jwt.")
    scope: str | None = Field(None, description="For oauth.")
    ehr: str | None = Field(None, description="For ehr-token: key of the EHR this archive belongs to.")


class Limits(Frozen):
    """Deadlines in seconds, caps in bytes or counts (safety.md section D)."""

    connect: float = Field(3, gt=0, le=30, description="Seconds to connect.")
    first_byte: float = Field(10, gt=0, le=120, description="Seconds to the first byte, and between bytes of a stream.")
    search: float = Field(15, gt=0, le=120, description="Total seconds of a search, all pages.")
    metadata: float = Field(30, gt=0, le=300, description="Total seconds of a metadata answer.")
    frame: float = Field(60, gt=0, le=600, description="Total seconds of a frame or rendered picture.")
    retrieve: float = Field(900, gt=0, le=7200, description="Total seconds of a series or study.")
    search_bytes: int = Field(16_000_000, gt=0, description="Cap of one search answer, after inflating.")
    metadata_bytes: int = Field(64_000_000, gt=0, description="Cap of one metadata answer, after inflating.")
    instance_bytes: int = Field(2_000_000_000, gt=0, description="Cap of one instance.")
    parallel: int = Field(8, ge=1, le=64, description="Calls under way at once to this destination (bulkhead). Whole series take half of them at most; a distant archive is quicker with 32 or more.")
    page_size: int = Field(100, ge=1, le=1000, description="Studies asked for per page; never more than the dialect's cap.")
    max_rows: int = Field(5000, ge=1, description="Rows read at most; more is shown as 'more exist'.")


class Discovery(Frozen):
    """How to find a patient at an archive for which the chart holds no identifier. Tried in this order; each off by default."""

    pix: str | None = Field(None, description="FHIR base of an IHE PIXm manager: `Patient/$ihe-pix` turns the chart's identifiers into the archive's.")
    match: str | None = Field(None, description="FHIR base of an IHE PDQm supplier: `Patient/$match`. A single certain match is asked with; any other waits for a person.")
    demographics: bool = Field(False, description="Search the archive itself by family name and birth date. What is found waits for a person, always.")
    credential: Credential = Field(Credential(), description="How Priors proves itself to `pix` and `match`; not `oauth`.")


class Archive(Frozen):
    """One DICOMweb archive."""

    key: Key = Field(description="Short name used in URLs and logs.")
    name: str = Field(description="Name as clinicians know it.")
    organization: str = Field("", description="Hospital shown on its rows; `name` when empty.")
    dicomweb: str | None = Field(None, description="DICOMweb base URL for search, retrieve and store.")
    qido: str | None = Field(None, description="Search base, where it differs.")
    wado: str | None = Field(None, description="Retrieve base, where it differs.")
    stow: str | None = Field(None, description="Store base, where it differs.")
    credential: Credential = Field(Credential(), description="How Priors proves itself.")
    patient_id_issuer: str = Field(description="Assigning authority of its Patient IDs; a row without an issuer has this one.")
    identifier_systems: tuple[str, ...] = Field(
        min_length=1, description="EHR identifier systems that are this archive's namespace. Only such an identifier is ever asked with."
    )
    discovery: Discovery = Field(Discovery(), description="How to find a patient whose chart holds no identifier for this archive.")
    silent_rows: bool = Field(
        False, description="This archive is known to give no birth date or sex: its rows are listed for the identifier alone. Otherwise such a row waits until a person has compared the two records.",
    )
    local: bool = Field(False, description="The hospital's own archive: its studies are not marked as outside.")
    watch: bool | None = Field(
        None, description="Ask it again by itself while a list is open, for studies that have just arrived; when absent, only local archives."
    )
    stores: bool = Field(False, description="Received studies are stored here. At most one archive.")
    limits: Limits = Field(Limits(), description="Deadlines and caps.")
    dialect: DialectName = Field(
        "plain", description="Which product it is: how it pages, what it refuses. `plain` assumes nothing. `priors check` proposes it."
    )
    profile: Profile = Field(Profile(), description="Where it differs from its dialect.")
    allow_http: bool = Field(False, description="Allow plain http to this archive.")
    allow_private: bool = Field(False, description="Allow private (not loopback) addresses for this archive.")
    ca_file: Path | None = Field(None, description="CA bundle to verify its certificate with.")

    @model_validator(mode="after")
    def _has_a_base(self) -> Archive:
        if not self.dicomweb and not (self.qido and self.wado):
            raise ValueError("give `dicomweb`, or both `qido` and `wado`")
        return self

    @property
    def qido_base(self) -> str:
        return (self.qido or self.dicomweb or "").rstrip("/")

    @property
    def wado_base(self) -> str:
        return (self.wado or self.dicomweb or "").rstrip("/")

    @property
    def stow_base(self) -> str:
        return (self.stow or self.dicomweb or "").rstrip("/")


class Namespace(Frozen):
    """One identifier system and what it is called in DICOM."""

    system: str = Field(description="Patient.identifier.system.")
    issuer: str = Field(description="Assigning authority (Issuer of Patient ID) of the same numbers in DICOM objects.")


class Location(Frozen):
    """What a Retrieve Location UID in a manifest stands for."""

    uid: str = Field(description="Retrieve Location UID (0040,E011), or the retrieve-location-uid of an Endpoint.")
    archive: str = Field(description="Key of the archive that holds what is kept there.")


class Exchange(Frozen):
    """A FHIR server that tells which studies a patient has elsewhere: a SMART Imaging Access server, an HIE, or a document server with manifests."""

    key: Key = Field(description="Short name used in URLs and logs; no archive may have the same.")
    name: str = Field(description="Name as clinicians know it.")
    organization: str = Field("", description="Hospital shown on rows whose place it does not name; `name` when empty.")
    kind: Literal["imaging-access", "manifests"] = Field(
        "imaging-access", description="`imaging-access` is searched for ImagingStudy, `manifests` for DocumentReference with KOS or MADO manifests."
    )
    fhir: str | None = Field(None, description="FHIR base URL.")
    associated_with: str | None = Field(
        None, description="Instead of `fhir`: key of the EHR whose smart-configuration names the server under `associated_endpoints`. Only its launches ask it."
    )
    origins: tuple[str, ...] = Field(
        (), description="Further origins that it may send us to for images or documents, and where an associated server may be. The base's own is always one."
    )
    credential: Credential = Field(Credential(), description="How Priors proves itself. Goes to an image address only where that asks for the token.")
    discovery: Literal["identifier", "ihe-pix", "match", "launch"] = Field(
        "identifier",
        description="How the patient is found there: by an identifier of the chart, by PIXm or PDQm, or, at the EHR's own server, as the launch's own patient.",
    )
    identifier_systems: tuple[str, ...] = Field((), description="Identifier systems of the chart that it may be asked with. Not needed with `launch`.")
    patient_ids: tuple[Namespace, ...] = Field(
        min_length=1, description="Identifier systems of its patients that stand as Patient ID in the images. An image with any other is withheld."
    )
    patient_id_issuer: str = Field(description="Assigning authority of a Patient ID whose object names none.")
    locations: tuple[Location, ...] = Field((), description="Retrieve Location UIDs in manifests, and the archive each of them stands for.")
    limits: Limits = Field(Limits(), description="Deadlines and caps.")
    allow_http: bool = Field(False, description="Allow plain http to this server and its origins.")
    allow_private: bool = Field(False, description="Allow private (not loopback) addresses for this server and its origins.")
    ca_file: Path | None = Field(None, description="CA bundle to verify certificates with.")

    @model_validator(mode="after")
    def _has_one_base(self) -> Exchange:
        if (self.fhir is None) == (self.associated_with is None):
            raise ValueError("give exactly one of `fhir` and `associated_with`")
        return self
