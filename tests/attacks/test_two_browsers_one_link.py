"""Senders who are in a hurry, cut off, or hostile, at the portal over real sockets: what is promised is kept once, and what is not is not promised."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from typing import Any

import pytest

from smart_app.image_requests.workflow import Act
from smart_app.links.types import Link, Purpose
from smart_app.spool.types import UploadState
from tests.attacks.arena import FORM, PORTAL, Arena, Browser, Said, at_once, cut_off, line, pieces
from tests.functional.test_intake import STAFF

pytestmark = pytest.mark.parametrize("here", ["sqlite", "postgresql"], indirect=True, scope="module")
FILES = {f"DISC/IM{at}": random.Random(at).randbytes(size) for at, size in enumerate((0, 1, 300_000, 1_200_001))}
OCTETS = "application/octet-stream"


@pytest.fixture
def link(here: Arena) -> Link:
    return here.link(None, Purpose.OFFERED, about='{"title": "CT head"}')


def kept(arena: Arena, link: Link) -> dict[str, bytes]:
    """Whole files of all finished uploads of a link, by name; twice is an error."""
    found: dict[str, bytes] = {}
    for one in arena.parts.spool.of_link(link.id):
        if one.state is UploadState.OPEN:
            continue
        for file in arena.parts.spool.upload(one.id).files:
            assert file.name not in found, f"{file.name} is kept twice"
            found[file.name] = file.path.read_bytes()
            assert hashlib.sha256(found[file.name]).hexdigest() == file.sha256
    return found


def test_two_browsers_send_the_same_disc_at_once_and_each_file_is_kept_once(here: Arena, link: Link) -> None:
    browsers = [here.browser(link) for _ in range(2)]
    assert len(set(at_once([one.begin for one in browsers]))) == 1
    assert at_once([lambda one=one: one.send_all(FILES, 100_000) for one in browsers]) == [None, None]  # type: ignore[misc]
    assert [one.status for one in at_once([one.finish for one in browsers] * 5)] == [200] * 10, "saying it twice is saying it once"
    assert kept(here, link) == FILES
    assert here.desk.world.audited("UploadFinished")[-1]["count"] == len(FILES)
    with here.parts.database.reading() as session:
        from smart_app.jobs.models import WorkRow

        assert session.query(WorkRow).filter(WorkRow.kind == "screen", WorkRow.key == browsers[0].upload).count() == 1


def test_one_says_that_is_all_while_the_other_is_sending(here: Arena, link: Link) -> None:
    """It is not all: what was announced has not come. And nothing that was promised is lost."""
    one, two = here.browser(link), here.browser(link)
    one.begin(), two.begin()
    one.send_all({"A": b"a" * 1000})
    numbers = [each["file"] for each in two.announce({"B": b"b" * 500_000})]
    two.send(pieces((numbers[0], 0, b"b" * 200_000)))
    said = one.finish()
    assert (said.status, said.json["missing"]) == (409, numbers)
    two.send_all({"B": b"b" * 500_000})
    assert one.finish().status == 200
    late = two.send(pieces((numbers[0], 0, b"b" * 100)))
    assert late.status in (200, 404)
    assert kept(here, link) == {"A": b"a" * 1000, "B": b"b" * 500_000}


@pytest.mark.parametrize("step", ["begin", "announce", "piece", "finish"])
def test_an_answer_that_nobody_read_costs_nothing(here: Arena, link: Link, step: str) -> None:
    browser = here.browser(link)
    if step == "begin":
        cut_off(here, browser, "/uploads", b"{}", "application/json")
    browser.begin()
    content = FILES["DISC/IM2"]
    announced = json.dumps({"files": [{"name": "X", "size": len(content)}]}).encode()
    if step == "announce":
        cut_off(here, browser, f"/uploads/{browser.upload}/files", announced, "application/json")
    (standing,) = browser.announce({"X": content})
    if step == "piece":
        cut_off(here, browser, f"/uploads/{browser.upload}/pieces", pieces((standing["file"], 0, content)), OCTETS)
        assert browser.announce({"X": content})[0] == {"file": standing["file"], "held": len(content), "whole": True}
        again = browser.send(pieces((standing["file"], 0, content)))
        assert (again.status, again.json["pieces"][0]["outcome"]) == (200, "again")
    browser.send_all({"X": content})
    if step == "finish":
        cut_off(here, browser, f"/uploads/{browser.upload}/finish", b'{"without": []}', "application/json")
    assert browser.finish().status == 200
    assert kept(here, link) == {"X": content}
    assert len(here.parts.spool.of_link(link.id)) == 1


def test_a_page_closed_in_the_middle_goes_on_at_another_device(here: Arena, link: Link) -> None:
    first = here.browser(link)
    first.begin()
    (standing,) = first.announce({"X": FILES["DISC/IM3"]})
    first.send(pieces((standing["file"], 0, FILES["DISC/IM3"][:700_000])))
    second = here.browser(link)
    assert second.begin() == first.upload
    assert second.announce({"X": FILES["DISC/IM3"]}) == [{"file": standing["file"], "held": 700_000, "whole": False}]
    second.send_all({"X": FILES["DISC/IM3"]})
    assert second.finish().status == 200
    assert kept(here, link) == {"X": FILES["DISC/IM3"]}


def piece(**changes: Any) -> bytes:
    return line({"file": 1, "at": 0, "bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()} | changes) + b"abc"


HOSTILE = {
    "negative": piece(at=-1), "negative length": piece(bytes=-3), "huge offset": piece(at=1 << 62), "huge length": piece(bytes=1 << 43), "past its end": piece(at=9), "no such file": piece(file=999),
    "a file number that no database has": piece(file=1 << 43), "a number that is none": piece(at=True), "half a number": piece(at=0.5), "text": piece(at="0"), "no hash": piece(sha256=""),
    "another hash": piece(sha256="0" * 64), "out of order": piece(at=5), "an array": b"[1]\n", "no end of line": b"{" * 400, "deep": b"[" * 290 + b"\n", "nul": b"\0" * 20 + b"\n",
    "too many": pieces(*[(1, 0, b"")] * 201), "shorter than it says": line({"file": 1, "at": 0, "bytes": 9, "sha256": "0" * 64}) + b"abc",
}  # fmt: skip


def test_no_piece_however_it_lies_is_promised_or_breaks_anything(here: Arena, link: Link) -> None:
    browser = here.browser(link)
    browser.begin()
    browser.announce({"X": b"abcdefgh"})
    said = {name: browser.send(body) for name, body in HOSTILE.items()}
    assert {name: one.status for name, one in said.items() if one.status not in (400, 409)} == {}
    assert browser.announce({"X": b"abcdefgh"}) == [{"file": 1, "held": 0, "whole": False}]
    browser.send(pieces((1, 0, b"abcde")))
    overlapping = browser.send(pieces((1, 3, b"defgh"))).json["pieces"][0]
    assert (overlapping["outcome"], overlapping["held"]) == ("order", 5)
    changed = browser.send(pieces((1, 0, b"ABCDE"))).json["pieces"][0]
    assert (changed["outcome"], changed["held"]) == ("differs", 5)
    browser.send(pieces((1, 5, b"fgh")))
    assert browser.finish().status == 200
    assert kept(here, link) == {"X": b"abcdefgh"}


BODIES: list[Any] = [
    None, [], {}, {"files": []}, {"files": {}}, {"files": [1]}, {"files": [{"name": "x", "size": -1}]}, {"files": [{"name": "x", "size": 1 << 41}]}, {"files": [{"name": "", "size": 1}]},
    {"files": [{"name": "x" * 1001, "size": 1}]}, {"files": [{"name": "x", "size": True}]}, {"files": [{"name": "x", "size": 1, "path": "/etc/passwd"}]}, {"files": [{"name": "x", "size": 1}] * 501},
]  # fmt: skip


def test_no_announcement_breaks_anything(here: Arena, link: Link) -> None:
    browser = here.browser(link)
    browser.begin()
    for body in BODIES:
        assert browser.say(f"/uploads/{browser.upload}/files", body).status == 400, body
    for raw in (b"", b"\0", b"[" * 100_000, b'{"files": [{"name": "x", "size": ' + b"9" * 5000 + b"}]}", b"\xff\xfe{"):
        said = browser.call("POST", f"/uploads/{browser.upload}/files", raw, Content_Type="application/json", Accept="application/json")
        assert said.status == 400, raw[:40]
    odd = {"../../etc/passwd": b"1", "C:\\x\0y": b"2", "\ud800": b"3", "a" * 1000: b"4", "<script>": b"5"}
    browser.send_all(odd)
    for without in ([-1], [1 << 70], ["1"], [1.5], {"a": 1}):
        assert browser.say(f"/uploads/{browser.upload}/finish", {"without": without}).status in (200, 400)
    assert sorted(kept(here, link).values()) == [b"1", b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize("end", ["revoked", "cancelled"])
def test_a_link_that_ends_in_the_middle_takes_no_further_byte_and_loses_none(here: Arena, end: str) -> None:
    request = here.desk.ask()
    link = here.link(request)
    browser = here.browser(link)
    browser.begin()
    files = {"A": b"a" * 1000, "B": b"b" * 1000}
    numbers = [one["file"] for one in browser.announce(files)]
    assert browser.send(pieces((numbers[0], 0, files["A"]))).status == 200
    if end == "revoked":
        with here.parts.database.transaction() as session:
            here.parts.links.revoke(session, link)
    else:
        here.parts.requests.act(request, Act.CANCEL, STAFF, reason="Not needed any more")
    for said in (browser.send(pieces((numbers[1], 0, files["B"]))), browser.finish(), browser.say("/uploads", {}), browser.call("GET", "/state"), browser.call("GET", "/send"), browser.call("GET", "")):
        assert said.status == 404
        assert "has ended" in said.text
    progress = here.parts.spool.progress(browser.upload)
    assert (progress.whole, progress.held) == (1, 1000)
    if end == "revoked":
        here.parts.requests.act(request, Act.CANCEL, STAFF, reason="The next attack asks again")


def test_twenty_browsers_guess_at_once_and_five_are_judged(here: Arena, link: Link) -> None:
    token, right = here.parts.links.token(link), here.parts.links.code(link)
    letters = [letter for letter in "23456789" if letter not in right][:1]
    said = at_once([lambda: Browser(here, token).prove(letters[0] * 6)] * 20)
    assert Counter(one.status for one in said) == {403: 5, 404: 15}
    assert Browser(here, token).prove(right).status == 404, "the right one comes too late"


def test_nobody_learns_which_of_code_and_birth_date_was_right(here: Arena) -> None:
    request = here.desk.ask()
    link = here.link(request)
    token, right = here.parts.links.token(link), here.parts.links.code(link)
    wrong = "".join("2" if letter != "2" else "3" for letter in right)
    answers = [Browser(here, token).prove(code, born) for code, born in ((right, "1951-08-10"), (wrong, "1951-08-09"), (wrong, "1951-08-10"))]
    assert len({(one.status, plain(one)) for one in answers}) == 1
    here.parts.requests.act(request, Act.CANCEL, STAFF, reason="The next attack asks again")


def plain(said: Said) -> str:
    """Without what differs anyhow: how many tries are left, and the reference."""
    import re

    return re.sub(r"PR-\w{6}|\b(four|three|two|one|[0-5])\b \w+|X-Request-Id.*", "", said.text)


@pytest.mark.parametrize("date", [("9", "8", "99999999999999999999"), ("99999999999999999999", "8", "1951"), ("9" * 5000, "8", "1951"), ("九", "8", "1951"), ("-1", "8", "1951"), ("", "", "")])
def test_no_date_breaks_the_proof_and_each_counts_as_a_try(here: Arena, link: Link, date: tuple[str, str, str]) -> None:
    from urllib.parse import urlencode

    browser = Browser(here, here.parts.links.token(link))
    said = browser.call("POST", "/proof", urlencode({"day": date[0], "month": date[1], "year": date[2], "code": "22222"}), Content_Type=FORM)
    assert said.status == 403, said.text
    found = here.parts.links.get(link.id)
    assert found is not None
    assert found.wrong == 1


def test_guesses_from_one_address_do_not_stop_a_sender_behind_the_same(here: Arena, link: Link) -> None:
    """A hospital's senders share one address; who types wrong addresses there stops nobody else's upload."""
    browser = here.browser(link)
    browser.begin()
    statuses = Counter(here.ask("GET", f"{PORTAL}/s/{at:043d}").status for at in range(80))
    assert set(statuses) == {404, 429}
    browser.send_all({"X": b"x" * 1000})
    assert browser.finish().status == 200
    assert here.ask("GET", f"{PORTAL}/s/{'y' * 43}").status == 429
