"""A whole town for journeys: demo EHR, its archives and Priors on free loopback ports, in this process, over real sockets.

The browser sees two sites, `ehr.localhost` and `app.localhost`. `extra` and `options` bend one part of it for one test.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from flask import Flask

from sandbox import images
from sandbox.archive.app import create_archive
from sandbox.demo import configuration
from sandbox.demo.plan import ArchivePlan, Plan, choose_port, fixtures_folder
from sandbox.ehr.app import create_ehr
from sandbox.ehr.clients import BACKEND, DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.exchange.serving import create_exchange
from sandbox.faults import Faults
from sandbox.mailbox.inbox import Inbox
from sandbox.mailbox.smtp import Mailserver
from sandbox.partner.app import KINDS, create_partner
from sandbox.serving import serve
from sandbox.world import ARCHIVES, EXCHANGES
from sandbox.writable import Shelf
from smart_app import config_file
from smart_app.config import Settings
from smart_app.factory import create_app
from tests.parallel import only_one, own_ports


@dataclass(frozen=True)
class Town:
    """Where everything is, and the levers to break it."""

    plan: Plan
    settings: Settings
    app: Flask
    ehr_faults: Faults
    archive_faults: Mapping[str, Faults]
    inbox: Inbox
    """Everybody's mail."""
    partner: Shelf
    """What the hospital holds that is asked by FHIR Task."""

    def launch_url(self, patient: str, user: str = "dr-halloran") -> str:
        """What the chart's Images tab opens."""
        return f"{self.plan.ehr}/launch/{patient}?user={user}"

    def app_with(self, **changes: Any) -> Flask:
        """The same Priors on the same database, with other settings, not served: for its test client."""
        return create_app(self.settings.model_copy(update=changes))

    def heal(self) -> None:
        """Nobody misbehaves, and no images are kept: what an archive does next is seen."""
        self.ehr_faults.clear()
        for faults in self.archive_faults.values():
            faults.clear()
        for kept in (self.settings.data_dir / "frames").glob("*"):
            if kept.is_dir():
                shutil.rmtree(kept, ignore_errors=True)


