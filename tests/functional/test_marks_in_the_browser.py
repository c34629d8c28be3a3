"""Marking images in a real browser: what is said beside a mark is what pydicom's own pixels say, it is saved by itself, and it is there again.

Values are held against pydicom to 1e-6: both are the same numbers, added up in another order.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from PIL import Image

from tests.functional.looks import RULES
from tests.functional.viewer_navigator import OUT, PANE, Navigator, browser, reader
from tests.town import Town

READY = f"{PANE}[data-marks=ready]"


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        navigator.page.on("request", lambda asked: paths.append(asked.url) if "/marks/" in asked.url else None)
        yield navigator
        navigator.complaints[:] = [one for one in navigator.complaints if "409 (CONFLICT)" not in one and "net::ERR_FAILED" not in one]  # two tests bring these about


paths: list[str] = []


@pytest.fixture
def head(reading: Navigator) -> Navigator:
    reading.has_chart_of("marchetti")
    reading.has_open("CT head without contrast")
    reading.picks_series("2 Axial brain 5 mm")
    reading.sees_everything_loaded()
    reading.page.wait_for_selector(READY)
    return reading


def kept(reading: Navigator) -> dict[str, Any]:
    """What the server keeps, once everything is saved."""
    reading.page.wait_for_function("() => document.querySelector('.v-markline')?.textContent.startsWith('Saved for you only')")
    path = next(path for path in reversed(paths) if not path.endswith(("/report", "/picture")))
    told = reading.page.evaluate("path => fetch(path).then(answer => answer.json())", path)
    assert isinstance(told, dict)
    return told


def pixels(town: Town, study: str, mark: dict[str, Any]) -> tuple[NDArray[np.float64], pydicom.Dataset]:
    """The marked image from an archive itself, and its numbers as pydicom makes them."""
    for archive in town.plan.archives:
        url = f"{archive.dicomweb}/studies/{study}/series/{mark['series']}/instances/{mark['instance']}"
        try:
            with urlopen(Request(url, headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})) as answer:
                body = answer.read()
        except OSError:
            continue
        start = body.index(b"DICM") - 128
        data = pydicom.dcmread(io.BytesIO(body[start:]), force=True)
        return data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept), data
    raise AssertionError("no archive has it")


def values(mark: dict[str, Any]) -> dict[str, float]:
    return {each["what"]: each["value"] for each in mark["values"]}


def opens_list(reading: Navigator) -> None:
    if not reading.page.locator(".v-marks").count():
        reading.looks_at_the_picture()
        reading.presses("d")
    reading.page.wait_for_selector(".v-marks")


def test_what_is_said_beside_a_mark_is_what_pydicom_says(head: Navigator, town: Town) -> None:
    opens_list(head)
    for key, start, end in (("o", (0.5, 0.5), (0.56, 0.58)), ("q", (0.3, 0.3), (0.4, 0.42)), ("l", (0.3, 0.7), (0.5, 0.75)), ("b", (0.25, 0.5), (0.4, 0.55))):
        head.looks_at_the_picture()
        head.presses(key)
        head.drags(start, end)
    head.looks_at_the_picture()
    head.presses("v")
    head.clicks_at(0.52, 0.45)
    head.page.wait_for_function("() => document.querySelectorAll('.v-marklist .v-markgo').length === 5")
    told = kept(head)
    study = told["study"]
    assert sorted(mark["kind"] for mark in told["marks"]) == ["bidirectional", "ellipse", "length", "probe", "rectangle"]
    for mark in told["marks"]:
        image, data = pixels(town, study, mark)
        down, right = (float(each) for each in data.PixelSpacing)
        points = [tuple(point) for point in mark["points"]]
        rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]] + 0.5
        said = values(mark)

        def mm(a: tuple[float, float], b: tuple[float, float], right: float = right, down: float = down) -> float:
            return math.hypot((b[0] - a[0]) * right, (b[1] - a[1]) * down)

        if mark["kind"] == "ellipse":
            (ax, ay), (bx, by), c, d = points
            cx, cy, long, short = (ax + bx) / 2, (ay + by) / 2, math.dist(points[0], points[1]) / 2, math.dist(c, d) / 2
            ux, uy = (bx - ax) / (2 * long), (by - ay) / (2 * long)
            inside = (((columns - cx) * ux + (rows - cy) * uy) / long) ** 2 + ((-(columns - cx) * uy + (rows - cy) * ux) / short) ** 2 <= 1 + 1e-9
        if mark["kind"] == "rectangle":
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            inside = (columns >= min(xs) - 1e-9) & (columns <= max(xs) + 1e-9) & (rows >= min(ys) - 1e-9) & (rows <= max(ys) + 1e-9)
        if mark["kind"] in ("ellipse", "rectangle"):
            chosen = image[inside]
            assert chosen.size > 50
            assert [said[what] for what in ("mean", "sd", "min", "max")] == pytest.approx([chosen.mean(), chosen.std(), chosen.min(), chosen.max()], abs=1e-6)
            assert {each["unit"] for each in mark["values"]} == {"mm2", "[hnsf'U]"}
        if mark["kind"] == "length":
            assert said["length"] == pytest.approx(mm(*points), abs=1e-6)
        if mark["kind"] == "bidirectional":
            assert (said["long"], said["short"]) == pytest.approx((mm(*points[:2]), mm(*points[2:])), abs=1e-6)
        if mark["kind"] == "probe":
            assert said["value"] == image[int(points[0][1]), int(points[0][0])]
    beside = " ".join(head.is_measured())
    assert "HU" in beside
    assert "mm²" in beside
    head.picture("marks")
    assert Axe().run(head.page, options=RULES).response["violations"] == []


def test_they_are_there_again_and_can_be_named_gone_to_and_deleted(reading: Navigator) -> None:
    reading.opens_chart_of("marchetti")
    reading.opens("CT head without contrast")
    reading.picks_series("2 Axial brain 5 mm")
    reading.sees_everything_loaded()
    reading.page.wait_for_selector(READY)
    opens_list(reading)
    assert reading.page.locator(".v-marklist li").count() == 5
    assert "HU" in reading.reads_marks(lambda words: "HU" in words)
    reading.presses("End")
    reading.page.locator(".v-markgo", has_text="Ellipse").click()
    reading.reaches(1, 6)
    reading.page.get_by_role("button", name="Rename Ellipse").click()
    reading.page.keyboard.type("Left caudate")
    reading.page.keyboard.press("Enter")
    reading.page.locator(".v-markgo", has_text="Left caudate").wait_for()
    assert "Left caudate" in reading.reads_marks(lambda words: "Left caudate" in words)
    reading.page.get_by_role("button", name="Delete Point").click()
    reading.page.wait_for_function("() => document.querySelectorAll('.v-marklist .v-markgo').length === 4")
    told = kept(reading)
    assert {mark["name"] for mark in told["marks"]} == {"Left caudate", ""}
    assert "probe" not in {mark["kind"] for mark in told["marks"]}


def test_an_arrow_has_words_or_is_none(head: Navigator) -> None:
    opens_list(head)
    for words, there in (("Look here", True), ("", False)):
        head.looks_at_the_picture()
        head.presses("n")
        head.drags((0.1, 0.6 if there else 0.7), (0.2, 0.65 if there else 0.75))
        dialog = head.page.get_by_role("dialog", name="Words beside the arrow")
        dialog.wait_for()
        if there:
            head.page.keyboard.type(words)
            head.page.keyboard.press("Enter")
            head.page.locator(".v-markgo", has_text="Look here").wait_for()
        else:
            head.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")
    assert sum(mark["kind"] == "arrow" for mark in kept(head)["marks"]) == 1


def test_what_another_window_saved_is_kept_too(head: Navigator) -> None:
    opens_list(head)
    told = kept(head)
    path = next(path for path in reversed(paths) if not path.endswith(("/report", "/picture")))
    other = {**told["marks"][0], "id": "f" * 32, "name": "From elsewhere"}
    status = head.page.evaluate(
        "([path, body]) => fetch(path, {method: 'PUT', headers: {'Content-Type': 'application/json', 'X-Priors-CSRF': document.querySelector('meta[name=csrf]').content}, body}).then(a => a.status)",
        [path, json.dumps({"version": told["version"], "marks": [*told["marks"], other]})],
    )
    assert status == 200
    head.looks_at_the_picture()
    head.presses("l")
    head.drags((0.1, 0.8), (0.2, 0.82))
    head.page.wait_for_function("words => document.querySelector('.v-marklist').textContent.includes(words)", arg="From elsewhere")
    after = kept(head)
    assert len(after["marks"]) == len(told["marks"]) + 2


def test_a_picture_is_taken_out_without_a_name(head: Navigator) -> None:
    opens_list(head)
    before = len(paths)
    with head.page.expect_download() as coming:
        head.page.get_by_role("button", name="Save picture").click()
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / "taken-out.png"
    coming.value.save_as(target)
    assert coming.value.suggested_filename == "image.png"
    assert any(path.endswith("/picture") for path in paths[before:]), "recorded first"
    with Image.open(target) as image:
        assert image.format == "PNG"
        drawn = np.asarray(image.convert("L"))
    assert drawn[: -50].std() > 10, "the picture is there"
    assert (drawn[-40:] > 150).sum() > 200, "and its line below it"
    assert not head.page.get_by_role("button", name="Save picture with name").count(), "the default lets nobody's name out"


def test_a_failed_saving_is_said_and_tried_again(head: Navigator) -> None:
    opens_list(head)
    head.page.route("**/marks/**", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    head.looks_at_the_picture()
    head.presses("l")
    head.drags((0.1, 0.3), (0.15, 0.4))
    head.page.wait_for_function("() => document.querySelector('.v-markline').textContent.includes('not saved')")
    head.page.unroute("**/marks/**")
    head.page.get_by_role("button", name="Try again").click()
    kept(head)
