"""Remembered and restricted studies on the screen, in a real browser: marks, the reason asked for, the banner, its end, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.catalogue import STUDIES
from tests.functional.looks import looked_at
from tests.functional.viewer_navigator import Navigator, reader
from tests.town import Town

SECRET = next(study for study in STUDIES if study.security)
REASON = "Unconscious after a fall, cannot be asked"


@pytest.fixture
def tab(chromium: Any, town: Town) -> Iterator[Navigator]:
    with reader(chromium, town) as navigator:
        yield navigator


def titles(navigator: Navigator) -> str:
    return str(navigator.page.inner_text("#rows"))


def test_a_reason_opens_it_the_banner_stays_and_end_now_ends(tab: Navigator) -> None:
    page = tab.page
    tab.opens_chart_of(SECRET.patient)
    assert SECRET.description not in page.content()
    assert "1 study is restricted here" in page.inner_text("#states")
    looked_at(tab.page, "restricted/closed")
    page.click('button:has-text("Open with a reason")')
    assert page.evaluate("document.getElementById('break-glass').open")
    looked_at(tab.page, "restricted/reason")
    page.click('#break-glass button:has-text("Open for")')
    assert page.evaluate("document.getElementById('break-glass').open"), "without a reason the form does not go"
    page.check("text=Emergency treatment now")
    page.fill("#break-glass-text", REASON)
    page.click('#break-glass button:has-text("Open for")')
    page.wait_for_selector("#glass")
    page.wait_for_selector("#pane[data-done=yes]")
    assert SECRET.description in titles(tab)
    assert "60 minutes left" in page.inner_text("#glass")
    looked_at(tab.page, "restricted/open")
    page.click(f"text={SECRET.description}")
    page.wait_for_selector("#viewer-pane canvas")
    assert page.is_visible("#glass"), "it stays in view while images are read"
    looked_at(tab.page, "restricted/viewer")
    page.click("text=End now")
    page.wait_for_selector("text=1 study is restricted here")
    assert SECRET.description not in page.content()
    assert page.query_selector("#glass") is None


def test_the_privacy_officers_list(tab: Navigator, town: Town) -> None:
    page = tab.page
    page.goto(town.launch_url(SECRET.patient))
    page.click('button:has-text("Open with a reason")')
    page.check("text=Another reason")
    page.fill("#break-glass-text", REASON)
    page.click('#break-glass button:has-text("Open for")')
    page.wait_for_selector("#glass")
    page.goto(f"{town.plan.app}/sign-in/northgate?as=staff")
    page.check("text=Tomas Reyes")
    page.click("text=Continue")
    page.wait_for_selector("text=Who saw what")
    page.click("text=Who saw what")
    page.click("text=Restricted studies opened with a reason")
    assert REASON in page.inner_text("table")
    looked_at(tab.page, "restricted/review")


def test_remembered_rows_stand_there_with_their_mark(tab: Navigator, town: Town) -> None:
    page = tab.page
    tab.opens_chart_of("marchetti")
    before = titles(tab)
    assert "as of" not in before
    town.archive_faults["kestrel"].add("search-studies", "slow", seconds=4.0)
    town.archive_faults["northgate"].add("search-studies", "status", status=500)
    page.goto(town.launch_url("marchetti"))
    assert "MRI brain with diffusion" in titles(tab), "before Kestrel has said anything"
    assert re.search(r"From earlier: as of \d\d:\d\d\.", page.inner_text("#strip"))
    page.wait_for_selector("text=did not answer now")
    looked_at(tab.page, "restricted/asking")
    page.wait_for_selector("#pane[data-done=yes]")
    assert "did not answer now" in titles(tab)
    assert "May be incomplete." in page.inner_text("#strip")
    assert "From earlier" not in page.inner_text("#strip")
    looked_at(tab.page, "restricted/failed")
    row = page.query_selector("#rows .srow:has-text('MRI brain with diffusion')")
    assert "as of" not in row.inner_text(), "Kestrel has named it again"
