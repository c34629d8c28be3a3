"""What an attachment is, by its bytes and not by its label, and what may be done with it here: read, taken as a file, or neither. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.archives.types import Said
from smart_app.identity.people import contradicts
from smart_app.reports.blocks import Block, of_text
from smart_app.reports.cda import NotCda, cda_of
from smart_app.reports.markup import blocks_of
from smart_app.reports.rich_text import NotRichText, text_of

MOST_BYTES = 8_000_000
NAMES = {
    "application/pdf": "PDF", "text/plain": "Text", "text/html": "Web page", "application/xhtml+xml": "Web page", "text/rtf": "Rich text", "application/rtf": "Rich text",
    "text/xml": "Clinical document", "application/xml": "Clinical document", "application/hl7-cda+xml": "Clinical document", "application/dicom": "DICOM object",
}  # fmt: skip
TOO_LARGE = "This document is too large to show here. It is in the chart."
EMPTY = "The EHR gave nothing for this document. It may be in the chart."
UNSAFE = "This document is not shown here: it cannot be read safely. It is in the chart."
RICH = "This rich text holds struck-out or hidden words, or embedded files, so it is not shown as plain text here. It is in the chart."
OTHER = "This document names another person than this chart, so it is not shown. The image desk was told."
OTHER_KIND = "A {} is not shown here. It is in the chart."
MISLABELLED = "This document is called a {} and is none, so it is not shown. It is in the chart."


@dataclass(frozen=True)
class Form:
    """`kind`: `read` (blocks hold it), `file` (a PDF to take away) or `none` (the sentence says why)."""

    kind: str
    blocks: tuple[Block, ...] = ()
    sentence: str = ""
    author: str = ""
    other_patient: bool = False


def named(type_told: str) -> str:
    return NAMES.get(type_told, "Document")


def form_of(type_told: str, content: bytes, expected: tuple[Said, ...] = ()) -> Form:
    """:param expected: whom it may name. :param type_told: what the EHR calls it; it must agree with the bytes."""
    if not content:
        return Form("none", sentence=EMPTY)
    if len(content) > MOST_BYTES:
        return Form("none", sentence=TOO_LARGE)
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content.startswith(b"%PDF-"):
        return Form("file") if type_told in ("application/pdf", "application/octet-stream", "") else _mislabelled(type_told)
    if type_told == "application/pdf":
        return _mislabelled(type_told)
    if head.startswith(b"{\\rtf"):
        return _rich(content) if type_told in ("text/rtf", "application/rtf", "text/plain", "application/octet-stream", "") else _mislabelled(type_told)
    if type_told in ("text/xml", "application/xml", "application/hl7-cda+xml", "application/cda+xml"):
        return _clinical(content, expected)
    if type_told in ("text/html", "application/xhtml+xml"):
        text = _text(content)
        return Form("none", sentence=UNSAFE) if text is None else Form("read", blocks_of(text))
    if type_told in ("text/plain", "text/markdown", ""):
        text = _text(content)
        return Form("none", sentence=UNSAFE) if text is None else Form("read", of_text(text))
    return Form("none", sentence=OTHER_KIND.format(named(type_told).lower() if type_told in NAMES else "document of this kind"))


def _mislabelled(type_told: str) -> Form:
    return Form("none", sentence=MISLABELLED.format(named(type_told) if named(type_told) == "PDF" else named(type_told).lower()))


def _rich(content: bytes) -> Form:
    try:
        return Form("read", of_text(text_of(content)))
    except NotRichText:
        return Form("none", sentence=RICH)


def _clinical(content: bytes, expected: tuple[Said, ...]) -> Form:
    try:
        cda = cda_of(content)
    except NotCda:
        return Form("none", sentence=UNSAFE)
    # More than one record target, or another's birth date or sex: it is not, or not only, this patient's.
    if cda.targets > 1 or contradicts(expected, cda.birth_date or None, cda.sex or None):
        return Form("none", sentence=OTHER, other_patient=True)
    return Form("read", cda.blocks, author=cda.author)


def _text(content: bytes) -> str | None:
    """UTF-8, else what older systems write. Bytes that no text holds make it no text."""
    if b"\x00" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
