"""Renders one template as the product does: strict undefined, autoescape, the globals of the web layer."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, render_template
from jinja2 import StrictUndefined

ROOT = Path(__file__).parents[3]
HANDLE = "Zm9vYmFyYmF6cXV4MTIzNA"
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e"


class Page(HTMLParser):
    """What a browser would find: elements with attributes, and all text outside scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._in_script = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if not self._in_script:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def render(template: str, *, development: bool = False, **context: Any) -> Page:
    app = Flask("rendering", template_folder=str(ROOT / "templates"))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals.update(
        asset=lambda entry: SimpleNamespace(js=f"/static/viewer/{entry}", css=("/static/viewer/app.css",), imports=()), csrf_token=lambda: "token", development=development
    )  # fmt: skip
    with app.test_request_context("/"):
        return Page(render_template(template, **context))


def launch(**more: Any) -> SimpleNamespace:
    user = SimpleNamespace(name=HOSTILE, fhir_user=HOSTILE, subject="s")
    return SimpleNamespace(handle=HANDLE, user=user, smart_style_url=None, **more)
