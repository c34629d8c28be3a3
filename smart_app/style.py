"""The EHR's own colours (`smart_style_url`, SMART App Launch 2.2) as tokens of ours, where they stay readable.

Pure: takes the style JSON, returns CSS and what was ignored. Owns no fetch. A value is taken only if all text on it
keeps 4.5:1 and all controls keep 3:1; state colours are never replaced, so that amber stays amber in every EHR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TEXT = 4.5
CONTROL = 3.0
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """Our own colours of one theme, as in `viewer/src/styles/tokens.css` (a test holds the two together)."""

    surfaces: Mapping[str, str]
    """What text and controls stand on; `bg` and `surface-2` may be replaced."""
    inks: Mapping[str, str]
    """Text, and state colours that are also text: each needs 4.5:1 on every surface."""
    line_strong: str


LIGHT = Palette(
    {"bg": "#f2f3f1", "surface": "#ffffff", "surface-2": "#f8f8f6", "accent-weak": "#e4f0f5", "ok-bg": "#e7f3eb", "warn-bg": "#fdf2d8",
     "bad-bg": "#fcebe9", "ask-bg": "#f6edf9"},
    {"ink": "#17212a", "ink-2": "#46515c", "ink-3": "#5b6670", "accent": "#0b5c7a", "ok": "#1d673c", "warn": "#775000", "bad": "#a01f1b", "ask": "#68367c"},
    "#7d8688",
)  # fmt: skip
DARK = Palette(
    {"bg": "#10151a", "surface": "#182027", "surface-2": "#1e272f", "accent-weak": "#15313d", "ok-bg": "#15301f", "warn-bg": "#35290e",
     "bad-bg": "#3d1b19", "ask-bg": "#32213a"},
    {"ink": "#e9edef", "ink-2": "#b9c4cb", "ink-3": "#9eaab2", "accent": "#79c6e3", "ok": "#80ca9a", "warn": "#ebbf5a", "bad": "#ff9f96", "ask": "#d8b4e8"},
    "#7f8c96",
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """`css` is safe to send as it is, and empty when nothing was usable. `ignored` names SMART style fields, for the log."""

    css: str
    ignored: tuple[str, ...]


def style_css(values: Mapping[str, object]) -> Style:
    """Tokens for the theme that the EHR's background stands for.

    :param values: the style JSON: `color_background`, `color_text` and `color_highlight` are looked at.
    """
    ignored: list[str] = []
    background = _field(values, "color_background", ignored)
    theme, ours = ("dark", DARK) if background is not None and luminance(background) < 0.18 else ("light", LIGHT)
    surfaces = {name: _own(value) for name, value in ours.surfaces.items()}
    inks = {name: _own(value) for name, value in ours.inks.items()}
    tokens: dict[str, Colour] = {}

    if background is not None:
        if _readable_on(background, inks.values(), _own(ours.line_strong)):
            surfaces["bg"] = surfaces["surface-2"] = tokens["bg"] = tokens["surface-2"] = background
        else:
            ignored.append("color_background")
    text = _field(values, "color_text", ignored)
    if text is not None:
        if _reads(text, surfaces.values()):
            tokens["ink"] = text
        else:
            ignored.append("color_text")
    accent = _field(values, "color_highlight", ignored)
    if accent is not None:
        on_accent = max(((255, 255, 255), (6, 32, 43)), key=lambda ink: contrast(ink, accent))
        if _reads(accent, surfaces.values()) and contrast(on_accent, accent) >= TEXT:
            # Focus and hover follow the accent, so that a person meets one colour, not two.
            tokens |= {"accent": accent, "accent-hover": accent, "focus": accent, "on-accent": on_accent}
        else:
            ignored.append("color_highlight")
    return Style(_css(theme, tokens), tuple(ignored))


def parse(text: object) -> Colour | None:
    """`#rgb`, `#rrggbb` or `rgb(r, g, b)`; anything else, and anything translucent, is None."""
    if not isinstance(text, str):
        return None
    if _HEX.fullmatch(text.strip()):
        digits = text.strip()[1:]
        digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    found = _RGB.fullmatch(text.strip())
    if found is None or any(int(part) > 255 for part in found.groups()):
        return None
    return int(found[1]), int(found[2]), int(found[3])


def luminance(colour: Colour) -> float:
    """Relative luminance, WCAG 2.2."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (value / 255 for value in colour))
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio, WCAG 2.2: 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _own(text: str) -> Colour:
    colour = parse(text)
    assert colour is not None
    return colour


def _field(values: Mapping[str, object], name: str, ignored: list[str]) -> Colour | None:
    if name not in values:
        return None
    colour = parse(values[name])
    if colour is None:
        ignored.append(name)
    return colour


def _reads(ink: Colour, surfaces: Iterable[Colour]) -> bool:
    return all(contrast(ink, surface) >= TEXT for surface in surfaces)


def _readable_on(surface: Colour, inks: Iterable[Colour], control: Colour) -> bool:
    return all(contrast(ink, surface) >= TEXT for ink in inks) and contrast(control, surface) >= CONTROL


def _css(theme: str, tokens: Mapping[str, Colour]) -> str:
    if not tokens:
        return ""
    lines = "".join(f"  --pr-{name}: #{red:02x}{green:02x}{blue:02x};\n" for name, (red, green, blue) in tokens.items())
    # Under the theme's own selector: a person's choice of the other theme then switches all of it off.
    return f':root {{\n  --pr-ehr-theme: {theme};\n}}\n:root[data-bs-theme="{theme}"] {{\n{lines}}}\n'
