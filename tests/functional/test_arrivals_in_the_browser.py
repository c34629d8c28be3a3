"""Emergency transfer, played: the list is open, a hospital sends a study ahead, the row is there and urgent without a reload."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from smart_app.audit.models import AuditRecord
from smart_app.parts import build
from tests.functional.looks import RULES
from tests.town import Jar, Town
from tests.town import town as build_town

SENT = "CT head, sent ahead by St Brannoc"
SHOTS = Path(__file__).parents[1] / "out" / "list"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Town]:
    with build_town(tmp_path_factory.mktemp("town"), pictures, extra=lambda settings: settings.update(watch_seconds=1)) as running:
        yield running


@pytest.fixture
def tab(chromium: Any, town: Town) -> Iterator[Any]:
    page = chromium.new_page()
    page.set_viewport_size({"width": 1000, "height": 650})
    page.goto(town.launch_url("marchetti"))
    page.wait_for_selector("#pane[data-done=yes]")
    yield page
    page.close()


def sends(town: Town) -> None:
    """As the button on the Faults page of the EHR does."""
    assert Jar().send("POST", f"{town.plan.ehr}/arrivals").status == 303
    assert "Sent at" in Jar().get(f"{town.plan.ehr}/faults").text


def rows_of(tab: Any) -> list[str]:
    return list(tab.eval_on_selector_all("#rows .srow:not([hidden]) .ttl bdi", "all => all.map(one => one.textContent)"))


def seen(tab: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=SHOTS / f"{name}.png")


def test_what_is_relevant_is_said_and_can_be_sorted_by(tab: Any) -> None:
    expect(tab.locator("#about")).to_have_text("Relevant to: CT perfusion, head, ordered today")
    row = tab.locator(".srow", has_text="MRI brain with diffusion")
    expect(row.locator(".rel")).to_contain_text("Same region, MRI, 4 months before")
    by_date = rows_of(tab)
    seen(tab, "relevance-1000x650")
    tab.set_viewport_size({"width": 1280, "height": 800})
    seen(tab, "relevance-1280x800")
    tab.set_viewport_size({"width": 1000, "height": 650})
    tab.keyboard.press("o")
    expect(tab.locator("#order .lb")).to_have_text("Most relevant first")
    ranked = rows_of(tab)
    assert ranked != by_date
    assert ranked.index("MRI brain with diffusion") < ranked.index("Chest, 1 view, portable")
    assert [one.strip() for one in tab.locator("#rows .grp").all_inner_texts()] == ["Relevant", "Other studies"]
    assert not Axe().run(tab, options=RULES).violations_count
    seen(tab, "most-relevant-first-1000x650")
    tab.reload()
    tab.wait_for_selector("#pane[data-done=yes]")
    assert rows_of(tab) == ranked, "the choice lasts for the tab"
    assert tab.evaluate("JSON.stringify(Object.entries(sessionStorage))") == '[["priors-order","relevance"]]'
    tab.focus("#order button")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Space")
    expect(tab.locator("#order .lb")).to_have_text("Newest first")
    tab.keyboard.press("Escape")
    assert rows_of(tab) == by_date


def test_a_study_that_is_read_brings_its_own_priors_and_gives_them_back(tab: Any) -> None:
    spine = tab.locator(".srow", has_text="MRI lumbar spine")
    tab.locator(".srow a.ttl", has_text="Chest, 1 view, portable").click()
    expect(tab.locator("#about")).to_contain_text("Relevant to: Chest, 1 view, portable, ")
    expect(tab.locator(".srow", has_text="MRI brain with diffusion").locator(".rel")).to_have_count(0)
    expect(spine.locator(".rel")).to_have_count(0)
    seen(tab, "reading-1000x650")
    tab.keyboard.press("Escape")
    expect(tab.locator("#about")).to_have_text("Relevant to: CT perfusion, head, ordered today")
    expect(tab.locator(".srow", has_text="MRI brain with diffusion").locator(".rel")).to_have_count(1)


def test_a_study_sent_ahead_appears_by_itself_urgent_and_is_recorded(town: Town, tab: Any) -> None:
    told = tab.inner_text("#strip")
    address = tab.url
    assert SENT not in rows_of(tab)
    sends(town)
    row = tab.locator(".srow", has_text=SENT)
    expect(row).to_have_count(1, timeout=20_000)
    expect(row.locator(".pill.bad")).to_have_text("Urgent")
    expect(row.locator(".pill.new")).to_contain_text("New")
    assert re.fullmatch(r"Found \d\d:\d\d, within \d+ s of arriving", row.locator(".pill.new").get_attribute("title"))
    expect(tab.locator("#live")).to_have_text("1 new study found, urgent")
    assert tab.url == address
    assert re.findall(r"(?:All|\d+ of) \d* ?sources? answered[^\n]*", tab.inner_text("#strip")) == re.findall(r"(?:All|\d+ of) \d* ?sources? answered[^\n]*", told)
    assert not Axe().run(tab, options=RULES).violations_count
    seen(tab, "arrived-1000x650")
    row.locator("a.ttl").click()
    expect(row.locator(".pill.new")).to_have_count(0)
    tab.wait_for_selector("#viewer-pane[data-state=ready], #viewer-pane .v-cs")
    seen(tab, "arrived-and-opened-1000x650")
    parts = build(town.settings)
    with parts.database.reading() as session:
        found = [json.loads(one.details) for one in session.query(AuditRecord) if one.event == "StudyArrived"]
    parts.database.engine.dispose()
    assert found
    assert all(one["source"] == "northgate" and one["within_seconds"] >= 0 for one in found)


def test_it_waits_behind_the_bar_while_somebody_reads_the_list(town: Town, tab: Any) -> None:
    tab.hover("#rows .srow >> nth=2")
    where = tab.eval_on_selector_all("#rows .srow", "all => all.map(one => one.getBoundingClientRect().top)")
    sends(town)
    expect(tab.locator("#count")).to_contain_text("1 more study found, urgent", timeout=20_000)
    assert tab.eval_on_selector_all("#rows .srow", "all => all.map(one => one.getBoundingClientRect().top)") == where
    seen(tab, "waiting-1000x650")
    tab.click("#count >> text=Show it")
    expect(tab.locator(".srow .pill.new")).to_have_count(1)


def test_a_look_that_fails_is_said_and_the_strip_keeps_its_word(town: Town, tab: Any) -> None:
    before = tab.inner_text("#strip .say")
    expect(tab.locator("#unchecked")).to_be_hidden()
    town.archive_faults["northgate"].add("search-*", "status", status=500)
    expect(tab.locator("#unchecked")).to_have_text(re.compile(r"Not checked for new studies since \d\d:\d\d"), timeout=20_000)
    assert tab.inner_text("#strip .say") == before
    seen(tab, "unchecked-1000x650")
    town.heal()
    expect(tab.locator("#unchecked")).to_be_hidden(timeout=20_000)


def test_a_session_that_ends_is_noticed_and_the_page_is_blanked(town: Town, tab: Any) -> None:
    app = create_end(town, urlsplit(tab.url).path.split("/")[2])
    tab.wait_for_selector("text=This session has ended", timeout=20_000)
    assert "MARCHETTI" not in tab.content()
    app()


def create_end(town: Town, handle: str) -> Any:
    """Another worker ends the launch."""
    parts = build(town.settings)
    parts.store.end(handle)
    return parts.database.engine.dispose
