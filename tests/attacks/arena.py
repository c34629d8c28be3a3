"""Where the attacks are fought: a hospital that asks and receives, served on a real socket, with everybody who might misbehave in it."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from sandbox.serving import serve
from smart_app.clock import utc_now
from smart_app.db import Base
from smart_app.links.types import Link, Purpose
from smart_app.parts import Parts
from smart_app.web.csrf import Csrf
from tests.functional.listing_world import bundle, patient
from tests.functional.test_intake import Desk, desk
from tests.unit.archives.scripted import Asked, Say, fhir, scripted

APP, PORTAL = "http://app.localhost:8000", "http://send.localhost:8000"
FORM = "application/x-www-form-urlencoded"
UNTOLD = frozenset({"audit_records", "audit_heads", "launches", "browsers", "desk_people", "holding_patients", "holding_answers", "holding_studies", "holding_checked", "index_entries"})
"""Tables that change because somebody asked: records, sessions, and what a launch was shown."""


@dataclass(frozen=True)
class Said:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Person:
    """Somebody with a launch of their own."""

    handle: str
    cookie: str


@dataclass
class Arena:
    desk: Desk
    port: int
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        return self.desk.world.parts

    @property
    def app(self) -> Flask:
        return self.desk.world.client.application

    def ask(self, method: str, url: str, body: bytes | str | None = None, **headers: str) -> Said:
        """On a connection of its own. `url` begins with one of our origins, which go into Host; underscores in names of headers are dashes."""
        origin = APP if url.startswith(APP) else PORTAL
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Host": origin.partition("//")[2]} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, url.removeprefix(origin) or "/", body, sent)
        answer = connection.getresponse()
        said = Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return said

    def as_(self, who: Person, method: str, path: str, form: Any = None, *, handle: str = "", **headers: str) -> Said:
        """As this person's own page would. `handle`: under another launch."""
        under = handle or who.handle
        given = {"Cookie": f"{BROWSER_COOKIE}={who.cookie}"}
        body = None
        if method not in ("GET", "HEAD"):
            given |= {"Origin": APP, "Sec_Fetch_Site": "same-origin", "X_Priors_CSRF": self.token(who, under), "Content_Type": FORM}
            body = urlencode(form or {}, doseq=True)
        return self.ask(method, f"{APP}/l/{under}{path}", body, **(given | headers))

    def token(self, who: Person, handle: str = "") -> str:
        return Csrf(self.parts.keyring, APP).token(handle or who.handle, who.cookie)

    def person(self, subject: str, patient: str | None = None, ehr: str = "northgate", *, parts: Parts | None = None, tenant: str = "default") -> Person:
        """A launch of this user, signed in a moment ago."""
        parts, now = parts or self.parts, utc_now()
        issuer = next(one.issuer for one in parts.settings.ehrs if one.key == ehr)
        handle = hashlib.sha256(f"{subject} {patient} {ehr} {tenant}".encode()).hexdigest()[:32]
        context = LaunchContext(handle, ehr, issuer, User(issuer, subject, name=subject.title()), patient, None, frozenset({"patient/*.rs"}), now, now + timedelta(hours=1), tenant)
        return Person(handle, parts.store.open_launch(None, context, TokenSet("CANARY-TOKEN", now + timedelta(hours=1))))

    def everything(self) -> dict[str, list[str]]:
        """All rows that an attack could have changed, by table."""
        with self.parts.database.reading() as session:
            return {
                table.name: sorted(hashlib.sha256(repr(tuple(row)).encode()).hexdigest() for row in session.execute(select(table)))
                for table in Base.metadata.sorted_tables
                if table.name not in UNTOLD
            }

    def unsafe(self, *, on_portal: bool) -> Iterator[tuple[Rule, str]]:
        """Every unsafe method of every route of one host, but those of programs, which know no cookie."""
        for rule in self.app.url_map.iter_rules():
            view = self.app.view_functions[rule.endpoint]
            if getattr(view, "for_programs", False) or getattr(view, "for_senders", False) != on_portal:
                continue
            yield from ((rule, method) for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}))

    def path(self, rule: Rule, **values: Any) -> str:
        return self.app.url_map.bind("app.localhost").build(rule.endpoint, {name: values[name] for name in rule.arguments}, method=next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})))

    # --- senders

    def link(self, request: str | None, purpose: Purpose = Purpose.REQUEST, **more: Any) -> Link:
        with self.parts.database.transaction() as session:
            return self.parts.links.issue(session, purpose, request, **more)

    def browser(self, link: Link, born: str = "1951-08-09") -> Browser:
        made = Browser(self, self.parts.links.token(link))
        said = made.prove(self.parts.links.code(link), born)
        assert said.status == 303, said.text
        made.cookie = said.headers["set-cookie"].partition(";")[0]
        return made


