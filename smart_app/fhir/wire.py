"""Small lenient readers of FHIR JSON, shared by the readers of this package.

FHIR R4 in the field departs from its definitions; one odd field costs itself, never its resource or its Bundle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

MAX_TEXT = 1024
_UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 160)), " ") | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""Control characters, and half characters, which no page could carry."""
DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")
RELATIVE = re.compile(r"([A-Z][A-Za-z]{2,40})/([A-Za-z0-9.-]{1,64})(/_history/[A-Za-z0-9.-]{1,64})?")


def items(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; a single object stands for a list of one."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Printable text, trimmed and bounded; None for anything else or nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:MAX_TEXT].translate(_UNPRINTABLE).strip() or None


def count(value: object) -> int | None:
    try:
        number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else -1
    except ValueError:
        return None
    return number if 0 <= number <= 10_000_000 else None


def codings(value: object) -> Iterator[Mapping[str, Any]]:
    """Codings of a Coding, a CodeableConcept, an R5 CodeableReference, or lists of any of them."""
    for item in items(value):
        if isinstance(item.get("concept"), Mapping):
            item = item["concept"]
        if "coding" in item:
            yield from items(item["coding"])
        elif "code" in item or "display" in item:
            yield item


def reference(value: object, base: str) -> tuple[str, str] | None:
    """(type, id) of a relative reference, or of an absolute one inside `base`; None for anything else."""
    target = value.get("reference") if isinstance(value, Mapping) else value
    if not isinstance(target, str):
        return None
    inside = target[len(base) + 1 :] if target.startswith(base + "/") else target
    match = RELATIVE.fullmatch(inside)
    return (match.group(1), match.group(2)) if match else None


def date_of(value: object) -> str | None:
    """ISO date as given: year, month or day."""
    found = text(value)
    return found if found and DATE.fullmatch(found) else None


def moment_of(value: object) -> tuple[str | None, str | None, str | None]:
    """(date, HH:MM, offset) as given; without a zone there is no offset, and none is made up."""
    found = text(value)
    if not found:
        return None, None, None
    match = MOMENT.fullmatch(found)
    if match is None or date_of(match.group(1)) is None:
        return date_of(found), None, None
    hour, minute = match.group(2).split(":")
    offset = match.group(3)
    if offset == "Z":
        offset = "+00:00"
    elif offset and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    return match.group(1), match.group(2) if int(hour) < 24 and int(minute) < 60 else None, offset


def instant_of(value: Any) -> datetime | None:
    """A FHIR instant; one without a zone could be any hour, and is none."""
    try:
        found = datetime.fromisoformat(text(value) or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
