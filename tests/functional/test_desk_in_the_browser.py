"""The image desk on the screen, in a real browser: the work list, ticks, what changes by itself, one request; pictures, nothing cut off, axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from launch.session import BROWSER_COOKIE
from sandbox.serving import serve
from smart_app.image_requests.workflow import Act
from tests import peers
from tests.functional.desk_office import FERRY, SENDER, STAFF, Office, Worker, office
from tests.functional.looks import looked_at


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    port = peers.free_port()
    with pytest.MonkeyPatch.context() as patch, office(tmp_path_factory.mktemp("desk"), patch, port=port, now=datetime.now(UTC)) as made, serve(made.app, port=port):
        _fill(made)
        yield made


def _fill(desk: Office) -> None:
    act = desk.parts.requests.act
    desk.ask("p1", "GRUNWALD, Otto", hours=-17, facility=FERRY, title="Echo, Apr 2026")
    act(desk.ask("p2", "LISKA, Veronika", hours=-1.25, title="Mammography, 2022 to 2025").id, Act.OPEN, SENDER)
    act(desk.ask("p3", "MARCHETTI, Rosalind Jane", hours=0.77, title="US carotid, Nov 2025", why="Stroke alert").id, Act.RECEIVE, SENDER)
    review = desk.ask("p4", "OKONJO, Grace", hours=2, title="MRI pelvis, Mar 2026", why="Oncology board").id
    act(review, Act.RECEIVE, SENDER)
    act(review, Act.SUBMIT, SENDER)
    act(desk.ask("p5", "VAN DER BERG, Pim", hours=3, facility=None, title="CT sinus, 2025", why="Allergy clinic").id, Act.ACCEPT, STAFF)
    act(desk.ask("p6", "ABARA, Chidi", hours=1, title="Knee MRI, 2024").id, Act.DECLINE, SENDER, reason="No such patient here")


@dataclass
class Clerk:
    """One tab of one person at the desk."""

    desk: Office
    worker: Worker
    page: Any
    complaints: list[str] = field(default_factory=list)

    def goes_to(self, path: str) -> None:
        self.page.goto(f"{self.desk.origin}/l/{self.worker.handle}{path}")

    def names(self) -> list[str]:
        return list(self.page.locator(".worklist tbody b").all_inner_texts())


@pytest.fixture
def clerk(chromium: Any, desk: Office) -> Iterator[Clerk]:
    worker = desk.worker()
    chromium.clear_cookies()
    chromium.add_cookies([{"name": BROWSER_COOKIE, "value": worker.cookie, "url": "https://app.localhost", "secure": True, "httpOnly": True}])
    page = chromium.new_page()
    one = Clerk(desk, worker, page)
    page.on("pageerror", lambda error: one.complaints.append(f"error: {error}"))
    page.on("console", lambda said: one.complaints.append(said.text) if said.type in ("error", "warning") else None)
    yield one
    page.close()
    assert not one.complaints


def test_the_work_list_is_read_at_a_glance(clerk: Clerk) -> None:
    clerk.goes_to("/desk?view=all")
    assert clerk.names()[:2] == ["GRUNWALD, Otto", "LISKA, Veronika"]
    assert clerk.page.locator("tr.late").count() == 2
    looked_at(clerk.page, "desk/list")


def test_ticks_are_counted_and_many_are_done_at_once(clerk: Clerk) -> None:
    page = clerk.page
    clerk.goes_to("/desk?view=all")
    assert page.is_disabled("text=Remind")
    page.check('[aria-label$="GRUNWALD, Otto"]')
    page.check('[aria-label$="LISKA, Veronika"]')
    assert page.inner_text("[data-ticked]") == "2 ticked"
    looked_at(clerk.page, "desk/ticked")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("text=Assign")
    looked_at(clerk.page, "desk/assign")
    page.click("#m-assign button")
    page.wait_for_selector("#outcomes")
    assert "2 done" in page.inner_text("#outcomes")
    looked_at(clerk.page, "desk/outcomes")
    page.click("text=Mine")
    page.wait_for_url("**view=mine")
    assert clerk.names() == ["GRUNWALD, Otto", "LISKA, Veronika"]


def test_an_open_list_changes_by_itself_and_not_under_the_pointer(clerk: Clerk) -> None:
    page, act = clerk.page, clerk.desk.parts.requests.act
    one = clerk.desk.ask("p9", "ROSETTI, Ana", hours=5, title="CT abdomen")
    clerk.goes_to("/desk?view=all")
    state = page.locator(f"[data-request={one.id}] td:nth-child(6)")
    assert "Sent" in state.inner_text()
    act(one.id, Act.OPEN, SENDER)
    page.mouse.move(1, 1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("id => document.querySelector(`[data-request=${id}]`).innerText.includes('Opened')", arg=one.id)
    page.check('[aria-label$="ROSETTI, Ana"]')
    act(one.id, Act.ACCEPT, SENDER)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#waiting:not([hidden])")
    assert "Opened" in state.inner_text(), "nothing moves under somebody's hands"
    page.click("#waiting button")
    assert "Accepted" in state.inner_text()
    assert page.is_checked('[aria-label$="ROSETTI, Ana"]'), "what was ticked stays ticked"
    assert page.locator("#waiting").is_hidden()
    page.uncheck('[aria-label$="ROSETTI, Ana"]')


def test_words_are_found_and_stay_out_of_the_address(clerk: Clerk) -> None:
    page = clerk.page
    clerk.goes_to("/desk?view=all")
    page.fill('[name=words]', "marchetti")
    page.press('[name=words]', "Enter")
    page.wait_for_url("**/desk/find")
    assert clerk.names() == ["MARCHETTI, Rosalind Jane"]
    assert "marchetti" not in page.url.casefold()
    page.select_option("[name=state]", "stored")
    page.wait_for_selector("text=No request matches the filter")
    looked_at(clerk.page, "desk/none")


def test_one_request_is_read_and_worked_with_the_keyboard(clerk: Clerk) -> None:
    page = clerk.page
    clerk.goes_to("/desk?view=all")
    page.click("text=MARCHETTI, Rosalind Jane")
    page.wait_for_selector("text=What happened, newest first")
    looked_at(clerk.page, "desk/request")
    page.focus('[aria-controls="d-cancel"]')
    page.keyboard.press("Enter")
    page.focus("#t-cancel")
    page.keyboard.press("Escape")
    assert page.locator("#d-cancel").is_hidden()
    assert page.evaluate("document.activeElement.getAttribute('aria-controls')") == "d-cancel"
    page.fill("#note", "Calls back at 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Calls back at 3")


def test_one_request_left_open_changes_by_itself_and_not_while_somebody_writes(clerk: Clerk) -> None:
    page = clerk.page
    one = clerk.desk.ask("p8", "HADDAD, Samir", title="Cath films")
    clerk.goes_to(f"/desk/requests/{one.id}")
    page.evaluate("document.querySelector('.onepage').dataset.marked = 'before'")
    page.fill("#note", "half a sentence")
    clerk.desk.parts.requests.act(one.id, Act.OPEN, SENDER)
    page.wait_for_selector("#changed:not([hidden])", timeout=40_000)
    assert page.input_value("#note") == "half a sentence"
    page.click("#changed button")
    page.wait_for_selector(".onepage:not([data-marked])")
    assert "Opened" in page.inner_text(".onehead")


@pytest.mark.parametrize(("path", "name"), [("/desk/facilities", "directory"), ("/desk/facilities/kestrel", "facility"), ("/desk/hospitals", "hospitals"), ("/desk/attention", "attention"), ("/desk/new", "new")])
def test_the_other_pages_are_whole(clerk: Clerk, path: str, name: str) -> None:
    clerk.goes_to(path)
    looked_at(clerk.page, f"desk/{name}")
