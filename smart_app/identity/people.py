"""The chart's patient, a row's and a matching server's, as the persons that `match` compares; and what a merge changes.

`standing` names the chart's state that a person's decision was made on: a link made before a merge, an unmerge or a
corrected birth date is not used again before somebody looks again (safety.md P4).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from smart_app.archives.types import Candidate, PatientId, Said
from smart_app.fhir.patient import HumanName, PatientFacts
from smart_app.identity.likeness import DOUBTS, Likeness
from smart_app.identity.match import Person, birth_dates, sexes
from smart_app.identity.names import PersonName, from_parts, from_pn, from_text

FORMER = frozenset({"maiden", "old"})


def of_chart(facts: PatientFacts, identifiers: tuple[PatientId, ...]) -> Person:
    """:param identifiers: this patient's, each in the namespace of the source that is asked."""
    names = names_from(facts.names) or ((from_parts(facts.family, facts.given),) if facts.family or facts.given else (from_text(facts.name),))
    return Person(names, facts.birth_date, facts.sex, identifiers, facts.active)


def of_row(said: Said, identifier: PatientId | None) -> Person:
    return Person(from_pn(said.name or ""), said.birth_date, said.sex, () if identifier is None else (identifier,))


def of_candidate(candidate: Candidate) -> Person:
    return of_row(Said(candidate.name, candidate.birth_date, candidate.sex), candidate.patient_id)


def names_from(names: Iterable[HumanName]) -> tuple[PersonName, ...]:
    return tuple(from_text(one.text) if one.text else from_parts(one.family, one.given, one.suffix, one.use in FORMER) for one in names)


def as_pn(name: HumanName) -> str:
    """A FHIR name the way archives write one, so that all candidates read alike."""
    return name.text or f"{name.family}^{name.given}" + (f"^^^{name.suffix}" if name.suffix else "")


def said_by_chart(facts: PatientFacts) -> Said:
    return Said(facts.name, facts.birth_date, facts.sex)


def contradicts(expected: tuple[Said, ...], birth_date: str | None, sex: str | None) -> str | None:
    """Why an image's header names none of the persons expected; None when it may be one of them, or nothing is known."""
    objections = []
    for said in expected:
        if birth_dates(said.birth_date, birth_date) in DOUBTS:
            objections.append("other birth date")
        elif sexes(said.sex, sex) is Likeness.DIFFERENT:
            objections.append("other sex")
        else:
            return None
    return objections[0] if objections else None


def standing(facts: PatientFacts) -> str:
    """A digest of what a decision rests on: whether the record is in use, what it was merged with, birth date and sex."""
    state = [facts.id, facts.active, facts.replaced_by, list(facts.links), facts.birth_date, facts.sex]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]


def in_use(facts: PatientFacts) -> bool:
    """Whether this chart record may take a link at all: not merged away, not out of use."""
    return facts.active and facts.replaced_by is None