@dataclass
class Browser:
    """One sender's browser, without its page."""

    arena: Arena
    token: str
    cookie: str = ""
    upload: str = ""

    def call(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Said:
        ours = {"Origin": PORTAL, "Sec_Fetch_Site": "same-origin"} if method == "POST" else {}
        return self.arena.ask(method, f"{PORTAL}/s/{self.token}{path}", body, **(ours | {"Cookie": self.cookie} | headers))

    def prove(self, code: str, born: str = "1951-08-09") -> Said:
        year, month, day = born.split("-")
        return self.call("POST", "/proof", urlencode({"day": day, "month": month, "year": year, "code": code}), Content_Type=FORM)

    def say(self, path: str, content: Any) -> Said:
        return self.call("POST", path, json.dumps(content), Content_Type="application/json", Accept="application/json")

    def begin(self) -> str:
        self.upload = self.say("/uploads", {}).json["upload"]
        return self.upload

    def announce(self, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
        said = self.say(f"/uploads/{self.upload}/files", {"files": [{"name": name, "size": len(data)} for name, data in files.items()]})
        assert said.status == 200, said.text
        return list(said.json["files"])

    def send(self, body: bytes) -> Said:
        return self.call("POST", f"/uploads/{self.upload}/pieces", body, Content_Type="application/octet-stream", Accept="application/json")

    def send_all(self, files: Mapping[str, bytes], piece: int = 1 << 20) -> None:
        """As the page does it: asks how far each is, and sends the rest until all of it is held."""
        contents = list(files.values())
        for one, data in zip(self.announce(files), contents, strict=True):
            held, whole = one["held"], one["whole"]
            while not whole:
                said = self.send(pieces((one["file"], held, data[held : held + piece]))).json["pieces"][0]
                held, whole = said["held"], said["whole"]

    def finish(self, *without: int) -> Said:
        return self.say(f"/uploads/{self.upload}/finish", {"without": list(without)})


def pieces(*parts: tuple[int, int, bytes]) -> bytes:
    """A body of pieces: file, offset, bytes."""
    return b"".join(line({"file": file, "at": at, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}) + data for file, at, data in parts)


def line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def at_once(deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """All of them at the same moment; what each gave back, or the error that it ended with."""
    gate, given = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number: int) -> None:
        gate.wait(30)
        try:
            given[number] = deeds[number]()
        except Exception as error:
            given[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return given


def cut_off(arena: Arena, browser: Browser, path: str, body: bytes, content_type: str) -> None:
    """Asks, and hangs up without reading what came of it."""
    head = (
        f"POST /s/{browser.token}{path} HTTP/1.1\r\nHost: {PORTAL.partition('//')[2]}\r\nOrigin: {PORTAL}\r\nSec-Fetch-Site: same-origin\r\nCookie: {browser.cookie}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", arena.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # it is answered by now: done, and committed


@contextmanager
def arena(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Iterator[Arena]:
    receiving, contact = {"spare_bytes": 0}, {"phone": "555 0142"}
    with ExitStack() as running:
        second = running.enter_context(scripted(lambda asked: _chart(asked, "")))
        elsewhere = {"key": "elsewhere", "name": "Elsewhere", "issuer": f"{second.base}/fhir", "client_id": "c", "allow_http": True, "roles": [{"role": "reviewer", "users": ["stranger"]}]}
        here = running.enter_context(desk(folder, monkeypatch, also=(elsewhere,), portal_url=PORTAL, receiving=receiving, contact=contact, **more))
        here.world.ehr["Patient"] = _chart
        made = Arena(here, running.enter_context(serve(here.world.client.application)).port)
        made.people = {name: Person(*pair) for name, pair in here.handles.items()} | {"halloran": Person(here.world.handle, here.world.cookie)}
        yield made


def _chart(asked: Asked, hers: str = "p1") -> Say:
    """`hers` is the id of the patient whom all is about; every other id is another person."""
    id = asked.path.rpartition("/")[2]
    if "/Patient/" not in asked.path:
        return bundle()
    return fhir(patient() if id == hers else patient(id=id, name=[{"family": "Okonjo", "given": ["Grace"]}], birthDate="1966-10-30", identifier=[]))
