"""K5, K7: a letter holds initials, our name and a link; no name, no date, no number of the patient, whatever is in the request."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.policy import SMTP

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smart_app.config_mail import Contact, is_address
from smart_app.dispatch import letters
from smart_app.dispatch.envelope import NoAddress, compose, message_id
from smart_app.dispatch.letters import CodeBy, Kind, Letter, Site
from smart_app.dispatch.pages import instructions
from smart_app.image_requests.types import Route, RouteKind, Urgency
from tests.unit.dispatch.correspondence import AT, CANARIES, PAGES, SITE, asked, request

LINK = "https://send.northgate.example/s/" + "t" * 43
UNTIL = AT + timedelta(days=14)
REQUEST, BY_PATIENT = request(), request(asked(Route(RouteKind.PATIENT, "rosa@example.org"), None), None)
ALL = {
    "ask": letters.ask(REQUEST, SITE, LINK, UNTIL, CodeBy.PHONE),
    "ask, code by message": letters.ask(REQUEST, SITE, LINK, UNTIL, CodeBy.MESSAGE),
    "ask the patient": letters.ask(BY_PATIENT, SITE, LINK, UNTIL, CodeBy.PHONE, instructions(PAGES, "phone", "computer", "disc")),
    "code": letters.code(REQUEST, SITE, "K7M2QX"),
    "remind": letters.remind(REQUEST, SITE, LINK, UNTIL, AT),
    "thanks": letters.thanks(REQUEST, SITE),
    "more": letters.more(REQUEST, SITE, LINK, UNTIL),
    "recall": letters.recall(REQUEST, SITE),
    "allow": letters.allow("RQ-7Q2M4TKX", SITE, LINK, UNTIL),
    "refuse": letters.refuse("RQ-7Q2M4TKX", SITE),
    **{f"desk {what}": letters.for_desk(REQUEST, SITE, what) for what in letters.DESK_WORDS},
}


def written(letter: Letter, site: Site = SITE, to: str = "images@harrow.example") -> bytes:
    id = message_id(b"k" * 32, "dispatch:RQ-1.1:ask", "images@northgate.example")
    return compose(letter, site, PAGES, id=id, to=to, sender="images@northgate.example", reply_to="desk@northgate.example", at=AT).as_bytes(policy=SMTP)


@pytest.mark.parametrize("name", ALL)
def test_no_letter_names_the_patient_or_tells_a_date_of_theirs(name: str) -> None:
    raw = written(ALL[name])
    message = message_from_bytes(raw, policy=policy.default)
    parts = [str(message.get_body((kind,)).get_content()) for kind in ("plain", "html")]  # type: ignore[union-attr]
    for canary in CANARIES:
        assert canary.casefold() not in raw.decode().casefold()
        assert not [part for part in parts if canary.casefold() in part.casefold()]
    assert "R. M." not in str(message["Subject"])
    assert "RQ-7Q2M4TKX" in str(message["Subject"])
    assert {"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"} <= set(message.keys())
    assert str(message["From"]) == '"Northgate University, Image desk" <images@northgate.example>'


def test_link_and_code_are_never_in_one_letter() -> None:
    for name, letter in ALL.items():
        text = written(letter).decode()
        assert not ("K7M2QX" in text and "/s/" in text), name
    assert "K7M2QX" in written(ALL["code"]).decode()
    assert LINK in _text(ALL["ask"])


def test_what_a_letter_says() -> None:
    text = _words(ALL["ask"])
    for said in (
        "Northgate University asks you for images of R. M.", "needed today", "tells you the code by phone: 555 0142", "We give no names by e-mail",
        "works until 4 Jun 2026", "Questions: Image desk, 555 0142, 07:00 to 19:00. Reference RQ-7Q2M4TKX.", f"Open the request: {LINK}",
    ):  # fmt: skip
        assert said in text
    assert "a message of its own" in _words(ALL["ask, code by message"])
    patients = _words(ALL["ask the patient"])
    assert "With a CD or DVD 1. Put the disc" in patients
    assert "We give no names" not in patients
    assert "on 21 May 2026 at 09:20" in _words(ALL["remind"]), "in our own time zone"
    emergency = letters.ask(request(asked(urgency=Urgency.EMERGENCY)), SITE, LINK, UNTIL, CodeBy.PHONE)
    assert "This is an emergency" in _words(emergency)


def test_the_html_part_says_the_same_and_runs_nothing() -> None:
    for name, letter in ALL.items():
        message = message_from_bytes(written(letter), policy=policy.default)
        html = str(message.get_body(("html",)).get_content())  # type: ignore[union-attr]
        words = re.sub(r"<[^>]+>", " ", html).split()
        missing = [one for one in letter.parts if isinstance(one, str) and not set(one.split()) <= {word.replace("&#39;", "'") for word in words}]
        assert not missing, name
        assert "<script" not in html
        assert "<img" not in html, "a picture would tell when somebody reads"


@given(name=st.text(max_size=80), desk=st.text(max_size=40), to=st.text(max_size=60))
@example("a\r\nBcc: x@evil.example", "b\nX: y", "images@harrow.example")
@example("x", "y", "a@b.example\r\nBcc: c@evil.example")
@example("x", "y", "a@b.example, c@evil.example")
@example("x", "y", "<a@b.example>")
@example("\u202egro.live", "\u0000", "a@b.example")
def test_nothing_typed_becomes_a_header(name: str, desk: str, to: str) -> None:
    site = Site(name, Contact.model_construct(**{**Contact().model_dump(), "desk": desk}))
    try:
        raw = written(letters.thanks(request(), site), site, to)
    except NoAddress:
        assert not is_address(to)
        return
    message = message_from_bytes(raw, policy=policy.default)
    assert {key.lower() for key in message} == {
        "message-id", "date", "from", "to", "reply-to", "subject", "auto-submitted", "mime-version", "content-type",
    }  # fmt: skip
    assert [one.addr_spec for one in message["To"].addresses] == [to]
    assert [one.addr_spec for one in message["From"].addresses] == ["images@northgate.example"]
    assert message["Subject"] == "Checked and stored: RQ-7Q2M4TKX"


def test_addresses_are_plain_or_refused() -> None:
    for good in ("images@harrow.example", "a.b+c@x.y", "o'neil@sub.harrow.example"):
        assert is_address(good), good
    for bad in ("", "a", "a@", "@b", "a@b@c", "a b@c", "a@b c", 'x"@b', "a@[127.0.0.1]", ".a@b", "a..b@c", "a.@b", "a@-b", "a@b.", "ä@b.c", "a@b\n", "a" * 65 + "@b", "a@" + "b" * 260):
        assert not is_address(bad), bad


def test_an_id_is_the_same_for_the_same_work_and_tells_nothing() -> None:
    one = message_id(b"k" * 32, "dispatch:RQ-1.1:ask", "a@b.example")
    assert one == message_id(b"k" * 32, "dispatch:RQ-1.1:ask", "a@b.example")
    assert one != message_id(b"k" * 32, "dispatch:RQ-1.2:ask", "a@b.example")
    assert "RQ-1" not in one
    assert one.endswith("@b.example>")


def test_every_kind_of_letter_is_tried_here() -> None:
    assert {one.kind for one in ALL.values()} == set(Kind)


def _words(letter: Letter) -> str:
    return " ".join(_text(letter).split())


def _text(letter: Letter) -> str:
    return str(message_from_bytes(written(letter), policy=policy.default).get_body(("plain",)).get_content())  # type: ignore[union-attr]
