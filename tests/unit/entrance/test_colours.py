"""The EHR's style address: asked once, at the EHR's own origins only, and never able to break a page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from launch.context import LaunchContext, User
from smart_app.entrance.colours import Colours
from smart_app.outbound import Lane, Outbound, origin_of

NOW = datetime(2026, 5, 21, 10, tzinfo=UTC)
STYLE = {"color_background": "#ffffff", "color_text": "#101010", "color_highlight": "#004488"}


def context(url: str | None) -> LaunchContext:
    return LaunchContext(
        "h" * 43, "n", "https://x", User("n", "dr"), "p", None, frozenset(), NOW, NOW + timedelta(hours=1), smart_style_url=url
    )


@pytest.fixture
def colours(httpserver: HTTPServer) -> Colours:
    lane = Lane("ehr:n", frozenset({origin_of(httpserver.url_for("/"))}), allow_http=True, allow_loopback=True)
    return Colours(Outbound([lane], pin_localhost=True))


def test_the_style_is_asked_for_once(httpserver: HTTPServer, colours: Colours) -> None:
    httpserver.expect_oneshot_request("/style").respond_with_json(STYLE)
    sheet = colours.of(context(httpserver.url_for("/style")))
    assert "#004488" in sheet
    assert colours.of(context(httpserver.url_for("/style"))) == sheet


def test_no_address_no_call(colours: Colours, httpserver: HTTPServer) -> None:
    assert colours.of(context(None)) == ""
    assert httpserver.log == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', b"{", json.dumps({"color_background": "url(evil)"}).encode()])
def test_an_unusable_style_changes_nothing(httpserver: HTTPServer, colours: Colours, body: bytes) -> None:
    httpserver.expect_request("/style").respond_with_data(body)
    sheet = colours.of(context(httpserver.url_for("/style")))
    assert "url" not in sheet
    assert "<" not in sheet


def test_a_foreign_style_address_is_never_called(colours: Colours) -> None:
    with HTTPServer() as other:
        other.expect_request("/style").respond_with_json(STYLE)
        assert colours.of(context(other.url_for("/style"))) == ""
        assert other.log == []
