"""What may be called: 200 hostile URLs touch no socket; every address of a name is judged, at the time of connecting."""

from __future__ import annotations

import pytest
import requests

from smart_app.errors import NotApproved
from smart_app.outbound import Lane, Outbound, origin_of
from smart_app.outbound.addresses import Refused, parse, permitted
from tests.unit.outbound.conftest import SocketWatch

TRUSTED = "https://pacs.org:443"

_HOSTS = [
    "evil.example", "pacs.org.evil.example", "evilpacs.org", "pacs.org.", "pacs.orgx", "xpacs.org", "pacs-org", "www.pacs.org", "pacs.org%00.evil.example",
    "pacs.org%2eevil.example", "pacs。org", "pаcs.org", "pacs.org\u200b", "ⓟacs.org", "xn--pacs-.org", "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001",
    "2130706433", "017700000001", "0177.0.0.1", "0", "0.0.0.0", "10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fec0::1]", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]",
    "[::127.0.0.1]", "localhost", "localhost.", "app.localhost", "metadata.google.internal", "224.0.0.1", "255.255.255.255", "1.1.1.1", "0x1.1.1.1", "1.1.257",
    "", ".", "..", "-pacs.org", "pacs.org-", "pa cs.org", "pacs.org\t", "pacs.org\n", "pacs.org\r\nX: y", "a" * 300, "[::1", "::1]", "[pacs.org]",
]  # fmt: skip
HOSTILE = [f"{scheme}://{host}{tail}" for host in _HOSTS for scheme, tail in (("https", "/dicom-web/studies"), ("http", "/x"), ("https", ":8443/"))]
HOSTILE += [
    "http://pacs.org/", "http://pacs.org:443/", "https://pacs.org:444/", "https://pacs.org:80/", "https://pacs.org:0443x/", "https://pacs.org:65979/",
    "https://pacs.org:/@evil", "https://pacs.org:-1/", "https://pacs.org:４４３/", "https://user@pacs.org/", "https://user:pass@pacs.org/", "https://@pacs.org/",
    "https://pacs.org@evil.example/", "https://pacs.org:443@evil.example/", "https://evil.example#@pacs.org/", "https://pacs.org#x", "https://pacs.org/#", "https://pacs.org\\@evil.example/",
    "https:\\\\pacs.org/", "https:/pacs.org/", "https:pacs.org/", "https:///pacs.org/", "https:////pacs.org/", "//pacs.org/", "pacs.org/", "/studies", "", " https://pacs.org/",
    "https://pacs.org/ x", "https://pacs.org/\r\nHost: evil", "https://pacs.org/\x00", "https://pacs.org/é", "ftp://pacs.org/", "file:///etc/passwd", "gopher://pacs.org/",
    "javascript:alert(1)", "data:text/html,x", "ws://pacs.org/", "httpss://pacs.org/", "https+unix://pacs.org/", "https://pacs.org/a/../b", "https://pacs.org/a/%2e%2e/b",
    "https://pacs.org/a/..%2fb", "https://pacs.org/a/.%2e%2fb", "https://pacs.org/%2E%2E", "https://pacs.org/a/..%5cb", "https://pacs.org/./b", "https://pacs.org/" + "a" * 9000,
    "https://[pacs.org]/", "https://pacs.org]/", "https://pacs.org%40evil.example/", "https://pacs.org%3A443/", 'https://pacs.org/"', "https://pacs.org/<x>", "https://pacs.org/`id`",
]  # fmt: skip


@pytest.fixture
def looked_up() -> list[str]:
    return []


@pytest.fixture
def strict(looked_up: list[str]) -> Outbound:
    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]  # refused in its turn: nothing here ever connects

    return Outbound([Lane("archive:a", frozenset({TRUSTED}))], pin_localhost=False, resolver=resolver)


def test_two_hundred_hostile_urls_touch_no_socket(strict: Outbound, looked_up: list[str], sockets: SocketWatch) -> None:
    assert len(set(HOSTILE)) >= 200
    for url in HOSTILE:
        assert not strict.approves("archive:a", url), url
        with pytest.raises(NotApproved):
            strict.request("archive:a", "GET", url, deadline=1, max_bytes=1)
        with pytest.raises(NotApproved):
            strict.stream("archive:a", "GET", url, deadline=1)
    assert looked_up == []
    assert sockets.seen == []


