"""The answers of a launch, parted into what may be shown and what is only counted. Pure.

Nothing that a rule hides is left in the answers: neither the study nor a report, order or document that speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, EvidenceRecord, StudyRecord
from smart_app.policy.rules import Effect

Decide = Callable[[Sequence[StudyRecord]], Effect]


@dataclass(frozen=True)
class Hidden:
    """One study that is there and not shown. Its UID never leaves the server."""

    uid: str
    effect: Effect
    sources: tuple[str, ...]
    """Keys of the sources that name it, in order."""


@dataclass(frozen=True)
class Judged:
    """`answers` hold only what may be shown. `opened` are UIDs shown because the glass is broken."""

    answers: Mapping[str, Answer]
    hidden: tuple[Hidden, ...] = ()
    opened: frozenset[str] = frozenset()


def judged(answers: Mapping[str, Answer], decide: Decide, *, glass_broken: bool) -> Judged:
    """All studies of `answers`, each decided once with all that is said of it."""
    by_uid: dict[str, list[StudyRecord]] = {}
    for answer in answers.values():
        for record in answer.studies:
            by_uid.setdefault(record.uid, []).append(record)
    effects = {uid: decide(records) for uid, records in by_uid.items()}
    opened = frozenset(uid for uid, effect in effects.items() if effect is Effect.BREAK_GLASS and glass_broken)
    closed = {uid: effect for uid, effect in effects.items() if effect is not Effect.SHOW and uid not in opened}
    if not closed:
        return Judged(answers, (), opened)
    secret = [record for uid in closed for record in by_uid[uid]]
    hidden = tuple(Hidden(uid, effect, tuple(dict.fromkeys(record.source for record in by_uid[uid]))) for uid, effect in sorted(closed.items()))
    return Judged({key: _without(answer, secret) for key, answer in answers.items()}, hidden, opened)


def _without(answer: Answer, secret: Sequence[StudyRecord]) -> Answer:
    uids = {record.uid for record in secret}
    evidence = answer.evidence
    if evidence is not None:
        evidence = tuple(one for one in evidence if not any(_speaks_of(one, record) for record in secret))
    return replace(answer, studies=tuple(record for record in answer.studies if record.uid not in uids), evidence=evidence)


def _speaks_of(evidence: EvidenceRecord, record: StudyRecord) -> bool:
    """Whether it may be about this study. Too many are left out rather than one too few: they are counted with the study."""
    if {record.uid, record.fhir_id} & set(evidence.studies) or (record.accession and record.accession in evidence.accessions):
        return True
    same_day = bool(record.date) and evidence.date is not None and evidence.date[:10] == record.date
    return same_day and (not evidence.modalities or not record.modalities or bool(set(evidence.modalities) & set(record.modalities)))
