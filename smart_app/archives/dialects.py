"""How archives depart from PS3.18, as data: one row a product, single facts overridden by the configuration.

Sources: the products' conformance statements and issue trackers, named beside each row; `priors check` finds out the rest.
`plain` assumes nothing: every claim of an archive that could cut a list short is then proven by asking on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType

from smart_app.config_archives import Archive


class Paging(StrEnum):
    """What proves that there is no more."""

    SHORT = "short-page"
    """It honours `limit` up to its documented cap: a page shorter than asked for is the last."""
    EMPTY = "empty-page"
    """It may cut pages at any size: only one that adds nothing is the end."""
    ONE = "one-page"
    """It ignores `offset`: the first page is all that it will ever say."""


class Include(StrEnum):
    """How attributes beyond its default may be asked for."""

    LISTED = "listed"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True)
class Dialect:
    """What one archive does in its own way."""

    page_cap: int | None = None
    """More than this many rows are never asked for at once; None: no cap is known."""
    paging: Paging = Paging.EMPTY
    warning_goes_on: bool = False
    """A Warning on a page says that a further page can be asked for, not that the rest is lost."""
    include: Include = Include.LISTED
    search_accept: str = "application/dicom+json"
    any_transfer_syntax: bool = True
    """It understands `transfer-syntax=*`."""
    rendered: bool = True
    thumbnail: bool = True
    charset: str | None = None
    """Of its JSON, where it is not UTF-8 and its answers do not say so."""
    retrieve_elsewhere: bool = False
    """Its RetrieveURL names another host, or no port, as a matter of course. It is never called, and not remarked on."""
    omits: tuple[str, ...] = ()
    """What its study rows lack: `modalities`, `counts`. Rows from it then say so."""
    chunked: bool = True
    """It takes an upload of unannounced length."""
    max_url: int = 8000


DIALECTS: Mapping[str, Dialect] = MappingProxyType({
    "plain": Dialect(),
    # Orthanc Book; LimitFindResults of a site cuts pages without a word. No /thumbnail up to plugin 1.7; RetrieveURL from
    # its own idea of its host; a chunked upload needs Orthanc 1.5.7 on both ends ("ChunkedTransfers").
    "orthanc": Dialect(thumbnail=False, retrieve_elsewhere=True),
    # dcm4chee-arc-light #2367 (Warning: additional results can be requested), #4487 (broad queries are refused).
    "dcm4chee": Dialect(warning_goes_on=True),
    # Cloud Healthcare API, DICOM conformance statement: limit up to 5,000 studies, default 100; no thumbnails.
    "google": Dialect(page_cap=5000, paging=Paging.SHORT, thumbnail=False),
    # Azure Health Data Services, DICOM conformance statement v2: limit 1 to 200, else 400; 204 beyond the last; no thumbnails.
    "azure": Dialect(page_cap=200, paging=Paging.SHORT, thumbnail=False),
    # medplum #10154: pages of 20 whatever was asked for, before August 2026.
    "medplum": Dialect(page_cap=20, thumbnail=False, rendered=False),
    # DICOMcloud #17: 12 rows by default, offset honoured. Its wiki: no rendered pictures of DICOMweb's kind.
    "dicomcloud": Dialect(page_cap=12, thumbnail=False, rendered=False),
    # dcmjs dicomweb-server #19: limit and offset are ignored.
    "dcmjs": Dialect(paging=Paging.ONE, thumbnail=False, rendered=False),
})  # fmt: skip

MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "orthanc": ("orthanc", "/dicom-web"),
    "dcm4chee": ("dcm4chee", "wildfly", "/aets/"),
    "google": ("healthcare.googleapis.com",),
    "azure": ("azurehealthcareapis.com",),
    "medplum": ("medplum",),
    "dicomcloud": ("dicomcloud",),
    "dcmjs": ("dicomweb-server",),
})  # fmt: skip
"""What gives a product away in its address, or in Server and X-Powered-By, in lower case; the first that fits wins."""


def dialect_of(settings: Archive) -> Dialect:
    """The row of its product, with what the configuration says of this very archive."""
    said = settings.profile.model_dump(exclude_none=True)
    if "paging" in said:
        said["paging"] = Paging(said["paging"])
    if "include" in said:
        said["include"] = Include(said["include"])
    return replace(DIALECTS[settings.dialect], **said)


def differences(found: Dialect, base: Dialect) -> dict[str, object]:
    """Facts in which `found` departs from `base`, by their configuration names."""
    pairs = ((field.name, getattr(found, field.name), getattr(base, field.name)) for field in fields(Dialect))
    return {name: value for name, value, before in pairs if value != before}
