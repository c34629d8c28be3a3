"""Which imaging a case asks for, and why: rules as data over codes and words. Pure; nothing here knows a procedure.

A case that no rule speaks of asks for nothing, and is said to have no rule: that is not the same as being ready.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from smart_app.preop.types import Coded

SYSTEMS = {
    "http://snomed.info/sct": "snomed", "http://www.ama-assn.org/go/cpt": "cpt", "http://hl7.org/fhir/sid/icd-10-pcs": "icd10pcs",
    "http://www.cms.gov/medicare/coding/icd10": "icd10pcs", "http://hl7.org/fhir/sid/icd-10-cm": "icd10", "http://hl7.org/fhir/sid/icd-10": "icd10",
}  # fmt: skip
"""How the rules name the systems; in lower case."""


@dataclass(frozen=True)
class Matcher:
    """What a record must say: one of these codes, or one of these words at the beginning of a word of it."""

    codes: tuple[tuple[str, str], ...] = ()
    """(system as in SYSTEMS, code, `021*` or `33510-33536`)"""
    words: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.codes and not self.words

    def found(self, told: Iterable[Coded]) -> bool:
        return any(self._fits(one) for one in told)

    def _fits(self, one: Coded) -> bool:
        system = SYSTEMS.get(one.system.lower().rstrip("/"), "" if not one.system else "other")
        # A code without its system says too little; nobody writes `027` for words.
        if one.code and system and any(known == system and _is(wanted, one.code) for known, wanted in self.codes):
            return True
        return says(one.text, self.words)


@dataclass(frozen=True)
class Kind:
    """A kind of imaging, as it is told in a list of studies."""

    key: str
    title: str
    modalities: tuple[str, ...]
    regions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def fits(self, modalities: Iterable[str], regions: Iterable[str], title: str) -> bool:
        """A study whose modality is not told is never taken for one that is wanted."""
        if not set(self.modalities) & set(modalities):
            return False
        return bool(set(self.regions) & set(regions)) or says(title, self.words)


@dataclass(frozen=True)
class Want:
    kind: Kind
    months: int
    useful: bool = False
    """Its absence is said, and alone puts nothing at risk."""


@dataclass(frozen=True)
class Rule:
    key: str
    title: str
    wants: tuple[Want, ...]
    procedure: Matcher = field(default_factory=Matcher)
    history: Matcher = field(default_factory=Matcher)

    def applies(self, procedure: Sequence[Coded], history: Sequence[Coded]) -> bool:
        """Each condition that the rule has must hold; one without any never does."""
        given = [(self.procedure, procedure), (self.history, history)]
        held = [matcher.found(told) for matcher, told in given if not matcher.is_empty]
        return bool(held) and all(held)


@dataclass(frozen=True)
class Asked:
    """What all rules together ask of one case."""

    rules: tuple[Rule, ...]
    wants: tuple[Want, ...]
    """Each kind once, with the shortest time; wanted if one rule wants it."""

    @property
    def because(self) -> str:
        """`because: CABG; asked: echo within 12 months, chest X-ray within 3 months`"""
        if not self.rules:
            return "No rule speaks of this procedure, so no imaging was asked for."
        told = ", ".join(f"{_lowered(one.kind.title)} within {one.months} months{' (useful)' if one.useful else ''}" for one in self.wants)
        return f"Because: {', '.join(one.title for one in self.rules)}; asked: {told}."


def asked_of(procedure: Sequence[Coded], history: Sequence[Coded], rules: Sequence[Rule]) -> Asked:
    applied = tuple(rule for rule in rules if rule.applies(procedure, history))
    wants: dict[str, Want] = {}
    for want in (one for rule in applied for one in rule.wants):
        other = wants.get(want.kind.key)
        wants[want.kind.key] = want if other is None else Want(want.kind, min(want.months, other.months), want.useful and other.useful)
    return Asked(applied, tuple(sorted(wants.values(), key=lambda one: one.useful)))


def says(text: str, words: Iterable[str]) -> bool:
    """Whether a word of `text` begins with one of `words`; `cath` is in `Cardiac cath`, `tee` not in `committee`. Short ones are whole words."""
    lowered = " ".join(text.lower().split())
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}{'(?![a-z0-9])' if len(word) <= 4 else ''}", lowered) for word in words)


def _is(wanted: str, code: str) -> bool:
    low, dash, high = wanted.partition("-")
    if dash and low.isdigit() and high.isdigit():
        return code.isdigit() and len(code) == len(low) and int(low) <= int(code) <= int(high)
    return code.upper().startswith(wanted[:-1].upper()) if wanted.endswith("*") else code.upper() == wanted.upper()


def _lowered(title: str) -> str:
    """`Echo` inside a sentence; `CT chest` stays."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title
