"""safety.md K1 to K6 and G13, by name: guesses, five tries in a life, scanners, ended links, nothing before proof, nothing back."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from smart_app.image_requests.workflow import Act
from smart_app.links.types import Purpose
from tests.unit.launch.ehr_sim import MovingClock
from tests.unit.portal import senders
from tests.unit.portal.senders import APP, OURS, PORTAL, STAFF, Sender, World, canaries

PHI = ("CANARY", "Rosalind", "1951", "40771953")


def _without_reference(page: str) -> str:
    return page.partition("Reference")[0]


def test_k1_an_unknown_link_looks_like_one_that_has_ended(world: World) -> None:
    ended = world.issue(request=world.request.id)
    with world.parts.database.transaction() as session:
        world.parts.links.revoke(session, ended)
    unknown = Sender(world.app.test_client(), "x" * 43)
    gone = world.sender(ended, proved=False)
    for path, method in (("", "get"), ("/proof", "post"), ("/send", "get"), ("/state", "get"), ("/uploads", "post"), ("/receipt", "get")):
        first, second = getattr(unknown, method)(path), getattr(gone, method)(path)
        assert (first.status_code, second.status_code) == (404, 404)
        assert _without_reference(first.text) == _without_reference(second.text)
        assert {name for name, _ in first.headers} == {name for name, _ in second.headers}
    assert len(world.parts.links.token(world.link)) == 43, "256 bits"
    assert len({world.parts.links.token(world.issue(request=world.request.id)) for _ in range(50)}) == 50


def test_k2_of_a_hundred_parallel_tries_five_are_judged_and_the_right_one_is_then_too_late(world: World) -> None:
    token, right = world.parts.links.token(world.link), world.parts.links.code(world.link)
    wrong = "222222" if right != "222222" else "333333"
    statuses: list[int] = []

    def attempt() -> None:
        statuses.append(Sender(world.app.test_client(), token).prove(wrong).status_code)

    threads = [threading.Thread(target=attempt) for _ in range(100)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(set(statuses)) == [403, 404]
    assert statuses.count(403) == 5
    assert [one["left"] for one in world.audited("LinkProofFailed")] == [4, 3, 2, 1, 0]
    assert [one["why"] for one in world.audited("LinkEnded")] == ["locked"]
    assert Sender(world.app.test_client(), token).prove(right).status_code == 404
    assert world.state() == "sent"


def test_k2_code_and_birth_date_are_both_needed_and_tries_are_counted_for_life(world: World) -> None:
    code = world.parts.links.code(world.link)
    first = world.sender(proved=False)
    assert "4 tries left in all" in first.prove(code, "1951-08-08").text
    assert "3 tries left in all" in first.prove("ZZZZZZ").text
    assert first.prove(code[:3].lower() + " " + code[3:]).status_code == 303, "in any case, with a blank"
    other = world.sender(proved=False)
    assert [other.prove("ZZZZZZ").status_code for _ in range(3)] == [403, 403, 403]
    assert first.get("/send").status_code == 404, "five wrong in the link's life close it for everybody"


def test_k2_a_pass_is_worth_nothing_with_another_link_or_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovingClock()
    with senders.world(tmp_path, monkeypatch, clock=clock) as world:
        sender, other = world.sender(), world.issue(request=world.request.id)
        cookie = sender.client.get_cookie(f"__Host-send-{world.link.id[:8]}", domain="send.localhost")
        assert cookie is not None
        assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.path) == (True, True, "Lax", "/")
        stranger = world.sender(other, proved=False)
        stranger.client.set_cookie(f"__Host-send-{other.id[:8]}", cookie.value, domain="send.localhost", secure=True)
        assert stranger.get("/state").status_code == 404
        forged = cookie.value.replace(cookie.value.split(".")[0], "9999999999")
        sender.client.set_cookie(f"__Host-send-{world.link.id[:8]}", forged, domain="send.localhost", secure=True)
        assert sender.get("/state").status_code == 404
        sender.client.set_cookie(f"__Host-send-{world.link.id[:8]}", cookie.value, domain="send.localhost", secure=True)
        assert sender.get("/state").status_code == 200
        clock.forward(hours=12)
        assert sender.get("/state").status_code == 404


def test_k3_a_mail_scanner_changes_nothing(world: World) -> None:
    client, token = world.app.test_client(), world.parts.links.token(world.link)
    before = world.audited("LinkOpened")
    for _ in range(25):
        assert client.get(f"/s/{token}", base_url=PORTAL).status_code == 200
        assert client.head(f"/s/{token}", base_url=PORTAL).status_code == 200
        assert client.get(f"/s/{token}/send", base_url=PORTAL).status_code == 303
        assert client.get(f"/s/{token}/proof", base_url=PORTAL).status_code == 405
    assert (world.state(), world.audited("LinkOpened"), world.parts.links.find(token)) == ("sent", before, world.link)
    world.sender()
    assert world.state() == "opened"


@pytest.mark.parametrize("end", ["revoked", "expired", "cancelled"])
def test_k4_an_ended_link_refuses_the_next_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    clock = MovingClock()
    with senders.world(tmp_path, monkeypatch, clock=clock) as world:
        sender = world.sender()
        sender.begin()
        sender.announce(("a", 6))
        assert sender.send((1, 0, b"abc")).status_code == 200
        if end == "revoked":
            with world.parts.database.transaction() as session:
                world.parts.links.revoke(session, world.link)
        elif end == "expired":
            clock.forward(days=14)
        else:
            world.parts.requests.act(world.request.id, Act.CANCEL, STAFF, reason="found elsewhere")
        for answer in (sender.send((1, 3, b"def")), sender.finish(), sender.get("/state"), sender.get("/send"), sender.post("/uploads")):
            assert answer.status_code == 404
        assert world.parts.spool.progress(sender.upload).held == 3
        page = sender.get("/send", Accept="text/html").text
        assert "This link has ended." in page
        assert "555 0142" in page


def test_k4_staff_extend_a_link_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovingClock()
    with senders.world(tmp_path, monkeypatch, clock=clock) as world:
        token = world.parts.links.token(world.link)
        clock.forward(days=13)
        with world.parts.database.transaction() as session:
            longer = world.parts.links.extend(session, world.link, 99)
        assert longer.expires_at == clock() + timedelta(days=30)
        assert world.parts.links.token(longer) == token
        clock.forward(days=20)
        world.sender()


def test_k5_nothing_of_the_patient_is_said_before_proof_or_kept_in_plain_text(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = world.sender(proved=False)
    for answer in (stranger.get(), stranger.get("/send"), stranger.get("/state"), stranger.prove("ZZZZZZ"), stranger.post("/uploads"), stranger.get("/receipt")):
        text = answer.text + str(answer.headers)
        assert not [word for word in PHI if word in text.replace("value=", "")], text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "R. C." in stranger.get().text
    sender = world.sender()
    sender.begin()
    sender.announce(("CANARY^FILE.dcm", 3))
    sender.send((1, 0, b"abc"))
    sender.finish()
    assert "CANARY" in sender.get("/send").text, "after proof the page may compare"
    logged = capsys.readouterr()
    secrets = (world.parts.links.token(world.link), world.parts.links.code(world.link))
    assert not [word for word in (*PHI[:2], *secrets) if word in logged.out + logged.err]
    world.parts.database.engine.dispose()
    assert canaries(tmp_path, (b"CANARY", *(word.encode() for word in secrets))) == []


def test_k6_nothing_that_was_sent_can_be_had_back(world: World) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("secret-name.dcm", 12))
    sender.send((1, 0, b"IMAGE-CANARY"))
    sender.finish()
    for rule in world.app.url_map.iter_rules():
        if not rule.rule.startswith("/s/"):
            continue
        path = rule.rule.replace("<string(length=43):token>", sender.token).replace("<string(length=24):upload>", sender.upload)
        for method in ("GET", "POST"):
            body = sender.client.open(path, method=method, base_url=PORTAL, headers=OURS).data
            assert b"IMAGE-CANARY" not in body, path
            assert b"secret-name" not in body, path
    for path in (f"/uploads/{sender.upload}", f"/uploads/{sender.upload}/files/1", f"/uploads/{sender.upload}/pieces", f"/uploads/{sender.upload}/files"):
        assert sender.get(path).status_code in (404, 405)


def test_another_links_upload_is_not_there(world: World) -> None:
    mine = world.sender()
    mine.begin()
    mine.announce(("a", 3))
    other = world.sender(world.issue(request=world.request.id))
    other.upload = mine.upload
    assert other.send((1, 0, b"abc")).status_code == 404
    assert other.finish().status_code == 404
    assert other.post(f"/uploads/{mine.upload}/files", json={"files": [{"name": "x", "size": 1}]}).status_code == 404


def test_the_two_hosts_share_nothing(world: World) -> None:
    token = world.parts.links.token(world.link)
    client = world.app.test_client()
    assert client.get(f"/s/{token}", base_url=APP).status_code == 404
    assert client.get("/", base_url=PORTAL).headers["Location"] == "/ask"
    for path in ("/launch", "/l/" + "h" * 32 + "/studies", "/jwks.json", "/sign-in/northgate", "/nowhere"):
        answer = client.get(path, base_url=PORTAL, headers={"Accept": "text/html"})
        assert answer.status_code == 404, path
        assert "Images tab" not in answer.text
    assert client.get("/healthz", base_url=PORTAL).status_code == 200
    assert client.get(f"/s/{token}", base_url="http://evil.localhost:8000").status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": APP, "Sec-Fetch-Site": "same-site"}, {"Origin": "null"}])
def test_another_sites_form_changes_nothing(world: World, headers: dict[str, str]) -> None:
    sender = world.sender()
    assert sender.post("/answer", headers=headers, data={"answer": "accept"}).status_code == 403
    assert world.state() == "opened"


def test_a_link_without_a_request_asks_for_its_code_alone(world: World) -> None:
    link = world.issue(Purpose.OFFERED)
    sender = world.sender(link, proved=False)
    assert "Birth date" not in sender.get().text
    assert sender.prove("ZZZZZZ").status_code == 403
    assert sender.prove(world.parts.links.code(link)).status_code == 303
    sender.begin()
    sender.announce(("a", 3))
    sender.send((1, 0, b"abc"))
    assert sender.finish().status_code == 200
    assert world.work("screen") == [sender.upload]


def test_the_first_phone_has_a_photo_link_and_no_other(world: World) -> None:
    link = world.issue(Purpose.PHOTO, days=1 / 96)
    phone, second = world.sender(link, proved=False), world.sender(link, proved=False)
    for _ in range(3):
        assert phone.get().status_code == 200
    assert phone.post("/proof").status_code == 303
    assert second.post("/proof").status_code == 404
    assert phone.get("/send").status_code == 200
