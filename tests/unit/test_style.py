"""The EHR's colours are taken only where they stay readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.style import DARK, LIGHT, Palette, contrast, parse, style_css

TOKENS = Path(__file__).parents[2] / "viewer/src/styles/tokens.css"
hexes = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: "#%02x%02x%02x" % rgb)  # noqa: UP031
anything = st.one_of(hexes, st.text(alphabet="#abcdefrgb(),0123456789;} {*\n", max_size=20), st.none(), st.integers())


def _value(css: str, token: str) -> tuple[int, int, int] | None:
    found = re.search(rf"--pr-{token}: (#[0-9a-f]{{6}});", css)
    return parse(found[1]) if found else None


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_palette_is_the_one_of_the_tokens_file(theme: str, palette: Palette) -> None:
    css = TOKENS.read_text()
    start = css.index(':root, [data-bs-theme="light"]' if theme == "light" else '[data-bs-theme="dark"] {')
    block = css[start : css.index("\n}", start)]
    for name, value in {**palette.surfaces, **palette.inks, "line-strong": palette.line_strong}.items():
        found = re.search(rf"--pr-{name}:\s*(#[0-9a-fA-F]{{6}})", block)
        assert found, name
        assert found[1].lower() == value, name


def test_a_readable_style_is_taken() -> None:
    style = style_css({"color_background": "#f7f7f2", "color_text": "#111111", "color_highlight": "#7a1f5c"})
    assert style.ignored == ()
    assert '--pr-bg: #f7f7f2;' in style.css
    assert '--pr-ink: #111111;' in style.css
    assert '--pr-accent: #7a1f5c;' in style.css
    assert "--pr-ehr-theme: light;" in style.css


def test_a_dark_background_stands_for_the_dark_theme() -> None:
    style = style_css({"color_background": "#0c1116"})
    assert "--pr-ehr-theme: dark;" in style.css
    assert ':root[data-bs-theme="dark"]' in style.css


@pytest.mark.parametrize(
    ("field", "value"),
    [("color_background", "#808080"), ("color_text", "#9a9a9a"), ("color_highlight", "#69b5ce"), ("color_text", "red;}*{display:none"),
     ("color_background", "url(https://x.example)"), ("color_highlight", None), ("color_text", "rgb(1,2,300)"), ("color_text", "#1234")],
)  # fmt: skip
def test_an_unreadable_or_strange_value_is_named_and_left_out(field: str, value: object) -> None:
    style = style_css({field: value})
    assert style.ignored == (field,)
    assert style.css == ""


def test_state_colours_are_never_replaced() -> None:
    style = style_css({"color_error": "#00ff00", "color_success": "#ff0000", "color_background": "#ffffff", "color_warn": "#000000"})
    assert not re.search(r"--pr-(ok|warn|bad|ask)", style.css)


@given(st.dictionaries(st.sampled_from(["color_background", "color_text", "color_highlight", "color_error"]), anything))
def test_whatever_comes_text_stays_readable_and_css_stays_ours(values: dict[str, object]) -> None:
    css = style_css(values).css
    assert re.fullmatch(r'(:root \{\n  --pr-ehr-theme: (light|dark);\n\}\n:root\[data-bs-theme="\2"\] \{\n(  --pr-[a-z0-9-]+: #[0-9a-f]{6};\n)+\}\n)?', css)
    ours = DARK if "ehr-theme: dark" in css else LIGHT
    surfaces = {name: _value(css, name) or parse(value) for name, value in ours.surfaces.items()}
    for name, value in ours.inks.items():
        ink = _value(css, name) or parse(value)
        for surface in surfaces.values():
            assert ink is not None
            assert surface is not None
            assert contrast(ink, surface) >= 4.5, (name, css)
    line = parse(ours.line_strong)
    assert line is not None
    for surface in ("bg", "surface", "surface-2"):
        assert contrast(line, surfaces[surface] or line) >= 3.0
