"""How list and viewer look at the sizes and in the themes that the design names: axe, nothing cut off, no word of complaint.

Pictures are left in tests/out/viewer for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.looks import RULES
from tests.functional.viewer_navigator import Navigator, browser, reader
from tests.town import Town

SIZES = [(1280, 800), (1000, 650), (820, 1180)]
SCENES = {
    "ct": ("marchetti", "CT head without contrast", "2 Axial brain 5 mm"),
    "colour": ("okonkwo-reyes", "Colour and palettes", "1 RGB"),
    "many-series": ("okonkwo-reyes", "Every image encoding", "12 HTJ2K lossless"),
    "document": ("okonkwo-reyes", "CT head with documents", "3 Presentation state"),
}
THOROUGH = ("ct", "document")
"""Scenes that axe reads too; the others differ in pixels and in the length of a list."""


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


def found_by_axe(reading: Navigator) -> list[tuple[str, str]]:
    return [
        (one["id"], node["html"][:200])
        for one in Axe().run(reading.page, options=RULES).response["violations"]
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_cut_off_and_axe_finds_nothing(reading: Navigator, size: tuple[int, int], theme: str) -> None:
    reading.page.set_viewport_size({"width": size[0], "height": size[1]})
    wrong: list[tuple[str, object]] = []
    scenes = SCENES if theme == "Light" else {scene: SCENES[scene] for scene in THOROUGH}
    for scene, (patient, study, series) in scenes.items():
        if reading.chart != patient:
            reading.opens_chart_of(patient)
            reading.chooses_colours(theme)
            wrong += [("list", one) for one in [*found_by_axe(reading), *reading.cut_off()]]
            reading.picture(f"list-{size[0]}x{size[1]}-{theme}")
        if not reading.row(study).is_visible():
            reading.closes()
        reading.has_open(study)
        reading.picks_series(series)
        if reading.fact("state") == "shown":
            reading.sees_everything_loaded()
        reading.page.mouse.move(1, 1)
        wrong += [(scene, one) for one in [*(found_by_axe(reading) if scene in THOROUGH else []), *reading.cut_off()]]
        reading.picture(f"{scene}-{size[0]}x{size[1]}-{theme}")
    reading.looks_at_the_picture()
    reading.presses("?")
    wrong += [("help", one) for one in found_by_axe(reading)]
    reading.picture(f"help-{size[0]}x{size[1]}-{theme}")
    reading.presses("Escape")
    reading.chart = ""
    reading.complaints[:] = [one for one in reading.complaints if "406" not in one]  # the thumbnail of an encoding that nobody knows
    assert wrong == []


def test_the_check_of_cut_off_things_finds_planted_ones(reading: Navigator) -> None:
    reading.has_chart_of("marchetti")
    reading.has_open("CT head without contrast")
    assert reading.cut_off() == []
    for selector, style in {
        ".v-tr": "right:auto;left:0;top:0",
        ".v-head h2": "display:block;width:40px;text-overflow:clip",
        ".v-stat": "position:fixed;left:-50px",
    }.items():
        reading.page.locator(f"#viewer-pane {selector}").evaluate("(one, style) => { one.style.cssText = style; }", style)
        assert reading.cut_off() != [], selector
        reading.page.locator(f"#viewer-pane {selector}").evaluate("one => { one.style.cssText = ''; }")
