"""The pre-op board on the screen: cases are looked for by themselves, the reason is seen, nothing is cut off, axe has nothing to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.board_story import Team
from tests.functional.looks import looked_at
from tests.town import Town


@pytest.fixture
def page(chromium: Any, town: Town) -> Iterator[Any]:
    team = Team.signed_in(town)
    name, value = next(iter(team.jar.cookies["app.localhost"].items()))
    chromium.clear_cookies()
    chromium.add_cookies([{"name": name, "value": value, "url": town.plan.app.replace("http://", "https://"), "secure": True, "httpOnly": True}])
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{team.here}?day=tomorrow")
    yield page
    page.close()
    assert not complaints


def test_the_board_says_who_is_ready_and_why(page: Any) -> None:
    page.wait_for_function("!document.querySelector('[data-look]')", timeout=60_000)
    assert page.locator("tr:has-text('PAREKH') .rd").inner_text() == "Ready"
    assert page.locator("tr:has-text('GRUNWALD') .rd").inner_text() == "At risk"
    looked_at(page, "board/list")
    page.click("text=NAKAMURA, Ken")
    page.wait_for_selector("#side >> text=carotid surgery")
    looked_at(page, "board/case")
