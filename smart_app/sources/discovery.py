"""Finding the patient at an archive for which the chart holds no identifier: PIXm, then `$match`, then demographics.

Each only where the configuration offers it, and only while the one before found nobody. What is found with certainty
becomes an identifier to ask with; anything else becomes a candidate that waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from launch.errors import LaunchError
from smart_app.archives.demographics import by_demographics
from smart_app.archives.qido import MAX_IDS, Qido, state_of
from smart_app.archives.records import usable
from smart_app.archives.registry import ConfiguredArchive, LaunchToken
from smart_app.archives.types import Answer, Candidate, PatientId, SourceState
from smart_app.errors import AppError, OutboundError
from smart_app.fhir.client import FhirRefused
from smart_app.fhir.matching import IndexEntry, PatientIndex
from smart_app.fhir.patient import PatientFacts
from smart_app.identity import people, placeholders
from smart_app.identity.match import Decision, Person, day_of, judge, single_certain
from smart_app.identity.rulings import Sorter, key_of_candidate, years_of
from smart_app.outbound import Outbound
from smart_app.sources.base import Inquiry

MAX_CANDIDATES = 8


@dataclass(frozen=True)
class Discovered:
    """`certain`: identifiers that a matching server gave with certainty. `failure`: what kept a step from being taken."""

    ids: tuple[PatientId, ...] = ()
    certain: frozenset[PatientId] = frozenset()
    candidates: tuple[Candidate, ...] = ()
    more: bool = False
    """An answer was cut: there may be records that nobody has seen."""
    asked: bool = False
    failure: SourceState | None = None
    code: str | None = None


@dataclass(frozen=True)
class _LaunchProof:
    """The discovery credential of an archive, for one launch."""

    archive: ConfiguredArchive
    launch: LaunchToken | None

    def first(self) -> Mapping[str, str]:
        return self.archive.discovery.headers(self.launch)

    def after_401(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return self.archive.discovery.renewed(self.launch, rejected)


class Discovery:
    """For one archive. Thread-safe."""

    def __init__(self, archive: ConfiguredArchive, qido: Qido, outbound: Outbound) -> None:
        self._archive = archive
        self._qido = qido
        self._index = PatientIndex(outbound, archive.lane)

    def find(self, inquiry: Inquiry, sorter: Sorter, seconds: float) -> Discovered:
        """Never raises for a remote fault: a step that failed is told, and the next is tried."""
        settings, facts = self._archive.settings.discovery, inquiry.facts
        found = Discovered()
        share = seconds / 2
        for offered, step in ((settings.pix, self._pix), (settings.match, self._match), (settings.demographics, self._demographics)):
            if not offered:
                continue
            try:
                step_found = step(inquiry, facts, share)
            except (OutboundError, LaunchError) as error:
                state = SourceState.REFUSED if isinstance(error, FhirRefused) else state_of(error)
                found = replace(found, asked=True, failure=state, code=error.fault.code if isinstance(error, AppError) else error.code)
                continue
            found = replace(step_found, asked=True, failure=found.failure, code=found.code)
            if found.ids or found.candidates:
                break
        waiting = tuple(one for one in found.candidates if not self._settled(one, sorter))
        return replace(found, candidates=waiting[:MAX_CANDIDATES], more=found.more or len(waiting) > MAX_CANDIDATES)

    def counted(self, inquiry: Inquiry, candidate: Candidate, seconds: float) -> Candidate:
        """With how many studies it holds and from which years, and nothing else of them."""
        if candidate.study_count is not None:
            return candidate
        answer: Answer = self._qido.studies(self._archive, (candidate.patient_id,), inquiry.launch, seconds)
        if not answer.state.answered_in_full:
            return candidate
        return replace(candidate, study_count=len(answer.studies), years=years_of(answer.studies))

    def _settled(self, candidate: Candidate, sorter: Sorter) -> bool:
        key = key_of_candidate(sorter.source, candidate)
        ruling = sorter.ruled(key)
        return sorter.rejected(key) or (ruling is not None and ruling.holds(sorter.facts))

    def _pix(self, inquiry: Inquiry, facts: PatientFacts, seconds: float) -> Discovered:
        """With each usable identifier of the chart until one is known there."""
        known = [one for one in facts.identifiers if one.system and not one.is_retired and not placeholders.is_identifier(one.value)]
        told: dict[PatientId, None] = {}
        for one in known[:MAX_IDS]:
            pairs = self._index.cross(
                self._archive.settings.discovery.pix or "", self._proof(inquiry), (one.system or "", one.value), self._archive.settings.identifier_systems, seconds / MAX_IDS
            )
            told.update(dict.fromkeys(self._named(pairs)))
            if told:
                break
        # Two numbers of one patient in one namespace are asked with: each row is judged by birth date and sex all the same.
        return Discovered(tuple(told)[:MAX_IDS])

    def _match(self, inquiry: Inquiry, facts: PatientFacts, seconds: float) -> Discovered:
        answer = self._index.match(self._archive.settings.discovery.match or "", self._proof(inquiry), facts, seconds)
        alone = answer.whole and single_certain(entry.grade for entry in answer.entries)
        chart = people.of_chart(facts, tuple(PatientId(one.value, one.system) for one in facts.identifiers if one.system and not one.is_retired))
        ids: list[PatientId] = []
        candidates: list[Candidate] = []
        for entry in answer.entries:
            theirs = self._named(entry.identifiers)
            judged = judge(chart, _person(entry), grade=entry.grade or "", alone=alone)
            if not theirs or judged.decision is Decision.OTHER:
                continue
            if judged.decision is Decision.AUTOMATIC and len(theirs) == 1:
                ids += theirs
            else:
                candidates += [_candidate(entry, one, judged.why or "not-certain") for one in theirs]
        return Discovered(tuple(ids), frozenset(ids), tuple(candidates), more=not answer.whole)

    def _demographics(self, inquiry: Inquiry, facts: PatientFacts, seconds: float) -> Discovered:
        born = day_of(facts.birth_date or "") or ""
        if not facts.family or placeholders.is_birth_date(born or "0"):
            return Discovered()
        found = by_demographics(self._qido, self._archive, facts.family, born, inquiry.launch, seconds)
        candidates = []
        for record in found.records:
            judged = judge(people.of_chart(facts, ()), people.of_row(record.said, record.patient_id))
            if judged.decision is Decision.POSSIBLE:
                years = tuple(sorted({year for year in record.years if year}))
                candidates.append(Candidate(record.patient_id, record.said.name, record.said.birth_date, record.said.sex, study_count=len(record.years), years=years, why=judged.why))
        return Discovered(candidates=tuple(candidates), more=found.more_exist)

    def _named(self, pairs: tuple[tuple[str, str], ...]) -> list[PatientId]:
        """Identifiers of this archive's namespace that can be asked with."""
        systems = self._archive.settings.identifier_systems
        values = [value for system, value in pairs if system in systems and usable(value) and not placeholders.is_identifier(value)]
        return [PatientId(value, self._archive.issuer) for value in dict.fromkeys(values)]

    def _proof(self, inquiry: Inquiry) -> _LaunchProof:
        return _LaunchProof(self._archive, inquiry.launch)


def _person(entry: IndexEntry) -> Person:
    identifiers = tuple(PatientId(value, system) for system, value in entry.identifiers)
    return Person(people.names_from(entry.names), entry.birth_date, entry.sex, identifiers, entry.active)


def _candidate(entry: IndexEntry, identifier: PatientId, why: str) -> Candidate:
    name = people.as_pn(entry.names[0]) if entry.names else None
    return Candidate(identifier, name, entry.birth_date, entry.sex, entry.address, entry.telephone, grade=entry.grade, score=entry.score, why=why)
