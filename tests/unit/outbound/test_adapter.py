"""A borrowed `requests` session, Authlib's included, is held to the same rules."""

from __future__ import annotations

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from smart_app.errors import NotApproved, TimedOut, TooLarge
from tests.unit.outbound.conftest import outbound_to, reply


def test_authlib_fetches_a_token_through_it(serve) -> None:
    peer = serve(reply(b'{"access_token":"t","token_type":"bearer","expires_in":60}', "Content-Type: application/json"))
    session = OAuth2Session("priors", "secret", token_endpoint_auth_method="client_secret_basic")
    outbound_to(peer).guard("archive:a", session, deadline=2, max_bytes=1000)
    token = session.fetch_token(f"http://127.0.0.1:{peer.port}/token", grant_type="client_credentials")
    assert token["access_token"] == "t"
    assert peer.heads[0].startswith("POST /token HTTP/1.1\r\n")
    assert "Authorization: Basic" in peer.heads[0]


def test_no_redirect_no_cookie_no_second_host(serve) -> None:
    other = serve(reply(b"stolen"))
    peer = serve(reply(b"", f"Location: http://127.0.0.1:{other.port}/", "Set-Cookie: a=b", status="302 Found"))
    session = requests.Session()
    outbound_to(peer).guard("archive:a", session, deadline=2, max_bytes=1000)
    answer = session.get(f"http://127.0.0.1:{peer.port}/")
    assert (answer.status_code, answer.history, other.connections, list(session.cookies)) == (302, [], 0, [])
    with pytest.raises(NotApproved):
        session.get(f"http://127.0.0.1:{other.port}/")
    assert other.connections == 0


def test_deadline_and_cap_hold_whatever_the_caller_says(serve) -> None:
    big, slow = serve(reply(b"x" * 2000)), serve(lambda sock, head: __import__("time").sleep(3))
    for peer, error in ((big, TooLarge), (slow, TimedOut)):
        session = requests.Session()
        outbound_to(peer).guard("archive:a", session, deadline=0.4, max_bytes=1000)
        with pytest.raises(error):
            session.get(f"http://127.0.0.1:{peer.port}/", timeout=100, verify=False, proxies={"http": "http://127.0.0.1:1"})


def test_text_is_read_as_what_it_is(serve) -> None:
    peer = serve(reply('{"name":"Müller"}'.encode(), "Content-Type: application/fhir+json"))
    session = requests.Session()
    outbound_to(peer).guard("archive:a", session, deadline=2, max_bytes=1000)
    assert session.get(f"http://127.0.0.1:{peer.port}/").json() == {"name": "Müller"}
