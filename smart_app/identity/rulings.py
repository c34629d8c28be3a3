"""What people decided about records at sources, and how an archive's rows are sorted by it: listed, waiting, or nobody's here.

A row under the right identifier is listed only if it agrees, or if a row of the same record that agrees vouches for its
silence, or if a person confirmed that very record. Pure: whoever remembers the decisions hands them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from smart_app.archives.types import Answer, Candidate, PatientId, Said, SourceState, StudyRecord
from smart_app.fhir.patient import PatientFacts
from smart_app.identity import people
from smart_app.identity.match import SEXES, Decision, Person, day_of, judge


class State(StrEnum):
    PROPOSED = "proposed"
    """One person is sure although the birth date differs; a second one must be too."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNDONE = "undone"


@dataclass(frozen=True)
class RecordKey:
    """One record at one source: what a decision is about. Another birth date under the same identifier is another record."""

    source: str
    patient_id: PatientId
    birth_date: str | None = None
    sex: str | None = None


@dataclass(frozen=True)
class Ruling:
    """One remembered decision."""

    id: str
    key: RecordKey
    state: State
    standing: str
    """`people.standing` of the chart when it was made."""
    candidate: Candidate
    """The record as it was compared."""
    reason: str = ""
    by: tuple[tuple[str, str, str], ...] = ()
    """(issuer, subject, name) of those who decided, first one first."""
    at: datetime | None = None

    def holds(self, facts: PatientFacts) -> bool:
        """Whether it is a link that may be used now."""
        return self.state is State.CONFIRMED and people.in_use(facts) and self.standing == people.standing(facts)


def key_of(source: str, patient_id: PatientId, birth_date: str | None, sex: str | None) -> RecordKey:
    born = day_of(birth_date) if birth_date else None
    return RecordKey(source, patient_id, born or birth_date or None, _sex(sex))


def key_of_candidate(source: str, candidate: Candidate) -> RecordKey:
    return key_of(source, candidate.patient_id, candidate.birth_date, candidate.sex)


@dataclass(frozen=True)
class Sorter:
    """Everything that one source's rows are judged by. `identifiers`: this patient's there; `vouched`: those a certain match gave."""

    source: str
    facts: PatientFacts
    identifiers: tuple[PatientId, ...]
    rulings: tuple[Ruling, ...] = ()
    silence: bool = False
    vouched: frozenset[PatientId] = frozenset()

    @cached_property
    def person(self) -> Person:
        return people.of_chart(self.facts, self.identifiers)

    def links(self) -> tuple[Ruling, ...]:
        return tuple(ruling for ruling in self.rulings if ruling.key.source == self.source and ruling.holds(self.facts))

    def ruled(self, key: RecordKey) -> Ruling | None:
        return next((ruling for ruling in self.rulings if ruling.key == key and ruling.state is not State.UNDONE), None)

    def sort(self, answer: Answer) -> Answer:
        """The answer with only the studies that are this patient's; the others wait as candidates, or were rejected."""
        objections = {study.uid: self._objection(study) for study in answer.studies}
        doubted = {study.patient_id for study in answer.studies if objections[study.uid] not in ("", "silent")}
        proven = {study.patient_id for study in answer.studies if not objections[study.uid]} - doubted
        kept: list[StudyRecord] = []
        waiting: dict[RecordKey, list[tuple[StudyRecord, str]]] = {}
        chart = people.said_by_chart(self.facts)
        for study in answer.studies:
            why = objections[study.uid]
            if not why or (why == "silent" and study.patient_id in proven):
                kept.append(replace(study, expected=(chart,)))
                continue
            links = {key: self._link(key) for key in self._keys(study)}
            if all(links.values()):
                kept.append(replace(study, expected=(chart, *study.said), links=tuple(links.values())))
            else:
                waiting.setdefault(next(key for key, link in links.items() if not link), []).append((study, why))
        if not waiting:
            return replace(answer, studies=tuple(kept))
        found = tuple(self._candidate(key, rows) for key, rows in waiting.items() if not self.rejected(key))
        uids = tuple(dict.fromkeys([*answer.withheld_studies, *(study.uid for rows in waiting.values() for study, _ in rows)]))
        # What waits for a person was answered in full all the same; `is_whole` looks at the candidates.
        state = (SourceState.OK if kept else SourceState.EMPTY) if answer.state.answered_in_full else answer.state
        return replace(answer, state=state, studies=tuple(kept), withheld_studies=uids, candidates=(*answer.candidates, *found))

    def rejected(self, key: RecordKey) -> bool:
        ruling = self.ruled(key)
        return ruling is not None and ruling.state is State.REJECTED

    def _objection(self, study: StudyRecord) -> str:
        """Why this study is not listed by itself; empty when it is. Of rows that disagree the worst counts."""
        silence = self.silence or study.patient_id in self.vouched
        found = [judge(self.person, people.of_row(said, study.patient_id), silence=silence) for said in study.said or (Said(),)]
        reasons = [one.why for one in found if one.decision is not Decision.AUTOMATIC]
        return next((why for why in reasons if why != "silent"), reasons[0] if reasons else "")

    def _keys(self, study: StudyRecord) -> tuple[RecordKey, ...]:
        """The records that a study's rows speak of and that do not agree by themselves."""
        assert study.patient_id is not None
        rows = study.said or (Said(),)
        doubtful = [said for said in rows if judge(self.person, people.of_row(said, study.patient_id)).why] or rows
        return tuple(dict.fromkeys(key_of(self.source, study.patient_id, said.birth_date, said.sex) for said in doubtful))

    def _link(self, key: RecordKey) -> str:
        ruling = self.ruled(key)
        return ruling.id if ruling is not None and ruling.holds(self.facts) else ""

    def _candidate(self, key: RecordKey, rows: Sequence[tuple[StudyRecord, str]]) -> Candidate:
        said = next((one for study, _ in rows for one in study.said if key_of(key.source, key.patient_id, one.birth_date, one.sex) == key), Said())
        ruling = self.ruled(key)
        why = {State.CONFIRMED: "changed", State.PROPOSED: "second-person"}.get(ruling.state, "") if ruling is not None else ""
        return Candidate(
            key.patient_id, said.name, said.birth_date, said.sex, study_count=len(rows), years=years_of(study for study, _ in rows), why=why or rows[0][1]
        )


def years_of(studies: Iterable[StudyRecord]) -> tuple[str, ...]:
    return tuple(sorted({study.date[:4] for study in studies if study.date}))


def _sex(sex: str | None) -> str | None:
    return SEXES.get((sex or "").strip().lower())
