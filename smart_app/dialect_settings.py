"""Settings of how one archive departs from the standard: the product's name, and single facts. Their meaning in use: `archives.dialects`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DialectName = Literal["plain", "orthanc", "dcm4chee", "google", "azure", "medplum", "dicomcloud", "dcmjs"]


class Profile(BaseModel):
    """Single facts of one archive that differ from its dialect. `priors check` proposes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page_cap: int | None = Field(None, ge=1, le=100_000, description="Most rows it gives at once.")
    paging: Literal["short-page", "empty-page", "one-page"] | None = Field(
        None, description="What proves that there is no more: a page shorter than asked for, one that adds nothing, or the first (offset is ignored)."
    )
    warning_goes_on: bool | None = Field(None, description="Its Warning says that a further page can be asked for.")
    include: Literal["listed", "all", "none"] | None = Field(None, description="Attributes are asked for one by one, with `includefield=all`, or not at all.")
    search_accept: Literal["application/dicom+json", "application/json"] | None = Field(None, description="What it wants in Accept of a search.")
    any_transfer_syntax: bool | None = Field(None, description="It understands `transfer-syntax=*` in Accept.")
    rendered: bool | None = Field(None, description="It draws pictures (`/rendered`).")
    thumbnail: bool | None = Field(None, description="It has `/thumbnail`.")
    charset: str | None = Field(None, pattern=r"^[A-Za-z0-9_.:-]{1,40}$", description="Character set of its JSON, where it is not UTF-8 and does not say so.")
    retrieve_elsewhere: bool | None = Field(None, description="Its RetrieveURL names another host or no port; it is not called and not remarked on.")
    omits: tuple[Literal["modalities", "counts"], ...] | None = Field(None, description="What its study rows lack.")
    chunked: bool | None = Field(None, description="It takes an upload of unannounced length.")
    max_url: int | None = Field(None, ge=200, le=8000, description="Longest URL it reads.")
