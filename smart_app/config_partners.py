"""Settings of those who exchange requests with us as FHIR: partners that we send Tasks to, and clients that may ask us.

Their meaning is their `description`, held against `docs/configuration.md` by a test. `config` puts them into `Settings`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from smart_app.config_archives import Credential, Frozen, Key


class Partner(Frozen):
    """A hospital whose FHIR server takes requests for images as Task."""

    key: Key = Field(description="Short name; a facility's FHIR route names it.")
    name: str = Field(description="Name as people know it.")
    fhir: str = Field(description="FHIR base URL.")
    credential: Credential = Field(Credential(), description="How Priors proves itself there; not `ehr-token`.")
    transaction: bool = Field(True, description="It takes ServiceRequest and Task together, as a transaction; false: one after the other.")
    poll_minutes: float = Field(5, ge=0, le=1440, description="Minutes between two looks at a Task that was sent; 0: the partner tells us at `/fhir`.")
    deadline: float = Field(30, gt=0, le=120, description="Total seconds of one question.")
    allow_http: bool = Field(False, description="Allow plain http to this partner.")
    allow_private: bool = Field(False, description="Allow private (not loopback) addresses for this partner.")
    ca_file: Path | None = Field(None, description="CA bundle to verify its certificate with.")


class ApiClient(Frozen):
    """A program that may ask Priors' FHIR API, by SMART Backend Services."""

    key: Key = Field(description="Short name, for records.")
    name: str = Field(description="Name as people know it.")
    client_id: str = Field(min_length=1, max_length=200, description="Client id, as in its assertions.")
    jwks_file: Path | None = Field(None, description="File with its public keys (JWKS).")
    jwks_url: str | None = Field(None, description="Where it publishes its public keys (JWKS).")
    scopes: tuple[str, ...] = Field(
        min_length=1, description="The most it may be given: `system/Task.rs`, `system/ServiceRequest.rs`, `system/Task.u` and so on."
    )
    facilities: tuple[str, ...] = Field((), description="Ids of the facilities whose requests it may see; no others exist for it.")
    all_facilities: bool = Field(False, description="It may see the requests to every facility and to patients: a program of our own house.")
    allow_http: bool = Field(False, description="Allow plain http for `jwks_url`.")
    allow_private: bool = Field(False, description="Allow a private (not loopback) address for `jwks_url`.")
    ca_file: Path | None = Field(None, description="CA bundle to verify the certificate of `jwks_url` with.")

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> ApiClient:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("give exactly one of `jwks_file` and `jwks_url`")
        if self.all_facilities == bool(self.facilities):
            raise ValueError("give either `facilities` or `all_facilities: true`")
        return self
