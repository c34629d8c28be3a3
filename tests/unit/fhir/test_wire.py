"""Lenient readers: whatever JSON a field holds, reading it ends in a value or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.fhir.wire import codings, count, date_of, items, moment_of, reference, text

BASE = "https://ehr.org/fhir"
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["coding", "code", "concept", "reference", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(anything)
def test_nothing_raises(value: Any) -> None:
    assert all(isinstance(item, dict) for item in items(value))
    list(codings(value))
    count(value)
    date_of(value)
    moment_of(value)
    assert reference(value, BASE) is None or isinstance(reference(value, BASE), tuple)
    found = text(value)
    assert found is None or (found.strip() == found and len(found) <= 1024)


@pytest.mark.parametrize(
    ("given_reference", "found"),
    [
        ("Patient/p1", ("Patient", "p1")), (f"{BASE}/Patient/p1", ("Patient", "p1")), ("Patient/p1/_history/2", ("Patient", "p1")), ("/Patient/p1", None),
        ("https://evil.org/fhir/Patient/p1", None), (f"{BASE}x/Patient/p1", None), ("Patient/p1/x", None), ("urn:uuid:1", None), ("#p1", None), ("Patient/", None),
    ],
)  # fmt: skip
def test_references_stay_inside_the_base(given_reference: str, found: Any) -> None:
    assert reference({"reference": given_reference}, BASE) == found
