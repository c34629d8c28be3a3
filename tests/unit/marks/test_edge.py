"""What a browser may send as marks, and what is refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smart_app.marks.edge import MOST_MARKS, NotMarks, read
from smart_app.marks.types import Value


def mark(**other: Any) -> dict[str, Any]:
    given = {"id": "0" * 32, "kind": "length", "name": "Nodule", "series": "1.2.3", "instance": "1.2.3.4", "frame": 1, "points": [[1.5, 2.5], [4.5, 6.5]],
             "values": [{"what": "length", "value": 5.0, "unit": "mm"}]}  # fmt: skip
    return given | other


def sent(*marks: dict[str, Any], version: Any = 0) -> bytes:
    return json.dumps({"version": version, "marks": list(marks)}).encode()


def test_marks_are_read_as_they_were_sent() -> None:
    kept = read(sent(mark(), mark(id="1" * 32, kind="probe", points=[[0.5, 0.5]], values=[]), version=7))
    assert kept.version == 7
    assert (kept.marks[0].points, kept.marks[0].values, kept.marks[0].name) == (((1.5, 2.5), (4.5, 6.5)), (Value("length", 5.0, "mm"),), "Nodule")
    assert kept.marks[1].place == ("1.2.3", "1.2.3.4")


@pytest.mark.parametrize(
    "other",
    [
        {"id": "x"}, {"id": None}, {"kind": "volume"}, {"kind": []}, {"name": "a" * 121}, {"name": "a\nb"}, {"name": "\ud800"}, {"name": 3}, {"series": "1..2"}, {"series": "../x"}, {"instance": ""},
        {"frame": 0}, {"frame": True}, {"frame": 1.5}, {"points": [[1, 2]]}, {"points": [[1, 2], [3]]}, {"points": [[1, 2], ["3", 4]]}, {"points": [[1, 2], [1e9, 4]]}, {"points": [[1, 2], [10**400, 4]]},
        {"points": [[True, 2], [3, 4]]}, {"values": [{"what": "length", "value": 5}]}, {"values": [{"what": "x", "value": 5, "unit": "mm"}]}, {"values": [{"what": "mean", "value": 5, "unit": "furlong"}]},
        {"values": [{"what": "mean", "value": 5, "unit": "1"}] * 9}, {"more": 1},
    ],
)  # fmt: skip
def test_anything_else_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(NotMarks):
        read(sent(mark(**other)))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, sent(mark(), mark()), sent(version=-1), sent(version="1"), b'{"version":0,"marks":[],"x":1}', sent(mark()).replace(b"5.0", b"NaN"),
     sent(mark()).replace(b"5.0", b"1e999"), b" " * 400_001, sent(*(mark(id=f"{i:032x}") for i in range(MOST_MARKS + 1))), sent(*(mark(id=f"{i:032x}", instance=f"1.2.{i}") for i in range(101)))],
)  # fmt: skip
def test_a_body_that_is_not_marks_is_refused(body: bytes) -> None:
    with pytest.raises(NotMarks):
        read(body)
