"""Priors with a portal, a request that waits for images, and senders who open its link: the whole app, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from smart_app.audit.models import AuditRecord
from smart_app.clock import Clock, utc_now
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.image_requests.types import Actor, Facility, ImageRequest, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.jobs.models import WorkRow
from smart_app.links.types import Link, Purpose
from smart_app.parts import Parts, build
from smart_app.portal.visit import Door, Visit
from smart_app.web.assets import Asset

APP, PORTAL = "http://app.localhost:8000", "http://send.localhost:8000"
PATIENT = Patient("northgate", "p1", "CANARY, Rosalind Jane", "CANARY", "Rosalind Jane", "1951-08-09", "Female", "40771953")
KESTREL = Facility("kestrel", "Kestrel Valley", "Harrow", (Route(RouteKind.EMAIL, "images@kestrel.example"),))
STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
OURS = {"Origin": PORTAL, "Sec-Fetch-Site": "same-origin"}


def pieces(*parts: tuple[int, int, bytes]) -> bytes:
    """A body of pieces: file, offset, bytes."""
    lines = [(json.dumps({"file": file, "at": at, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}).encode(), data) for file, at, data in parts]
    return b"".join(line + b"\n" + data for line, data in lines)


@dataclass
class Sender:
    """One browser at the portal."""

    client: FlaskClient
    token: str
    upload: str = ""

    def get(self, path: str = "", **headers: str) -> Any:
        return self.client.get(f"/s/{self.token}{path}", base_url=PORTAL, headers=headers)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
        return self.client.post(f"/s/{self.token}{path}", base_url=PORTAL, headers=OURS if headers is None else headers, **body)

    def prove(self, code: str, born: str = "1951-08-09") -> Any:
        year, month, day = born.split("-")
        return self.post("/proof", data={"day": day, "month": month, "year": year, "code": code})

    def begin(self) -> str:
        answer = self.post("/uploads", json={})
        assert answer.status_code == 200, answer.text
        self.upload = answer.json["upload"]
        return self.upload

    def announce(self, *files: tuple[str, int]) -> list[dict[str, Any]]:
        answer = self.post(f"/uploads/{self.upload}/files", json={"files": [{"name": name, "size": size} for name, size in files]})
        assert answer.status_code == 200, answer.text
        return answer.json["files"]

    def send(self, *parts: tuple[int, int, bytes]) -> Any:
        return self.post(f"/uploads/{self.upload}/pieces", data=pieces(*parts))

    def finish(self, *without: int) -> Any:
        return self.post(f"/uploads/{self.upload}/finish", json={"without": list(without)})


@dataclass
class World:
    app: Flask
    parts: Parts
    request: ImageRequest
    link: Link
    senders: list[Sender] = field(default_factory=list)

    def sender(self, link: Link | None = None, *, proved: bool = True) -> Sender:
        link = link or self.link
        made = Sender(self.app.test_client(), self.parts.links.token(link))
        if proved:
            assert made.prove(self.parts.links.code(link)).status_code == 303
        return made

    def issue(self, purpose: Purpose = Purpose.REQUEST, request: str | None = None, **more: Any) -> Link:
        with self.parts.database.transaction() as session:
            return self.parts.links.issue(session, purpose, request, **more)

    def visit(self) -> Visit:
        parts = self.parts
        return Door(parts.database, parts.keyring, parts.audit, parts.links, parts.requests, parts.clock).visit(parts.links.token(self.link))

    def state(self) -> str:
        return self.parts.requests.get(self.request.id).state.value

    def audited(self, event: str) -> list[dict[str, Any]]:
        with self.parts.database.reading() as session:
            rows = session.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.sequence))
            return [json.loads(row.details) | {"patient": row.patient} for row in rows]

    def work(self, kind: str) -> list[str]:
        with self.parts.database.reading() as session:
            return list(session.scalars(select(WorkRow.key).where(WorkRow.kind == kind)))


@contextmanager
def world(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, clock: Clock = utc_now, receiving: dict[str, Any] | None = None, patient: Patient = PATIENT, is_bundled: bool = False, **more: Any
) -> Iterator[World]:
    """`is_bundled`: for a real browser, with the bundle as it was built."""
    monkeypatch.setenv("SENDERS_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    ehr = {"key": "northgate", "name": "Northgate", "organization": "Northgate University", "issuer": "http://127.0.0.1:9/fhir", "client_id": "c", "allow_http": True}
    settings = Settings.model_validate(
        {
            "public_url": APP, "portal_url": PORTAL, "development": True, "data_dir": folder, "sealing_keys": [{"id": "k", "env": "SENDERS_KEY"}],
            "contact": {"phone": "555 0142"}, "receiving": {"spare_bytes": 0} | (receiving or {}), "ehrs": [ehr],
        }
        | more
    )  # fmt: skip
    app = create_app(settings, clock)
    if not is_bundled:
        app.jinja_env.globals["asset"] = lambda entry: Asset("/static/x.js", ())
    parts = build(settings, clock)
    parts.facilities.save(KESTREL)
    request = parts.requests.create(NewRequest(patient, Wanted("CT head", "CT", date_from="2026-05-21"), KESTREL.routes[0], KESTREL.id), STAFF)
    made = World(app, parts, request, None)  # type: ignore[arg-type]
    made.link = made.issue(request=request.id)
    yield made
    parts.database.engine.dispose()


def stored(world: World) -> dict[str, bytes]:
    """Whole files of all uploads of the request's link, by name."""
    found = {}
    for one in world.parts.spool.of_link(world.link.id):
        for file in world.parts.spool.upload(one.id).files:
            assert file.name not in found, "stored twice"
            with world.parts.spool.read(file) as handle:
                found[file.name] = handle.read()
            assert hashlib.sha256(found[file.name]).hexdigest() == file.sha256
    return found


def canaries(folder: Path, words: tuple[bytes, ...]) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and any(word in path.read_bytes() for word in words)]
