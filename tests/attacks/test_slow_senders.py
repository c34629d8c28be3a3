"""Who sends slowly, or nothing, or never reads: the clinicians' pages answer all the while, and who is slow for a good reason gets through.

Against `priors serve` as it is run, with one worker and few threads, so that few attackers are enough.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.clock import utc_now
from smart_app.config_file import load
from smart_app.links.about import About, write_about
from smart_app.links.types import Purpose
from smart_app.parts import build
from tests import peers
from tests.attacks.arena import Said, pieces

HANDLE = "5" * 32
APP, PORTAL = "app.localhost:8700", "send.localhost:8702"
MANY = 48
FORM = "application/x-www-form-urlencoded"


class Served:
    def __init__(self, port: int, config: Path, cookie: str) -> None:
        self.port, self.config, self.cookie = port, config, cookie

    def open(self, first: bytes = b"", receive: int = 0) -> socket.socket:
        made = socket.socket()
        if receive:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        made.settimeout(20)
        made.connect(("127.0.0.1", self.port))
        made.sendall(first)
        return made

    def page(self) -> int:
        """The desk, as a clinician's browser asks for it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=4)
        try:
            connection.request("GET", f"/l/{HANDLE}/desk", headers={"Host": APP, "Cookie": f"{BROWSER_COOKIE}={self.cookie}"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except TimeoutError:
            return 0
        finally:
            connection.close()

    def post(self, path: str, body: bytes, **headers: str) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        ours = {"Host": PORTAL, "Origin": f"http://{PORTAL}", "Sec-Fetch-Site": "same-origin"} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, ours)
        answer = connection.getresponse()
        said = Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return said


@contextmanager
def served(folder: Path, workers: int = 1, **more: object) -> Iterator[Served]:
    (folder / "sealing-key").write_text(secrets.token_urlsafe(32))
    (folder / "sealing-key").chmod(0o600)
    issuer = "http://127.0.0.1:9/fhir"
    ehr = {"key": "northgate", "name": "Northgate", "issuer": issuer, "client_id": "priors", "allow_http": True, "roles": [{"role": "staff", "users": ["vale"]}]}
    content = {
        "public_url": f"http://{APP}", "portal_url": f"http://{PORTAL}", "development": True, "data_dir": "data", "sealing_keys": [{"id": "test", "file": "sealing-key"}],
        "ehrs": [ehr], "frame_cache_bytes": 0, "receiving": {"spare_bytes": 0}, "web_threads": 8, "body_threads": 2, "slow_seconds": 2, **more,
    }  # fmt: skip
    config = folder / "priors.yaml"
    config.write_text(yaml.safe_dump(content))
    parts = build(load(config))
    now = utc_now()
    context = LaunchContext(HANDLE, "northgate", issuer, User(issuer, "vale", name="Vale"), None, None, frozenset({"user/*.rs"}), now, now + timedelta(hours=1), "default")
    cookie = parts.store.open_launch(None, context, TokenSet("t", now + timedelta(hours=1)))
    parts.database.engine.dispose()
    port = peers.free_port()
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "smart_app.cli", "serve", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
        running = subprocess.Popen(command, env={**os.environ, "PRIORS_CONFIG": str(config)}, stdout=log, stderr=log, cwd=folder)
    try:
        peers.wait_until(lambda: peers.answers(f"http://127.0.0.1:{port}/healthz"), "the web worker", 60)
        yield Served(port, config, cookie)
    finally:
        running.terminate()
        running.wait(40)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("slow")) as made:
        yield made


def head(path: str, host: str = PORTAL, method: str = "POST", **headers: object) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


