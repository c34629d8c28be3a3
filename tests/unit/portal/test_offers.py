"""Images that nobody asked for: told, allowed once, or declined; nothing of it in plain text at rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_app.audit.events import Who
from smart_app.links.types import Purpose
from smart_app.portal.offers import Asked, NoSuchOffer, Offers, OfferState
from tests.unit.portal.senders import World, canaries

WHO = Who.nobody("default", "10.0.0.9", "PR-1")
ASKED = Asked("CANARY Valley", "Dr CANARY", "dr@canary.example", "555", "CT of the head of a patient you get tonight", "R. M.")


@pytest.fixture
def offers(world: World) -> Offers:
    parts = world.parts
    return Offers(parts.database, parts.keyring, parts.audit, parts.links, parts.ledger, parts.clock, tenant="default")


def test_an_offer_is_allowed_once_and_its_link_takes_images(offers: Offers, world: World, tmp_path: Path) -> None:
    id = offers.ask(ASKED, WHO)
    assert [(one.id, one.state, one.asked) for one in offers.all()] == [(id, OfferState.WAITING, ASKED)]
    link = offers.allow(id, WHO)
    assert (link.purpose, link.request, offers.get(id).link, offers.all()) == (Purpose.OFFERED, None, link.id, ())
    with pytest.raises(NoSuchOffer):
        offers.allow(id, WHO)
    with pytest.raises(NoSuchOffer):
        offers.decline(id, WHO)
    assert world.work("tell-offer") == [id]
    sender = world.sender(link)
    page = sender.get("/send").text
    assert ASKED.about in page
    sender.begin()
    assert world.parts.spool.upload(sender.upload).sender == "CANARY Valley"
    world.parts.database.engine.dispose()
    assert canaries(tmp_path, (b"CANARY", b"canary")) == []


def test_a_declined_offer_has_no_link(offers: Offers, world: World) -> None:
    urgent = Asked("Harrow", "Dr H", "h@harrow.example", "", "CT", urgent=True)
    first, second = offers.ask(ASKED, WHO), offers.ask(urgent, WHO)
    assert [one.id for one in offers.all()] == [second, first]
    offers.decline(first, WHO, "Not ours")
    told = offers.get(first)
    assert (told.state, told.asked.note, told.link) == (OfferState.DECLINED, "Not ours", None)
    with pytest.raises(NoSuchOffer):
        offers.get("OF-NOTTHERE")
    assert [one["answer"] for one in world.audited("ImagesOffered")] == ["asked", "asked", "declined"]
