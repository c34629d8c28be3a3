"""An image desk for journeys over HTTP: Priors with facilities and requests, and people who work there. Time stands still unless it is moved."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.audit.models import AuditRecord
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.image_requests.types import Actor, Facility, ImageRequest, NewRequest, Party, Patient, Route, RouteKind, Urgency, Wanted
from smart_app.parts import Parts, build
from smart_app.web.csrf import Csrf

PORT = 8000
"""In addresses only, unless a test serves the office."""
NOON = datetime(2026, 5, 21, 12, 0).astimezone(UTC)
"""Noon in the clock of this site: a day lies around it, whatever the zone."""
KESTREL = Facility("kestrel", "Kestrel", "Harrow", (Route(RouteKind.EMAIL, "images@kestrel.example"), Route(RouteKind.FAX, "0555 0100")), phone="0555 0101")
FERRY = Facility("ferrybank", "Ferrybank Heart", "Ferrybank", (Route(RouteKind.FAX, "0555 0200"),), phone="0555 0201")
STAFF = Actor(Party.STAFF, "http://ehr.example/fhir", "amsel", "T. Amsel")
SENDER = Actor(Party.SENDER, name="Kestrel")


def patient(id: str, name: str, born: str = "1951-08-09", mrn: str = "") -> Patient:
    family, _, given = name.partition(", ")
    return Patient("northgate", id, name, family, given, born, "Female", mrn or f"40 {id.removeprefix('p').rjust(6, '0')[:3]} {id.removeprefix('p').rjust(6, '0')[3:]}")


@dataclass
class Worker:
    """Somebody with a launch of their own, without a chart."""

    office: Office
    handle: str
    cookie: str

    def get(self, path: str, **headers: str) -> Any:
        return self.office.client.get(f"/l/{self.handle}{path}", base_url=self.office.origin, headers={"Cookie": f"{BROWSER_COOKIE}={self.cookie}", "Accept": "text/html", **headers})

    def post(self, path: str, *, forged: bool = False, **form: Any) -> Any:
        token = "" if forged else Csrf(self.office.parts.keyring, self.office.origin).token(self.handle, self.cookie)
        headers = {"Cookie": f"{BROWSER_COOKIE}={self.cookie}", "Origin": self.office.origin, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        return self.office.client.post(f"/l/{self.handle}{path}", base_url=self.office.origin, headers=headers, data={"csrf": token, **form})


@dataclass
class Office:
    parts: Parts
    app: Flask
    client: Any
    origin: str
    now: datetime = NOON

    def clock(self) -> datetime:
        return self.now

    def worker(self, name: str = "T. Amsel", *, roles: tuple[str, ...] = ("staff",), patient_id: str | None = None, subject: str = "") -> Worker:
        ehr = self.parts.settings.ehrs[0]
        user = User(ehr.issuer, subject or name.split()[-1].lower(), name=name, claims={"roles": list(roles)})
        handle = secrets.token_urlsafe(24)
        context = LaunchContext(handle, ehr.key, ehr.issuer, user, patient_id, None, frozenset(), self.now, self.now + timedelta(hours=8), self.parts.settings.tenant)
        return Worker(self, handle, self.parts.store.open_launch(None, context, TokenSet("t", self.now + timedelta(hours=8))))

    def ask(self, id: str, name: str, *, hours: float | None = 4, facility: Facility | None = KESTREL, title: str = "CT head", send: bool = True, **more: Any) -> ImageRequest:
        """A request needed `hours` from now."""
        due = None if hours is None else self.now + timedelta(hours=hours)
        route = facility.routes[0] if facility else Route(RouteKind.PATIENT)
        new = NewRequest(patient(id, name), Wanted(title, "CT", accession=f"A-{id}-{title}"), route, facility.id if facility else None, needed_by=due)
        return self.parts.requests.create(replace(new, **{"urgency": Urgency.ROUTINE, **more}), STAFF, send=send)

    def audited(self, event: str) -> list[AuditRecord]:
        with self.parts.database.reading() as session:
            return list(session.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.sequence)))


@contextmanager
def office(folder: Path, monkeypatch: pytest.MonkeyPatch, *, port: int = PORT, now: datetime = NOON, **settings: Any) -> Iterator[Office]:
    monkeypatch.setenv("DESK_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    roles = [{"role": role, "claim": "roles", "equals": role} for role in ("staff", "reviewer", "administrator", "auditor")]
    ehr = {"key": "northgate", "name": "Northgate University", "issuer": "http://ehr.example/fhir", "client_id": "priors", "roles": roles, "allow_http": True}
    origin = f"http://app.localhost:{port}"
    made = Settings.model_validate(
        {"public_url": origin, "development": True, "data_dir": folder, "sealing_keys": [{"id": "k", "env": "DESK_KEY"}], "ehrs": [ehr], **settings}
    )
    here = Office(None, None, None, origin, now)  # type: ignore[arg-type]
    here.parts, here.app = build(made, here.clock), create_app(made, here.clock)
    here.client = here.app.test_client(use_cookies=False)
    for one in (KESTREL, FERRY):
        here.parts.facilities.save(one)
    yield here
    here.parts.database.engine.dispose()
