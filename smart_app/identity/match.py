"""The decision whether a record at a source is the chart's patient: automatic, possible (a person must look), or somebody else's.

Automatic only on the same identifier in the same namespace with agreeing birth date and sex and no conflict, or on a
single certain match-grade without conflict (safety.md P1 to P3). Everything else is possible. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from smart_app.archives.types import PatientId
from smart_app.identity import placeholders
from smart_app.identity.likeness import AGREES, DOUBTS, Likeness, NameVerdict, compare
from smart_app.identity.names import PersonName

DATE = re.compile(r"(\d{4})-?(\d{2})?-?(\d{2})?")
SEXES = {"f": "F", "female": "F", "w": "F", "m": "M", "male": "M", "o": "O", "other": "O"}
SURE, MAYBE = "certain", frozenset({"certain", "probable", "possible"})


class Decision(StrEnum):
    AUTOMATIC = "automatic"
    POSSIBLE = "possible"
    OTHER = "other"
    """Not offered: nothing but chance speaks for it."""


@dataclass(frozen=True, slots=True)
class Person:
    """What one side says of a person. `identifiers` name their namespace; without one nothing is compared."""

    names: tuple[PersonName, ...] = ()
    birth_date: str | None = None
    sex: str | None = None
    identifiers: tuple[PatientId, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """`why`: fixed words, the gravest reason first; empty when automatic."""

    decision: Decision
    why: str
    birth_date: Likeness
    sex: Likeness
    name: NameVerdict
    same_identifier: bool
    other_identifier: bool
    """Both have an identifier in one namespace, and not the same: two records, or two people."""


def judge(chart: Person, record: Person, *, grade: str | None = None, alone: bool = False, silence: bool = False) -> Judgement:
    """:param grade: FHIR match-grade, where a matching server gave one; `alone`: it is the only `certain` in a whole answer.
    :param silence: this source is known to give no birth date or sex (configured), or has vouched for the record otherwise.
    """
    born, sex = birth_dates(chart.birth_date, record.birth_date), sexes(chart.sex, record.sex)
    name = compare(chart.names, record.names)
    same, other = _identifiers(chart.identifiers, record.identifiers)
    reasons = [
        ("birth-date", born in DOUBTS),
        ("sex", sex is Likeness.DIFFERENT),
        ("suffix", name.suffix_conflict),
        ("name", _name_objects(name)),
        ("identifier", other),
        ("deprecated", not record.active),
        ("silent", not silence and grade != SURE and not _enough(born, sex, name)),
    ]
    objection = next((word for word, holds in reasons if holds), "")
    if same or (grade == SURE and alone):
        decision = Decision.POSSIBLE if objection else Decision.AUTOMATIC
    elif grade is not None:
        decision, objection = (Decision.POSSIBLE if grade in MAYBE else Decision.OTHER), objection or "not-certain"
    else:
        decision, objection = (Decision.POSSIBLE if _worth_a_look(born, sex, name) else Decision.OTHER), objection or "no-identifier"
    return Judgement(decision, objection if decision is not Decision.AUTOMATIC else "", born, sex, name, same, other)


def _enough(born: Likeness, sex: Likeness, name: NameVerdict) -> bool:
    """Birth date and sex agree. Where one side gives no sex that can be compared, the whole name must agree in its place."""
    if born is not Likeness.SAME:
        return False
    return sex is Likeness.SAME or (name.family in AGREES and name.given in AGREES)


def _name_objects(name: NameVerdict) -> bool:
    """A given name that differs or nearly does is another child's; a family name alone is often a marriage's."""
    return name.given in DOUBTS or (name.family is Likeness.DIFFERENT and name.given not in AGREES)


def _worth_a_look(born: Likeness, sex: Likeness, name: NameVerdict) -> bool:
    """Whether a record found by demographics alone is shown to a person at all."""
    agreeing = name.family in AGREES or name.family is Likeness.CLOSE, name.given in AGREES or name.given in (Likeness.CLOSE, Likeness.COMPATIBLE)
    if born is Likeness.SAME:
        return agreeing[1] or (name.given is not Likeness.DIFFERENT and (agreeing[0] or name.family is name.given is Likeness.UNREADABLE))
    return all(agreeing) and born is not Likeness.DIFFERENT and sex is not Likeness.DIFFERENT


def _identifiers(ours: tuple[PatientId, ...], theirs: tuple[PatientId, ...]) -> tuple[bool, bool]:
    """(one is shared, one namespace holds two values). Placeholders are no identifiers."""
    known: dict[str, set[str]] = {}
    for one in ours:
        if one.issuer and not placeholders.is_identifier(one.value):
            known.setdefault(one.issuer, set()).add(one.value)
    told: dict[str, set[str]] = {}
    for one in theirs:
        if one.issuer in known and not placeholders.is_identifier(one.value):
            told.setdefault(one.issuer, set()).add(one.value)
    return any(known[issuer] & values for issuer, values in told.items()), any(not known[issuer] & values for issuer, values in told.items())


@lru_cache(maxsize=262144)
def birth_dates(ours: str | None, theirs: str | None) -> Likeness:
    """SAME only for two whole equal dates; COMPATIBLE for equal as far as both go; CLOSE for a slip a typist makes."""
    if not ours or not theirs:
        return Likeness.ABSENT
    one, other = day_of(ours), day_of(theirs)
    if one is None or other is None:
        return Likeness.UNREADABLE
    if placeholders.is_birth_date(one) or placeholders.is_birth_date(other):
        return Likeness.PLACEHOLDER
    if one == other:
        return Likeness.SAME if len(one) == 10 else Likeness.COMPATIBLE
    shorter = min(len(one), len(other))
    if shorter < 10:
        return Likeness.COMPATIBLE if one[:shorter] == other[:shorter] else Likeness.DIFFERENT
    return Likeness.CLOSE if _slip(one, other) else Likeness.DIFFERENT


def _slip(one: str, other: str) -> bool:
    if one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]:
        return True
    differing = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(differing) == 1 or (len(differing) == 2 and differing[0] == differing[1][::-1])


@lru_cache(maxsize=65536)
def day_of(text: str) -> str | None:
    """ISO date, as far as it is given, of an ISO or DICOM date; None for what is none."""
    match = DATE.fullmatch(text.strip().replace(".", "-"))
    if match is None:
        return None
    year, month, day = match.groups()
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    return "-".join(part for part in (year, month, day) if part)


def sexes(ours: str | None, theirs: str | None) -> Likeness:
    """Only female against male is a conflict: `other` and `unknown` say how somebody is registered, not who it is."""
    one, other = SEXES.get((ours or "").strip().lower()), SEXES.get((theirs or "").strip().lower())
    if one is None or other is None:
        return Likeness.ABSENT
    if one == other:
        return Likeness.SAME
    return Likeness.COMPATIBLE if "O" in (one, other) else Likeness.DIFFERENT


def single_certain(grades: Iterable[str | None]) -> bool:
    """Whether exactly one of a whole answer's entries is `certain`. Several may be one person's duplicates, or two people."""
    return sum(grade == SURE for grade in grades) == 1
