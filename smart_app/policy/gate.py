"""The policy at work: judges a launch's answers for the list, and one study for the gateway, by the same rules and roles.

Roles and the break-glass are read anew for each judgement, so that a right taken away or a time run out counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum, auto

from launch.context import LaunchContext
from smart_app.access import Role
from smart_app.archives.types import Answer, StudyRecord
from smart_app.clock import Clock
from smart_app.config import PolicyRule
from smart_app.policy.restriction import Judged, judged
from smart_app.policy.rules import Effect, effect_of

RolesOf = Callable[[LaunchContext], frozenset[Role]]


class Passage(Enum):
    SHUT = auto()
    OPEN = auto()
    BROKEN_GLASS = auto()
    """Open only as long as this launch's break-glass is."""


class Policy:
    """`context_of` finds a live launch by its handle; `is_broken` tells whether its break-glass is open at this moment."""

    def __init__(
        self, rules: Sequence[PolicyRule], roles_of: RolesOf, context_of: Callable[[str], LaunchContext | None], is_broken: Callable[[str], bool], clock: Clock
    ) -> None:
        self._rules = tuple(rules)
        self._roles_of = roles_of
        self._context_of = context_of
        self._is_broken = is_broken
        self._clock = clock
        self._asks_roles = any(rule.roles for rule in rules)

    @property
    def is_on(self) -> bool:
        return bool(self._rules)

    @property
    def may_break(self) -> bool:
        """Whether any rule lets anybody break the glass."""
        return any(Effect(rule.effect) is Effect.BREAK_GLASS for rule in self._rules)

    def judge(self, ctx: LaunchContext, answers: Mapping[str, Answer]) -> Judged:
        """What of all answers may be shown in this launch now."""
        if not self.is_on:
            return Judged(answers)
        roles, today = self._roles_of(ctx), self._today()
        broken = self.may_break and self._is_broken(ctx.handle)
        return judged(answers, lambda records: effect_of(self._rules, records, roles, today), glass_broken=broken)

    def passage(self, handle: str, records: Sequence[StudyRecord]) -> Passage:
        """Whether the study that `records` name, from whatever source, may be opened in this launch now."""
        if not self.is_on:
            return Passage.OPEN
        roles: frozenset[Role] = frozenset()
        if self._asks_roles:
            context = self._context_of(handle)
            if context is None:
                return Passage.SHUT
            roles = self._roles_of(context)
        effect = effect_of(self._rules, records, roles, self._today())
        if effect is Effect.SHOW:
            return Passage.OPEN
        return Passage.BROKEN_GLASS if effect is Effect.BREAK_GLASS and self._is_broken(handle) else Passage.SHUT

    def _today(self) -> date:
        return self._clock().astimezone().date()
