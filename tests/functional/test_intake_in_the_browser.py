"""The review page as a person sees it: by keyboard, in both themes, without a violation; its pictures, small and large; and it stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from launch.session import BROWSER_COOKIE
from sandbox.serving import serve
from smart_app.factory import create_app
from smart_app.wiring.intake import items_of
from tests import peers
from tests.functional.looks import SIZES, TABLET, looked_at
from tests.functional.test_intake import HERS, Desk, desk
from tests.unit.intake.hospital import made

OTHER = {"PatientName": "SMITH^JOHN", "PatientID": "K-1", "PatientBirthDate": "19400101", "PatientSex": "M", "StudyDescription": "CT head"}
HAND = HERS | {"AccessionNumber": "KV-9", "StudyDescription": "XR left hand"}
ALL = (*SIZES, TABLET)


@dataclass
class Reviewer:
    here: Desk
    origin: str
    page: Any
    problems: list[str]

    def goes_to(self, path: str) -> None:
        self.page.goto(f"{self.origin}/l/{self.here.handles['grant'][0]}{path}")
        self.page.wait_for_load_state("networkidle")


@pytest.fixture
def reviewer(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reviewer]:
    port = peers.free_port()
    origin = f"http://app.localhost:{port}"
    with desk(tmp_path, monkeypatch, public_url=origin) as here, serve(create_app(here.world.parts.settings), port=port):
        chromium.clear_cookies()
        chromium.add_cookies([{"name": BROWSER_COOKIE, "value": here.handles["grant"][1], "url": "https://app.localhost", "secure": True, "httpOnly": True}])
        one = Reviewer(here, origin, chromium.new_page(), [])
        one.page.on("console", lambda message: one.problems.append(message.text) if message.type == "error" else None)
        yield one
        one.page.close()
        assert one.problems == []


def test_a_reviewer_looks_and_stores(reviewer: Reviewer) -> None:
    here, page = reviewer.here, reviewer.page
    here.send(here.ask(), [*(made("1", number, **HERS) for number in range(1, 4)), made("3", **HAND), made("2", **OTHER)])
    here.work()
    ours, theirs = here.listed("grant"), here.listed("grant", "aside")
    for path, name in (("/intake", "list"), ("/intake?view=aside", "list-aside"), (f"/intake/{ours[0]}", "item"), (f"/intake/{theirs[0]}", "another-person")):
        reviewer.goes_to(path)
        looked_at(page, f"intake/{name}", ALL)
    reviewer.goes_to("/intake")
    page.get_by_role("link", name="CT pelvis").click()
    expect(page.locator("#pictures img")).to_have_count(4)
    expect(page.locator("#pictures-said")).to_have_text("")
    foot, last = (page.locator(one).bounding_box() for one in (".revfoot", ".revmain > :last-child"))
    page.locator(".revmain > :last-child").scroll_into_view_if_needed()
    last = page.locator(".revmain > :last-child").bounding_box()
    assert last["y"] + last["height"] <= foot["y"] + 1, "the bar covers no row"
    page.get_by_role("button", name="Look through all 4 images").click()
    look = page.locator("#look")
    expect(look.locator("img")).to_be_visible()
    expect(look.locator("[data-whose]")).to_contain_text("MARCHETTI ROSALIND, born 9 Aug 1951")
    looked_at(page, "intake/look", ALL)
    page.keyboard.press("End")
    expect(look.locator("[data-title]")).to_have_text("XR left hand")
    expect(look.locator("[data-where]")).to_have_text("Image 1 of 1")
    expect(look.get_by_role("button", name="Next")).to_be_disabled()
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Keep XR left hand").uncheck()
    page.get_by_role("checkbox", name="I have just opened this chart").check()
    page.get_by_role("button", name="Confirm").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Left, not kept").first.wait_for()
    here.work()
    page.reload()
    page.get_by_text("stored").first.wait_for()
    looked_at(page, "intake/stored")
    # It was another's after all; and then it was hers: two people must say so.
    page.get_by_label("Reason").fill("It is her sister's after all")
    page.get_by_role("button", name="Wrong person after all").click()
    page.get_by_text("This study was taken out of every view").wait_for()
    page.get_by_role("button", name="look at it again").click()
    page.get_by_label("What makes you sure, although it was taken out of view?").wait_for()
    looked_at(page, "intake/taken-out")


def test_what_cannot_be_drawn_is_said_and_two_people_nobody_asked_for_have_a_page_each(reviewer: Reviewer) -> None:
    here, page = reviewer.here, reviewer.page
    here.send(None, [made("1", **HERS), made("2", **OTHER)], "inbound")
    here.work()
    hers, his = sorted(here.listed("grant"), key=lambda id: "MARCHETTI" not in here.call("grant", f"/intake/{id}").text.split("revgrid")[1])
    for one in items_of(here.world.parts).instances(his):
        Path(one.source.path).write_bytes(b"<html>")
    reviewer.goes_to(f"/intake/{hers}")
    tabs = page.get_by_role("navigation", name="People on it")
    expect(tabs.get_by_role("link")).to_have_count(2)
    tabs.get_by_role("link", name="SMITH, JOHN").click()
    assert page.url.endswith(his)
    expect(page.locator("#pictures-said")).to_have_text("The picture could not be shown.")
    looked_at(page, "intake/nobody-asked", ALL)
    page.get_by_role("button", name="Set this for the ticked studies").click()
    expect(page.get_by_role("alert")).to_contain_text("it is not said what is wrong")
    looked_at(page, "intake/nothing-chosen")
    reviewer.problems.clear()  # the browser writes down that the page came with 400
