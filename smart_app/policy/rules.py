"""Rules -> what may be shown of one study. Pure: the same records, roles and day give the same effect, in any order of sources.

A study is judged with all that any source says of it: a label or a modality named once holds everywhere, each source's
word is judged by itself, and the strictest outcome counts. Where a rule restricts, what is unknown counts as met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from smart_app.access import Role
from smart_app.archives.types import StudyRecord
from smart_app.config import PolicyRule


class Effect(StrEnum):
    """From most to least open."""

    SHOW = "show"
    BREAK_GLASS = "break-glass"
    """Counted, and shown to who gives a reason."""
    HIDE_DETAILS = "hide-details"
    """One row says that it is there, and where; nothing else."""
    DENY = "deny"
    """Counted, nothing else."""


RANK = {effect: rank for rank, effect in enumerate(Effect)}


@dataclass(frozen=True)
class _Said:
    """What all sources together say of the study."""

    modalities: frozenset[str]
    labels: frozenset[str]
    ages: tuple[tuple[int, int], ...]
    """Least and most days old, a pair a date; empty: no date is known."""


def effect_of(rules: Sequence[PolicyRule], records: Collection[StudyRecord], roles: Collection[Role], today: date) -> Effect:
    """What may be shown of the study that all of `records` name. No rule that matches: it is shown."""
    said = _Said(
        frozenset(code.upper() for record in records for code in record.modalities),
        frozenset(label.upper() for record in records for label in record.confidentiality),
        tuple(age for record in records if record.date and (age := _age(record.date, today)) is not None),
    )
    # A remembered label (`ehr:n/labels`) is a word about the study, not a source that holds or names it.
    effects = [_first(rules, record, said, roles) for record in records if "/" not in record.source]
    return max(effects, key=RANK.__getitem__, default=Effect.SHOW)


def _first(rules: Sequence[PolicyRule], record: StudyRecord, said: _Said, roles: Collection[Role]) -> Effect:
    return next((Effect(rule.effect) for rule in rules if _matches(rule, record, said, roles)), Effect.SHOW)


def _matches(rule: PolicyRule, record: StudyRecord, said: _Said, roles: Collection[Role]) -> bool:
    restricts = Effect(rule.effect) is not Effect.SHOW
    return (
        (not rule.archives or bool({record.archive, record.source} & set(rule.archives)))
        and (not rule.roles or bool({role.value for role in roles} & set(rule.roles)))
        and (not rule.confidentiality or bool(said.labels & _upper(rule.confidentiality)))
        and (not rule.modalities or bool(said.modalities & _upper(rule.modalities)) or (restricts and not said.modalities))
        and (rule.older_than_days is None or _aged(((least, most) for least, most in said.ages), rule.older_than_days, restricts))
        and (rule.newer_than_days is None or _aged(((-most, -least) for least, most in said.ages), -rule.newer_than_days, restricts))
    )


def _aged(ages: Iterable[tuple[int, int]], days: int, restricts: bool) -> bool:
    """Whether the study may be (for a rule that restricts), or must be (for one that shows), older than `days`."""
    known = tuple(ages)
    if not known:
        return restricts
    return any(most > days for _, most in known) if restricts else all(least > days for least, _ in known)


def _age(iso: str, today: date) -> tuple[int, int] | None:
    """Days since the last and the first day that the date may mean; None: it is no date."""
    try:
        year, *rest = (int(part) for part in iso.split("-"))
        first = date(year, rest[0] if rest else 1, rest[1] if len(rest) > 1 else 1)
        if len(rest) > 1:
            return (today - first).days, (today - first).days
        after = date(first.year + 1, 1, 1) if not rest or first.month == 12 else date(first.year, first.month + 1, 1)
    except (ValueError, OverflowError):
        return None
    return (today - after).days + 1, (today - first).days


def _upper(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.upper() for word in words)
