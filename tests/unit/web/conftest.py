"""A small app behind the whole web layer, with two launches and real sealing; no database but the audit's list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Blueprint, Flask, abort, jsonify
from flask.testing import FlaskClient

from launch.context import LaunchContext, User
from launch.errors import EhrSilent
from launch.issuers import ClientAuth, Issuer, IssuerDirectory
from smart_app.access import Action, public, requires
from smart_app.audit.events import Event
from smart_app.config import Settings
from smart_app.errors import Busy
from smart_app.sealing import Keyring
from smart_app.web import NotHere, Web, current_who, install, refuse_unmarked, with_wasm

ORIGIN = "https://priors.example"
HANDLE = "h" * 22
STAFF = "s" * 22
OVER = "o" * 22
COOKIE = "browser-a"
ROLES = [{"role": role, "claim": "priors_roles", "equals": role} for role in ("staff", "administrator", "auditor")]


def settings(**changes: object) -> Settings:
    ehr = {"key": "northgate", "name": "Northgate", "issuer": "https://ehr.example/fhir", "client_id": "priors",
           "frame_ancestors": ["https://ehr.example"], "roles": ROLES}
    base = {"public_url": ORIGIN, "sealing_keys": [{"id": "k", "env": "K"}], "ehrs": [ehr, ehr | {"key": "other", "issuer": "https://other.example/fhir", "frame_ancestors": ["https://other.example"]}]}
    return Settings.model_validate(base | changes)


def context(handle: str, patient: str | None, roles: tuple[str, ...] = ()) -> LaunchContext:
    user = User("https://ehr.example/fhir", "dr-halloran", None, "Halloran", {"priors_roles": list(roles)})
    now = datetime(2026, 5, 21, tzinfo=UTC)
    return LaunchContext(handle, "northgate", "https://ehr.example/fhir", user, patient, None, frozenset(), now, now)


class _HttpsClient(FlaskClient):
    def open(self, *args, **kwargs):
        return super().open(*args, base_url=ORIGIN, **kwargs)


class _OverHttps(Flask):
    test_client_class = _HttpsClient


@dataclass
class Launches:
    open: dict[tuple[str, str], LaunchContext] = field(default_factory=dict)

    def find(self, handle: str, browser: str | None, *, use: bool = True) -> LaunchContext | None:
        return self.open.get((handle, browser or ""))

    def has_ended(self, handle: str, browser: str | None) -> bool:
        return (handle, browser) == (OVER, COOKIE)


@dataclass
class Audit:
    events: list[Event] = field(default_factory=list)

    def record(self, event: Event, session: object = None) -> str:
        self.events.append(event)
        return "id"


@dataclass
class World:
    app: Flask
    launches: Launches
    audit: Audit
    done: list[str]

    def client(self, cookie: str | None = COOKIE) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base |= {"HTTP_ACCEPT": "text/html", "REMOTE_ADDR": "192.0.2.7"}
        if cookie:
            client.set_cookie("__Host-ix", cookie, domain="priors.example", secure=True)
        return client


def issuer(key: str, ancestor: str) -> Issuer:
    return Issuer(key, key, f"https://{key}.example/fhir", "priors", ClientAuth.PUBLIC, "", (ancestor,), ())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "viewer"
    (folder / ".vite").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "assets/list-1a.js").write_text("let x = 1")
    (folder / "assets/list-1a.js.gz").write_bytes(b"\x1f\x8bzipped")
    (folder / "assets/x.wasm").write_bytes(b"\0asm")
    manifest = {
        "src/list/main.ts": {"file": "assets/list-1a.js", "css": ["assets/list.css"], "imports": ["_shared.js"], "isEntry": True},
        "_shared.js": {"file": "assets/shared.js", "css": ["assets/app.css"], "imports": ["src/list/main.ts"]},
    }
    (folder / ".vite/manifest.json").write_text(json.dumps(manifest))
    return folder


def make_world(bundle: Path, keyring: Keyring, templates: Path, configured: Settings) -> World:
    templates.mkdir(exist_ok=True)
    (templates / "launch").mkdir(exist_ok=True)
    page = "{{ title }}|{{ action }}|{{ reference }}|{{ code }}|{{ side }}|{{ status }}|{{ retry_url }}|{{ detail }}"
    (templates / "error.html").write_text(page)
    (templates / "launch/error.html").write_text("launch " + page)
    app = _OverHttps("world", template_folder=str(templates), static_folder=None)
    launches, audit, done = Launches(), Audit(), []
    launches.open = {(HANDLE, COOKIE): context(HANDLE, "p1"), (STAFF, COOKIE): context(STAFF, None, ("staff", "auditor"))}
    directory = IssuerDirectory([issuer("northgate", "https://ehr.example"), issuer("other", "https://other.example")])
    install(app, Web(configured, directory, launches, keyring, audit, bundle))
    app.register_blueprint(_views(done))
    refuse_unmarked(app)
    return World(app, launches, audit, done)


def _views(done: list[str]) -> Blueprint:
    views = Blueprint("views", __name__)

    @views.get("/")
    @public
    def landing() -> str:
        return "landing"

    @views.get("/launch")
    @public
    def launch() -> str:
        raise EhrSilent(reason="told to")

    @views.get("/cb/<key:issuer>")
    @public
    def callback(issuer: str) -> str:
        return issuer

    @views.get("/l/<launch:handle>/studies")
    @requires(Action.VIEW_STUDIES)
    @with_wasm
    def studies(handle: str) -> str:
        from flask import render_template_string

        return render_template_string("{{ csrf_token() }} {{ asset('src/list/main.ts').js }}")

    @views.get("/l/<launch:handle>/who")
    @requires(Action.HOME)
    def who(handle: str):
        return jsonify(vars(current_who()))

    @views.get("/l/<launch:handle>/image/<key:archive>/<uid:study>")
    @requires(Action.VIEW_IMAGES)
    def image(handle: str, archive: str, study: str) -> str:
        raise {"1.2.404": NotHere(), "1.2.503": Busy(), "1.2.500": RuntimeError("Rosalind MARCHETTI")}[study]

    @views.get("/l/<launch:handle>/abort")
    @requires(Action.HOME)
    def gone(handle: str) -> str:
        abort(404)

    @views.get("/l/<launch:handle>/audit")
    @requires(Action.READ_AUDIT)
    def audit(handle: str) -> str:
        return "audit"

    @views.get("/l/<launch:handle>/setup")
    @requires(Action.SEE_SETUP)
    def setup(handle: str) -> str:
        return "setup"

    @views.post("/l/<launch:handle>/end")
    @requires(Action.END_LAUNCH)
    def end(handle: str) -> str:
        done.append(handle)
        return "ended"

    @views.post("/form")
    @public
    def form() -> str:
        done.append("form")
        return "ok"

    return views


@pytest.fixture
def world(bundle: Path, keyring: Keyring, tmp_path: Path) -> Iterator[World]:
    return make_world(bundle, keyring, tmp_path / "templates", settings())

