"""The index at work in a launch: brings back what is known at its first page, and takes in what each source answers.

What it brings goes into the holdings under a key of its own, and leaves them as its source answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from launch.context import LaunchContext
from smart_app.archives.types import Answer, PatientId
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.index import earlier
from smart_app.index.entry import ANSWERED, LABELS, is_sound, still_true
from smart_app.index.store import Index
from smart_app.sources.base import CHART

Identifiers = Callable[[LaunchContext, PatientFacts, str], tuple[PatientId, ...]]
"""How an archive, by key, knows the launch's patient now; empty for a chart, and for what is not configured."""


class Memory:
    def __init__(self, index: Index, holdings: Holdings, identifiers: Identifiers) -> None:
        self._index = index
        self._holdings = holdings
        self._identifiers = identifiers

    def bring(self, ctx: LaunchContext, facts: PatientFacts, sources: Collection[str]) -> None:
        """At the launch's first look: put what is remembered of `sources` into the holdings. Later looks change nothing."""
        if not self._index.is_on or self._holdings.answers(ctx.handle):
            return
        for entry in self._index.recall(ctx):
            true = still_true(entry, facts, lambda archive: self._identifiers(ctx, facts, archive))
            if true is None:
                self._index.drop(ctx, entry.source)
            elif true.labels or (entry.source in sources and (true.studies or true.withheld) and _allowed(ctx, entry.source)):
                self._holdings.save_answer(ctx.handle, earlier.as_answer(true))

    def settle(self, ctx: LaunchContext, answers: Iterable[Answer]) -> None:
        """Sources have answered, or failed: let go of what that makes outdated in this launch."""
        answers = [answer for answer in answers if "/" not in answer.source]
        if not self._index.is_on or not answers:
            return
        held = self._holdings.saved(ctx.handle)  # most launches hold nothing from before: one look tells
        for answer in answers:
            if answer.state in ANSWERED and answer.source + LABELS in held:
                self._bind(ctx, answer)
            if (key := earlier.key_of(answer.source)) in held:
                self._outdate(ctx, key, answer)

    def _bind(self, ctx: LaunchContext, answer: Answer) -> None:
        labels = self._holdings.answer(ctx.handle, answer.source + LABELS)
        if labels is not None and (bound := earlier.labels_left(labels, answer)) != labels:
            self._holdings.save_answer(ctx.handle, bound)

    def _outdate(self, ctx: LaunchContext, key: str, answer: Answer) -> None:
        before = self._holdings.answer(ctx.handle, key)
        if before is None:
            return
        rest = earlier.left(before, answer)
        if rest is None:
            self._holdings.drop_answer(ctx.handle, key)
        elif rest != before:
            self._holdings.save_answer(ctx.handle, rest)

    def remember(self, ctx: LaunchContext, facts: PatientFacts, answers: Iterable[Answer]) -> None:
        """Take in what sources answered, for the next launch."""
        answers = [answer for answer in answers if "/" not in answer.source]
        if not self._index.is_on or not answers:
            return
        if is_sound(facts):
            self._index.remember_all(ctx, ((answer, self._identifiers(ctx, facts, answer.source)) for answer in answers), facts)
            return
        for answer in answers:
            self._index.drop(ctx, answer.source)


def _allowed(ctx: LaunchContext, source: str) -> bool:
    """What a chart told is not told again in a launch that may not ask it."""
    return not source.startswith(CHART) or ctx.allows("ImagingStudy")


def standing(answers: dict[str, Answer]) -> dict[str, Answer]:
    """The answers of a launch with what is outdated of the earlier ones left out, whatever the holdings still have."""
    kept: dict[str, Answer] = {}
    for key, answer in answers.items():
        now = answers.get(key.partition("/")[0])
        rest = earlier.left(answer, now) if earlier.is_earlier(key) else earlier.labels_left(answer, now) if answer.labels else answer
        if rest is not None:
            kept[key] = rest
    return kept
