"""Search parameters that no database could take: refused as such, or found to match nothing, before any is asked."""

from __future__ import annotations

import base64

import pytest

from smart_app.fhir_api.queries import MOST_CHOICES, BadQuery, parse


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_lastUpdated", "0001-01-01T00:00:00+14:00"),
        ("_lastUpdated", "9999-12-31T23:59:59-14:00"),
        ("_lastUpdated", "9999-12-31"),
        ("_id", ",".join(map(str, range(MOST_CHOICES + 1)))),
        ("_cursor", cursor("2026-11-24T00:00:00+00:00 a\0b")),
        ("_cursor", cursor("0001-01-01T00:00:00+14:00 a")),
    ],
)
def test_it_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parse("Task", [(name, value)], "urn:numbers")
    assert refused.value.name == name


@pytest.mark.parametrize("name", ["_id", "identifier", "owner", "patient"])
def test_a_control_character_matches_nothing(name: str) -> None:
    query = parse("Task", [(name, "a\0b")], "urn:numbers")
    assert frozenset() in (query.ids, query.facilities, query.subjects)


def test_as_many_as_may_be_chosen_from_are() -> None:
    query = parse("Task", [("_id", ",".join(map(str, range(MOST_CHOICES))))], "urn:numbers")
    assert query.ids is not None
    assert len(query.ids) == MOST_CHOICES