@contextmanager
def town(
    folder: Path,
    pictures: Path,
    *,
    options: EhrOptions | None = None,
    extra: Callable[[dict[str, Any]], None] | None = None,
    tokens: Mapping[str, str] | None = None,
    works: bool = False,
) -> Iterator[Town]:
    """A town under `folder`, its archives filled with the small pictures under `pictures` (made once, kept).

    `extra` changes the configuration before Priors reads it; `tokens` are bearer tokens that an archive wants.
    With `works` Priors also does what needs no browser.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # packaged pictures are odd here and there; how they are made is not tested here
        with only_one(pictures):
            folders = images.build(pictures, progress=lambda _: None, small=True)
    plan = _plan(folder, folders, tokens or {})
    file = configuration.write(plan)
    if extra is not None:
        _change(file, extra)
    ehr_faults, archive_faults = Faults(), {one.key: Faults() for one in (*plan.archives, *plan.exchanges)}
    ehr = create_ehr(
        Path(plan.fixtures),
        plan.ehr,
        clients=_clients(plan),
        launch_url=plan.launch_url,
        faults=ehr_faults,
        options=options or EhrOptions(takes_writes=True),
        dicomweb={one.key: one.dicomweb for one in plan.archives},
        archives={one.key: (one.name, one.origin) for one in (*plan.archives, *plan.exchanges)},
    )
    with ExitStack() as running:
        running.enter_context(serve(ehr, port=plan.ehr_port))
        for one in plan.archives:
            archive = create_archive(Path(one.folder), name=one.name, faults=archive_faults[one.key], token=one.token, index_of=one.key, for_this_run=True)
            running.enter_context(serve(archive, port=one.port))
        for one in plan.exchanges:
            exchange = create_exchange(one.key, Path(one.folder), one.origin, faults=archive_faults[one.key], secret=one.token)
            running.enter_context(serve(exchange, port=one.port))
        partner = Shelf(KINDS)
        token = configuration.partner_token(plan).read_text()
        running.enter_context(serve(create_partner(configuration.PARTNER_NAME, faults=Faults(), token=token, shelf=partner, portal=plan.send), port=plan.partner_port))
        mailserver = running.enter_context(Mailserver(plan.smtp_port))
        settings = config_file.load(file, {})
        app = create_app(settings, works=works)
        running.enter_context(serve(app, port=plan.port))
        yield Town(plan, settings, app, ehr_faults, archive_faults, mailserver.inbox, partner)


def _plan(folder: Path, folders: Mapping[str, Path], tokens: Mapping[str, str]) -> Plan:
    port = choose_port(None, own_ports())
    (folder / "data").mkdir(mode=0o700, parents=True)
    archives = tuple(
        ArchivePlan(one.key, one.name, one.organization, port + 2 + at, str(folders[one.key]), tokens.get(one.key))
        for at, one in enumerate(ARCHIVES)
    )
    first = port + 2 + len(ARCHIVES)
    exchanges = tuple(
        ArchivePlan(one.key, one.name, one.organization, first + at, str(folders[one.key]), "l4rkm00r" if one.key == "larkmoor" else None)
        for at, one in enumerate(EXCHANGES)
    )
    return Plan(str(folder), str(folder), str(fixtures_folder()), port, archives, exchanges)


def _clients(plan: Plan) -> tuple[DemoClient, ...]:
    redirect = f"{plan.app}/cb/northgate"
    keys = configuration.public_jwks(plan, configuration.BACKEND_KID)
    return (
        DemoClient(configuration.CLIENT_ID, (redirect,), auth="private_key_jwt", jwks_uri=f"{plan.app}/jwks.json"),
        DemoClient(configuration.BACKEND_ID, auth="private_key_jwt", jwks=keys, grants=BACKEND),
    )


def _change(file: Path, extra: Callable[[dict[str, Any]], None]) -> None:
    import yaml

    content = yaml.safe_load(file.read_text())
    extra(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


@dataclass(frozen=True)
class Seen:
    """One answer as a browser without a page would see it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class Jar:
    """A cookie-keeping HTTP client: a browser's network without its page. Loopback counts as secure, as in a browser."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def get(self, url: str, **headers: str) -> Seen:
        return self.send("GET", url, headers=headers)

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Seen:
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
        cookies = self.header(host)
        sent = {"Host": parts.netloc, **({"Cookie": cookies} if cookies else {}), **(headers or {})}
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._keep(host, line)
        seen = Seen(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read(), url)
        connection.close()
        return seen

    def follow(self, url: str, limit: int = 12) -> Seen:
        """GET and every redirect after it."""
        for _ in range(limit):
            seen = self.get(url)
            if seen.status not in (301, 302, 303, 307, 308):
                return seen
            url = urljoin(url, seen.headers["location"])
        raise AssertionError(f"more than {limit} redirects")

    def launch(self, town: Town, patient: str, user: str = "dr-halloran") -> str:
        """Open Priors from this patient's chart; returns the launch handle."""
        seen = self.follow(town.launch_url(patient, user))
        assert seen.status == 200, f"{seen.url}: {seen.text[:500]}"
        return urlsplit(seen.url).path.split("/")[2]

    def sign_in(self, town: Town, user: str) -> str:
        """Staff sign-in without a chart, choosing `user` on the EHR's own page; returns the launch handle."""
        seen = self.follow(f"{town.plan.app}/sign-in/northgate?as=staff")
        fields = [*re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', seen.text), ("demo_user", user)]
        body = urlencode([(name, html.unescape(value)) for name, value in fields]).encode()
        answer = self.send("POST", seen.url.partition("?")[0], headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)
        assert answer.status in (302, 303), f"{seen.url}: {answer.status} {answer.text[:300]}"
        return urlsplit(self.follow(urljoin(seen.url, answer.headers["location"])).url).path.split("/")[2]

    def header(self, host: str) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.get(host, {}).items())

    def copy(self) -> Jar:
        other = Jar()
        other.cookies = {host: dict(values) for host, values in self.cookies.items()}
        return other

    def _keep(self, host: str, line: str) -> None:
        pair, _, attributes = line.partition(";")
        name, _, value = pair.partition("=")
        gone = "max-age=0" in attributes.lower().replace(" ", "") or not value
        jar = self.cookies.setdefault(host, {})
        if gone:
            jar.pop(name.strip(), None)
        else:
            jar[name.strip()] = value.strip()


def events(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """The events of a text/event-stream answer."""
    found = []
    for block in seen.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found
