"""Reads what a browser sent as marks, or refuses all of it: known kinds, finite numbers, bounded text, UIDs. Nothing is repaired."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

from smart_app.archives.dicom_json import is_uid
from smart_app.marks.types import POINTS, UNITS, VALUES, Kept, Mark, Value

MOST_BYTES = 400_000
MOST_MARKS = 500
MOST_IMAGES = 100
"""Different images that marks may lie on: each is checked to be this patient's."""
NAME_LENGTH = 120
MOST_VALUES = 8
FARTHEST = 100_000.0
"""Pixels from the image's corner."""
ID = re.compile(r"[0-9a-f]{32}")


class NotMarks(Exception):
    """What was sent is not marks; the text is a fixed word for logs."""


def read(body: bytes) -> Kept:
    """`version` is the one that the sender's marks were made from. :raises NotMarks:"""
    if len(body) > MOST_BYTES:
        raise NotMarks("too-large")
    try:
        content = json.loads(body, parse_constant=_never)
    except (ValueError, RecursionError):
        raise NotMarks("not-json") from None
    if not isinstance(content, dict) or content.keys() != {"version", "marks"}:
        raise NotMarks("fields")
    version, rows = content["version"], content["marks"]
    if not _whole(version, 0, 2**31 - 1) or not isinstance(rows, list) or len(rows) > MOST_MARKS:
        raise NotMarks("bounds")
    marks = tuple(_mark(row) for row in rows)
    if len({mark.id for mark in marks}) != len(marks):
        raise NotMarks("twice")
    if len({mark.place for mark in marks}) > MOST_IMAGES:
        raise NotMarks("images")
    return Kept(version, marks)


def _mark(row: Any) -> Mark:
    if not isinstance(row, dict) or row.keys() != {"id", "kind", "name", "series", "instance", "frame", "points", "values"}:
        raise NotMarks("mark-fields")
    kind, id, name, points, values = row["kind"], row["id"], row["name"], row["points"], row["values"]
    if not isinstance(kind, str) or kind not in POINTS or not isinstance(id, str) or not ID.fullmatch(id):
        raise NotMarks("kind")
    if not isinstance(name, str) or len(name) > NAME_LENGTH or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise NotMarks("name")
    if not is_uid(row["series"]) or not is_uid(row["instance"]) or not _whole(row["frame"], 1, 999_999):
        raise NotMarks("image")
    if not isinstance(points, list) or len(points) != POINTS[kind] or not isinstance(values, list) or len(values) > MOST_VALUES:
        raise NotMarks("points")
    return Mark(id, kind, name.strip(), row["series"], row["instance"], row["frame"], tuple(_point(each) for each in points), tuple(_value(each) for each in values))


def _point(given: Any) -> tuple[float, float]:
    if not isinstance(given, list) or len(given) != 2:
        raise NotMarks("point")
    column, row = (_number(each) for each in given)
    if max(abs(column), abs(row)) > FARTHEST:
        raise NotMarks("point")
    return column, row


def _value(given: Any) -> Value:
    if not isinstance(given, dict) or given.keys() != {"what", "value", "unit"}:
        raise NotMarks("value")
    what, unit = given["what"], given["unit"]
    if not isinstance(what, str) or what not in VALUES or not isinstance(unit, str) or unit not in UNITS:
        raise NotMarks("value")
    return Value(what, _number(given["value"]), unit)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise NotMarks("number")
    try:
        number = float(given)
    except OverflowError:
        raise NotMarks("number") from None
    if not math.isfinite(number):
        raise NotMarks("number")
    return number


def _whole(given: Any, least: int, most: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and least <= given <= most


def _never(word: str) -> float:
    raise ValueError(word)
