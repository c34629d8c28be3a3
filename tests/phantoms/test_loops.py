"""Loops in a real browser: they play as their files say, and a reader moves through them by pointer and by keys."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.functional.viewer_navigator import PANE, Navigator
from tests.phantoms.loops import GREYS, STUDY, TAKEN

SLIDER = f"{PANE} .v-loop input[type=range]"
# Which frames came on the screen within a time: read from the slider, once a picture of the browser.
WATCH = """ms => new Promise(done => {
  const seen = [], slider = document.querySelector('.v-loop input[type=range]'), end = performance.now() + ms;
  const look = () => { if (seen.at(-1) !== Number(slider.value)) seen.push(Number(slider.value)); performance.now() < end ? requestAnimationFrame(look) : done(seen); };
  look();
})"""


def grey(reading: Navigator) -> int:
    shown = reading.pixels()
    return int(shown[shown.shape[0] // 2, shown.shape[1] // 2, 0])


def words(reading: Navigator) -> str:
    return str(reading.page.get_attribute(SLIDER, "aria-valuetext"))


def plays(reading: Navigator, on: bool) -> None:
    reading.page.wait_for_selector(f"{PANE} [data-command=play][aria-pressed={str(on).lower()}]")


@pytest.fixture
def echo(reading: Navigator) -> Navigator:
    reading.has_open(STUDY)
    reading.picks_series("2 Fifteen a second")
    reading.picks_series("1 Uneven loop")
    reading.sees_everything_loaded()
    return reading


def test_an_echo_loop_begins_by_itself_and_comes_round(echo: Navigator) -> None:
    plays(echo, True)
    seen: list[int] = echo.page.evaluate(WATCH, 2500)
    assert set(seen) == set(range(1, 7))
    following = [(a % 6) + 1 == b for a, b in itertools.pairwise(seen)]
    assert len(following) > 6
    # The watcher looks once a picture, the page may show two frames between: no frame comes out of its order otherwise.
    assert sum(following) > 0.6 * len(following)
    echo.looks_at_the_picture()
    echo.presses("Space")
    plays(echo, False)
    assert "72 bpm" in str(echo.page.locator(f"{PANE} .v-pace").text_content())


def test_the_slider_is_a_frame_and_its_time_by_keyboard_alone(echo: Navigator) -> None:
    plays(echo, True)
    echo.page.locator(SLIDER).focus()
    echo.presses("Home")
    plays(echo, False)
    for frame, (taken, wanted) in enumerate(zip(TAKEN, GREYS, strict=True), start=1):
        echo.reaches(frame, 6)
        assert words(echo) == f"Frame {frame} of 6, {taken} ms"
        assert abs(grey(echo) - wanted) <= 1
        echo.presses("ArrowRight")
    assert echo.page.locator(SLIDER).get_attribute("aria-label") == "Frame"
    assert "heart rate 72" in str(echo.page.locator(f"{PANE} .v-loop").get_attribute("aria-label"))
    beats: Any = echo.page.locator(f"{PANE} .v-beat").evaluate_all("all => all.map(one => parseFloat(one.style.left))")
    # 50 ms lies three eighths of the way from the second frame to the third, 220 ms half way to the last.
    assert beats == pytest.approx([100 * 1.375 / 5, 100 * 4.5 / 5])


def test_a_picture_with_a_spectrum_in_it_is_not_measured_in_mm_although_it_has_a_pixel_spacing(echo: Navigator) -> None:
    echo.uses("length")
    assert "Size unknown" in echo.note
    assert echo.tool("length").get_attribute("aria-pressed") == "false"


def test_whoever_wants_loops_to_wait_is_asked_once(echo: Navigator) -> None:
    plays(echo, True)
    echo.page.get_by_label("Loops begin by themselves").click()
    echo.picks_series("2 Fifteen a second")
    echo.picks_series("1 Uneven loop")
    echo.sees_everything_loaded()
    plays(echo, False)
    echo.page.get_by_label("Loops begin by themselves").click()


def test_others_wait_to_be_played_and_say_their_rate(echo: Navigator) -> None:
    echo.picks_series("2 Fifteen a second")
    echo.sees_everything_loaded()
    plays(echo, False)
    pace = echo.page.locator(f"{PANE} .v-pace")
    assert pace.text_content() == "15 frames/s"
    echo.page.locator(f"{PANE} .v-speed").select_option("0.5")
    assert pace.text_content() == "7.5 frames/s"
    echo.page.get_by_label("Sweep: play to and fro").click()
    echo.page.locator(f"{PANE} .v-loop [aria-label=Play]").click()
    plays(echo, True)
    seen: list[int] = echo.page.evaluate(WATCH, 2500)
    assert any(a > b for a, b in itertools.pairwise(seen)), "to and fro"
    assert (1, 6) not in itertools.pairwise(seen)
    assert (6, 1) not in itertools.pairwise(seen)
    echo.page.locator(f"{PANE} .v-loop [aria-label=Stop]").click()
    plays(echo, False)


def test_a_rate_that_the_file_does_not_give_is_said_to_be_assumed(echo: Navigator) -> None:
    echo.picks_series("3 No rate given")
    echo.sees_everything_loaded()
    plays(echo, False)
    assert "rate not in the file" in str(echo.page.locator(f"{PANE} .v-pace").text_content())
    assert words(echo) == "Frame 1 of 6"


def test_a_stack_of_slices_has_no_loop_bar(echo: Navigator) -> None:
    assert echo.page.locator(f"{PANE} .v-loop").is_visible()
    assert echo.cut_off() == []
    echo.picture("loop")
    echo.has_open("CT head with documents")
    echo.picks_series("2 Axial 7 mm")
    assert not echo.page.locator(f"{PANE} .v-loop").is_visible()
    echo.complaints.clear()  # a thumbnail of that study is one that its archive cannot make
