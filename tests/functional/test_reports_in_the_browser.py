"""The report beside the images, in a browser: it comes with E, says its mark and its words, covers no picture, and axe finds nothing.

Pictures are left in tests/out/viewer for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.looks import RULES
from tests.functional.viewer_navigator import Navigator, browser, reader
from tests.town import Town


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("size", [(1280, 800), (1000, 650)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_report_stands_beside_the_images(reading: Navigator, size: tuple[int, int], theme: str) -> None:
    page = reading.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    reading.opens_chart_of("marchetti")
    reading.chooses_colours(theme)
    reading.has_open("CT head without contrast")
    reading.sees_everything_loaded()
    reading.looks_at_the_picture()
    reading.presses("e")
    page.locator(".v-report").first.wait_for()
    assert page.locator(".v-rmark b").first.inner_text() in ("Final", "Preliminary", "Final, amended")
    panel, picture = page.locator(".v-aside").bounding_box(), page.locator(".v-vp").first.bounding_box()
    assert panel is not None
    assert picture is not None
    assert panel["y"] >= picture["y"] + picture["height"] - 1 or panel["x"] >= picture["x"] + picture["width"] - 1
    wrong = [(one["id"], node["html"][:200]) for one in Axe().run(page, options=RULES).response["violations"] for node in one["nodes"][:3]]
    reading.picture(f"report-{size[0]}x{size[1]}-{theme}")
    page.get_by_role("button", name="Larger view").click()
    reading.picture(f"report-wide-{size[0]}x{size[1]}-{theme}")
    reading.chart = ""
    assert wrong == []
