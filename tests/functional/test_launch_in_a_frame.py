"""The launch in a real browser, in a frame of another site, with third-party cookies blocked, and with cookies off.

The two sites are ehr.localhost and app.localhost: two ports of one host would share cookies and prove nothing.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from sandbox.serving import serve
from smart_app.clock import utc_now
from smart_app.config import Settings
from smart_app.factory import create_app
from tests import peers
from tests.unit.launch.ehr_sim import Call, EhrSim, Reply, with_query

NO_THIRD_PARTY = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}
NO_COOKIES = {"profile": {"default_content_setting_values": {"cookies": 2}}}
PATIENT = {"resourceType": "Patient", "id": "chart-1", "active": True, "name": [{"family": "Canaryson", "given": ["Ada"]}]}


class BrowserEhr(EhrSim):
    """An EHR with a chart page that frames the app, and an authorize page that agrees at once."""

    app = ""

    @property
    def asked(self) -> list[Call]:
        """What came for the launch's sake, not for the chart page's."""
        return [call for call in self.calls if call.path not in ("/chart", "/favicon.ico")]

    def _right(self, call: Call) -> Reply:
        html = {"Content-Type": "text/html; charset=utf-8"}
        if call.path == "/chart":
            frame = with_query(f"{self.app}/launch", {"iss": self.fhir, "launch": "one-time"}).replace("&", "&amp;")
            return Reply(f'<!doctype html><title>Chart</title><iframe src="{frame}" width="1000" height="600"></iframe>'.encode(), headers=html)
        if call.path == "/authorize":
            asked = dict(parse_qsl(call.query))
            assert asked["launch"] == "one-time"
            return Reply(b"", 303, {"Location": with_query(asked["redirect_uri"], self.authorize(f"{self.origin}/authorize?{call.query}"))})
        return super()._right(call)


@dataclass
class Recorder:
    """WSGI middleware: what the browser sent. `without_chips` plays a browser that does not know partitioned cookies."""

    app: Any
    without_chips: bool = False
    seen: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        names = {"path": "PATH_INFO", "site": "HTTP_SEC_FETCH_SITE", "dest": "HTTP_SEC_FETCH_DEST", "cookie": "HTTP_COOKIE"}
        self.seen.append({name: environ.get(key, "") for name, key in names.items()})

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if self.without_chips:
                headers = [(name, value.replace("; Partitioned", "")) for name, value in headers]
            return start(status, headers, *more)

        answer: Iterable[bytes] = self.app(environ, begin)
        return answer

    def of(self, path: str) -> list[dict[str, str]]:
        return [request for request in self.seen if request["path"] == path]


@dataclass
class Sites:
    ehr: BrowserEhr
    app: Recorder


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    monkeypatch.setenv("TEST_SEALING", base64.urlsafe_b64encode(os.urandom(32)).decode())
    ehr = BrowserEhr(utc_now, "northgate", "ehr.localhost")
    ehr.charts = {"chart-1": PATIENT}
    port = peers.free_port()
    ehr.app = f"http://app.localhost:{port}"
    settings = Settings.model_validate(
        {
            "public_url": ehr.app,
            "development": True,
            "data_dir": tmp_path / "data",
            "sealing_keys": [{"id": "k", "env": "TEST_SEALING"}],
            "ehrs": [
                {"key": "northgate", "name": "Northgate", "issuer": ehr.fhir, "client_id": "priors", "allow_http": True, "frame_ancestors": [ehr.origin]}
            ],
        }
    )
    recorder = Recorder(create_app(settings))
    server = serve(recorder, "127.0.0.1", port)
    yield Sites(ehr, recorder)
    server.stop()
    ehr.stop()


@contextmanager
def chart(sites: Sites, preferences: dict[str, Any] | None) -> Iterator[tuple[Any, Any]]:
    """The chart page in a browser, and the frame in it."""
    with peers.chromium(preferences=preferences) as context:
        page = context.new_page()
        page.goto(f"{sites.ehr.origin}/chart")
        yield page, page.frame_locator("iframe")


def test_a_framed_launch_works_with_third_party_cookies_blocked(sites: Sites) -> None:
    with chart(sites, NO_THIRD_PARTY) as (page, frame):
        frame.get_by_text(re.compile("Canaryson", re.IGNORECASE)).first.wait_for()
        studies = next(f for f in page.frames if f.url.endswith("/studies"))
        assert studies.evaluate("document.cookie") == ""
        cookies = [cookie for cookie in page.context.cookies() if cookie["name"].startswith("__Host-")]
    first = sites.app.of("/launch")[0]
    assert (first["site"], first["dest"]) == ("cross-site", "iframe")
    assert "__Host-lb-" in sites.app.of("/cb/northgate")[0]["cookie"]
    assert {cookie["name"] for cookie in cookies} == {"__Host-ix"}
    assert all(cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "None" for cookie in cookies)


def test_where_the_frame_gets_no_cookie_a_new_window_works_with_the_same_launch(sites: Sites) -> None:
    sites.app.without_chips = True
    with chart(sites, NO_THIRD_PARTY) as (page, frame):
        link = frame.get_by_role("link", name="Open in a new window")
        link.wait_for()
        assert sites.ehr.asked == [], "iss and launch are unspent"
        with page.context.expect_page() as opened:
            link.click()
        opened.value.get_by_text(re.compile("Canaryson", re.IGNORECASE)).first.wait_for()
        assert opened.value.url.endswith("/studies")
    assert len([call for call in sites.ehr.calls if call.path == "/authorize"]) == 1


def test_with_all_cookies_off_it_is_said_and_nothing_loops(sites: Sites) -> None:
    with chart(sites, NO_COOKIES) as (page, frame):
        link = frame.get_by_role("link", name="Open in a new window")
        link.wait_for()
        with page.context.expect_page() as opened:
            link.click()
        opened.value.get_by_role("link", name="Open in a new window").wait_for()
    assert len(sites.app.of("/launch")) == 2
    assert len(sites.app.of("/launch/check")) == 2
    assert sites.ehr.asked == []


def test_two_charts_in_two_tabs_keep_their_patients(sites: Sites) -> None:
    sites.ehr.charts["chart-2"] = {**PATIENT, "id": "chart-2", "name": [{"family": "Otherwise", "given": ["Bo"]}]}
    with chart(sites, NO_THIRD_PARTY) as (first, frame):
        frame.get_by_text(re.compile("Canaryson", re.IGNORECASE)).first.wait_for()
        sites.ehr.answer = {"patient": "chart-2"}
        second = first.context.new_page()
        second.goto(f"{sites.ehr.origin}/chart")
        second.frame_locator("iframe").get_by_text(re.compile("Otherwise", re.IGNORECASE)).first.wait_for()
        framed = next(f for f in first.frames if f.url.endswith("/studies"))
        framed.goto(framed.url)  # refresh A
        text = framed.locator("body").inner_text()
        assert "CANARYSON" in text.upper()
        assert "OTHERWISE" not in text.upper()
