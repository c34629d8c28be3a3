"""What the sources' answers allow to be said of a study that none of them has. Pure.

'Known, not here' is earned like 'none': while one source has not answered, or not in full, it may be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smart_app.archives.types import Answer, SourceState
from smart_app.sources.base import CHART, Named
from smart_app.studies.likeness import plain
from smart_app.studies.strip import ANSWERED, is_whole

MOST_NAMED = 2


@dataclass(frozen=True)
class Standing:
    """Who has answered so far, by name, in the strip's order."""

    answered: tuple[str, ...] = ()
    """In full or in part."""
    pending: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()
    """Keys of those that answered in full."""
    names: Mapping[str, str] = field(default_factory=dict)
    awaited: frozenset[str] = frozenset()
    """Organizations of sources that have never answered this launch, as `likeness.plain` gives them; `chart` and `local` for those."""

    def is_awaited(self, organization: str | None, own: frozenset[str]) -> bool:
        """Whether the source that most likely holds a study of this hospital has not answered yet."""
        at_home = organization is None or plain(organization) in own
        return "chart" in self.awaited or ("local" in self.awaited if at_home else plain(organization or "") in self.awaited)

    @property
    def word(self) -> str:
        if self.pending:
            return "Known, still looking"
        return "Known, not found yet" if self.failed or self.partial or self.unasked else "Known, not here"

    @property
    def doubt(self) -> str:
        """Who may still have it; empty when everyone answered in full."""
        said = []
        if self.pending:
            said.append(f"{_listed(self.pending)} {'has' if len(self.pending) == 1 else 'have'} not answered yet.")
        if self.failed:
            said.append(f"{_listed(self.failed)} gave no answer.")
        if self.partial:
            said.append(f"{_listed(self.partial)} answered only in part.")
        if self.unasked:
            said.append(f"{_listed(self.unasked)} {'was' if len(self.unasked) == 1 else 'were'} not asked.")
        return " ".join(said)

    def sentence(self, named: str) -> str:
        """`Named in the transfer letter; no source that answered has it. Northgate has not answered yet.`"""
        first = f"{named}; no source that answered has it." if self.answered else f"{named}."
        return f"{first} {self.doubt}".strip()


def standing_of(sources: Sequence[Named], answers: Mapping[str, Answer], waiting: frozenset[str], local: frozenset[str]) -> Standing:
    awaited: set[str] = set()
    pending, failed, partial, unasked, answered, whole = [], [], [], [], [], set()
    for source in sources:
        answer = answers.get(source.key)
        if answer is None or source.key in waiting or answer.state is SourceState.ASKING:
            pending.append(source.name)
            if answer is not None:
                continue  # it told this launch before, and what it told is in the list
            awaited |= {plain(source.organization)} | ({"chart"} if source.key.startswith(CHART) else {"local"} if source.key in local else set())
        elif answer.state is SourceState.NO_IDENTIFIER:
            unasked.append(source.name)
        elif answer.state not in ANSWERED:
            failed.append(source.name)
        else:
            answered.append(source.name)
            if is_whole(answer):
                whole.add(source.key)
            else:
                partial.append(source.name)
    names = {source.key: source.name for source in sources}
    return Standing(tuple(answered), tuple(pending), tuple(failed), tuple(partial), tuple(unasked), frozenset(whole), names, frozenset(awaited))


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{len(names)} sources"
    return " and ".join(names)
