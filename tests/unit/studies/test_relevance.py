"""Which priors matter and why: the words, the order, and the studies of which nothing is said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smart_app.studies.regions import anatomy_of
from smart_app.studies.relevance import LEVELS, Purpose, reading, relation, relevant
from smart_app.studies.rows import StudyRow
from smart_app.studies.terms import modalities

TODAY = date(2026, 5, 21)


def row(uid: str, title: str, modality: str = "CT", day: str = "2026-01-12", **fields: Any) -> StudyRow:
    anatomy = anatomy_of((), title)
    return StudyRow(
        uid=uid, archive="kestrel", sort=day, date=day or "Unknown date", iso_date=day, when="", modality=modality, modalities=(modality,), title=title, hospital="Kestrel",
        regions=anatomy.regions, count="", count_state="whole", report="", sources=(), sites=anatomy.sites, side=anatomy.side, **fields,
    )  # fmt: skip


def purpose(title: str, modality: str = "", day: date | None = TODAY) -> Purpose:
    anatomy = anatomy_of((), title)
    return Purpose(title, anatomy.sites, anatomy.side, modality, day, title)


@pytest.mark.parametrize(
    ("wanted", "modality", "title", "made_by", "day", "level", "sentence"),
    [
        ("CT head without contrast", "CT", "CT head without contrast", "CT", "2024-09-18", 1, "Same exam, 20 months before"),
        ("CT head", "CT", "CT brain", "CT", "2026-01-12", 1, "Same region, CT, 4 months before"),
        ("CT head", "CT", "MRI brain with diffusion", "MR", "2026-01-12", 2, "Same region, MRI, 4 months before"),
        ("CT head", "CT", "Skull 2 views", "XR", "2026-05-20", 3, "Same region, X-ray, 1 day before"),
        ("CT head", "CT", "CT sinus", "CT", "2026-05-01", 5, "Head, another part, CT, 20 days before"),
        ("CT head", "CT", "Carotid duplex", "US", "2025-11-03", 7, "Neck, next to the head, ultrasound, 6 months before"),
        ("CT head", "CT", "Whole body PET", "PT", "2020-05-01", 6, "Whole body, PET, 6 years before"),
        ("Atrial fibrillation", "", "Echocardiogram", "US", "2023-03-30", 1, "Same region, ultrasound, 3 years before"),
        ("Coronary artery bypass", "", "Coronary angiogram", "XA", "2026-04-30", 1, "Same region, angiogram, 21 days before"),
        ("Coronary artery bypass", "", "Chest, 1 view", "XR", "2026-05-20", 7, "Chest, next to the heart, X-ray, 1 day before"),
        ("CT chest", "CT", "Chest, 2 views", "XR", "2026-05-21", 2, "Same region, X-ray, same day"),
        ("MRI knee, left", "MR", "XR knee left", "XR", "2026-05-23", 2, "Same region, X-ray, 2 days after"),
        ("MRI knee, left", "MR", "XR knee right", "XR", "2026-05-20", 4, "Same region, other side (right), X-ray, 1 day before"),
        ("MRI knee, left", "MR", "XR knees both", "XR", "2026-05-20", 2, "Same region, X-ray, 1 day before"),
        ("MRI knee, left", "MR", "XR knee", "XR", "2026-05-20", 2, "Same region, X-ray, 1 day before"),
        ("MRI knee", "MR", "MRI ankle", "MR", "2026-05-20", 5, "Leg, another part, MRI, 1 day before"),
        ("MRI knee", "MR", "MRI lower extremity", "MR", "2026-05-20", 1, "Same region, MRI, 1 day before"),
        ("Mammogram", "MG", "US breast", "US", "2026-05-20", 2, "Same region, ultrasound, 1 day before"),
        ("MRI lumbar spine", "MR", "XR lumbar spine", "XR", "2026-05", 2, "Same region, X-ray, in 2026-05"),
        ("CT chest", "CT", "Chest PA", "XR", "", 2, "Same region, X-ray, date unknown"),
    ],
)  # fmt: skip
def test_the_reason_is_said_in_words(wanted: str, modality: str, title: str, made_by: str, day: str, level: int, sentence: str) -> None:
    assert relation(purpose(wanted, modality), row("1", title, made_by, day)) == (level, sentence)


@pytest.mark.parametrize(
    ("wanted", "modality", "title", "made_by"),
    [
        ("CT head", "CT", "MRI lumbar spine", "MR"), ("CT head", "CT", "Neck lateral", "XR"), ("CT chest", "CT", "Echocardiogram", "US"), ("CT head", "CT", "Study", "CT"),
        ("MRI knee, left", "MR", "MRI ankle, right", "MR"), ("Refill of medicines", "", "CT head", "CT"), ("CT head", "CT", "Whole body", "XC"), ("MRI hip", "MR", "MRI hippocampus", "MR"),
        ("MRI knee", "MR", "Photo of the leg, ankle", "XC"),
    ],
)  # fmt: skip
def test_nothing_is_said_where_no_rule_fits(wanted: str, modality: str, title: str, made_by: str) -> None:
    assert relation(purpose(wanted, modality), row("1", title, made_by)) is None


def test_the_order_is_by_closeness_then_by_time_and_names_the_newest_and_the_oldest() -> None:
    rows = [
        row("old", "CT head", day="2019-05-01"), row("new", "CT head", day="2026-01-12"), row("mr", "MRI brain", "MR", "2026-05-01"), row("today", "CT head", day="2026-05-21"),
        row("spine", "MRI lumbar spine", "MR", "2026-05-20"), row("neck", "Carotid duplex", "US", "2026-05-20"), row("undated", "CT head", day=""),
    ]  # fmt: skip
    found = relevant(purpose("CT head", "CT"), rows)
    assert sorted(found, key=lambda uid: found[uid].key) == ["today", "new", "old", "undated", "mr", "neck"]
    assert found["mr"].sentence == "Same region, MRI, 20 days before, the most recent"
    assert found["old"].sentence == "Same exam, 7 years before, the oldest"
    assert found["new"].sentence == "Same exam, 4 months before"
    assert found["today"].sentence == "Same exam, same day"


def test_where_two_can_be_seen_at_a_glance_neither_is_named_newest_or_oldest() -> None:
    found = relevant(purpose("CT head", "CT"), [row("1", "CT head"), row("2", "CT head", day="2025-05-21")])
    assert [one.sentence for one in found.values()] == ["Same exam, 4 months before", "Same exam, 12 months before"]


def test_the_study_being_read_is_not_its_own_prior() -> None:
    own = row("1", "MRI shoulder, right", "MR", "2026-05-21")
    found = relevant(reading(own), [own, row("2", "XR shoulder right", "XR", "2026-05-20")])
    assert list(found) == ["2"]


def test_an_order_still_to_be_done_is_no_prior() -> None:
    assert relation(purpose("CT head", "CT"), row("1", "CT head", kind="ordered")) is None
    assert relation(purpose("CT head", "CT"), row("1", "CT head", kind="known")) is not None


def test_every_rule_names_what_the_code_can_say() -> None:
    assert {kin for kin, _ in LEVELS} == {"site", "other side", "part", "whole", "near"}
    assert {way for _, way in LEVELS} == {"same", "related", "other", "any"}
    assert set(modalities.SAME.values()) <= {code for family in modalities.RELATED.values() for code in family} | {"NM"}
