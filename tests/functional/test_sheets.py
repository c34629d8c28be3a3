"""Sheets over HTTP, and a request from the chart to a mailbox, with the parts that are shipped: who gets one, what is recorded, what is said."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from sandbox.mailbox.smtp import Mailserver
from smart_app.audit.dispatch_events import SheetExported
from smart_app.audit.models import AuditRecord
from smart_app.clock import utc_now
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.image_requests.types import Actor, Facility, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.parts import Parts, build
from smart_app.web.csrf import Csrf
from smart_app.wiring import work
from smart_app.wiring.dispatch import make

ORIGIN = "https://priors.example"
PATIENT = Patient("northgate", "p1", "MARCHETTI, Rosalind Jane", "Marchetti", "Rosalind Jane", "1951-08-09", "Female", "40771953")
FAX, EMAIL = Route(RouteKind.FAX, "555 0199"), Route(RouteKind.EMAIL, "images@harrow.example")
HARROW = Facility("harrow", "Harrow Vale Clinic", "Harrow", (EMAIL, FAX), "555 0198")
STAFF = Actor(Party.STAFF, "northgate", "moss", "P. Moss")


@dataclass
class Site:
    app: Flask
    parts: Parts
    launches: dict[str, tuple[str, str]]

    def ask(self, route: Route = FAX, *, send: bool = True, title: str = "Carotid duplex") -> str:
        return self.parts.requests.create(NewRequest(PATIENT, Wanted(title, "US"), route, HARROW.id), STAFF, send=send).id

    def work(self) -> None:
        self.parts.ledger.run_due(work.handlers(self.parts))

    def get(self, who: str, path: str, **form: list[str]) -> TestResponse:
        handle, browser = self.launches[who]
        client = self.app.test_client()
        client.set_cookie(BROWSER_COOKIE, browser, domain="priors.example", secure=True)
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "X-Priors-CSRF": Csrf(self.parts.keyring, ORIGIN).token(handle, browser)}
        return client.open(f"/l/{handle}/{path}", method="POST" if form else "GET", data=form or None, base_url=ORIGIN, headers=headers)

    def exported(self) -> list[tuple[str, str | None]]:
        with self.parts.database.reading() as session:
            return [(one.event, one.patient) for one in session.scalars(select(AuditRecord).where(AuditRecord.event == SheetExported.__name__).order_by(AuditRecord.sequence))]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: Mailserver) -> Iterator[Site]:
    monkeypatch.setenv("SHEETS_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    ehr = {"key": "northgate", "name": "Northgate EHR", "organization": "Northgate University", "issuer": "http://127.0.0.1:9/fhir", "client_id": "priors", "allow_http": True,
           "roles": [{"role": role, "claim": "roles", "equals": role} for role in ("staff", "auditor")]}  # fmt: skip
    settings = Settings.model_validate(
        {
            "public_url": ORIGIN, "portal_url": "https://send.example", "development": True, "data_dir": tmp_path, "sealing_keys": [{"id": "k", "env": "SHEETS_KEY"}],
            "ehrs": [ehr], "contact": {"phone": "555 0142", "fax": "555 0143"},
            "mail": {"host": mailbox.host, "port": mailbox.port, "security": "none", "sender": "images@northgate.example"},
        }
    )  # fmt: skip
    parts, app = build(settings), create_app(settings)
    parts.facilities.save(HARROW)
    launches: dict[str, tuple[str, str]] = {}
    for who, patient, roles in (("chart", "p1", ()), ("other patient", "p2", ()), ("staff", None, ("staff",)), ("auditor", None, ("auditor",))):
        now, user = utc_now(), User(settings.ehrs[0].issuer, who, claims={"roles": list(roles)})
        context = LaunchContext(secrets.token_urlsafe(24), "northgate", user.issuer, user, patient, None, frozenset(), now, now + timedelta(hours=8))
        launches[who] = (context.handle, parts.store.open_launch(None, context, TokenSet("token", now + timedelta(hours=1))))
    yield Site(app, parts, launches)
    parts.database.engine.dispose()


def words(response: TestResponse) -> str:
    assert response.status_code == 200, response.text
    return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(response.data)).split())


def test_a_sheet_is_for_the_patients_own_chart_and_for_the_desk(site: Site) -> None:
    id = site.ask()
    site.work()
    for who, path in (("chart", f"requests/{id}/sheet.pdf"), ("staff", f"desk/requests/{id}/sheet.pdf")):
        response = site.get(who, path)
        text = words(response)
        assert "MARCHETTI, Rosalind Jane" in text
        assert "Northgate University" in text
        assert "https://send.example/s/" in text
        assert (response.mimetype, response.headers["Cache-Control"]) == ("application/pdf", "no-store")
        assert response.headers["Content-Disposition"] == f'attachment; filename="{id}.pdf"'
    assert site.exported() == [("SheetExported", "p1")] * 2
    for who, path, status in (
        ("other patient", f"requests/{id}/sheet.pdf", 404), ("staff", f"requests/{id}/sheet.pdf", 404), ("auditor", f"desk/requests/{id}/sheet.pdf", 403),
        ("chart", f"desk/requests/{id}/sheet.pdf", 403), ("chart", "requests/RQ-NOTTHERE/sheet.pdf", 404),
    ):  # fmt: skip
        response = site.get(who, path)
        assert response.status_code == status, (who, path)
        assert "MARCHETTI" not in response.text
    assert len(site.exported()) == 2


def test_asking_for_a_sheet_makes_no_link(site: Site) -> None:
    draft, sent = site.ask(send=False), site.ask(title="CT head")
    for id, said in ((draft, "This request has not been sent"), (sent, "The sheet is not ready yet")):
        response = site.get("staff", f"desk/requests/{id}/sheet.pdf")
        assert response.status_code == 409
        assert said in response.text
        assert site.parts.links.of_request(id) == ()
    site.work()
    assert site.get("staff", f"desk/requests/{sent}/sheet.pdf").status_code == 200
    site.parts.requests.act(sent, Act.CANCEL, STAFF, reason="not needed")
    assert "This request is closed" in site.get("staff", f"desk/requests/{sent}/sheet.pdf").text
    assert len(site.exported()) == 1


def test_a_pile_says_what_is_not_in_it(site: Site) -> None:
    one, two, draft = site.ask(), site.ask(title="CT head"), site.ask(title="MR head", send=False)
    site.work()
    text = words(site.get("staff", "desk/sheets", request=[f"{one}:1", f"{two}:1", f"{draft}:0", "RQ-NOTTHERE:1"]))
    assert "2 of 4 requests are printed. These are not:" in text
    assert f"{draft} This request has not been sent" in text
    assert "RQ-NOTTHERE This is not here." in text
    assert text.count("Please send us these images") == 2
    assert len(site.exported()) == 2
    assert site.get("staff", "desk/sheets", request=[f"{draft}:0"]).status_code == 409
    assert site.get("staff", "desk/sheets", request=[f"RQ-{number:08}:1" for number in range(51)]).status_code == 400


def test_without_pango_it_is_said_and_nothing_is_recorded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    id = site.ask()
    site.work()

    def missing(*_: object) -> bytes:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr("smart_app.dispatch.paper.Paper.pdf", missing)
    response = site.get("staff", f"desk/requests/{id}/sheet.pdf")
    assert response.status_code == 503
    assert "libpango is not installed" in response.text
    assert "cannot load" not in response.text
    assert not site.exported()


def test_from_the_chart_to_the_mailbox(site: Site, mailbox: Mailserver) -> None:
    """With the handlers as the worker has them: a letter without a name, whose link opens the senders' page."""
    id = site.ask(EMAIL)
    site.work()
    (letter,) = mailbox.inbox.all("images@harrow.example")
    (link,) = letter.links
    assert link.startswith("https://send.example/s/")
    assert "MARCHETTI" not in letter.raw.decode().upper()
    page = site.app.test_client().get(link.removeprefix("https://send.example"), base_url="https://send.example")
    assert page.status_code == 200
    assert "R. M." in page.text
    assert [sent.state for sent in make(site.parts).outbox.of_request(id)] == ["accepted"]
    assert site.parts.requests.get(id).last == "E-mail handed over to their mail server. It names no patient."


