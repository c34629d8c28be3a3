"""The whole story in a browser, from "Request" in the chart to the study in the chart: chart, mailbox, desk, outside hospital, reviewer.

Over the demo's own parts: the EHR, the archives, a mail server, Priors with its work, and a disc with somebody else's study on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox import discs
from tests import peers
from tests.peers import wait_until
from tests.town import Town
from tests.town import town as build_town

OUT = Path(__file__).parents[1] / "out" / "story"
LINK = re.compile(r"http://send\S+")
SECONDS = 30_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Town]:
    """A town that also does its work."""
    with build_town(tmp_path_factory.mktemp("story"), pictures, works=True, extra=lambda settings: settings.update(watch_seconds=2)) as running:
        yield running


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discs.make(tmp_path_factory.mktemp("discs"), small=True, today=datetime.now(UTC).date())["stbrannoc-two-people"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with peers.chromium() as context:
        yield context.browser


def window(browser: Any, width: int = 1280, height: int = 800) -> Page:
    """Another person at another machine: cookies of their own."""
    page: Page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(SECONDS)
    return page


def seen(page: Page, name: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(OUT / f"{name}.png"))


def sign_in(page: Page, town: Town, user: str) -> str:
    """Without a chart; the start of this person's addresses."""
    page.goto(f"{town.plan.app}/sign-in/northgate?as=staff")
    page.locator(f"input[value='{user}'], option[value='{user}']").first.wait_for(state="attached")
    if page.locator("select").count():
        page.select_option("select", user)
    else:
        page.check(f"input[value='{user}']")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/l/**")
    return page.url.partition("/home")[0]


def test_a_missing_study_is_asked_for_sent_checked_stored_and_seen(town: Town, browser: Any, disc: Path) -> None:
    # Given a chart whose transfer letter names a study that nobody has
    chart = window(browser, 1000, 650)
    chart.goto(town.launch_url("marchetti"))
    row = chart.locator("li.srow[data-kind=known]", has_text="CT perfusion, head").filter(has_text="transfer letter")
    expect(row).to_be_visible(timeout=SECONDS)
    seen(chart, "01-known-not-here")
    # When the clinician asks for it, in two clicks
    row.get_by_role("link", name=re.compile("^Request")).click()
    chart.get_by_role("button", name="Send request").click()
    expect(chart.get_by_text("Request sent")).to_be_visible()
    number = re.search(r"RQ-\w{8}", chart.inner_text("body"))
    assert number
    chart.get_by_text("Back to the list").click()
    expect(chart.locator("li.srow", has_text="Sent to St Brannoc District")).to_be_visible()
    seen(chart, "02-sent")
    # Then the hospital gets a letter that names nobody
    wait_until(lambda: bool(town.inbox.all("image-library@stbrannoc.example")), "the letter")
    (letter,) = town.inbox.all("image-library@stbrannoc.example")
    for secret in ("MARCHETTI", "Marchetti", "Rosalind", "1951", "40771953", "perfusion"):
        assert secret not in letter.text
        assert secret not in str(letter.message["Subject"])
    link = LINK.search(letter.text)
    assert link
    # and the desk tells them the code by phone
    desk = window(browser)
    here = sign_in(desk, town, "clerk-moss")
    desk.goto(f"{here}/desk")
    expect(desk.get_by_role("link", name="MARCHETTI, Rosalind Jane").first).to_be_visible()
    seen(desk, "03-desk")
    desk.goto(f"{here}/desk/requests/{number[0]}")
    desk.get_by_role("button", name=re.compile("code", re.I)).first.click()
    code = desk.locator("[data-code], .code").first.inner_text().strip()
    seen(desk, "04-code")
    # When they open the link, show that it is meant for them, and drop the disc
    sender = window(browser)
    sender.goto(link[0])
    expect(sender.locator("main")).to_contain_text("R. M.")
    sender.fill("#day", "9")
    sender.select_option("#month", "8")
    sender.fill("#year", "1951")
    sender.fill("#code", code.replace(" ", ""))
    sender.click("text=Go on")
    sender.wait_for_selector("#step-drop:not([hidden])")
    sender.set_input_files("#pick-folder", str(disc))
    sender.wait_for_selector("#step-found:not([hidden])")
    expect(sender.locator("#found .n-bad")).to_contain_text("It will not be sent")
    seen(sender, "05-found")
    sender.click("[data-do=send]")
    sender.wait_for_selector("#step-done:not([hidden])")
    expect(sender.locator("#h-done")).to_have_text("Every file is safely received")
    seen(sender, "06-received")
    # Then a reviewer sees whose it is and stores it
    reviewer = window(browser)
    there = sign_in(reviewer, town, "rev-okafor")
    wait_until(lambda: _arrived(reviewer, there), "what was sent", 60)
    reviewer.get_by_role("link", name=re.compile("CT perfusion, head|MARCHETTI")).first.click()
    reviewer.wait_for_selector("text=Is it the right person?")
    seen(reviewer, "07-review")
    reviewer.get_by_role("button", name=re.compile("Confirm")).first.click()
    # and the open chart tells it without a reload; the pointer was in the list, so nothing moves under it
    uid = discs.PERFUSION.uid
    expect(chart.get_by_text("1 more study found")).to_be_visible(timeout=60_000)
    seen(chart, "08-arrived")
    chart.get_by_role("button", name="Show it").click()
    expect(chart.locator(f"li.srow[data-uid='{uid}'][data-kind=study]")).to_be_visible(timeout=60_000)
    expect(chart.locator(f"li.srow[data-uid='{uid}']")).to_contain_text("14 images")
    expect(chart.locator(f"li.srow[data-uid='{uid}'] .hs")).to_have_text("St Brannoc District")
    expect(chart.locator("li.srow[data-kind=known]", has_text="transfer letter")).to_have_count(0)
    seen(chart, "09-in-the-chart")
    wait_until(lambda: _is_closed(desk, here, number[0]), "the end of the request", 60)
    seen(desk, "10-closed")
    # and the images open
    chart.locator(f"li.srow[data-uid='{uid}'] a.ttl").click()
    chart.wait_for_selector("#viewer-pane canvas, .v-picture")
    expect(chart.locator("#viewer-pane")).to_contain_text("St Brannoc District")
    seen(chart, "11-open")


def _arrived(page: Page, here: str) -> bool:
    page.goto(f"{here}/intake")
    return page.get_by_role("link", name=re.compile("CT perfusion, head|MARCHETTI")).count() > 0


def _is_closed(page: Page, here: str, number: str) -> bool:
    page.goto(f"{here}/desk/requests/{number}")
    return page.locator(".pill", has_text="In the chart").count() > 0


def test_images_sent_ahead_of_a_patient_wait_urgent_and_are_linked_to_the_chart(town: Town, browser: Any, disc: Path) -> None:
    desk = window(browser)
    here = sign_in(desk, town, "clerk-moss")
    desk.goto(f"{here}/desk/facilities/stbrannoc")
    desk.get_by_role("button", name="Make an emergency link").click()
    link = LINK.search(desk.inner_text("main"))
    assert link
    seen(desk, "21-emergency-link")
    desk.get_by_role("button", name="Show the code to tell by phone").click()
    code = desk.locator(".code").inner_text()
    assert link[0] not in desk.content(), "never together"
    sender = window(browser)
    sender.goto(link[0])
    sender.fill("#code", code.replace(" ", ""))
    sender.click("text=Go on")
    sender.wait_for_selector("#step-drop:not([hidden])")
    sender.set_input_files("#pick-folder", str(disc.parent / "stbrannoc-perfusion"))
    sender.wait_for_selector("#step-found:not([hidden])")
    seen(sender, "22-ahead-found")
    sender.click("[data-do=send]")
    sender.wait_for_selector("#step-done:not([hidden])")
    reviewer = window(browser)
    there = sign_in(reviewer, town, "rev-okafor")
    wait_until(lambda: _is_listed(reviewer, there), "the study sent ahead", 60)
    row = reviewer.locator("tr", has_text="Nobody asked for it")
    expect(row).to_contain_text("Urgent")
    expect(row).to_contain_text("MARCHETTI, Rosalind Jane")
    expect(row).to_contain_text(re.compile(r"on the list \d+ s after it came"))
    seen(reviewer, "23-ahead-on-the-list")
    row.get_by_role("link").first.click()
    reviewer.wait_for_selector("text=Is it the right person?")
    expect(reviewer.get_by_role("button", name="Confirm, and ask a second person")).to_be_visible()
    seen(reviewer, "24-ahead-review")


def _is_listed(page: Page, here: str) -> bool:
    page.goto(f"{here}/intake")
    return page.locator("tr", has_text="Nobody asked for it").filter(has_text="MARCHETTI").count() > 0