def test_nor_through_a_borrowed_session(strict: Outbound, looked_up: list[str], sockets: SocketWatch) -> None:
    """`requests` tidies some URLs into the approved origin before we see them; none may become another one."""
    session = requests.Session()
    strict.guard("archive:a", session, deadline=1, max_bytes=1)
    for url in HOSTILE:
        with pytest.raises((NotApproved, requests.exceptions.RequestException)):
            session.get(url)
    assert set(looked_up) <= {"pacs.org"}
    assert sockets.seen == []


@pytest.mark.parametrize("url", ["https://pacs.org/", "https://pacs.org:443/a?b=c", "HTTPS://PACS.ORG/x", "https://pacs.org", "https://pacs.org/a?next=../b%2f"])
def test_the_approved_origin_in_its_spellings(strict: Outbound, url: str) -> None:
    assert strict.approves("archive:a", url)


def test_origins_are_normalised() -> None:
    assert origin_of("https://Pacs.ORG/dicom-web") == TRUSTED
    assert origin_of("http://127.0.0.1:8042/x") == "http://127.0.0.1:8042"
    assert origin_of("https://[2001:DB8::0:1]/") == "https://[2001:db8::1]:443"
    with pytest.raises(Refused):
        origin_of("pacs.org")
    assert parse("https://pacs.org?x=1").path == "/?x=1"


NEVER = ["0.0.0.0", "169.254.169.254", "100.100.100.200", "192.0.0.192", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
         "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "fd00:ec2::254", "nonsense", ""]  # fmt: skip
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1"]
PRIVATE = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fc00::1", "fd12:3456::1"]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111"]


@pytest.mark.parametrize(
    ("lane", "allowed"),
    [
        (Lane("a", frozenset()), PUBLIC),
        (Lane("a", frozenset(), allow_private=True), PUBLIC + PRIVATE),
        (Lane("a", frozenset(), allow_loopback=True), PUBLIC + LOOPBACK),
        (Lane("a", frozenset(), allow_private=True, allow_loopback=True, allow_http=True), PUBLIC + PRIVATE + LOOPBACK),
    ],
)
def test_addresses_by_what_the_entry_allows(lane: Lane, allowed: list[str]) -> None:
    assert [address for address in NEVER + LOOPBACK + PRIVATE + PUBLIC if permitted(lane, "https", address)] == sorted(
        allowed, key=(NEVER + LOOPBACK + PRIVATE + PUBLIC).index
    )


def test_plain_http_in_development_reaches_loopback_alone() -> None:
    lane = Lane("a", frozenset(), allow_loopback=True, allow_private=True)
    assert permitted(lane, "http", "127.0.0.1")
    assert not permitted(lane, "http", "10.0.0.1")
    assert not permitted(lane, "http", "1.1.1.1")
    assert not Outbound([Lane("a", frozenset({"http://pacs.org:80"}))], pin_localhost=True).approves("a", "http://pacs.org/")


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["93.184.216.34", "::1"]])
def test_a_name_with_one_forbidden_address_is_not_connected_at_all(sockets: SocketWatch, answers: list[str]) -> None:
    outbound = Outbound([Lane("a", frozenset({TRUSTED}))], pin_localhost=False, resolver=lambda host, port: answers)
    with pytest.raises(NotApproved):
        outbound.request("a", "GET", "https://pacs.org/", deadline=2, max_bytes=1)
    assert sockets.seen == []


def test_a_resolver_that_flips_is_asked_once_and_its_answer_used(sockets: SocketWatch) -> None:
    """DNS rebinding: what was checked is what is connected."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    lane = Lane("a", frozenset({"http://pacs.org:9"}), allow_loopback=True)
    outbound = Outbound([lane], pin_localhost=False, resolver=lambda host, port: next(answers))
    for _ in range(2):
        with pytest.raises((NotApproved, Exception)) as caught:
            outbound.request("a", "GET", "http://pacs.org:9/", deadline=2, max_bytes=1)
    assert isinstance(caught.value, NotApproved)
    assert sockets.seen == [("socket.connect", ("127.0.0.1", 9))]
