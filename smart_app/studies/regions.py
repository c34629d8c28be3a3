"""Which part of the body a study, order or reason is about, from codes or from words. The tables are in `terms`.

Unknown stays unknown: nothing is guessed. Codes and terms come before words; a description is read only where they say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from smart_app.studies.terms import codes, modalities, phrases
from smart_app.studies.terms.anatomy import CONTAINS, HEART, ORDER, PAIRED, REGION, WHOLE

__all__ = ["HEART", "Anatomy", "anatomy_of", "modality_of", "regions_of"]

_PHRASES = re.compile("(?<![a-z])(?:" + "|".join(f"(?P<p{at}>{pattern})" for at, (pattern, _) in enumerate(phrases.PHRASES)) + ")(?![a-z])")
_NOT = re.compile(rf"(?<![a-z]){phrases.NOT}")
_SIDE = re.compile(r"(?<![a-z])(?:(?P<B>bilateral|bilat|both|b/l)|(?P<L>left|lt|\(l\))|(?P<R>right|rt|\(r\)))(?![a-z])")
_PART = r"(?:shoulder|humer|elbow|forearm|wrist|hand|finger|thumb|hip|thigh|femur|knee|tib|ankle|foot|heel|breast)"
_LETTER = re.compile(rf"(?<![a-z./-])([lr])[ .]+(?={_PART})|{_PART}\w*[ ,]+([lr])(?![\w/.-])")
"""`L KNEE`, `knee, r`: a single letter is a side only beside a part that has sides; `L spine` and `r/o` are not."""
_NAMED = tuple((re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])"), code) for pattern, code in modalities.NAMED)
_LETTERS = re.compile("[^A-Z]")
_ICD10 = re.compile(r"[A-TV-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


@dataclass(frozen=True)
class Anatomy:
    sites: tuple[str, ...] = ()
    """Parts told apart for comparison."""
    regions: tuple[str, ...] = ()
    """Plain words for the list, head to foot."""
    side: str = ""
    """`L`, `R`, `B` (both) where the sites have sides and one is named; else empty."""


def anatomy_of(parts: Iterable[str], description: str | None) -> Anatomy:
    """From `parts` (codes, terms, displays), and from the description where they say nothing. The side is looked for in both."""
    given = [part for part in parts if part.strip()]
    sites: set[str] = set()
    for part in given:
        known = _coded(part)
        sites.update(known if known is not None else _worded(part))
    if not sites and description:
        sites = _worded(description)
    if WHOLE in sites:
        sites = {WHOLE}
    # `leg, ankle` is an ankle: the whole limb is meant only where no part of it is named.
    sites -= {REGION[site] for site in sites if REGION[site] != site and REGION[site] in CONTAINS}
    regions = {REGION[site] for site in sites}
    side = _side([*given, description or ""]) if sites & PAIRED else ""
    return Anatomy(tuple(site for site in REGION if site in sites), tuple(region for region in ORDER if region in regions), side)


def regions_of(body_parts: Iterable[str], description: str | None) -> tuple[str, ...]:
    """Plain region words, head to foot."""
    return anatomy_of(body_parts, description).regions


def modality_of(given: Iterable[str], text: str = "") -> str:
    """The modality that an order or procedure means: from its codes, else from its words; empty when it says none."""
    words = [*given, text]
    for code in words:
        known = codes.LOINC.get(code) or codes.PLAYBOOK.get(code.upper())
        if known is not None:
            return known[0]
    joined = " | ".join(words)
    return next((code for pattern, code in _NAMED if pattern.search(joined)), "")


def _coded(part: str) -> tuple[str, ...] | None:
    """Sites of a code; None when it is none that is known here."""
    key = part.strip().upper()
    procedure = codes.LOINC.get(key) or codes.PLAYBOOK.get(key)
    if procedure is not None:
        return procedure[1]
    for table in (codes.STRUCTURES, codes.OLD_STRUCTURES, codes.RADLEX, codes.REASONS):
        if key in table:
            return table[key]
    if key in codes.SIDES:
        return ()
    if _ICD10.fullmatch(key):
        dotted = key if "." in key or len(key) == 3 else f"{key[:3]}.{key[3:]}"
        return codes.ICD10.get(dotted[:5]) or codes.ICD10.get(key[:3])
    return codes.TERMS.get(_LETTERS.sub("", key))


def _worded(text: str) -> set[str]:
    lowered = _NOT.sub(" ", text.lower().replace("_", " "))
    found: set[str] = set()
    for match in _PHRASES.finditer(lowered):
        found.update(phrases.PHRASES[int((match.lastgroup or "p0")[1:])][1])
    return found


def _side(texts: Iterable[str]) -> str:
    found: set[str] = set()
    for text in texts:
        coded = codes.SIDES.get(text.strip().upper())
        if coded is not None:
            found.add(coded)
            continue
        lowered = _NOT.sub(" ", text.lower().replace("_", " "))
        found.update(match.lastgroup or "" for match in _SIDE.finditer(lowered))
        found.update((match.group(1) or match.group(2)).upper() for match in _LETTER.finditer(lowered))
    return "B" if "B" in found or len(found) > 1 else next(iter(found), "")
