"""From the link to "that is all": each step with what it leaves behind."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.image_requests.types import Route, RouteKind
from smart_app.intake.types import Finding, Level
from smart_app.jobs.types import Job, Later
from smart_app.portal.abandoned import Abandoned
from smart_app.portal.telling import Telling
from smart_app.wiring import portal
from tests.unit.launch.ehr_sim import MovingClock
from tests.unit.portal import senders
from tests.unit.portal.senders import World, stored


def test_a_sender_proves_sends_and_says_that_this_is_all(world: World) -> None:
    sender = world.sender()
    assert world.state() == "opened"
    sender.begin()
    first, second = os.urandom(700), os.urandom(30)
    assert [one["file"] for one in sender.announce(("DICOM/IM1", 700), ("DICOM/IM2", 30))] == [1, 2]
    assert world.state() == "opened", "announcing is not receiving"
    answer = sender.send((1, 0, first[:400]), (2, 0, second))
    assert (answer.status_code, answer.json["received"], answer.json["whole"], answer.json["files"]) == (200, 430, 1, 2)
    assert world.state() == "receiving"
    refused = sender.finish()
    assert (refused.status_code, refused.json["missing"]) == (409, [1])
    assert world.state() == "receiving"
    assert sender.send((1, 400, first[400:])).json["pieces"] == [{"file": 1, "outcome": "held", "held": 700, "whole": True}]
    assert sender.finish().status_code == 200
    assert world.state() == "in-review"
    assert world.work("screen") == [sender.upload]
    assert stored(world) == {"DICOM/IM1": first, "DICOM/IM2": second}
    assert sender.finish().status_code == 200, "said twice is said once"
    assert len(world.audited("UploadFinished")) == 1
    assert world.audited("UploadFinished")[0]["patient"] == "p1"
    more = world.sender()
    assert more.begin() != sender.upload
    more.announce(("late.dcm", 3))
    more.send((1, 0, b"abc"))
    assert world.state() == "receiving"
    assert more.finish().status_code == 200
    assert sorted(world.work("screen")) == sorted([sender.upload, more.upload])


def test_what_the_sender_leaves_out_is_not_waited_for_and_nothing_at_all_is_no_upload(world: World) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("a", 3), ("b", 3))
    assert sender.finish(1, 2).status_code == 409
    sender.send((1, 0, b"abc"))
    assert sender.finish(2).status_code == 200
    assert list(stored(world)) == ["a"]


def test_an_answer_reaches_the_request(world: World) -> None:
    sender = world.sender()
    assert sender.post("/answer", data={"answer": "accept"}).status_code == 303
    assert world.state() == "accepted"
    assert sender.post("/answer", data={"answer": "decline"}).status_code == 400, "without a reason"
    page = sender.post("/answer", data={"answer": "decline", "reason": "no-patient"})
    assert (page.status_code, "No such patient here" in page.text) == (200, True)
    assert world.state() == "declined"
    assert world.parts.requests.get(world.request.id).reason == "No such patient here"
    assert sender.get("/send").status_code == 404, "a closed request takes nothing"


def test_a_patient_answers_in_a_patients_words(world: World) -> None:
    patients = world.parts.requests.create(replace(world.request.asked, facility=None, route=Route(RouteKind.PATIENT)), senders.STAFF)
    sender = world.sender(world.issue(request=patients.id))
    page = sender.get("/send").text
    assert ("I have a disc, and no drive for it" in page, "No such patient here" in page) == (True, False)
    sender.post("/answer", data={"answer": "decline", "reason": "no-drive", "words": "It is a DVD"})
    assert world.parts.requests.get(patients.id).reason == "I have a disc, and no drive for it. It is a DVD"


def test_a_sender_says_that_the_rest_cannot_be_sent_and_those_who_asked_read_it_once(world: World) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("a", 3))
    sender.send((1, 0, b"abc"))
    sender.finish()
    assert [sender.post("/cannot").status_code for _ in range(2)] == [200, 200]
    told = [one.note for one in world.parts.requests.history(world.request.id) if "cannot be sent" in one.note]
    assert told == ["Kestrel Valley says that what is damaged or missing cannot be sent."]
    assert world.state() == "in-review", "whoever asked decides whether the rest is enough"
    nobody = world.sender(proved=False)
    assert nobody.post("/cannot").status_code == 404


def test_what_was_found_is_told_once_somebody_has_looked(world: World) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("a", 3))
    sender.send((1, 0, b"abc"))
    found = (Finding("damaged", Level.BAD, "6 images break off in the middle.", 6),)
    told: dict[str, tuple[Finding, ...]] = {}
    telling = Telling(world.parts.spool, lambda upload: told.get(upload.id))
    told[sender.upload] = found
    state = telling.state(world.visit())
    assert [(one["checked"], one["findings"]) for one in state["uploads"]] == [(False, [])], "not before it is handed over"
    sender.finish()
    state = telling.state(world.visit())
    assert [(one["state"], one["checked"], one["received"]) for one in state["uploads"]] == [("finished", True, 3)]
    assert state["uploads"][0]["findings"] == [{"what": "damaged", "level": "bad", "words": "6 images break off in the middle.", "count": 6}]
    assert sender.get("/state").json["uploads"][0]["checked"] is False
    assert "1 of 1 file" in sender.get("/receipt").text


@pytest.mark.parametrize("ended", [False, True])
def test_what_a_sender_left_behind_is_looked_at_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool) -> None:
    clock = MovingClock()
    with senders.world(tmp_path, monkeypatch, clock=clock) as world:
        handler = portal.handlers(world.parts)["abandoned"]
        assert isinstance(handler, Abandoned)
        sender = world.sender()
        sender.begin()
        sender.announce(("a", 3), ("b", 3))
        job = Job("abandoned", sender.upload, 1, lambda: None)
        clock.forward(hours=23)
        sender.prove(world.parts.links.code(world.link))  # a pass is good for half a day
        assert sender.send((1, 0, b"abc")).status_code == 200
        clock.forward(hours=2)
        with pytest.raises(Later):
            handler(job)
        if ended:
            with world.parts.database.transaction() as session:
                world.parts.links.revoke(session, world.link)
        clock.forward(hours=23)
        handler(job)
        handler(job)
        assert world.work("screen") == [sender.upload]
        assert world.state() == "in-review"
        assert list(stored(world)) == ["a"]


def test_what_broke_off_and_was_never_taken_up_again_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovingClock()
    with senders.world(tmp_path, monkeypatch, clock=clock) as world:
        sender = world.sender()
        sender.begin()
        sender.announce(("a", 3))
        assert sender.send((1, 0, b"ab")).status_code == 200
        assert world.state() == "receiving"
        with world.parts.database.transaction() as session:
            assert world.parts.spool.coming(session, str(world.link.request)) == {sender.upload}
        clock.forward(hours=25)
        portal.handlers(world.parts)["abandoned"](Job("abandoned", sender.upload, 1, lambda: None))
        assert world.state() == "in-review"
        assert world.work("screen") == [sender.upload], "whoever looks finds nothing, and tells the request so"


def test_a_disk_that_fails_is_told_and_nothing_is_called_received(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("IM1", 30))

    def failing(fd: int) -> None:
        raise OSError(5, "failed")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", failing)
        answer = sender.send((1, 0, bytes(30)))
    assert answer.status_code == 503
    assert "nothing of it is received" in answer.text
    assert world.state() == "opened"
    assert sender.finish().status_code == 409
    assert sender.send((1, 0, bytes(30))).json["received"] == 30
    assert sender.finish().status_code == 200
    assert stored(world) == {"IM1": bytes(30)}
