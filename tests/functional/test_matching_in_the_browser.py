"""Comparing two records in a real browser: from the list and back, by keyboard, nothing shown before it is decided, axe, both themes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.looks import SIZES, TABLET, looked_at
from tests.functional.viewer_navigator import Navigator, reader
from tests.town import Town


@pytest.fixture
def tab(chromium: Any, town: Town) -> Iterator[Navigator]:
    with reader(chromium, town) as navigator:
        yield navigator


def test_a_reason_too_short_is_asked_again_and_a_second_person_is_needed(tab: Navigator) -> None:
    page = tab.page
    tab.opens_chart_of("fernandes")
    page.wait_for_selector("text=2 to confirm")
    page.goto(page.url.partition("/studies")[0] + "/matches")
    looked_at(page, "matching/overview", (*SIZES, TABLET))
    page.get_by_role("link", name="Compare the record of Kestrel Cancer Centre").click()
    page.wait_for_selector("text=needs a typed reason and a second person")
    page.fill("#why", "x")
    page.get_by_role("button", name="Send to a second person").click()
    assert page.evaluate("document.querySelector('#why').matches(':invalid')"), "the browser asks for a longer reason"
    page.fill("#why", "She says that she was born on the eighth of September")
    with page.expect_navigation():
        page.get_by_role("button", name="Send to a second person").click()
    tab.opens_chart_of("fernandes")
    page.wait_for_selector("text=2 to confirm")
    assert "portable" not in page.inner_text("#rows"), "one person alone shows nothing of a record with another birth date"


def test_two_records_are_compared_and_one_is_rejected(tab: Navigator) -> None:
    page = tab.page
    tab.opens_chart_of("fernandes")
    page.wait_for_selector("text=2 to confirm")
    page.get_by_role("link", name="Compare").first.click()
    page.wait_for_selector("h1:has-text('Is this the same person?')")
    assert page.locator(".cmpt tbody tr").count() >= 4
    assert page.locator(".cmpt tr.diff").count() >= 1
    assert "1 study" in page.inner_text(".cmphead")
    looked_at(page, "matching/compare", (*SIZES, TABLET))
    page.get_by_role("button", name="Leave undecided").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector("text=2 to confirm")
    page.get_by_role("link", name="Compare").first.click()
    page.wait_for_selector("h1:has-text('Is this the same person?')")
    with page.expect_navigation():
        page.get_by_role("button", name="Reject the match").click()
    tab.opens_chart_of("fernandes")
    page.wait_for_selector("text=1 to confirm")
