"""Dates in words, against the mock-ups' own examples (today is 21 May 2026 there)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.studies.dates import age, in_words, since, sort_key

TODAY = date(2026, 5, 21)


@pytest.mark.parametrize(
    ("iso", "words"),
    [("2026-05-21", "21 May 2026"), ("2026-05", "May 2026"), ("2026", "2026"), (None, "Unknown date"), ("", "Unknown date"), ("2026-13-01", "Unknown date"), ("x", "Unknown date"), ("2026-02-30", "Unknown date"), ("٢٠٢٦", "Unknown date")],
)
def test_in_words(iso: str | None, words: str) -> None:
    assert in_words(iso) == words


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-05-21", "today 08:52"), ("2026-05-20", "yesterday 08:52"), ("2026-05-19", "2 days"), ("2026-05-04", "17 days"), ("2026-04-21", "30 days"),
        ("2026-02-22", "3 months"), ("2026-01-27", "4 months"), ("2026-01-12", "4 months"), ("2025-11-03", "6 months"), ("2025-12-22", "5 months"),
        ("2024-09-18", "1 y 8 m"), ("2024-06-06", "1 y 11 m"), ("2024-06-02", "1 y 11 m"), ("2023-03-30", "3 y 1 m"), ("2022-08-09", "3 y 9 m"),
        ("2021-11-11", "4 y 6 m"), ("2020-05-02", "6 y"), ("2025-05-21", "1 y"), ("2026-05-22", ""), ("2026-05", ""), (None, ""),
    ],
)  # fmt: skip
def test_since(iso: str | None, words: str) -> None:
    assert since(iso, "08:52", TODAY) == words


@pytest.mark.parametrize(
    ("born", "words"),
    [("1951-08-09", "74 y"), ("1951-05-21", "75 y"), ("2025-03-22", "13 m"), ("2026-05-20", "1 day"), ("2026-05-01", "20 days"), ("1951", "about 75 y"), ("2027-01-01", ""), (None, ""), ("x", "")],
)
def test_age(born: str | None, words: str) -> None:
    assert age(born, TODAY) == words


@given(st.dates(date(1890, 1, 1), TODAY), st.dates(date(1890, 1, 1), TODAY))
def test_a_later_date_sorts_higher_and_unknown_is_last(one: date, other: date) -> None:
    assert (sort_key(one.isoformat(), None) > sort_key(other.isoformat(), None)) == (one > other)
    assert sort_key(one.isoformat(), None) > sort_key(None, "10:00") == sort_key("junk", None)


@given(st.integers(0, 20_000))
def test_every_past_day_has_an_age(days: int) -> None:
    assert since((TODAY - timedelta(days)).isoformat(), None, TODAY)
