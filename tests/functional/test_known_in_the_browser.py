"""Known rows, copies and the request sheet in a real browser, from the demo's own charts: keyboard, filter, axe, clipboard text."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests import peers
from tests.functional.looks import complaints
from tests.town import Town


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    binary = shutil.which("chromium")
    peers.need("Chromium", binary is not None)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=binary, args=[*peers.CHROMIUM_ARGS])
        yield found
        found.close()


@pytest.fixture(params=["light", "dark"])
def tab(chrome: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    context = chrome.new_context(viewport={"width": 1000, "height": 650}, color_scheme=request.param)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)
    yield page
    context.close()
    assert faults == []


def test_from_the_letter_to_the_form_by_keyboard_and_out_on_paper(town: Town, tab: Any) -> None:
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    assert "8 studies, 1 known without images, 1 ordered, not done" in tab.inner_text("#count")
    row = tab.locator(".srow[data-kind=known]")
    assert "Known, not here" in row.inner_text()
    assert row.locator(".mod").evaluate("box => getComputedStyle(box).borderStyle") == "dashed"
    assert row.locator(".rq").evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    assert complaints(tab) == []
    tab.keyboard.press("ArrowDown")  # the known row is today's newest, and takes the keyboard like any other
    assert tab.evaluate("document.activeElement.closest('.srow').dataset.kind") == "known"
    tab.keyboard.press("q")
    tab.wait_for_selector("dialog.drawer[open] #request")
    assert complaints(tab) == []
    tab.click("dialog.drawer >> text=Print or copy instead")
    tab.wait_for_selector("#rq-text")
    assert re.fullmatch(r".*/l/[^/]+/request\?of=[0-9a-f]{32}", tab.url)
    assert complaints(tab) == []
    tab.fill("#rq-why", "Stroke, thrombectomy decision")
    tab.check("input[value=emergency]", force=True)
    said = tab.input_value("#rq-text")
    for line in ("Patient: MARCHETTI, Rosalind Jane", "Wanted: CT perfusion, head", "Accession number: SB-26-88122", "Urgency: Emergency",
                 "Why: Stroke, thrombectomy decision", "Also: Report, Thin slices (1 mm or less)", "Basis: Treatment, no consent needed"):  # fmt: skip
        assert line in said.split("\n")
    assert any(line.startswith("From: St Brannoc") for line in said.split("\n"))
    tab.click("[data-copy-text]")
    tab.wait_for_selector("#copied:not(:empty)")
    tab.emulate_media(media="print")
    assert not tab.is_visible("[data-print]")
    assert tab.is_visible("dd:has-text('MARCHETTI')")
    tab.emulate_media(media="screen")
    tab.click("main >> text=List")
    tab.wait_for_selector("#pane[data-done=yes]")


def test_only_the_known_rows_and_all_again(town: Town, tab: Any) -> None:
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.click("[data-only=known]")
    assert tab.locator(".srow:visible").count() == 1
    assert "hidden by the filter “Known without images”" in tab.inner_text("#hiddenbar")
    assert tab.get_attribute("[data-only=known]", "aria-pressed") == "true"
    tab.keyboard.press("Enter")
    assert tab.locator("#rows .srow:visible").count() == 10


def test_either_copy_opens_and_the_row_stays_marked(town: Town, tab: Any) -> None:
    tab.goto(town.launch_url("adeyemi-holt"))
    tab.wait_for_selector("#pane[data-done=yes]")
    row = tab.locator(".srow", has_text="CT chest, low dose")
    row.locator("summary").click()
    row.locator("a.cp").click()
    tab.wait_for_selector("#viewer-pane >> text=St Brannoc District")
    assert "sel" in row.get_attribute("class").split()
    assert row.locator("a.cp").get_attribute("data-copy") == tab.url.rpartition("/")[2]
    tab.reload()
    tab.wait_for_selector("#viewer-pane >> text=St Brannoc District")
