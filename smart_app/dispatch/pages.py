"""Templates of letters and paper, outside of a web request: the worker has none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from smart_app.dispatch.letters import Steps

WAYS: Mapping[str, str] = MappingProxyType({"phone": "PHONE", "computer": "COMPUTER", "disc": "DISC"})


def environment(folder: Path) -> Environment:
    """A name that a template gets wrong is a fault, not an empty line in a letter."""
    return Environment(loader=FileSystemLoader(folder), autoescape=select_autoescape(["html"]), undefined=StrictUndefined, keep_trailing_newline=True)


def instructions(pages: Environment, *ways: str) -> tuple[Steps, ...]:
    """How to send images, for `phone`, `computer` or `disc`: the same words as on the senders' pages."""
    words = cast(Any, pages.get_template("dispatch/_instructions.html").module)
    return tuple(Steps(words.TITLES[way], tuple(getattr(words, WAYS[way]))) for way in ways)
