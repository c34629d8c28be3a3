"""What is read like paper, in a real browser: an ECG whose every drawn point is pydicom's, reports, documents; whose each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray

from tests.functional.looks import RULES
from tests.functional.viewer_navigator import PANE, Navigator, browser, reader
from tests.town import Town

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
SIZES = [(1280, 800), (1000, 650)]


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


@pytest.fixture
def ecg(reading: Navigator) -> Navigator:
    reading.has_chart_of("parekh")
    if not reading.row("ECG, 12 lead").is_visible():
        reading.closes()
    reading.row("ECG, 12 lead").locator("a.ttl").click()
    reading.sees("paper")
    reading.page.wait_for_selector(f"{PANE} svg.p-ecg")
    return reading


def millivolts(town: Town) -> NDArray[Any]:
    folder = next(Path(one.folder) for one in town.plan.archives if one.key == "northgate")
    path = folder / "parekh-ecg" / "1" / "0001.dcm"
    return np.asarray(pydicom.dcmread(path).waveform_array(0)) / 1000


def traces(reading: Navigator) -> list[tuple[str, NDArray[np.float64]]]:
    """Every curve drawn: its lead and its points, in mm of paper."""
    drawn = reading.page.locator(f"{PANE} .p-trace").evaluate_all("all => all.map(one => [one.dataset.lead, one.getAttribute('d')])")
    return [(lead, np.array([[float(n) for n in pair.split()] for pair in re.split("[ML]", d)[1:]])) for lead, d in drawn]


def axe(reading: Navigator) -> list[tuple[str, str]]:
    return [(one["id"], node["html"][:200]) for one in Axe().run(reading.page, options=RULES).response["violations"] for node in one["nodes"][:3]]


def test_every_point_of_every_lead_is_where_pydicom_has_it(ecg: Navigator) -> None:
    told = millivolts(ecg.town)
    ecg.page.get_by_role("combobox", name="Layout").select_option("12x1")
    drawn = traces(ecg)
    assert [lead for lead, _ in drawn] == list(LEADS)
    rows = ecg.page.locator(f"{PANE} .p-pulse").evaluate_all("all => all.map(one => parseFloat(one.getAttribute('d').match(/^M2 ([0-9.]+)/)?.[1]))")
    for index, (lead, points) in enumerate(drawn):
        assert len(points) == 10000
        assert np.abs((rows[index] - points[:, 1]) / 10 - told[:, index]).max() < 1e-4, lead
        assert np.abs(points[:, 0] - points[0, 0] - np.arange(10000) / 1000 * 25).max() < 1e-3
    ecg.page.get_by_role("combobox", name="Layout").select_option("3x4")
    drawn = traces(ecg)
    assert [lead for lead, _ in drawn] == [*LEADS, "II"]
    for (_, points), start in zip(drawn[:12], [at for at in (0, 2500, 5000, 7500) for _ in range(3)], strict=True):
        assert points[0, 0] == pytest.approx(12 + start * 0.025)
        assert len(points) == 2500
    assert len(drawn[12][1]) == 10000


def test_the_paper_says_its_scale_its_filters_and_whose_it_is(ecg: Navigator) -> None:
    pane = ecg.page.locator(PANE)
    assert "25 mm/s · 10 mm/mV · No filter added here" in pane.inner_text()
    head = pane.locator(".p-head").inner_text()
    assert "PAREKH" in head
    assert "Northgate University" in head
    assert re.search(r"Born \d+ \w+ \d{4}", head)
    before = traces(ecg)
    pane.get_by_text("Filters", exact=True).click()
    pane.get_by_label("Notch 50 Hz").check()
    assert "FILTERED HERE: notch 50 Hz" in pane.inner_text()
    assert any(np.abs(a - b).max() > 0 for (_, a), (_, b) in zip(before, traces(ecg), strict=True))
    pane.get_by_label("Notch 50 Hz").uncheck()
    assert all((a == b).all() for (_, a), (_, b) in zip(before, traces(ecg), strict=True))
    assert "RITMO SINUSALE" in pane.inner_text()
    assert "not confirmed here" in pane.inner_text()


def test_calipers_by_key_and_by_hand(ecg: Navigator) -> None:
    pane = ecg.page.locator(PANE)
    pane.get_by_role("button", name="Calipers").click()
    note = pane.locator(".p-note")
    assert note.inner_text() == "800 ms · 75 bpm · 0.00 mV"
    ecg.presses("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp")
    assert note.inner_text() == "880 ms · 68 bpm · −0.10 mV"
    box = pane.get_by_role("slider", name="Second caliper point").bounding_box()
    ecg.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    ecg.page.mouse.down()
    ecg.page.mouse.move(box["x"] + box["width"] / 2 + 100, box["y"] + box["height"] / 2)
    ecg.page.mouse.up()
    assert int(note.inner_text().split(" ms")[0].replace(",", "")) > 1000
    pane.get_by_role("button", name="Calipers").click()
    assert note.inner_text() == ""


def test_a_report_a_dose_report_and_key_images_are_read(reading: Navigator) -> None:
    reading.page.set_viewport_size({"width": 1280, "height": 800})
    reading.opens_chart_of("okonkwo-reyes")
    reading.has_open("CT head with documents")
    paper = reading.page.locator(f"{PANE} .v-paper")
    reading.picks_series("5 Structured report")
    reading.sees("paper")
    said = paper.inner_text()
    assert "OKONKWO" in said
    assert "Not verified by anybody" in said
    assert "Finding Technical set." in said
    assert axe(reading) == []
    reading.picture("paper-report")
    reading.picks_series("4 Key images")
    reading.sees("paper")
    assert "Of Interest" in paper.inner_text()
    assert axe(reading) == []
    reading.picture("paper-key-images")
    paper.get_by_role("button", name="Image 2").click()
    reading.sees_a_picture()
    reading.reaches(2, 3)
    reading.complaints[:] = [one for one in reading.complaints if "406" not in one]  # the thumbnail of an encoding that nobody knows
    reading.opens_chart_of("marchetti")
    reading.has_open("CT head without contrast")
    reading.picks_series("4 Dose report")
    reading.sees("paper")
    told = " ".join(paper.locator(".p-dose").inner_text().split())
    assert "Total DLP 912.4 mGy.cm" in told
    assert "Head routine 52.6 mGy 908.2 mGy.cm" in told
    assert axe(reading) == []
    reading.picture("paper-dose")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_papers_are_whole_on_the_screen_and_axe_finds_nothing(reading: Navigator, size: tuple[int, int], theme: str) -> None:
    reading.page.set_viewport_size({"width": size[0], "height": size[1]})
    reading.opens_chart_of("parekh")
    reading.chooses_colours(theme)
    reading.row("ECG, 12 lead").locator("a.ttl").click()
    reading.sees("paper")
    reading.picture(f"paper-ecg-{size[0]}x{size[1]}-{theme}")
    assert axe(reading) == []
