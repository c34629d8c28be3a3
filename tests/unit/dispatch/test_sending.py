"""What a change of a request sends out: once, by the right way, to the right address, and into the request's story."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.mailbox.smtp import EVERYBODY
from smart_app.db import Database
from smart_app.desk.attention import WHAT, WHY, trouble
from smart_app.dispatch.offered import Answer, Offered
from smart_app.dispatch.sending import FAULTS
from smart_app.image_requests.types import ImageRequest, Route, RouteKind
from smart_app.image_requests.workflow import Act
from smart_app.jobs.types import Job, NeedsAttention, Stuck
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.dispatch.correspondence import AT, BRANNOC, CANARIES, DESK, HARROW, REVIEWER, SENDER, SITE, STAFF, SYSTEM, Office, asked

TO = HARROW.routes[0].address


def test_a_request_goes_out_once_with_its_link(office: Office) -> None:
    id = office.ask()
    for _ in range(3):
        office.work()
    assert office.mail() == [(TO, "Images asked for")]
    (link,) = office.links.of_request(id)
    assert office.server is not None
    assert office.server.inbox.all()[0].links == (office.links.address(link),)
    assert office.story(id) == ["E-mail handed over to their mail server. It names no patient."]
    assert not office.stuck()


def test_a_handler_that_is_called_again_sends_nothing_again(office: Office) -> None:
    id = office.ask()
    for _ in range(3):
        office.dispatch.dispatch(Job("dispatch", f"{id}.1", 1, lambda: None))
    assert len(office.mail()) == len(office.story(id)) == len(office.links.of_request(id)) == 1


def test_the_code_goes_to_the_second_address_or_by_phone(office: Office) -> None:
    id = office.ask(asked(BRANNOC.routes[0], BRANNOC))
    office.work()
    assert office.mail() == [("library@brannoc.example", "Images asked for"), ("desk@brannoc.example", "Code for")]
    assert office.server is not None
    code, ask = office.server.inbox.all()
    secret = office.links.code(office.links.of_request(id)[0])
    assert secret in code.text
    assert not code.links
    assert secret not in ask.text + ask.html


def test_a_cancelled_request_ends_its_link_and_is_called_back(office: Office) -> None:
    id = office.ask()
    office.work()
    office.act(id, Act.CANCEL, STAFF, "not needed")
    assert office.mail() == [(TO, "Images asked for"), (TO, "No longer needed")]
    assert [one.ended for one in office.links.of_request(id)] == ["revoked"]


def test_what_was_cancelled_before_it_went_out_never_does(office: Office) -> None:
    id = office.ask()
    office.requests.act(id, Act.CANCEL, STAFF, reason="not needed")
    office.work()
    assert not office.mail()


def test_a_request_asked_again_gets_a_new_letter(office: Office) -> None:
    id = office.ask()
    office.work()
    office.act(id, Act.DECLINE, SENDER, "No such patient here")
    office.act(id, Act.REOPEN, STAFF, "they looked again")
    assert [one for one in office.mail() if one[0] == TO] == [(TO, "Images asked for")] * 2


def test_our_desk_is_told_of_a_no(office: Office) -> None:
    id = office.ask()
    office.work()
    office.act(id, Act.DECLINE, SENDER, "No such patient here: canary-reason")
    assert office.mail(DESK) == [(DESK, "Please look at")]


def test_the_sender_is_told_what_became_of_it_and_not_what_was_written(office: Office) -> None:
    id = office.ask()
    office.work()
    for act, actor, reason in (
        (Act.OPEN, SENDER, ""), (Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, ""), (Act.REJECT, REVIEWER, "canary-reason: these are of Robert"),
        (Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, ""), (Act.STORE_PART, SYSTEM, "412 of 418 canary-reason"), (Act.STORE, SYSTEM, ""),
    ):  # fmt: skip
        office.act(id, act, actor, reason)
    assert office.mail(TO) == [(TO, words) for words in ("Images asked for", "Something is still missing", "Something is still missing", "Checked and stored")]
    assert office.server is not None
    for one in office.server.inbox.all():
        assert not [canary for canary in CANARIES if canary.casefold() in (one.raw.decode() + one.text + one.html).casefold()]


def test_paper_waits_for_a_person(office: Office) -> None:
    fax = office.ask(asked(HARROW.routes[1]))
    hand = office.ask(asked(Route(RouteKind.PATIENT), None))
    for _ in range(2):
        office.work()
    assert not office.mail()
    assert office.story(fax) == ["The sheet is ready. Print it and fax it to 555 0199."]
    assert office.story(hand) == ["The sheet is ready to print and hand over."]
    assert sorted(office.stuck()) == [("by-hand", "sheet-to-fax"), ("by-hand", "sheet-to-print")]
    assert len(office.links.of_request(fax)) == 1
    office.requests.note(fax, "Faxed 09:40", STAFF)
    office.later(minutes=1)
    assert office.stuck() == [("by-hand", "sheet-to-print")], "what was looked after leaves the list by itself"


def test_a_refused_address_is_on_the_desk_with_what_to_do(office: Office) -> None:
    assert office.server is not None
    office.server.scripts.at_address[TO] = ["550 no such user"]
    id = office.ask()
    office.work()
    assert office.stuck() == [("dispatch", "mail-address-refused")]
    assert office.story(id) == [FAULTS["mail-address-refused"]]
    assert office.requests.get(id).last == FAULTS["mail-address-refused"]
    office.ledger.again("dispatch", f"{id}.1")
    office.work()
    assert office.mail() == [(TO, "Images asked for")]


def test_a_server_that_is_away_for_a_while_costs_nothing(office: Office) -> None:
    assert office.server is not None
    office.server.scripts.at_address[EVERYBODY] = ["421 away"] * 4
    id = office.ask()
    for _ in range(10):
        office.work()
        office.clock.forward(minutes=10)
    assert office.mail() == [(TO, "Images asked for")]
    assert not office.stuck()
    assert len(office.story(id)) == 1


@pytest.mark.parametrize(("off", "reason"), [("links", "receiving-off"), ("mail", "mail-off")])
def test_what_is_not_set_up_is_said(database: Database, keyring: Keyring, off: str, reason: str) -> None:
    office = Office(database, keyring, None)
    if off == "links":
        office.links._origin = ""
        id = office.ask(asked(HARROW.routes[1]))
        office.work()
        assert office.story(id) == ["The sheet is ready. Print it and fax it to 555 0199."], "a disc can still be asked for on paper"
        return
    office.ask()
    office.work()
    assert office.stuck() == [("dispatch", reason)]


def test_a_partner_is_asked_by_its_own_way(office: Office) -> None:
    asked_of: list[str] = []

    class Partners:
        def send(self, request: ImageRequest) -> None:
            asked_of.append(request.id)

    partner = replace(HARROW, routes=(Route(RouteKind.FHIR, "kestrel"),))
    id = office.ask(asked(partner.routes[0], partner))
    office.work()
    assert office.stuck() == [("dispatch", "no-partner")]
    office.dispatch._partners = Partners()
    office.ledger.again("dispatch", f"{id}.1")
    office.work()
    assert (asked_of, office.mail()) == ([id], [])


@pytest.mark.parametrize("allowed", [True, False])
def test_a_site_that_offered_images_is_told(office: Office, allowed: bool) -> None:
    link = None
    if allowed:
        with office.database.transaction() as session:
            link = office.links.issue(session, Purpose.OFFERED, None)
    answers = {"OF-7Q2M4TKX": Answer("clerk@ferrybank.example", link.id if link else None), "OF-NOADDRES": Answer("", link.id if link else None)}
    offered = Offered(answers.get, office.links, office.outbox, SITE)
    for _ in range(2):
        offered.tell(Job("tell-offer", "OF-7Q2M4TKX", 1, lambda: None))
    offered.tell(Job("tell-offer", "OF-WAITING1", 1, lambda: None))
    assert office.server is not None
    (one,) = office.server.inbox.all()
    assert (one.to, "OF-7Q2M4TKX" in str(one.message["Subject"])) == ("clerk@ferrybank.example", True)
    assert one.links == ((office.links.address(link),) if link else ())
    with pytest.raises(NeedsAttention, match="no-address"):
        offered.tell(Job("tell-offer", "OF-NOADDRES", 1, lambda: None))


def test_the_desk_has_words_for_all_that_waits_for_a_person() -> None:
    by_hand = {"call-them", "ask-another", "sheet-to-fax", "sheet-to-print", "no-partner"}
    assert set(FAULTS) | by_hand <= set(WHY)
    assert {"dispatch", "tell", "recall", "by-hand", "tell-offer"} <= set(WHAT)
    assert trouble(Stuck("by-hand", "RQ-7Q2M4TKX.3.call-them", "call-them", 1, AT)).request == "RQ-7Q2M4TKX"


def test_every_fault_says_whose_side_and_what_to_do() -> None:
    for words in FAULTS.values():
        assert "side" in words or "phone" in words
        assert words.endswith(".")


def test_a_study_taken_out_of_view_again_is_told_and_no_thanks_go_out_late(office: Office) -> None:
    """The work that thanks may be behind: what it would say is not true any more."""
    id = office.ask()
    office.work()
    for act, actor, reason in ((Act.OPEN, SENDER, ""), (Act.RECEIVE, SENDER, ""), (Act.SUBMIT, SENDER, "")):
        office.act(id, act, actor, reason)
    for act, actor in ((Act.STORE, SYSTEM), (Act.WITHDRAW, REVIEWER), (Act.REJECT, SYSTEM)):
        office.requests.act(id, act, actor, reason="" if act is Act.STORE else "canary-reason")
    office.work()
    assert office.mail(TO) == [(TO, "Images asked for"), (TO, "Something is still missing")]
