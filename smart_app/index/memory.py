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
from smart_app.index.entry import is_sound, still_true
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
            elif entry.source in sources and (true.studies or true.withheld) and _allowed(ctx, entry.source):
                self._holdings.save_answer(ctx.handle, earlier.as_answer(true))

    def take(self, ctx: LaunchContext, facts: PatientFacts, answer: Answer) -> None:
        """A source has answered, or failed: remember it, and let go of what it makes outdated in this launch."""
        self.take_all(ctx, facts, [answer])

    def take_all(self, ctx: LaunchContext, facts: PatientFacts, answers: Iterable[Answer]) -> None:
        """Several sources' answers, in one transaction."""
        answers = [answer for answer in answers if "/" not in answer.source]
        if not self._index.is_on or not answers:
            return
        if not is_sound(facts):
            for answer in answers:
                self._index.drop(ctx, answer.source)
            return
        self._index.remember_all(ctx, ((answer, self._identifiers(ctx, facts, answer.source)) for answer in answers), facts)
        held = self._holdings.saved(ctx.handle)
        for answer in answers:
            if (key := earlier.key_of(answer.source)) in held:
                self._outdate(ctx, key, answer)

    def _outdate(self, ctx: LaunchContext, key: str, answer: Answer) -> None:
        before = self._holdings.answer(ctx.handle, key)
        if before is None:
            return
        rest = earlier.left(before, answer)
        if rest is None:
            self._holdings.drop_answer(ctx.handle, key)
        elif rest != before:
            self._holdings.save_answer(ctx.handle, rest)


def _allowed(ctx: LaunchContext, source: str) -> bool:
    """What a chart told is not told again in a launch that may not ask it."""
    return not source.startswith(CHART) or ctx.allows("ImagingStudy")


def standing(answers: dict[str, Answer]) -> dict[str, Answer]:
    """The answers of a launch with what is outdated of the earlier ones left out, whatever the holdings still have."""
    kept: dict[str, Answer] = {}
    for key, answer in answers.items():
        rest = earlier.left(answer, answers.get(key.removesuffix(earlier.SUFFIX))) if earlier.is_earlier(key) else answer
        if rest is not None:
            kept[key] = rest
    return kept
