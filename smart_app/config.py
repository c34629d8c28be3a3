"""Every setting of Priors: one frozen `Settings`, validated before anything starts.

A setting's meaning is its `description`; `docs/configuration.md` is held against these by a test.
Secrets are never inline: they are references to an environment variable or a file (`SecretRef`).
Reading the YAML file, and naming the line of a wrong setting, is `config_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from smart_app.config_archives import Archive, Exchange, Frozen, Key, KeyFile, SecretRef
from smart_app.config_mail import Contact, Mail
from smart_app.config_partners import ApiClient, Partner
from smart_app.config_preop import Preop
from smart_app.config_viewers import ExternalViewer


def _queue(url: str) -> str:
    """A Redis, without its password."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("is not a redis:// or rediss:// URL")
    if parts.password is not None:
        raise ValueError("holds a password: give it as `queue_password`")
    return url


class SealingKey(Frozen):
    """One AES-256 key of the keyring. The first listed seals; all of them open."""

    id: Key = Field(description="Short name, stored beside each sealed value.")
    env: str | None = Field(None, description="Environment variable that holds 32 bytes, base64url.")
    file: Path | None = Field(None, description="File that holds 32 bytes, base64url.")


class Backend(Frozen):
    """SMART Backend Services registration at this EHR."""

    client_id: str = Field(description="Client id of the backend registration.")
    scopes: tuple[str, ...] = Field(("system/Patient.rs", "system/ImagingStudy.rs"), description="`system/` scopes to ask for.")
    key: KeyFile = Field(description="Signing key of the backend client.")


class MrnRule(Frozen):
    """One way to find the medical record number among Patient.identifier; the first rule that matches wins."""

    system: str | None = Field(None, description="identifier.system must equal this.")
    type_code: str | None = Field(None, description="identifier.type.coding.code (v2-0203) must equal this, for instance `MR`.")
    type_text: str | None = Field(None, description="identifier.type.text must equal this.")


class Quirks(Frozen):
    """How this EHR departs from the specification."""

    scope_style: Literal["auto", "v1", "v2"] = Field("auto", description="Scope syntax: from its capabilities, or forced.")
    patient_in_sub: bool = Field(False, description="The patient id comes in the token's `sub` instead of `patient`.")
    smart_configuration_url: str | None = Field(
        None, description="Where its smart-configuration is, when not under the FHIR base. Its origin must be listed in `origins`."
    )


class RoleRule(Frozen):
    """Who gets a role: by a verified id_token claim or by a list of users. Re-read on each request."""

    role: Literal["clinician", "staff", "reviewer", "administrator", "auditor", "surgical-team"] = Field(description="The role given.")
    claim: str | None = Field(None, description="Name of the id_token claim to look at.")
    equals: str | None = Field(None, description="Value the claim must have, or contain when it is a list.")
    users: tuple[str, ...] = Field((), description="`sub` or `fhirUser` values that get the role.")


class Ehr(Frozen):
    """One EHR that may launch Priors."""

    key: Key = Field(description="Short name used in URLs, for instance in the redirect URI `/cb/<key>`.")
    name: str = Field(description="Name as clinicians know it.")
    organization: str = Field("", description="Hospital shown for studies that only this EHR names; `name` when empty.")
    issuer: str = Field(description="FHIR base URL, exactly as the EHR sends it in `iss`.")
    client_id: str = Field(description="Client id registered for Priors.")
    client_auth: Literal["public", "client_secret_basic", "private_key_jwt"] = Field(
        "public", description="How Priors proves itself at the token endpoint."
    )
    client_secret: SecretRef | None = Field(None, description="For client_secret_basic.")
    client_key: KeyFile | None = Field(None, description="For private_key_jwt.")
    backend: Backend | None = Field(None, description="SMART Backend Services, for work without a person.")
    origins: tuple[str, ...] = Field(
        (), description="Further origins of this EHR that may be called (authorization server, JWKS). The issuer's own is always one."
    )
    frame_ancestors: tuple[str, ...] = Field((), description="Origins whose pages may frame Priors.")
    scopes: tuple[str, ...] = Field(
        (
            "openid",
            "fhirUser",
            "online_access",
            "patient/Patient.rs",
            "patient/ImagingStudy.rs",
            "patient/DiagnosticReport.rs",
            "patient/ServiceRequest.rs",
            "patient/DocumentReference.rs",
            "patient/Procedure.rs",
            "patient/Encounter.rs",
            "patient/Appointment.rs",
        ),
        description="Scopes to ask for, in v2 form; `launch` or `launch/patient` is added by the kind of launch.",
    )
    staff_scopes: tuple[str, ...] = Field(
        (), description="Further scopes for people who sign in without a chart, for instance `user/Patient.rs`: the pre-op board reads with them where it has no backend, and opens each case with them."
    )
    mrn: tuple[MrnRule, ...] = Field((MrnRule(type_code="MR"),), description="Ordered rules that pick the MRN shown in the banner.")
    roles: tuple[RoleRule, ...] = Field(
        (),
        description="Who is staff, reviewer, administrator or auditor. Everyone who launches from a chart is a clinician for that chart.",
    )
    quirks: Quirks = Field(Quirks(), description="Departures from the specification.")
    write_requests: Literal["none", "task", "communication"] = Field(
        "none", description="Whether requests for images are written into this EHR by the backend client: as ServiceRequest and Task, or as Communication."
    )
    allow_http: bool = Field(False, description="Allow plain http to this EHR. Development only, or a closed network.")
    allow_private: bool = Field(False, description="Allow private (not loopback) addresses for this EHR.")
    ca_file: Path | None = Field(None, description="CA bundle to verify this EHR's certificate with.")


