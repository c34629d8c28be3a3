"""A request, a site and the parts of `dispatch`, for the tests of this folder. Every fact of the patient is a canary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.mailbox.smtp import Mailserver
from smart_app.audit.log import AuditLog
from smart_app.config_mail import Contact, Mail
from smart_app.db import Database
from smart_app.dispatch.followup import FollowUp
from smart_app.dispatch.letters import Site
from smart_app.dispatch.outbox import Outbox
from smart_app.dispatch.pages import environment
from smart_app.dispatch.sending import Dispatch
from smart_app.dispatch.transport import Post
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import (
    Actor,
    Facility,
    ImageRequest,
    NewRequest,
    Party,
    Patient,
    Route,
    RouteKind,
    State,
    Urgency,
    Wanted,
)
from smart_app.image_requests.workflow import Act, Deed
from smart_app.jobs.ledger import Ledger
from smart_app.links.store import Links
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

AT = datetime(2026, 5, 21, 7, 20, tzinfo=UTC)
PAGES = environment(Path(__file__).parents[3] / "templates")
SITE = Site("Northgate University", Contact(site="Northgate University", phone="555 0142", hours="07:00 to 19:00", fax="555 0143", post=("Image desk", "1 North Gate"), time_zone="Europe/Berlin"))
PATIENT = Patient("northgate", "canary-id", "CANARYFAMILY, Rosalind Jane", "Marchetti", "Rosalind Jane", "1951-08-09", "Female", "canary-40771953")
CANARIES = ("CANARYFAMILY", "Marchetti", "Rosalind", "1951", "Aug", "canary-id", "canary-40771953", "canary-accession", "canary-why", "canary-title", "canary-reason")
WANTED = Wanted("canary-title", "CT", "head", "2026-05-20", "2026-05-21", accession="canary-accession")
EMAIL = Route(RouteKind.EMAIL, "images@harrow.example")
HARROW = Facility("harrow", "Harrow Vale Clinic", "Harrow", (EMAIL, Route(RouteKind.FAX, "555 0199")), "555 0198")

BRANNOC = Facility("brannoc", "St Brannoc", "Dene", (Route(RouteKind.EMAIL, "library@brannoc.example"), Route(RouteKind.EMAIL, "desk@brannoc.example")), "555 0177")
STAFF, SENDER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.SENDER, name="Harrow Vale Clinic")
SYSTEM, REVIEWER = Actor(Party.SYSTEM, name="Priors"), Actor(Party.REVIEWER, "northgate", "ruiz", "J. Ruiz")
DESK = "desk@northgate.example"


def asked(route: Route = EMAIL, facility: Facility | None = HARROW, urgency: Urgency = Urgency.TODAY, **more: object) -> NewRequest:
    return NewRequest(PATIENT, WANTED, route, facility.id if facility else None, urgency, "canary-why", **more)  # type: ignore[arg-type]


def request(new: NewRequest | None = None, facility: Facility | None = HARROW, state: State = State.SENT) -> ImageRequest:
    return ImageRequest("RQ-7Q2M4TKX", "t", state, 1, new or asked(), facility, "T. Amsel", "Dr S. Halloran", AT, AT, "", "canary-reason")


def mail_settings(server: Mailserver, **more: object) -> Mail:
    return Mail.model_validate({"host": server.host, "port": server.port, "security": "none", "sender": "images@northgate.example"} | more)


class Office:
    """Requests, work, links and mail, wired as in the product; `work()` does all that is due."""

    def __init__(self, database: Database, keyring: Keyring, server: Mailserver | None) -> None:
        self.database, self.clock, self.server = database, MovingClock(), server
        self.clock.now = AT
        self.ledger = Ledger(database, self.clock)
        self.facilities = Facilities(database, keyring, self.clock, tenant="t")
        for one in (HARROW, BRANNOC):
            self.facilities.save(one)
        self.requests = Requests(database, keyring, AuditLog(database, keyring, self.clock), self.ledger, self.facilities, self.clock, tenant="t")
        self.links = Links(database, keyring, AuditLog(database, keyring, self.clock), self.clock, tenant="t", portal_url="https://send.northgate.example")
        mail = mail_settings(server, desk=DESK) if server else None
        self.outbox = Outbox(database, keyring, self.clock, mail, Post(mail, None) if mail else None, PAGES)
        self.dispatch = Dispatch(database, self.requests, self.ledger, self.links, self.outbox, lambda issuer: SITE, PAGES, desk=DESK)
        self.follow_up = FollowUp(database, self.requests, self.ledger, self.clock, self.dispatch.tell_desk, tenant="t", mails=mail is not None)
        self.handlers = {
            "dispatch": self.dispatch.dispatch, "tell": self.dispatch.tell, "recall": self.dispatch.recall, "by-hand": self.follow_up.by_hand,
            "follow-up": self.follow_up.sweep,
        }  # fmt: skip

    def ask(self, new: NewRequest | None = None, *, send: bool = True) -> str:
        return self.requests.create(new or asked(), STAFF, send=send).id

    def act(self, id: str, act: Act, actor: Actor, reason: str = "") -> None:
        self.requests.act(id, act, actor, reason=reason)
        self.work()

    def work(self) -> None:
        self.ledger.run_due(self.handlers)

    def later(self, **span: float) -> None:
        """Time passes a minute at a time where it matters: what is due is looked for once, then done."""
        self.clock.forward(seconds=timedelta(**span).total_seconds())
        self.ledger.every("follow-up", 60)
        self.work()

    def mail(self, to: str = "") -> list[tuple[str, str]]:
        """To whom, and about what; the oldest first."""
        assert self.server is not None
        return [(one.to, str(one.message["Subject"]).partition(": RQ-")[0].partition(" RQ-")[0]) for one in reversed(self.server.inbox.all(to))]

    def story(self, id: str) -> list[str]:
        """What the system wrote down."""
        return [one.note for one in self.requests.history(id) if one.action == Deed.TELL.value]

    def stuck(self) -> list[tuple[str, str]]:
        return [(one.kind, one.reason) for one in self.ledger.attention()]


@pytest.fixture
def office(database: Database, keyring: Keyring, mailbox: Mailserver) -> Office:
    return Office(database, keyring, mailbox)
