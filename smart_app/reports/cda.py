"""A CDA document -> blocks, and whom it says it is about. Our own reading: no stylesheet is ever run, no entity ever resolved.

Expat with every declaration refused: a document type, an entity or a reference outside ends the reading (XXE, billion laughs).
HL7 CDA R2: `recordTarget`, `author`, `title`, `structuredBody`/`nonXMLBody`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from smart_app.reports.blocks import Block, Draft, TooDeep

MOST_BYTES, MOST_ELEMENTS = 4_000_000, 60_000
ROOT = "urn:hl7-org:v3 ClinicalDocument"
NO_BODY = "This document\u2019s body is a file of another kind, which is not shown here. It is in the chart."


class NotCda(Exception):
    """It is no CDA document, or one that would not be safe to read."""


@dataclass(frozen=True)
class Cda:
    blocks: tuple[Block, ...]
    title: str = ""
    author: str = ""
    birth_date: str = ""
    """Of its record target, `YYYYMMDD` as far as given; empty: not given."""
    sex: str = ""
    targets: int = 0


def cda_of(content: bytes) -> Cda:
    """:raises NotCda: see there."""
    if len(content) > MOST_BYTES:
        raise NotCda
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = parser.SkippedEntityHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, TooDeep, LookupError, ValueError):
        raise NotCda from None
    return reader.read()


def _refuse(*_: Any) -> int:
    raise NotCda


class _Reader:
    """Keeps the path of element names; the header's few facts are taken by it, the body's text goes into a `Draft`."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._drawn: list[str] = []
        self._body = Draft()
        self._facts: dict[str, str] = {}
        self._count = self._targets = 0
        self._elsewhere = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or (not self._path and name != ROOT):
            raise NotCda
        local = name.rpartition(" ")[2]
        self._path.append(local)
        where = "/".join(self._path)
        if where == "ClinicalDocument/recordTarget":
            self._targets += 1
        elif where.endswith("recordTarget/patientRole/patient/birthTime"):
            self._facts["birth"] = attributes.get("value", "")[:8]
        elif where.endswith("recordTarget/patientRole/patient/administrativeGenderCode"):
            self._facts["sex"] = attributes.get("code", "")
        elif "nonXMLBody" in self._path:
            self._elsewhere = True
        if self._is_body():
            # A word that was struck out must not read as if it stood.
            self._drawn.append("del" if attributes.get("revised") == "delete" else local.lower())
            self._body.start(self._drawn[-1])

    def end(self, name: str) -> None:
        if self._is_body():
            self._body.end(self._drawn.pop())
        self._path.pop()

    def words(self, text: str) -> None:
        where = "/".join(self._path)
        if self._is_body():
            self._body.words(text)
        elif where == "ClinicalDocument/title":
            self._facts["title"] = (self._facts.get("title", "") + text)[:300]
        elif "/author/assignedAuthor/assignedPerson/name" in where and len(self._facts.get("author", "")) < 200:
            self._facts["author"] = f"{self._facts.get('author', '')} {text.strip()}".strip()

    def read(self) -> Cda:
        blocks = self._body.done()
        if not blocks or self._elsewhere:
            blocks = (*blocks, Block("note", NO_BODY))
        get = self._facts.get
        return Cda(blocks, " ".join(get("title", "").split()), get("author", ""), get("birth", ""), get("sex", ""), self._targets)

    def _is_body(self) -> bool:
        """A section's title and text; its coded entries say the same for machines, and codes are not for reading."""
        path = self._path
        if "structuredBody" not in path or "entry" in path:
            return False
        at = len(path) - 1 - path[::-1].index("section") if "section" in path else 0
        return bool(at) and (len(path) == at + 1 or path[at + 1] in ("title", "text"))
