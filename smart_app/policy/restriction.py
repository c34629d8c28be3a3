"""The answers of a launch, parted into what may be shown and what is only counted. Pure.

Nothing that a rule hides is left in the answers: neither the study nor a report, order or document that speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, StudyRecord
from smart_app.policy.rules import Effect
from smart_app.policy.spoken import Said, effect_on, examinations, without

Decide = Callable[[Sequence[StudyRecord]], Effect]


@dataclass(frozen=True)
class Hidden:
    """One study that is there, or spoken of, and not shown. What names it never leaves the server."""

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
    """All studies of `answers`, each decided once with all that is said of it, and all that is said of others."""
    by_uid: dict[str, list[StudyRecord]] = {}
    for answer in answers.values():
        for record in answer.studies:
            by_uid.setdefault(record.uid, []).append(record)
    for answer in answers.values():
        for label in answer.labels:
            if label.study in by_uid:  # a label by itself is no study
                by_uid[label.study].append(StudyRecord(label.study, answer.source, "", None, confidentiality=label.codes))
    effects = {uid: decide(records) for uid, records in by_uid.items()}
    opened = frozenset(uid for uid, effect in effects.items() if effect is Effect.BREAK_GLASS and glass_broken)
    closed = {uid: effect for uid, effect in effects.items() if effect is not Effect.SHOW and uid not in opened}
    secret = [record for uid in closed for record in by_uid[uid]]
    unsaid: list[Said] = []
    hidden = [Hidden(uid, effect, _named_by(by_uid[uid])) for uid, effect in sorted(closed.items())]
    known = [record for records in by_uid.values() for record in records]
    for said in examinations(answers):
        if any(said.speaks_of(record) for record in secret):
            unsaid.append(said)  # counted with its study
            continue
        effect = effect_on(said, decide)
        if effect is Effect.SHOW or (effect is Effect.BREAK_GLASS and glass_broken):
            continue
        unsaid.append(said)
        if not any(said.speaks_of(record) for record in known):
            hidden.append(Hidden(said.pieces[0][1].reference, effect, (said.pieces[0][0].partition("/")[0],)))
    if not hidden and not unsaid:
        return Judged(answers, (), opened)
    shown = {key: replace(answer, studies=tuple(record for record in answer.studies if record.uid not in closed)) for key, answer in answers.items()}
    return Judged(without(shown, unsaid), tuple(hidden), opened)


def _named_by(records: Sequence[StudyRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.source for record in records if "/" not in record.source))
