"""Reading one study after another in a real browser: by pointer, by keyboard alone, and with every tool.

One tab serves all of it, as it does a reader's morning.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.viewer_navigator import PANE, Navigator, browser, reader
from tests.town import Town


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


@pytest.fixture
def head(reading: Navigator) -> Navigator:
    """A CT of the head, six images, in view as it was sent."""
    reading.has_chart_of("marchetti")
    reading.has_open("CT head without contrast")
    reading.picks_series("2 Axial brain 5 mm")
    reading.sees_everything_loaded()
    reading.uses("window")
    reading.uses("reset")
    reading.reaches(1, 6)
    return reading


def test_a_click_shows_the_first_image_and_then_the_series(reading: Navigator) -> None:
    reading.opens_chart_of("marchetti")
    reading.opens("CT head without contrast")
    assert reading.place == "Image 1 of 6"
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 6, "total": 6, "failed": 0, "withheld": 0}
    assert "6 of 6 images loaded" in reading.status
    assert "Not for primary diagnosis" in reading.status
    moments = reading.page.evaluate("Object.fromEntries(performance.getEntriesByType('mark').map(one => [one.name, one.startTime]))")
    assert moments["priors:first-picture"] <= min(moments["priors:first-image"], moments["priors:all-images"])
    assert "MARCHETTI" in reading.corner("tl")
    assert "St Brannoc District" in reading.corner("tr")
    assert "Outside study" in reading.corner("tr")
    assert "Series 2 · Axial brain 5 mm" in reading.corner("bl"), "the first series with slices, not the scout"
    assert reading.row("CT head without contrast").get_attribute("class") is not None
    assert reading.page.url.endswith(str(reading.row("CT head without contrast").get_attribute("data-uid")))


def test_the_stack_scrolls_before_the_tools_are_there(reading: Navigator) -> None:
    held: list[Any] = []
    code = re.compile(r"/assets/stack-[^/]*\.js")
    reading.page.route(code, lambda route: held.append(route))
    reading.opens_chart_of("marchetti")
    reading.row("CT head without contrast").locator("a.ttl").click()
    reading.page.wait_for_selector(f"{PANE}[data-loaded='6']")
    assert reading.fact("state") == "loading"
    first = reading.fingerprint()
    reading.looks_at_the_picture()
    reading.presses("ArrowDown")
    reading.reaches(2, 6)
    reading.page.wait_for_selector(".v-picture")
    second = reading.changed_since(first)
    reading.presses("Home")
    reading.changed_since(second)
    reading.presses("ArrowDown")
    reading.reaches(2, 6)
    assert len(held) == 1
    held[0].continue_()
    reading.page.unroute(code)
    reading.sees_a_picture()
    reading.sees_everything_loaded()
    assert reading.place == "Image 2 of 6", "what was scrolled to stays"


def test_closing_gives_the_focus_back_to_the_row(head: Navigator) -> None:
    head.closes()
    assert head.focus.startswith("CT head without contrast")
    assert head.page.locator("#viewer-pane").inner_html() == ""
    assert head.page.url.endswith("/studies")
    head.page.go_back()
    head.sees_a_picture()
    head.page.go_forward()
    head.page.wait_for_selector("#app[data-view=list]")


def test_the_whole_way_by_keyboard_alone(reading: Navigator) -> None:
    reading.opens_chart_of("marchetti")
    reading.presses("ArrowDown", "Home")
    while not reading.focus.startswith("CT head without contrast"):
        reading.presses("ArrowDown")
    reading.presses("Enter")
    reading.sees_a_picture()
    reading.sees_everything_loaded()
    for _ in range(30):
        if reading.page.evaluate("document.activeElement.matches('.v-vp')"):
            break
        reading.presses("Tab")
    else:
        pytest.fail("Tab never came to the picture")
    reading.presses("ArrowDown")
    reading.reaches(2, 6)
    before = reading.fingerprint()
    reading.presses("i")
    reading.changed_since(before)
    assert reading.tool("invert").get_attribute("aria-pressed") == "true"
    reading.presses("ArrowRight")
    reading.page.wait_for_selector("#viewer-pane .v-th[aria-current=true][title='3 Axial bone 1.25 mm']")
    reading.sees_a_picture()
    reading.presses("Escape")
    reading.page.wait_for_selector("#app[data-view=list]")
    assert reading.focus.startswith("CT head without contrast")


def test_wheel_keys_and_slider_move_through_the_series(head: Navigator) -> None:
    before = head.fingerprint()
    head.turns_the_wheel(2)
    head.reaches(3, 6)
    third = head.changed_since(before)
    head.turns_the_wheel(-1)
    head.reaches(2, 6)
    head.turns_the_wheel(1)
    head.reaches(3, 6)
    assert head.fingerprint() == third, "the same image looks the same again"
    head.looks_at_the_picture()
    for key, image in (
        ("End", 6),
        ("ArrowDown", 6),
        ("ArrowUp", 5),
        ("Home", 1),
        ("ArrowUp", 1),
        ("PageDown", 6),
        ("PageUp", 1),
        ("ArrowDown", 2),
    ):
        head.presses(key)
        head.reaches(image, 6)
    head.pulls_the_slider_to(0.999)
    head.reaches(6, 6)
    slider = head.page.get_by_role("slider", name="Image")
    assert slider.get_attribute("aria-valuetext") == "Image 6 of 6"
    head.pulls_the_slider_to(0.001)
    head.reaches(1, 6)
    head.uses("scroll")
    head.drags((0.5, 0.4), (0.5, 0.46))
    assert head.place != "Image 1 of 6"


def test_windows_by_preset_number_and_drag_change_the_picture(head: Navigator) -> None:
    assert head.window == (80, 40)
    head.looks_at_the_picture()
    seen = {head.fingerprint()}
    for key, window in (("1", (400, 40)), ("2", (1500, -600)), ("3", (2000, 500))):
        before = head.fingerprint()
        head.presses(key)
        seen.add(head.changed_since(before))
        assert head.window == window
    assert len(seen) == 4
    head.sets_window(1000, 100)
    assert head.window == (1000, 100)
    before = head.fingerprint()
    head.drags((0.5, 0.5), (0.6, 0.5))
    head.changed_since(before)
    assert head.window != (1000, 100)
    head.presses("ArrowDown")
    head.reaches(2, 6)
    chosen = head.window
    head.turns_the_wheel(-1)
    head.reaches(1, 6)
    assert head.window == chosen, "a chosen window stays from image to image"
    head.uses("reset")
    assert head.window == (80, 40)


def test_zoom_pan_turn_flip_invert_and_back(head: Navigator) -> None:
    as_sent, zoom = head.fingerprint(), head.zoom
    for tool, points in (("zoom", ((0.5, 0.5), (0.5, 0.3))), ("pan", ((0.5, 0.5), (0.65, 0.6)))):
        before = head.fingerprint()
        head.uses(tool)
        head.drags(*points)
        head.changed_since(before)
    assert head.zoom != zoom
    head.uses("fit")
    assert head.zoom == zoom
    assert head.fingerprint() == as_sent, "fit undoes zoom and pan, and nothing else was touched"
    straight = head.pixels()
    before = head.fingerprint()
    head.uses("invert")
    head.changed_since(before)
    inverted = head.pixels()
    centre = tuple(slice(size // 2 - 50, size // 2 + 50) for size in straight.shape[:2])
    assert (abs(inverted[centre].astype(int) + straight[centre] - 255) <= 1).all()
    head.uses("flip")
    before = head.fingerprint()
    head.uses("rotate")
    head.changed_since(before)
    head.uses("reset")
    assert head.fingerprint() == as_sent


def test_flip_and_turn_are_what_they_say(head: Navigator) -> None:
    straight = head.pixels().astype(int)
    tall, wide = straight.shape[:2]
    square = slice(wide // 2 - tall // 2 + 1, wide // 2 + tall // 2 - 1)
    head.uses("flip")
    flipped = head.pixels().astype(int)
    assert abs(flipped[:, ::-1] - straight)[5:-5, square].mean() < 2 < 4 < abs(flipped - straight)[5:-5, square].mean()
    head.uses("flip")
    head.uses("rotate")
    turned = head.pixels().astype(int)[:, wide // 2 - tall // 2 : wide // 2 - tall // 2 + tall]
    original = straight[:, wide // 2 - tall // 2 : wide // 2 - tall // 2 + tall]
    assert abs(turned - original[::-1].transpose(1, 0, 2)).mean() < 2, "clockwise: what was on the left is at the top"


def test_a_loop_plays_and_stops_where_it_stands(reading: Navigator) -> None:
    reading.has_chart_of("parekh")
    reading.opens("Coronary angiogram")
    reading.sees_everything_loaded()
    reading.reaches(1, 6)
    reading.looks_at_the_picture()
    reading.presses(" ")
    assert reading.tool("play").get_attribute("aria-label") == "Stop"
    seen, end = set(), time.monotonic() + 10
    while len(seen) < 6 and time.monotonic() < end:
        seen.add(reading.place)
    assert seen == {f"Image {n} of 6" for n in range(1, 7)}
    reading.presses(" ")
    assert reading.tool("play").get_attribute("aria-label") == "Play"
    stopped = reading.place
    reading.page.wait_for_timeout(300)
    assert reading.place == stopped
    reading.opens("Echocardiogram, transthoracic")
    reading.sees_everything_loaded()
    assert reading.facts["total"] == 30
    first = reading.fingerprint()
    reading.uses("play")
    reading.changed_since(first)
    reading.presses("ArrowDown")
    assert reading.tool("play").get_attribute("aria-label") == "Play", "a hand on the images stops the loop"


def first_number(words: str) -> float:
    return next((float(word) for word in words.split() if word.replace(".", "").isdigit()), float("nan"))


def test_length_and_angle_are_told_where_the_size_of_a_pixel_is_known(head: Navigator) -> None:
    head.page.wait_for_selector("#viewer-pane[data-tools=ready]")
    box = head.page.locator("#viewer-pane .v-vp").bounding_box()
    head.uses("length")
    head.drags((0.35, 0.5), (0.65, 0.5))
    across = box["width"] * 0.3 / (head.zoom / 100) * 0.46875
    said = head.reads_marks(lambda words: "mm" in words and first_number(words) == pytest.approx(across, rel=0.02))
    assert "mm" in said
    assert first_number(said) == pytest.approx(across, rel=0.02)
    head.presses("Delete")
    assert head.reads_marks(lambda words: not words) == ""
    head.uses("angle")
    head.clicks_at(0.4, 0.3)
    head.clicks_at(0.4, 0.6)
    head.clicks_at(0.6, 0.6)
    said = head.reads_marks(lambda words: "°" in words and first_number(words) == pytest.approx(90, abs=1.5))
    assert "°" in said
    assert first_number(said) == pytest.approx(90, abs=1.5)
    assert "mm" not in said
    head.picks_series("3 Axial bone 1.25 mm")
    assert head.reads_marks(lambda words: not words) == "", "a mark does not move to another series"


def test_without_a_pixel_size_there_is_no_length_but_a_sentence(reading: Navigator) -> None:
    reading.has_chart_of("marchetti")
    reading.opens("Chest, 1 view, portable")
    reading.sees_everything_loaded()
    length = reading.tool("length")
    assert length.get_attribute("aria-disabled") == "true"
    reading.uses("length")
    assert reading.note == "Size unknown: no measurement in mm on this image"
    reading.looks_at_the_picture()
    reading.presses("l")
    reading.drags((0.35, 0.5), (0.65, 0.5))
    assert reading.is_measured() == []


def test_the_help_sheet_holds_the_focus_and_esc_gives_it_back(head: Navigator) -> None:
    head.looks_at_the_picture()
    head.presses("?")
    sheet = head.page.get_by_role("dialog", name="Keyboard")
    sheet.wait_for()
    for _ in range(6):
        head.presses("Tab")
        assert head.page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    head.presses("Escape")
    sheet.wait_for(state="detached")
    assert head.page.evaluate("document.activeElement.matches('.v-vp')")
    assert head.page.get_attribute("#app", "data-view") == "study", "Esc closed the sheet and not the study"


def test_single_letters_can_be_switched_off(head: Navigator) -> None:
    head.looks_at_the_picture()
    head.presses("?")
    switch = head.page.get_by_label("Single-letter keys, while the viewer has the focus")
    switch.uncheck()
    head.presses("Escape")
    before = head.fingerprint()
    head.presses("i", "r")
    assert head.fingerprint() == before
    head.presses("ArrowDown")
    head.reaches(2, 6)
    head.uses("help")
    switch.check()
    head.presses("Escape")
    head.looks_at_the_picture()
    head.presses("i")
    head.changed_since(before)


def test_thumbnails_change_the_series(head: Navigator) -> None:
    assert head.series_names() == ["1 Scout", "2 Axial brain 5 mm", "3 Axial bone 1.25 mm", "4 Dose report"]
    before = head.fingerprint()
    head.picks_series("3 Axial bone 1.25 mm")
    head.reaches(1, 3)
    assert head.window == (2500, 500)
    head.changed_since(before)
    head.picks_series("4 Dose report")
    assert head.fact("state") == "paper"
    head.picks_series("2 Axial brain 5 mm")
    head.reaches(1, 6)
    assert head.changed_since(0) == before