class PolicyRule(Frozen):
    """One rule of what may be shown of a study; the first that matches decides, without one it is shown. All conditions given must hold."""

    archives: tuple[str, ...] = Field((), description="Keys of archives, or `ehr:<key>` for what a chart names; empty: any.")
    modalities: tuple[str, ...] = Field((), description="Any of these modalities; empty: any.")
    confidentiality: tuple[str, ...] = Field(
        (), description="Any of these labels on the study (FHIR `meta.security` codes such as R, V, PSY, HIV, or DICOM 0040,3001); empty: any."
    )
    older_than_days: int | None = Field(None, ge=0, description="Only studies older than this.")
    newer_than_days: int | None = Field(None, ge=1, description="Only studies newer than this.")
    roles: tuple[Literal["clinician", "staff", "reviewer", "administrator", "auditor"], ...] = Field(
        (), description="Only for users with any of these roles; empty: for everybody."
    )
    effect: Literal["show", "hide-details", "deny", "break-glass"] = Field(
        description="`hide-details` shows a row without details, `deny` only counts it, `break-glass` counts it and opens it to who gives a reason."
    )


class Sessions(Frozen):
    """Lifetimes of a launch."""

    idle_minutes: int = Field(15, ge=1, le=120, description="Minutes without use after which a launch ends.")
    absolute_hours: float = Field(8, gt=0, le=24, description="Hours after which a launch ends in any case.")


class FacilityRoute(Frozen):
    """One way to ask a facility."""

    kind: Literal["email", "fax", "fhir"] = Field(description="E-mail with a link, a sheet to fax or post, or a FHIR Task.")
    address: str = Field("", description="E-mail address, fax number, or the key of a partner.")


class FacilityEntry(Frozen):
    """An organization that may be asked for images. It enters the directory when it is new or was changed here; staff may edit it there."""

    id: Key = Field(description="Short name that stays.")
    name: str = Field(min_length=1, description="As people and charts call it.")
    place: str = Field("", description="Town, as people tell two of the same name apart.")
    routes: tuple[FacilityRoute, ...] = Field((), description="How it can be asked, the best way first.")
    phone: str = Field("", description="Number of its image library or desk.")
    note: str = Field("", description="What the desk should know, for instance opening hours.")
    is_active: bool = Field(True, description="Whether it is offered.")


class Receiving(Frozen):
    """How much senders may send, and for how long. Who we are to them is `contact`."""

    link_days: int = Field(14, ge=1, le=30, description="Days that a link to send images lives.")
    most_bytes: int = Field(20_000_000_000, ge=1_000_000, description="Bytes that one link may bring.")
    most_files: int = Field(50_000, ge=1, description="Files that one link may bring.")
    spare_bytes: int = Field(1_000_000_000, ge=0, description="Free bytes of the disk that uploads never use.")
    spool_dir: Path | None = Field(None, description="Private folder (0700) for what was received; `spool` under `data_dir` when absent.")


class Intake(Frozen):
    """What happens with what was received."""

    store_certain: bool = Field(
        False, description="Store without anybody looking what is certain by its identifier: same number in the same namespace, same birth date and sex. Everything else waits for people in any case."
    )
    second_person: Literal["same-ehr", "any-ehr"] = Field(
        "same-ehr",
        description="Whom a second person may be, where two must agree: of the same EHR as the first, which tells its users apart; or of any, where the site vouches that nobody has accounts at two. Two whose names may be one person's are one in any case.",
    )
    stored_days: int = Field(30, ge=1, le=3650, description="Days that the untouched originals stay after storing. Undoing brings them back until then.")
    left_days: int = Field(30, ge=1, le=3650, description="Days that what was not kept, not usable or for another place stays.")
    aside_days: int = Field(90, ge=1, le=3650, description="Days that another person's images, and what was taken out of the views, stay.")


class MarksSettings(Frozen):
    """What a person measures and writes on images, and pictures that are taken out."""

    days: int = Field(365, ge=1, le=3650, description="Days that a person's marks on a study stay after they were last saved.")
    save_to_archive: bool = Field(
        False, description="Offer to write a person's measurements to the archive that received studies are stored at (`stores`), as a DICOM SR in the same study. Only for studies of that archive."
    )
    export: Literal["off", "without-identity", "with-identity"] = Field(
        "without-identity", description="Whether the image in view can be taken out as a picture, and whether the patient's name may be on it."
    )


