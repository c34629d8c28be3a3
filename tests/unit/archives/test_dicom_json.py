"""DICOM JSON as archives really send it: no value, however odd, raises or costs its row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.dicom_json import NotJson, Row, is_uid, parse

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Value", "vr", "Alphabetic", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(junk)
def test_no_element_raises(element: Any) -> None:
    row = Row({"00080020": element})
    for read in (row.date, row.time, row.offset, row.exact, row.values):
        read("00080020")
    for text in (row.text("00080020", "f"), *row.texts("00080020", "f")):
        assert text is None or text.isprintable() or "\x7f" not in text
    count = row.count("00080020", "f")
    assert count is None or 0 <= count <= 10_000_000


@given(st.binary(max_size=60), st.sampled_from(["", "application/json; charset=latin-1", "x; charset=no-such", 'x; charset="utf-8"']))
def test_any_bytes_are_json_or_not_json(body: bytes, content_type: str) -> None:
    try:
        parse(body, content_type)
    except NotJson:
        return


@pytest.mark.parametrize(("value", "good"), [("1.2.840", True), ("2.25.1", True), ("1..2", False), (".1", False), ("1.2/..", False), ("1" * 65, False), ("1" * 64, True), ("", False), (12, False), ("1.2\n", False), ("١.٢", False)])
def test_uids(value: Any, good: bool) -> None:
    assert is_uid(value) is good


@pytest.mark.parametrize(("sent", "iso"), [("20260112", "2026-01-12"), ("2026.01.12", "2026-01-12"), ("20260230", None), ("2026", None), ("20260101-20260201", None)])
def test_dates(sent: str, iso: str | None) -> None:
    row = Row(json.loads(json.dumps({"00080020": {"vr": "DA", "Value": [sent]}})))
    assert row.date("00080020") == iso
    assert row.faults == ([] if iso else ["date"])