ATTACKS: dict[str, Callable[[], bytes]] = {
    "says nothing": lambda: b"",
    "a head without an end": lambda: f"POST /ask HTTP/1.1\r\nHost: {PORTAL}\r\nX-A: ".encode(),
    "a form that does not come": lambda: head("/ask", Content_Type=FORM, Content_Length=1000),
    "half a form": lambda: head("/ask", Content_Type=FORM, Content_Length=1000) + b"person=",
    "a long form that does not come": lambda: head("/ask", Content_Type=FORM, Content_Length=900_000),
    "a body in chunks": lambda: head("/ask", Content_Type=FORM, Transfer_Encoding="chunked") + b"5\r\nab",
    "asks whether to go on": lambda: head("/ask", Content_Type=FORM, Content_Length=1000, Expect="100-continue"),
    "the same to the clinicians' host": lambda: head("/fhir/token", APP, Content_Type=FORM, Content_Length=900_000),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_pages_answer_while_many_stand_still(here: Served, attack: str) -> None:
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(here.open(ATTACKS[attack]()))
        assert [here.page() for _ in range(5)] == [200] * 5


def test_pages_answer_while_many_drip(here: Served) -> None:
    first, stop = head("/ask", Content_Type=FORM, Content_Length=900_000), threading.Event()
    with ExitStack() as held:
        dripping = [held.enter_context(here.open(first)) for _ in range(MANY)]

        def drip() -> None:
            while not stop.wait(0.2):
                for one in dripping:
                    with suppress(OSError):
                        one.send(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert [here.page() for _ in range(5)] == [200] * 5
        finally:
            stop.set()
            thread.join()


def test_pages_answer_while_many_never_hang_up(here: Served) -> None:
    """Each is answered and told goodbye, and stays on the line."""
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(here.open(head("/ask", method="GET", Connection="close")))
        assert [here.page() for _ in range(5)] == [200] * 5


def test_pages_answer_while_many_read_nothing(here: Served) -> None:
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(here.open(head("/ask", method="GET") * 400, receive=1024))
        assert [here.page() for _ in range(5)] == [200] * 5


def test_a_thousand_idle_connections_keep_nobody_out(here: Served) -> None:
    with ExitStack() as held:
        for _ in range(800):
            held.enter_context(here.open())
        assert here.page() == 200


class Sender:
    """A sender who has shown that a link is theirs, and has announced one file."""

    def __init__(self, here: Served, size: int) -> None:
        parts = build(load(here.config))
        with parts.database.transaction() as session:
            link = parts.links.issue(session, Purpose.BROUGHT, None, about=write_about(About("CT", "E. V.", "1951-08-09", "Elena")))
        self.here, self.path = here, f"/s/{parts.links.token(link)}"
        proved = here.post(f"{self.path}/proof", urlencode({"code": parts.links.code(link), "day": "9", "month": "8", "year": "1951"}).encode(), Content_Type=FORM)
        assert proved.status == 303, proved.text
        parts.database.engine.dispose()
        self.cookie = proved.headers["set-cookie"].partition(";")[0]
        self.upload = self.say("/uploads", {})["upload"]
        self.held(size)

    def say(self, path: str, content: object) -> dict[str, object]:
        said = self.here.post(self.path + path, json.dumps(content).encode(), Content_Type="application/json", Accept="application/json", Cookie=self.cookie)
        return dict(said.json)

    def held(self, size: int) -> int:
        files = self.say(f"/uploads/{self.upload}/files", {"files": [{"name": "a.dcm", "size": size}]})["files"]
        assert isinstance(files, list)
        self.file = int(files[0]["file"])
        return int(files[0]["held"])

    def begins(self, length: int) -> socket.socket:
        return self.here.open(head(f"{self.path}/uploads/{self.upload}/pieces", Content_Type="application/octet-stream", Content_Length=length, Accept="application/json", Cookie=self.cookie))


def test_a_slow_phone_gets_through_and_a_silent_one_may_go_on(here: Served) -> None:
    data = secrets.token_bytes(200_000)
    sender = Sender(here, len(data))
    body = pieces((sender.file, 0, data))
    with sender.begins(len(body)) as phone:
        for at in range(0, len(body), 20_000):  # five seconds at 40 kB/s: more than twice the time in which a silent one is given up
            phone.sendall(body[at : at + 20_000])
            time.sleep(0.5)
        said = phone.recv(65536)
    assert said.startswith(b"HTTP/1.1 200"), said
    silent = Sender(here, len(data))
    body = pieces((silent.file, 0, data))
    with silent.begins(len(body)) as phone:
        phone.sendall(body[:90_000])
        said = b"".join(iter(lambda: phone.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 503"), "its page tries again; it is not told that the link has ended"
    assert b"broken-off" in said
    assert silent.held(len(data)) == 0, "nothing is called received that did not come whole"
    assert silent.here.post(f"{silent.path}/uploads/{silent.upload}/pieces", body, Content_Type="application/octet-stream", Cookie=silent.cookie).status == 200
    assert silent.held(len(data)) == len(data)


def test_pages_answer_while_many_uploads_stand_still_and_who_waits_is_told(here: Served) -> None:
    sender = Sender(here, 1_000_000)
    with ExitStack() as held:
        stalled = [held.enter_context(sender.begins(1_000_000)) for _ in range(MANY)]
        assert [here.page() for _ in range(5)] == [200] * 5
        told = b"".join(iter(lambda: stalled[-1].recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 503"), told
    assert b"Retry-After" in told, told
    assert b"try again" in told, told


def test_a_form_longer_than_any_is_refused_unread(here: Served) -> None:
    for path, host in (("/ask", PORTAL), ("/fhir/token", APP)):
        with here.open(head(path, host, Content_Type=FORM, Content_Length=900_000)) as stranger:
            assert stranger.recv(65536).startswith(b"HTTP/1.1 413"), path


def test_who_has_a_connection_keeps_it_while_several_workers_wait_for_the_next(tmp_path: Path) -> None:
    """A worker that finds the newcomer taken by another sends nobody away for it."""
    with served(tmp_path, workers=3) as here:
        kept = [http.client.HTTPConnection("127.0.0.1", here.port, timeout=20) for _ in range(6)]
        for one in kept:
            one.connect()
            one.auto_open = 0  # once ended, it stays ended
        for _ in range(25):
            for one in kept:
                one.request("GET", "/healthz", headers={"Host": APP})
                assert one.getresponse().read() == b'{"status":"ok"}\n'
            assert here.page() == 200
        for one in kept:
            one.close()