class Settings(BaseSettings):
    """All of Priors' configuration, immutable once read. `PRIORS_<NAME>` overrides a top-level setting of the file."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="PRIORS_")

    public_url: str = Field(description="Origin under which browsers reach Priors, without a path.")
    development: bool = Field(
        False, description="Development mode: allows loopback and plain http there, and says so on every page. Never in production."
    )
    data_dir: Path = Field(Path("data"), description="Private folder (0700) for the default database and kept images.")
    database_url: str | None = Field(None, description="SQLAlchemy URL; SQLite under `data_dir` when absent.")
    database_password: SecretRef | None = Field(None, description="Password put into `database_url`.")
    queue_url: Annotated[str, AfterValidator(_queue)] | None = Field(
        None, description="Redis that rings for `priors worker`, `redis://` or `rediss://`; web workers then do no work. None: they do it themselves."
    )
    queue_password: SecretRef | None = Field(None, description="Password for `queue_url`.")
    work_threads: int = Field(2, ge=1, le=64, description="Pieces of work done at once in a process that works.")
    work_lease_seconds: float = Field(
        45, ge=1, le=600, description="Seconds without a sign of life after which another worker takes a piece of work over; a sign comes each third of it."
    )
    sealing_keys: tuple[SealingKey, ...] = Field(
        min_length=1, description="Keyring that seals tokens and demographics at rest; kept outside `data_dir`."
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description="Number of reverse proxies in front whose X-Forwarded-* headers are believed.")
    tenant: Key = Field("default", description="Name of this site in records. Sites that share a database need names of their own: each does, sees and keeps its own only.")
    sessions: Sessions = Field(Sessions(), description="Lifetimes.")
    web_threads: int = Field(
        24, ge=4, le=512, description="Threads of a web worker. At most half of them hand out images, a quarter wait for slow archives in a list."
    )
    body_threads: int = Field(
        6, ge=1, le=512, description="More threads of a web worker, for long requests that are still coming in, such as images: so many are received at once; others wait."
    )
    slow_seconds: float = Field(20, ge=0.5, le=120, description="Seconds in which a request must begin to come, and after which one that stands still is given up.")
    slowest_bytes: int = Field(1_000, ge=1, description="Bytes a second below which a request that comes in slowly is given up, measured over `slow_seconds`.")
    list_deadline: float = Field(15, gt=0, le=60, description="Seconds after which the list is final, whoever has not answered.")
    watch_seconds: int = Field(30, ge=0, le=600, description="Seconds between two looks for new studies while a list is open and in view; 0 never looks.")
    frame_cache_bytes: int = Field(
        4_000_000_000, ge=0, description="Bytes of images kept for a while under `data_dir`, in plain DICOM; half of them for one series at most. 0: none."
    )
    frame_cache_minutes: int = Field(60, ge=1, le=1440, description="Minutes after which a kept series is removed, used or not.")
    index_days: int = Field(
        30, ge=0, le=3650, description="Days that the index remembers who holds what of a patient, between launches; 0 remembers nothing."
    )
    portal_url: str | None = Field(
        None, description="Origin of the pages for senders, without a path. Another host name than `public_url`; without it nothing can be received."
    )
    receiving: Receiving = Field(Receiving(), description="The pages for senders.")
    intake: Intake = Field(Intake(), description="What happens with what was received.")
    marks: MarksSettings = Field(MarksSettings(), description="Measurements, and pictures that are taken out.")
    ehrs: tuple[Ehr, ...] = Field(min_length=1, description="EHRs that may launch Priors.")
    archives: tuple[Archive, ...] = Field((), description="DICOMweb archives asked for studies.")
    policy: tuple[PolicyRule, ...] = Field((), description="Ordered rules of what may be shown of a study, and to whom.")
    break_glass_minutes: int = Field(60, ge=1, le=480, description="Minutes that restricted studies stay open after a reason was given.")
    exchanges: tuple[Exchange, ...] = Field((), description="Imaging Access, HIE and document servers asked for studies.")
    facilities: tuple[FacilityEntry, ...] = Field((), description="Organizations that may be asked for images; staff may add more.")
    contact: Contact = Field(Contact(), description="Who the image desk is to people outside.")
    mail: Mail | None = Field(None, description="The mail server for requests; none: nothing is sent by e-mail, and requests that need it say so on the desk.")
    partners: tuple[Partner, ...] = Field((), description="Hospitals whose FHIR server takes requests for images as Task.")
    api_clients: tuple[ApiClient, ...] = Field((), description="Programs that may ask Priors' FHIR API at `/fhir`.")
    viewers: tuple[ExternalViewer, ...] = Field((), description="Other viewers that a study can be opened in.")
    iid_ehr: Key | None = Field(
        None, description="Key of the EHR whose users open images by IHE Invoke Image Display at `/IHEInvokeImageDisplay`; without it the address does not exist."
    )
    preop: Preop = Field(Preop(), description="The pre-op board.")
    not_for_diagnosis: str = Field(
        "Not for primary diagnosis on this display", description="Sentence in the viewer's status line; empty hides it."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; nothing else is read."""
        return env_settings, init_settings
