"""Collisions by the hundred thousand: nobody is linked to somebody else by itself, and hardly anybody is lost (safety.md G5)."""

from __future__ import annotations

from collections import Counter

import pytest

from smart_app.identity.match import Decision, judge
from tests.unit.identity.collisions import COLLISIONS, Maker, Pair

SHARE, FULL = 20_000, 1_000_000
SEED = 20260521


def run(seed: int, collisions: int) -> tuple[Counter[str], list[tuple[str, Pair]], Counter[str]]:
    """(collisions by kind, those linked by mistake, true matches by what became of them)."""
    maker = Maker(seed)
    kinds: Counter[str] = Counter()
    wrong: list[tuple[str, Pair]] = []
    for _ in range(collisions):
        pair = maker.collision()
        kinds[pair.kind] += 1
        found = judge(pair.chart, pair.record, grade=pair.grade, alone=pair.alone)
        if found.decision is Decision.AUTOMATIC:
            wrong.append((pair.kind, pair))
    ends: Counter[str] = Counter()
    for _ in range(collisions // 5):
        pair = maker.true_match()
        ends[judge(pair.chart, pair.record, grade=pair.grade, alone=pair.alone).decision.value] += 1
    return kinds, wrong, ends


def holds(collisions: int) -> None:
    kinds, wrong, ends = run(SEED, collisions)
    found = ends["automatic"] + ends["possible"]
    print(f"{collisions:,} collisions {dict(kinds)}; wrong links {len(wrong)}; true matches {dict(ends)}, {found / ends.total():.2%} linked or offered")
    assert not wrong, wrong[:5]
    assert len(kinds) == len(set(COLLISIONS))
    assert found >= 0.95 * ends.total()
    assert ends["automatic"] > 0.2 * ends.total(), "a rule that links nobody is safe and useless"


def test_no_collision_is_linked_and_true_matches_are_found() -> None:
    holds(SHARE)


@pytest.mark.campaign
def test_a_million_collisions() -> None:
    holds(FULL)
