"""The public page: who asks is told that somebody reads it; nothing that is typed becomes anything but text. safety.md K7."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.audit.events import Who
from smart_app.portal.asking_views import one_line
from smart_app.portal.offers import Offers, OfferState
from smart_app.portal.pace import Pace
from smart_app.wiring.portal import offers_of
from tests.unit.portal.senders import APP, OURS, PORTAL, World

GOOD = {"kind": "site", "organization": "Harrow Vale", "person": "Dr H", "email": "h@harrow.example", "about": "CT head for the stroke team", "initials": "R. M.", "urgent": "yes"}


def ask(world: World, **changes: str) -> Any:
    return world.app.test_client().post("/ask", base_url=PORTAL, headers=OURS, data=GOOD | changes)


def waiting(world: World) -> tuple[Any, ...]:
    offers: Offers = offers_of(world.parts)
    return offers.all()


def test_a_site_asks_and_is_told_its_number(world: World) -> None:
    page = ask(world)
    offer = waiting(world)[0]
    assert (page.status_code, offer.id in page.text, offer.state, offer.asked.urgent, offer.asked.is_patient) == (200, True, OfferState.WAITING, True, False)
    assert world.app.test_client().get("/ask", base_url=APP).status_code == 404


def test_a_patient_needs_no_hospital_and_gets_a_link_for_own_images(world: World) -> None:
    assert ask(world, kind="patient", organization="").status_code == 200
    offer = waiting(world)[0]
    link = offers_of(world.parts).allow(offer.id, Who.nobody("default", "", ""))
    assert link.purpose.value == "brought"
    page = world.sender(link, proved=False).get().text
    assert "You may send Northgate University your own images." in page


@pytest.mark.parametrize("changes", [
    {"organization": ""}, {"person": " "}, {"about": ""}, {"email": ""}, {"email": "h"}, {"email": "h@x"}, {"email": "h@x.example, all@y.example"},
    {"email": "h@x.example>\r\nBcc: a@b.example"}, {"email": "\"h h\"@x.example"}, {"email": "h@x.example;y"}, {"email": "h@-.example"},
])  # fmt: skip
def test_k7_what_cannot_be_answered_is_refused(world: World, changes: dict[str, str]) -> None:
    page = ask(world, **changes)
    assert (page.status_code, waiting(world)) == (400, ())
    assert "It is marked below." in page.text


@pytest.mark.parametrize("evil", ["x\r\nBcc: a@b.example", "x\nSubject: y", "x\x00y", "x\u2028y", "\u202egnp.exe", "<script>alert(1)</script>", "{{ 7*7 }}", "=cmd|' /C calc'!A0"])
def test_k7_no_line_break_and_no_markup_survives(world: World, evil: str) -> None:
    for field in ("organization", "person", "about", "initials"):
        assert ask(world, **{field: evil}).status_code == 200
    assert ask(world, email="bad", about=evil).status_code == 400
    for offer in waiting(world):
        for value in (offer.asked.organization, offer.asked.person, offer.asked.about, offer.asked.initials):
            assert value.isprintable()
    assert "<script>alert" not in ask(world, email="bad", about=evil, person=evil).text


def test_text_is_one_bounded_line() -> None:
    assert one_line(" a \r\n b\t\u200bc ", 4) == "a b "
    assert one_line("x" * 500, 40) == "x" * 40


def test_one_address_asks_so_often_and_no_more(world: World) -> None:
    assert [ask(world, about=f"{at}").status_code for at in range(11)] == [200] * 10 + [429]
    assert len(waiting(world)) == 10


def test_k1_guesses_are_slowed_down_and_a_good_link_is_not(world: World) -> None:
    client = world.app.test_client()
    statuses = [client.get(f"/s/{at:043d}", base_url=PORTAL).status_code for at in range(70)]
    assert statuses == [404] * 60 + [429] * 10


def test_a_pace_forgets_in_time() -> None:
    now = [0.0]
    pace = Pace(2, 10, lambda: now[0])
    for _ in range(2):
        assert not pace.is_over("a")
        pace.count("a")
    assert (pace.is_over("a"), pace.is_over("b")) == (True, False)
    now[0] = 10.0
    assert not pace.is_over("a")
