"""A request in a real browser: two clicks from the known row to sent, the row and the page that change by themselves, axe in both themes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from smart_app.image_requests.types import Actor, Party
from smart_app.image_requests.workflow import CLOSED, Act
from smart_app.parts import Parts, build
from tests import peers
from tests.functional.looks import complaints
from tests.town import Town

SENDER, STAFF = Actor(Party.SENDER, name="D. Whitcombe"), Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")


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


@pytest.fixture
def parts(town: Town) -> Iterator[Parts]:
    """The desk's side of the same database; what a test leaves open is closed for the next."""
    made = build(town.settings)
    yield made
    for one in made.requests.of_patient("northgate", "marchetti"):
        if one.state not in CLOSED:
            made.requests.act(one.id, Act.CANCEL, STAFF, reason="the test is over")
    made.database.engine.dispose()


def overflowing(tab: Any) -> list[str]:
    """What is clipped or reaches outside the window."""
    found: list[str] = tab.evaluate("""() => [...document.querySelectorAll('dialog[open] *, .rqstory *')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.width > 1 && (box.right > innerWidth + 1 || (one.children.length === 0 && !one.matches('input, select, textarea, .visually-hidden') && one.scrollWidth > one.clientWidth + 2 && getComputedStyle(one).display !== 'inline'));
    }).map(one => one.outerHTML.slice(0, 120))""")
    return found


def shot(tab: Any, name: str) -> None:
    folder = Path("/tmp/shots_requests")
    if folder.is_dir():
        tab.screenshot(path=folder / f"{name}.png")


def test_two_clicks_from_the_known_row_to_sent_and_what_follows_is_seen(town: Town, tab: Any, parts: Parts) -> None:
    theme = "dark" if tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    row = tab.locator(".srow[data-kind=known]")
    row.locator("a.rq").click()
    tab.wait_for_selector("dialog.drawer[open] #request")
    assert "Request: CT perfusion, head" in tab.inner_text("#rq-title")
    assert "St Brannoc" in tab.locator("[data-list] label:has(:checked)").inner_text()
    assert tab.evaluate("document.activeElement.value") == "send"
    shot(tab, f"drawer-{theme}")
    assert (complaints(tab), overflowing(tab)) == ([], [])
    tab.keyboard.press("Enter")  # the second click
    tab.wait_for_selector("dialog.drawer [data-outcome=sent]")
    assert complaints(tab) == []
    shot(tab, f"sent-{theme}")
    (id,) = re.findall(r"RQ-[0-9A-Z]{8}", tab.inner_text("dialog.drawer .bd"))
    tab.click("dialog.drawer >> text=Back to the list")
    tab.wait_for_selector(".srow[data-kind=requested]")
    assert "Requested" in tab.inner_text(".srow[data-kind=requested]")
    assert "1 requested" in tab.inner_text("#count")
    assert complaints(tab) == []
    shot(tab, f"row-{theme}")

    tab.click(".srow[data-kind=requested] a.ask")
    tab.wait_for_selector("#story")
    assert "has not opened it yet" in tab.inner_text("#story")
    assert (complaints(tab), overflowing(tab)) == ([], [])
    parts.requests.act(id, Act.OPEN, SENDER)
    parts.requests.act(id, Act.ACCEPT, SENDER, reason="Sending now, report included.")
    tab.wait_for_selector("#story >> text=Accepted by D. Whitcombe", timeout=20_000)
    assert tab.inner_text("[data-live]") == "Now: Accepted"
    assert tab.inner_text("[data-word]") == "Accepted"
    assert complaints(tab) == []
    shot(tab, f"timeline-{theme}")
    tab.click("text=Cancel request")
    tab.fill("#rq-cancel", "Found on the ward")
    tab.click("text=Cancel it")
    tab.wait_for_selector("#story >> text=This request was cancelled")
    assert complaints(tab) == []
    tab.click("#story >> text=List")
    tab.wait_for_selector(".srow[data-kind=known] a.rq")


def test_an_identical_request_is_shown_and_what_was_typed_stays(town: Town, tab: Any, parts: Parts) -> None:
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    rq = tab.locator(".srow[data-kind=known] a.rq")
    rq.click()
    tab.fill("dialog.drawer #rq-why", "Typed and kept")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("dialog.drawer")
    assert tab.evaluate("document.activeElement.className").endswith("rq"), "the focus is back on the row"
    rq.click()
    assert tab.input_value("dialog.drawer #rq-why") == "Typed and kept"
    tab.fill("dialog.drawer #rq-what", "")
    tab.click("dialog.drawer >> text=Send request")
    tab.wait_for_selector("dialog.drawer [data-problems]")
    assert tab.input_value("dialog.drawer #rq-why") == "Typed and kept"
    assert complaints(tab) == []
    tab.fill("dialog.drawer #rq-what", "CT perfusion, head")
    # Somebody else asks the same while this form is open.
    second = tab.context.new_page()
    second.goto(tab.url)
    second.wait_for_selector("#pane[data-done=yes]")
    second.locator(".srow[data-kind=known] a.rq").click()
    second.click("dialog.drawer >> text=Send request")
    second.wait_for_selector("dialog.drawer [data-outcome=sent]")
    second.close()
    tab.click("dialog.drawer >> text=Send request")
    tab.wait_for_selector("dialog.drawer [data-outcome=open]")
    assert "The same request is already open since" in tab.inner_text("dialog.drawer")
    assert len([one for one in parts.requests.of_patient("northgate", "marchetti") if one.state not in CLOSED]) == 1
    tab.click("dialog.drawer >> text=Show it")
    tab.wait_for_selector("#story")


def test_another_hospital_is_looked_up_or_left_to_the_desk(town: Town, tab: Any, parts: Parts) -> None:
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.locator(".srow[data-kind=known] a.rq").click()
    tab.wait_for_selector("dialog.drawer[open] #request")
    for box in tab.locator("[data-list] input:checked").all():
        box.uncheck()
    tab.fill("#rq-find", "Far Away General")
    tab.wait_for_selector("[data-found] button")
    tab.click("[data-found] button")
    assert tab.input_value("#rq-hospital") == "Far Away General"
    assert complaints(tab) == []
    tab.click("dialog.drawer >> text=Send request")
    tab.wait_for_selector("dialog.drawer [data-outcome=saved]")
    found = [one for one in parts.requests.of_patient("northgate", "marchetti") if one.state not in CLOSED]
    assert len(found) == 1, [(one.id, one.state, one.facility, one.asked.hospital, one.created_at, one.asked.case) for one in found]
    made = found[0]
    assert (made.state.value, made.asked.hospital) == ("draft", "Far Away General")


def test_when_the_session_ends_nothing_of_the_form_stays(town: Town, tab: Any) -> None:
    tab.goto(town.launch_url("marchetti"))
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.locator(".srow[data-kind=known] a.rq").click()
    tab.fill("dialog.drawer #rq-why", "CANARY typed")
    handle = tab.get_attribute("#app", "data-launch")
    tab.evaluate("""async () => { const body = new URLSearchParams({csrf: document.querySelector('meta[name=csrf]').content});
        await fetch(location.pathname.replace(/\\/studies.*/, '/end'), {method: 'POST', body}); }""")
    tab.click("dialog.drawer >> text=Send request")
    tab.wait_for_selector("text=This session has ended")
    html = tab.content()
    assert "CANARY" not in html
    assert "MARCHETTI" not in html
    assert handle
