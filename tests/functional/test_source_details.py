"""Behind each source of the strip: what a help desk needs, in a real browser over a real town where one source refuses."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import peers
from tests.functional.looks import RULES
from tests.town import Jar, Town, events


@pytest.fixture(scope="module")
def browser() -> Any:
    with peers.chromium() as context:
        yield context


def test_a_refusal_says_what_the_desk_needs_and_can_be_copied(town: Town, browser: Any) -> None:
    before = Jar()
    stream = events(before.get(f"{town.plan.app}/l/{before.launch(town, 'oyelaran-femi')}/studies/stream"))
    assert stream[-1][0] == "done"  # it answered once, so that there is a last time
    town.archive_faults["larkmoor"].add("search-ImagingStudy", "status", status=403)
    browser.grant_permissions(["clipboard-read", "clipboard-write"], origin=town.plan.app)
    page = browser.new_page()
    page.goto(town.launch_url("oyelaran-femi"))
    page.wait_for_selector("#pane[data-done=yes]")
    page.click("[data-show=larkmoor]")
    detail = page.locator('[data-detail="larkmoor"]')
    assert "Larkmoor exchange refused our question." in detail.inner_text()
    assert "It last answered today" in detail.inner_text()
    detail.locator("summary").click()
    told = dict(zip(detail.locator("dt").all_inner_texts(), detail.locator("dd").all_inner_texts(), strict=True))
    assert told["Kind"] == "Imaging exchange (FHIR)"
    assert told["Host"] == "127.0.0.1"
    assert (told["State"], told["Fault"], told["HTTP status"]) == ("refused", "refused", "403 (4xx)")
    assert told["Reference"]
    found = Axe().run(page, options=RULES).response
    assert [rule["id"] for rule in found["violations"]] == []
    detail.locator("[data-copy]").click()
    page.wait_for_selector("[data-detail=larkmoor] [data-copy]:has-text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"Reference: {told['Reference']}" in copied.splitlines()
    assert "HTTP status: 403 (4xx)" in copied.splitlines()
    assert "OYELARAN" not in copied.upper()
    page.close()


def test_open_lines_stay_open_when_the_strip_is_told_anew(town: Town, browser: Any) -> None:
    town.archive_faults["kestrel"].add("search-*", "status", status=500)
    page = browser.new_page()
    page.goto(town.launch_url("oyelaran-femi"))
    page.wait_for_selector("#pane[data-done=yes]")
    page.click("[data-show=kestrel]")
    page.click("[data-desk=kestrel] summary")
    town.heal()
    page.click("#sources [data-retry=kestrel]")
    page.wait_for_selector("[data-detail=kestrel] dd:has-text('answered in full')")
    assert page.locator("[data-desk=kestrel]").get_attribute("open") is not None
    page.close()
