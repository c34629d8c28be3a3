"""One request at the desk over HTTP: what may be done with it, its link and code, another hospital, and a new one for a patient whom the EHR named.

`smart_app.desk.request_views`, `smart_app.desk.site_views` and `smart_app.desk.offer_views`, and behind them `smart_app.desk.asking`, `smart_app.desk.offers`,
`smart_app.desk.sender_links` and `smart_app.desk.surroundings`, as a person meets them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.audit.events import Who
from smart_app.image_requests.types import RouteKind, State
from smart_app.image_requests.workflow import Act
from smart_app.jobs.types import Job, NeedsAttention
from smart_app.links.types import Purpose
from smart_app.portal.offers import Asked
from smart_app.wiring.portal import offers_of
from tests.functional.desk_office import FERRY, KESTREL, SENDER, STAFF, Office, office


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office(tmp_path, monkeypatch, portal_url="http://send.localhost:8000") as made:
        yield made


def buttons(page: str) -> set[str]:
    return set(re.findall(r'name="do" value="([a-z]+)"', page))


def test_a_request_shows_its_story_and_what_may_be_done_now(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto", why="Surgery tomorrow")
    worker = desk.worker()
    page = worker.get(f"/desk/requests/{one.id}")
    assert page.status_code == 200
    assert {"remind", "accept", "decline", "cancel", "note", "assign", "move"} <= buttons(page.text)
    assert not {"send", "reopen"} & buttons(page.text)
    desk.parts.requests.act(one.id, Act.OPEN, SENDER)
    desk.parts.requests.act(one.id, Act.DECLINE, SENDER, reason="No <such> patient here")
    page = worker.get(f"/desk/requests/{one.id}").text
    assert "No &lt;such&gt; patient here" in page
    assert {"reopen", "note", "assign"} <= buttons(page)
    assert not {"remind", "accept", "decline", "cancel", "move"} & buttons(page)
    assert [record.patient for record in desk.audited("RequestShown")] == ["p1", "p1"]
    for nothing in ("RQ-NOTTHERE", one.id.lower(), "x"):
        assert worker.get(f"/desk/requests/{nothing}").status_code == 404


def test_what_a_hospital_says_by_phone_is_written_down_with_who_wrote_it(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    worker = desk.worker()

    def do(what: str, said: str = "", version: int | None = None) -> int:
        now = desk.parts.requests.get(one.id).version if version is None else version
        return int(worker.post(f"/desk/requests/{one.id}/do", do=what, text=said, version=str(now)).status_code)

    assert do("decline") == 400, "without a reason nothing is declined"
    assert do("decline", "x", version=0) == 409, "somebody changed it meanwhile"
    assert do("accept", "Mrs Whitcombe: sends it this afternoon") == 303
    assert desk.parts.requests.get(one.id).state is State.ACCEPTED
    assert do("send") == 409
    assert do("decline", "They found nothing after all") == 303
    assert do("reopen", "The birth date was wrong") == 303
    assert desk.parts.requests.get(one.id).state is State.SENT
    assert do("note", "Calls back at 3") == 303
    told = [(event.action, event.name, event.note) for event in desk.parts.requests.history(one.id)]
    assert told[1:] == [
        ("accept", "T. Amsel", "Mrs Whitcombe: sends it this afternoon"), ("decline", "T. Amsel", "They found nothing after all"),
        ("reopen", "T. Amsel", "The birth date was wrong"), ("note", "T. Amsel", "Calls back at 3"),
    ]  # fmt: skip
    assert do("note", "x" * 501) == 400


def test_the_code_is_shown_when_asked_for_and_stands_on_the_record_without_being_in_it(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    worker, path = desk.worker(), f"/desk/requests/{one.id}"
    assert worker.post(f"{path}/code").status_code == 409, "no link yet"
    with desk.parts.database.transaction() as session:
        link = desk.parts.links.issue(session, Purpose.REQUEST, one.id)
    code, token = desk.parts.links.code(link), desk.parts.links.token(link)
    spaced = f"{code[:3]} {code[3:]}"
    assert spaced not in worker.get(path).text
    seen = worker.post(f"{path}/code")
    assert spaced in seen.text
    assert token not in seen.text, "link and code never stand on one page"
    (record,) = desk.audited("CodeShown")
    assert record.patient == "p1"
    assert code not in record.details
    assert worker.post(f"{path}/code", forged=True).status_code == 403


def test_a_link_lives_longer_or_ends_and_only_that_of_this_request(desk: Office) -> None:
    one, other = desk.ask("p1", "GRUNWALD, Otto"), desk.ask("p2", "LISKA, Veronika")
    worker = desk.worker()
    with desk.parts.database.transaction() as session:
        link = desk.parts.links.issue(session, Purpose.REQUEST, one.id, days=3)
    assert worker.post(f"/desk/requests/{other.id}/link", link=link.id, do="revoke").status_code == 409
    for days in ("365", "", "-3", "x"):
        assert worker.post(f"/desk/requests/{one.id}/link", link=link.id, do="extend", days=days).status_code == 409
    assert worker.post(f"/desk/requests/{one.id}/link", link=link.id, do="extend", days="14").status_code == 303
    (longer,) = desk.parts.links.of_request(one.id)
    assert (longer.expires_at - link.expires_at).days == 11
    assert worker.post(f"/desk/requests/{one.id}/link", link=link.id, do="revoke").status_code == 303
    assert desk.parts.links.of_request(one.id)[0].ended == "revoked"
    assert worker.post(f"/desk/requests/{one.id}/link", link=link.id, do="extend", days="14").status_code == 409, "what was ended on purpose stays so"
    assert worker.post(f"/desk/requests/{one.id}/code").status_code == 409


def test_another_hospital_is_asked_too_once_and_a_draft_is_addressed(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    worker, path = desk.worker(), f"/desk/requests/{one.id}"
    made = worker.post(f"{path}/ask", whom="ferrybank:0")
    assert made.status_code == 303
    other = desk.parts.requests.get(made.headers["Location"].rpartition("/")[2])
    assert (other.facility, other.state, other.asked.patient, other.asked.wanted) == (FERRY, State.SENT, one.asked.patient, one.asked.wanted)
    again = worker.post(f"{path}/ask", whom="ferrybank:0")
    assert (again.status_code, other.id in again.text) == (409, True)
    for wrong in ("", "ferrybank:9", "nowhere:0", "ferrybank:-1", ":0", "ferrybank:"):
        assert worker.post(f"{path}/ask", whom=wrong).status_code == 400, wrong
    draft = desk.ask("p2", "LISKA, Veronika", send=False)
    assert "send" in buttons(worker.get(f"/desk/requests/{draft.id}").text)
    worker.post(f"/desk/requests/{draft.id}/ask", whom="patient")
    assert desk.parts.requests.get(draft.id).asked.route.kind is RouteKind.PATIENT
    assert desk.parts.requests.get(draft.id).state is State.DRAFT


def test_failed_work_says_what_and_what_next_and_is_tried_again_once(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")

    def refused(job: Job) -> None:
        raise NeedsAttention("no-address")

    desk.parts.ledger.run_due({"dispatch": refused})
    worker = desk.worker()
    page = worker.get("/desk/attention").text
    assert "A request was not sent out" in page
    assert "There is no address to send it to." in page
    assert one.id in page
    key = f"{one.id}.1"
    assert worker.post("/desk/attention/again", kind="dispatch", key=key, forged=True).status_code == 403
    assert worker.post("/desk/attention/again", kind="dispatch", key=key).status_code == 303
    assert worker.post("/desk/attention/again", kind="dispatch", key=key).status_code == 404
    tried: list[str] = []
    desk.parts.ledger.run_due({"dispatch": lambda job: tried.append(job.key)})
    assert tried == [key]
    (record,) = desk.audited("WorkTriedAgain")
    assert json.loads(record.details) == {"kind": "dispatch", "key": key}


def test_hospitals_are_told_apart_by_how_long_they_take(desk: Office) -> None:
    one, other = desk.ask("p1", "GRUNWALD, Otto"), desk.ask("p2", "LISKA, Veronika", facility=FERRY)
    system = STAFF.__class__(SENDER.party.SYSTEM)
    desk.parts.requests.act(one.id, Act.RECEIVE, SENDER)
    desk.now = desk.now.replace(hour=desk.now.hour, minute=50)
    desk.parts.requests.act(one.id, Act.STORE, system)
    desk.parts.requests.act(other.id, Act.OPEN, SENDER)
    desk.parts.requests.act(other.id, Act.DECLINE, SENDER, reason="not here")
    worker = desk.worker()
    page = re.sub(r"<[^>]+>", " ", worker.get("/desk/hospitals").text)
    page = re.sub(r"\s+", " ", page)
    assert "Kestrel 1 1 50 min 1 of 1 0 0 0" in page
    assert "Ferrybank Heart 1 0 nothing received none had a time 1 0 0" in page
    assert "median 50 min" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", worker.get("/desk").text))


def test_a_hospital_is_added_found_and_changed_and_nonsense_is_not_saved(desk: Office) -> None:
    worker = desk.worker()
    form = {"name": "Hôpital Saint-Brannoc", "place": "St Brannoc", "phone": "0555 0300", "kind": ["email", "fax"], "address": ["images@brannoc.example", "0555 0301"], "is_active": "yes"}
    assert worker.post("/desk/facilities/save", **form).status_code == 303
    (made,) = [one for one in desk.parts.facilities.all() if one.place == "St Brannoc"]
    assert [(way.kind, way.address) for way in made.routes] == [(RouteKind.EMAIL, "images@brannoc.example"), (RouteKind.FAX, "0555 0301")]
    assert "Hôpital" in worker.get("/desk/facilities?find=hopital").text
    for wrong in ({"name": " "}, {"address": ["a@b\r\nBcc: x@y", ""]}, {"address": ["not an address", ""]}, {"phone": "call me"}, {"kind": ["fax", "fax"], "address": ["1@x.example", ""]},
                  {"kind": ["patient", "fax"]}):  # fmt: skip
        assert worker.post("/desk/facilities/save", **form | wrong).status_code == 400, wrong
    assert worker.post("/desk/facilities/save", **form, facility="nowhere").status_code == 404
    assert worker.post("/desk/facilities/save", **{name: value for name, value in form.items() if name != "is_active"}, facility=made.id).status_code == 303
    assert made.id not in {one.id for one in desk.parts.facilities.all()}
    assert "Not asked any more" in worker.get("/desk/facilities").text
    assert desk.parts.facilities.get(KESTREL.id) == KESTREL
    assert [json.loads(one.details).get("is_new", "") for one in desk.audited("FacilitySaved")] == ["yes", ""]


def test_without_a_backend_client_a_request_begins_in_the_chart(desk: Office) -> None:
    worker = desk.worker()
    assert "Ask from the patient’s chart" in worker.get("/desk/new").text
    assert worker.post("/desk/new/find", number="1", born="1951-08-09").status_code == 404
    for token in ("", "x", "AAAA", "ü"):
        assert worker.post("/desk/new", patient=token, title="CT head", whom="kestrel:0").status_code == 404


def test_who_asks_to_send_is_allowed_or_declined_by_one_person(desk: Office) -> None:
    offers = offers_of(desk.parts)
    who = Who.nobody(desk.parts.settings.tenant, "", "")
    asked = Asked("Ferrybank Heart", "D. Whitcombe", "films@ferrybank.example", "0555 0201", "Cath films", initials="O. G.", urgent=True)
    first, second = offers.ask(asked, who), offers.ask(replace(asked, urgent=False, organization="", person="A. Parent", is_patient=True), who)
    worker, other = desk.worker(), desk.worker("J. Ruiz")
    page = worker.get("/desk/offers").text
    assert page.index("Ferrybank Heart, D. Whitcombe") < page.index("A. Parent"), "urgent ones come first"
    assert re.search(r"Asked to send <span class=\"n\">2</span>", worker.get("/desk").text)
    assert worker.post("/desk/offers/answer", offer=first, do="allow").status_code == 303
    assert other.post("/desk/offers/answer", offer=first, do="decline", text="no").status_code == 409
    assert offers.get(first).link is not None
    assert worker.post("/desk/offers/answer", offer=second, do="decline", text=" ").status_code == 400
    assert worker.post("/desk/offers/answer", offer=second, do="decline", text="Please ask your own hospital").status_code == 303
    assert worker.post("/desk/offers/answer", offer=second, do="").status_code == 400
    assert worker.post("/desk/offers/answer", forged=True, offer=second, do="allow").status_code == 403
    assert offers.get(second).link is None
    assert "Nobody waits for an answer" in worker.get("/desk/offers").text


def test_only_reviewers_are_led_to_what_came(desk: Office) -> None:
    assert "Review what came" not in desk.worker().get("/desk").text
    page = desk.worker("R. Iver", roles=("staff", "reviewer")).get("/desk").text
    assert ("Review what came" in page) is ("Second person" in page) is ("intake.overview" in desk.app.view_functions)
