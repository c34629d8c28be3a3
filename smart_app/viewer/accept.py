"""What a client's Accept header asks for, as one of the few forms we fetch (PS3.18 8.7). Pure.

Only names of an allow-list and transfer syntaxes that are UIDs or `*` go on to an archive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smart_app.archives.dicom_json import is_uid
from smart_app.archives.multipart import MediaType, media_type
from smart_app.archives.wado import Form

FRAME_TYPES = frozenset(
    {"application/octet-stream", "image/jpeg", "image/jls", "image/x-jls", "image/jp2", "image/x-jp2", "image/jpx", "image/x-jpx", "image/jph",
     "image/jphc", "image/dicom-rle", "image/x-dicom-rle", "video/mpeg", "video/mpeg2", "video/mp4", "video/h264", "video/h265", "image/png", "image/gif"}
)  # fmt: skip
DICOM = "application/dicom"
PICTURES = ("image/jpeg", "image/png")
SPLIT = re.compile(r"((?:[^,\"]|\"(?:[^\"\\]|\\.)*\")+)")
MAX_HEADER = 2000


class NothingAcceptable(Exception):
    """The client asks only for forms that we do not serve."""


@dataclass(frozen=True)
class Wanted:
    form: Form
    single: bool
    """One body instead of parts."""


def pixels(accept: str) -> Wanted:
    """The form for frames. Nothing said: uncompressed parts, the standard's default.

    :raises NothingAcceptable:
    """
    return _wanted(accept, FRAME_TYPES, "application/octet-stream")


def instances(accept: str) -> Wanted:
    """The form for whole objects. :raises NothingAcceptable:"""
    return _wanted(accept, frozenset({DICOM}), DICOM)


def picture(accept: str) -> str:
    """`image/jpeg` or `image/png`. :raises NothingAcceptable:"""
    for kind in _by_preference(accept):
        if kind.name in PICTURES:
            return kind.name
        if kind.name in ("*/*", "image/*"):
            return PICTURES[0]
    raise NothingAcceptable


def json(accept: str) -> None:
    """:raises NothingAcceptable: DICOM JSON is all we serve for metadata and search."""
    if not any(kind.name in ("application/dicom+json", "application/json", "application/*", "*/*") for kind in _by_preference(accept)):
        raise NothingAcceptable


def _wanted(accept: str, served: frozenset[str], default: str) -> Wanted:
    for kind in _by_preference(accept):
        if kind.name in ("*/*", "multipart/*"):
            return Wanted(Form(default), False)
        if kind.name == "multipart/related":
            inner = media_type(kind.params.get("type", default))
            if inner.name in served or inner.name == "*/*":
                name = default if inner.name == "*/*" else inner.name
                return Wanted(Form(name, _syntax(kind, inner)), False)
        elif kind.name in served:
            return Wanted(Form(kind.name, _syntax(kind, kind)), True)
    raise NothingAcceptable


def _syntax(kind: MediaType, inner: MediaType) -> str | None:
    syntax = kind.params.get("transfer-syntax") or inner.params.get("transfer-syntax")
    return syntax if syntax == "*" or is_uid(syntax) else None


def _by_preference(accept: str) -> list[MediaType]:
    kinds = [media_type(piece.strip()) for piece in SPLIT.findall((accept or "*/*")[:MAX_HEADER])]
    weighed = [(_quality(kind), -place, kind) for place, kind in enumerate(kinds)]
    return [kind for quality, _, kind in sorted(weighed, key=lambda entry: entry[:2], reverse=True) if quality > 0]


def _quality(kind: MediaType) -> float:
    try:
        return float(kind.params.get("q", "1"))
    except ValueError:
        return 0.0