def test_what_is_missing_is_read_behind_the_link_and_not_in_the_mail(site: Site, mailbox: Mailserver) -> None:
    id = site.ask(EMAIL)
    site.work()
    (link,) = site.parts.links.of_request(id)
    sender, reviewer = Actor(Party.SENDER, name="Harrow Vale Clinic"), Actor(Party.REVIEWER, "northgate", "ruiz", "J. Ruiz")
    for act in (Act.OPEN, Act.RECEIVE, Act.SUBMIT):
        site.parts.requests.act(id, act, sender)
    site.parts.requests.act(id, Act.REJECT, reviewer, reason="These are of Robert, not of Rosalind")
    site.work()
    letter = mailbox.inbox.all("images@harrow.example")[0]
    assert "Something is still missing" in str(letter.message["Subject"])
    assert "Robert" not in letter.raw.decode() + letter.text + letter.html
    client = site.app.test_client()
    path = letter.links[0].removeprefix("https://send.example")
    before = client.get(path, base_url="https://send.example")
    assert "Robert" not in before.text
    typed = {"day": "9", "month": "8", "year": "1951", "code": site.parts.links.code(link)}
    headers = {"Origin": "https://send.example", "Sec-Fetch-Site": "same-origin"}
    after = client.post(f"{path}/proof", data=typed, base_url="https://send.example", headers=headers, follow_redirects=True)
    assert "These are of Robert, not of Rosalind" in after.text


def test_the_workers_list_knows_every_kind_that_requests_make(site: Site) -> None:
    known = work.handlers(site.parts)
    assert {"dispatch", "tell", "recall", "by-hand", "follow-up", "tell-offer"} <= set(known)
    assert work.periods(site.parts)["follow-up"] == 60
