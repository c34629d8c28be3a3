"""The image desk on the screen, in a real browser: the work list, ticks, what changes by itself, one request; pictures, nothing cut off, axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from launch.session import BROWSER_COOKIE
from sandbox.serving import serve
from smart_app.image_requests.workflow import Act
from tests import peers
from tests.functional.desk_office import FERRY, SENDER, STAFF, Office, Worker, office
from tests.functional.viewer_navigator import RULES

OUT = Path(__file__).parents[1] / "out" / "desk"
SIZES = [(1280, 800), (1000, 650)]


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with peers.chromium() as found:
        yield found


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


def looked_at(clerk: Clerk, name: str) -> None:
    """Pictures at both sizes in both themes; nothing sideways, no finding of axe."""
    OUT.mkdir(parents=True, exist_ok=True)
    page = clerk.page
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=OUT / f"{name}-{width}x{height}-{theme}.png")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'light')")


def test_the_work_list_is_read_at_a_glance(clerk: Clerk) -> None:
    clerk.goes_to("/desk?view=all-open")
    assert clerk.names()[:2] == ["GRUNWALD, Otto", "LISKA, Veronika"]
    looked_at(clerk, "list")
