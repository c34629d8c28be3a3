"""A launch just proven is believed for a second, for pixels only; what ended here is known at once."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from smart_app.web.recent import SECONDS, Recent

CALENDAR = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)


class Store:
    def __init__(self):
        self.asked = 0
        self.live = {("h1", "cookie"): object(), ("h2", "cookie"): object()}
        self.meanwhile = lambda: None

    def find(self, handle, browser, *, use=True):
        self.asked += 1
        found = self.live.get((handle, browser))
        self.meanwhile()
        return found

    def has_ended(self, handle, browser):
        return True


class World:
    def __init__(self):
        self.store, self.seconds, self.day = Store(), 100.0, CALENDAR
        self.recent = Recent(lambda: self.day, lambda: self.seconds).before(self.store)
        self.app = Flask(__name__)

    def find(self, handle="h1", browser="cookie", blueprint="viewer", method="GET"):
        with self.app.test_request_context("/", method=method) as context:
            context.request.url_rule = type("Rule", (), {"endpoint": f"{blueprint}.view"})()
            return self.recent.find(handle, browser)


@pytest.fixture
def world():
    return World()


def test_a_hundred_images_ask_once(world):
    assert all(world.find() is world.store.live["h1", "cookie"] for _ in range(100))
    assert world.store.asked == 1


@pytest.mark.parametrize("other", [{"blueprint": "studies"}, {"method": "POST"}, {"browser": "another"}, {"browser": None}, {"handle": "h3"}])
def test_anything_else_asks_the_database(world, other):
    world.find()
    world.find(**other)
    world.find(**other)
    assert world.store.asked == 3


def test_another_browser_and_another_launch_are_still_refused(world):
    assert world.find()
    assert world.find(browser="another") is None
    assert world.find(browser=None) is None
    assert world.find(handle="h3") is None


def test_it_is_believed_for_a_second_by_either_clock(world):
    world.find()
    world.seconds += SECONDS
    world.find()
    assert world.store.asked == 2
    world.day += timedelta(hours=8)
    world.find()
    assert world.store.asked == 3


def test_what_ends_is_over_at_once(world):
    world.find()
    world.find("h2")
    del world.store.live["h1", "cookie"]
    world.recent.forget("h1")
    assert world.find() is None
    assert world.find() is None
    assert world.find("h2")
    assert world.store.asked == 4
    assert world.recent.has_ended("h1", "cookie")


def test_what_ends_while_it_is_read_is_not_remembered(world):
    world.store.meanwhile = lambda: world.recent.forget("h1")
    world.find()
    world.store.meanwhile = lambda: None
    world.store.live.clear()
    assert world.find() is None


def test_it_does_not_grow(world):
    world.store.live.update({(f"x{number}", "cookie"): object() for number in range(1000)})
    for number in range(1000):
        assert world.find(f"x{number}")
    assert len(world.recent._known) <= 512
