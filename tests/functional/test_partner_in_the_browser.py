"""The demo's other route: a hospital that is asked by FHIR Task answers on its own page, the chart says so, and the EHR holds order and Task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from smart_app.image_requests.types import Actor, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.parts import build
from tests import peers
from tests.peers import wait_until
from tests.town import Town
from tests.town import town as build_town

OUT = Path(__file__).parents[1] / "out" / "partner"
SECONDS = 30_000
PAREKH = Patient("northgate", "parekh", "PAREKH, Sunita", "PAREKH", "Sunita", "1965-02-17", "Female", "40391207")
CLERK = Actor(Party.STAFF, "northgate", "clerk-moss", "Daniel Moss")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Town]:
    with build_town(tmp_path_factory.mktemp("partner"), pictures, works=True, extra=lambda settings: settings.update(watch_seconds=2)) as running:
        yield running


def test_a_partner_is_asked_by_task_and_the_chart_holds_it(town: Town) -> None:
    # Given a request to the hospital whose server takes Tasks
    parts = build(town.settings)
    ferrybank = parts.facilities.get("ferrybank")
    assert ferrybank is not None
    assert ferrybank.routes[0] == Route(RouteKind.FHIR, "ferrybank"), "its best way"
    made = parts.requests.create(NewRequest(PAREKH, Wanted("Coronary angiogram, second film", "XA"), ferrybank.routes[0], ferrybank.id), CLERK)
    parts.database.engine.dispose()
    OUT.mkdir(parents=True, exist_ok=True)
    with peers.chromium() as context:
        # Then its desk sees the Task without a reload of anybody's
        desk = context.new_page()
        desk.goto(f"{town.plan.partner}/")
        expect(desk.get_by_role("heading", name="Coronary angiogram, second film")).to_be_visible(timeout=SECONDS)
        expect(desk.locator("main")).to_contain_text("PAREKH, Sunita, born 1965-02-17")
        desk.screenshot(path=str(OUT / "partner-page.png"))
        # When it accepts, the chart says so
        desk.get_by_role("button", name="Accept").click()
        chart = context.new_page()
        chart.goto(town.launch_url("parekh"))
        expect(chart.locator("li.srow", has_text="Ferrybank Heart will send it")).to_be_visible(timeout=SECONDS)
        # and the order stands in the EHR, with its Task's words
        orders = context.new_page()
        wait_until(lambda: _order(orders, f"{town.plan.ehr}/chart/parekh/orders", made.id) == "active: They agreed to send the images", "the order in the EHR", 30)
        orders.screenshot(path=str(OUT / "orders.png"))
        # and Send leads to where the images are brought
        wait_until(lambda: _pressed(desk, "Send images", town.plan.send), "the senders' page", 30)  # the desk loads itself anew when something has changed
        expect(desk.locator("main")).to_contain_text("S. P.")


def _pressed(page: Page, button: str, leads_to: str) -> bool:
    if not page.url.startswith(leads_to) and (found := page.get_by_role("button", name=button)).count():
        found.click()
    return page.url.startswith(leads_to)


def _order(page: Page, address: str, number: str) -> str:
    """Where the EHR's own page says that the order stands."""
    page.goto(address)
    row = page.locator("tr", has_text=number)
    return row.locator("td").last.inner_text() if row.count() else ""
