"""Settings of other viewers that a study can be opened in, and what is unsafe in them. Their meaning is their `description`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from smart_app.config_archives import Frozen, Key

PLACEHOLDERS = ("study_uid", "accession", "patient_id")
_PLACE = re.compile(r"\{([^{}]*)\}")

Flaw = tuple[tuple[str | int, ...], str, str]
"""Where in the settings, what is wrong, and its cure."""


class ExternalViewer(Frozen):
    """Another viewer, which knows its users by itself: Priors hands it identifiers, and no rights."""

    key: Key = Field(description="Short name used in URLs and the audit.")
    name: str = Field(min_length=1, max_length=60, description="As clinicians know it: shown as “Open in …”.")
    kind: Literal["iid", "template"] = Field("template", description="`iid`: IHE Invoke Image Display at `url`; `template`: `url` with placeholders.")
    url: str = Field(description="Its address, https. In a template `{study_uid}`, `{accession}` and, with `with_patient_id`, `{patient_id}` may stand in path, query or fragment.")
    archives: tuple[Key, ...] = Field((), description="Keys of the archives whose studies it can show; empty: all.")
    with_patient_id: bool = Field(False, description="Let the archive's Patient ID stand in the address. It then also stands in the browser's history and the other viewer's logs.")


def unsafe_viewers(viewers: Iterable[ExternalViewer], archives: Collection[str], *, development: bool) -> Iterator[Flaw]:
    """Every flaw found, in the order of the file."""
    seen: set[str] = set()
    for at, viewer in enumerate(viewers):
        where = ("viewers", at)
        if viewer.key in seen:
            yield (*where, "key"), f"{viewer.key} is used twice.", "Each entry needs its own."
        seen.add(viewer.key)
        for name in viewer.archives:
            if name not in archives:
                yield (*where, "archives"), f"{name} names no archive of this configuration.", "Use an archive's `key`."
        yield from (((*where, "url"), wrong, cure) for wrong, cure in _address(viewer, development=development))


def _address(viewer: ExternalViewer, *, development: bool) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(viewer.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    loopback = host in ("127.0.0.1", "::1", "localhost") or (host or "").endswith(".localhost")
    if not host or "{" in parts.netloc or "@" in parts.netloc or not viewer.url.isascii() or any(c <= " " or c in "\"<>\\^`|" for c in viewer.url):
        yield "it is not an address with a host of its own.", "Give it as https://host/path."
    elif parts.scheme != "https" and not (parts.scheme == "http" and development and loopback):
        yield "it is not https.", "Study identifiers belong on an encrypted way only. Plain http is for loopback, in development."
    named = _PLACE.findall(viewer.url)
    if viewer.kind == "iid" and (named or parts.query or parts.fragment):
        yield "an IID address has no placeholders, query or fragment.", "Give the address alone, for instance https://host/IHEInvokeImageDisplay."
    for name in named:
        if name not in PLACEHOLDERS:
            yield f"{{{name}}} is no placeholder.", f"Use {', '.join('{' + one + '}' for one in PLACEHOLDERS)}."
    if viewer.kind == "template" and not {"study_uid", "accession"} & set(named):
        yield "it names no study.", "Put {study_uid} or {accession} into it."
    if "patient_id" in named and not viewer.with_patient_id:
        yield "it holds {patient_id} without `with_patient_id`.", "Set `with_patient_id: true` if that number may stand in addresses."
    if "{" in _PLACE.sub("", viewer.url) or "}" in _PLACE.sub("", viewer.url):
        yield "a brace stands alone.", "Write %7B or %7D for one that is no placeholder."
