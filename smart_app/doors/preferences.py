"""How a person wants the viewer: a small, versioned record that says nothing of any patient. Read strictly, with defaults for the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

VERSION = 1
MOST_BYTES = 4096
MOST_PRESETS = 12
_CHOICES: Mapping[str, frozenset[str]] = {"layout": frozenset({"1x1", "1x2", "2x2"}), "theme": frozenset({"auto", "light", "dark"})}
_SWITCHES = frozenset({"letters", "autoplay"})
_TOOL = re.compile(r"[a-z][a-z-]{0,23}")
DEFAULTS: Mapping[str, Any] = {"version": VERSION, "layout": "1x1", "theme": "auto", "tool": "window", "letters": True, "autoplay": True, "presets": []}


class Unreadable(Exception):
    """What was sent is not such a record; the name of the field that is wrong."""


def preferences_of(told: object) -> dict[str, Any]:
    """What was told, checked, over the defaults. :raises Unreadable: a field that is unknown, or has another shape."""
    if not isinstance(told, dict):
        raise Unreadable("record")
    found = dict(DEFAULTS)
    for name, value in told.items():
        if name == "version":
            if value != VERSION:
                raise Unreadable(name)
        elif name == "presets":
            found[name] = _presets(value)
        elif _fits(name, value):
            found[name] = value
        else:
            raise Unreadable("field")
    return found


def _fits(name: str, value: object) -> bool:
    if name in _SWITCHES:
        return isinstance(value, bool)
    return isinstance(value, str) and (value in _CHOICES.get(name, ()) or (name == "tool" and _TOOL.fullmatch(value) is not None))


def _presets(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MOST_PRESETS:
        raise Unreadable("presets")
    return [_preset(one) for one in value]


def _preset(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {"name", "center", "width"}:
        raise Unreadable("presets")
    name, center, width = value["name"], value["center"], value["width"]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) and -100_000 <= one <= 100_000 for one in (center, width))
    if not isinstance(name, str) or not 0 < len(name) <= 24 or not name.isprintable() or not numbers or width < 1:
        raise Unreadable("presets")
    return {"name": name, "center": center, "width": width}
