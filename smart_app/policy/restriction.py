"""The answers of a launch, parted into what may be shown and what is only counted. Pure.

Nothing that a rule hides is left in the answers: neither the study nor a report, order or document that speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, PurposeRecord, StudyRecord
from smart_app.policy.rules import Effect
from smart_app.policy.spoken import Said, effect_on, examinations, reason_of, without

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
    answers = _without_reasons(answers, decide, secret, {piece.reference for said in unsaid for _, piece in said.pieces}, glass_broken=glass_broken)
    if not hidden and not unsaid:
        return Judged(answers, (), opened)
    shown = {key: replace(answer, studies=tuple(record for record in answer.studies if record.uid not in closed)) for key, answer in answers.items()}
    return Judged(without(shown, unsaid), tuple(hidden), opened)


def _without_reasons(
    answers: Mapping[str, Answer], decide: Decide, secret: Sequence[StudyRecord], unsaid: Collection[str], *, glass_broken: bool
) -> Mapping[str, Answer]:
    """The answers without the words of what the chart may be open for, where they tell of something hidden. It is no study, and
    not counted; that it is urgent stays known.
    """
    shown = {Effect.SHOW, Effect.BREAK_GLASS} if glass_broken else {Effect.SHOW}

    def may_say(key: str, one: PurposeRecord) -> bool:
        said = reason_of(key, one)
        return one.reference not in unsaid and effect_on(said, decide) in shown and not any(said.speaks_of(record) for record in secret)

    return {
        key: answer
        if not answer.purpose
        else replace(answer, purpose=tuple(one if may_say(key, one) else replace(one, title="", codes=()) for one in answer.purpose))
        for key, answer in answers.items()
    }


def _named_by(records: Sequence[StudyRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.source for record in records if "/" not in record.source))
