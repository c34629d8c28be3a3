"""What can be one examination and what cannot; comparing by neighbourhood finds all that comparing everything would."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.types import EvidenceRecord
from smart_app.studies.clusters import clustered
from smart_app.studies.likeness import Days, exams_differ, in_window, same_place


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("CT head", "CT head without contrast", False), ("CT head", "CT perfusion, head", True), ("CT head", "CTA head", True), ("MR brain", "MR brain diffusion", True),
        ("Echo, transthoracic", "Echo, transoesophageal", True), ("CR hand left", "CR hand RT", True), ("CR hand", "CR hand RT", False), ("CR hands left and right", "CR hand left", True),
        ("", "CT-guided biopsy", False), ("CT chest, low dose", "CT chest", True), ("Chest, 1 view, portable", "Chest AP", True),
    ],
)  # fmt: skip
def test_titles_that_differ(one: str, other: str, differ: bool) -> None:
    assert exams_differ(one, other) is differ
    assert exams_differ(other, one) is differ


def test_places_are_compared_without_punctuation() -> None:
    assert same_place("St. Brannoc District", "ST BRANNOC DISTRICT")
    assert not same_place(None, "St Brannoc")
    assert not same_place(None, None)


days = st.none() | st.sampled_from(["2026", "2026-01", "x", ""]) | st.dates(date(2025, 12, 1), date(2026, 3, 1)).map(date.isoformat)


@given(st.lists(days, max_size=8), days, st.sampled_from(["done", "ordered", "written"]))
def test_the_near_are_all_that_a_window_can_find(held: list[str | None], day: str | None, dated: str) -> None:
    near: Days[int] = Days()
    for at, one in enumerate(held):
        near.add(one, at)
    found = {at for at, one in enumerate(held) if in_window(day, dated, one) or in_window(one, dated, day)}
    assert found <= set(near.near(day))


pieces = st.builds(
    EvidenceRecord, st.sampled_from(["report", "order", "document"]), st.uuids().map(str), st.just("CT head"), st.sampled_from(["2026-01-01", "2026-01-02", "2026-02-02"]),
    st.just(("CT",)), st.just(()), st.lists(st.sampled_from(["A", "B"]), max_size=1).map(tuple), st.lists(st.sampled_from(["2.25.1", "2.25.2"]), max_size=1).map(tuple),
)  # fmt: skip


@given(st.lists(pieces, max_size=7), st.randoms())
def test_every_piece_is_in_one_cluster_whatever_the_order(given: list[EvidenceRecord], random: object) -> None:
    shuffled = list(given)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = clustered(given), clustered(shuffled)
    assert sorted(piece.reference for cluster in one for piece in cluster.pieces) == sorted(piece.reference for piece in given)
    assert {frozenset(cluster.pieces) for cluster in one} == {frozenset(cluster.pieces) for cluster in other}
    assert all(len({uid for piece in cluster.pieces for uid in piece.studies}) <= 1 or len(cluster.pieces) > 1 for cluster in one)


def test_thirty_days_of_orders_are_near() -> None:
    first = date(2026, 1, 1)
    assert in_window(first.isoformat(), "ordered", (first + timedelta(days=30)).isoformat())
    assert not in_window(first.isoformat(), "ordered", (first + timedelta(days=31)).isoformat())
