"""Lenient reading of DICOM JSON (PS3.18 annex F): archives send nulls, numbers as text, bare values and broken text.

A field that cannot be read is None and is named as a fault; it never costs the row it stands in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
MAX_UID = 64
MAX_TEXT = 1024
CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
DATE = re.compile(r"(\d{4})(?:\.|-)?(\d{2})(?:\.|-)?(\d{2})")
TIME = re.compile(r"(\d{2}):?(\d{2})(?::?\d{2}(?:[.,]\d{0,6})?)?")
_UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 160)), " ") | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
OFFSET = re.compile(r"[+-]\d{4}")


class NotJson(ValueError):
    """The body is not JSON, or is nested deeper than anything honest."""


def is_uid(value: object) -> bool:
    """Whether `value` is a UID that is safe in a path: digits and dots, at most 64."""
    return isinstance(value, str) and len(value) <= MAX_UID and UID.fullmatch(value) is not None


def parse(body: bytes, content_type: str) -> Any:
    """The JSON in `body`. Bytes outside its character set become U+FFFD, so that one bad name does not lose a list.

    :raises NotJson: an HTML page, a broken or bottomless document.
    """
    named = CHARSET.search(content_type)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode(named.group(1) if named else "utf-8", "replace")
        except LookupError:
            text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotJson from None


def printable(value: str) -> str:
    """Text that can be shown and stored: no control characters, no half characters, trimmed, bounded."""
    return value[:MAX_TEXT].translate(_UNPRINTABLE).strip()


class Row:
    """One dataset of an answer. Reads fields, and remembers in `faults` the names of those it could not read."""

    def __init__(self, dataset: Mapping[str, Any]) -> None:
        self._dataset = dataset
        self.faults: list[str] = []

    def values(self, tag: str) -> list[Any]:
        """All values under `tag`, as sent; empty when absent. Bare and null values are forgiven."""
        element = self._dataset.get(tag)
        if element is None:
            element = self._dataset.get(tag.lower())
        if isinstance(element, Mapping):
            element = element.get("Value")
        if element is None:
            return []
        return [value for value in (element if isinstance(element, list) else [element]) if value is not None]

    def texts(self, tag: str, name: str) -> tuple[str, ...]:
        found = []
        for value in self.values(tag):
            text = _text(value)
            if text is None or "�" in text:
                self._fault(name)
            if text:
                found += [part.strip() for part in text.split("\\") if part.strip()]
        return tuple(found)

    def text(self, tag: str, name: str) -> str | None:
        """The first value as text. A text with unreadable characters is kept, and named as a fault."""
        for value in self.values(tag):
            text = _text(value)
            if text is None:
                self._fault(name)
                continue
            if "�" in text:
                self._fault(name)
            return text or None
        return None

    def exact(self, tag: str) -> tuple[bool, str | None]:
        """For identifiers: (readable, value). More than one value, or anything but text or a whole number, is unreadable."""
        values = self.values(tag)
        if not values:
            return True, None
        value = values[0]
        if len(values) > 1 or isinstance(value, bool) or not isinstance(value, str | int):
            return False, None
        text = str(value).strip(" \0")
        return "�" not in text, text or None

    def count(self, tag: str, name: str) -> int | None:
        for value in self.values(tag):
            try:
                number = int(str(value).strip()) if not isinstance(value, bool | float) else int(value)
            except (ValueError, OverflowError):
                self._fault(name)
                return None
            if isinstance(value, bool) or not 0 <= number <= 10_000_000:
                self._fault(name)
                return None
            return number
        return None

    def date(self, tag: str) -> str | None:
        """ISO date. An impossible one is absent and a fault: an old study must not look new."""
        text = self.text(tag, "date")
        if text is None:
            return None
        match = DATE.fullmatch(text)
        try:
            if match is None:
                raise ValueError
            return date(*(int(part) for part in match.groups())).isoformat()
        except ValueError:
            self._fault("date")
            return None

    def time(self, tag: str) -> str | None:
        text = self.text(tag, "time")
        if text is None:
            return None
        match = TIME.fullmatch(text)
        if match is None or int(match.group(1)) > 23 or int(match.group(2)) > 59:
            self._fault("time")
            return None
        return f"{match.group(1)}:{match.group(2)}"

    def offset(self, tag: str) -> str | None:
        text = self.text(tag, "offset")
        if text is None or OFFSET.fullmatch(text) is None:
            return None
        return f"{text[:3]}:{text[3:]}"

    def _fault(self, name: str) -> None:
        if name not in self.faults:
            self.faults.append(name)


def _text(value: object) -> str | None:
    """Text as sent, trimmed and bounded; None for what is no text at all. Person names give their alphabetic group."""
    if isinstance(value, Mapping):
        value = value.get("Alphabetic") or value.get("Ideographic") or value.get("Phonetic")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return printable(str(value))
