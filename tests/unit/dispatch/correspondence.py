"""A request, a site and the parts of `dispatch`, for the tests of this folder. Every fact of the patient is a canary."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sandbox.mailbox.smtp import Mailserver
from smart_app.config_mail import Contact, Mail
from smart_app.dispatch.letters import Site
from smart_app.dispatch.pages import environment
from smart_app.image_requests.types import (
    Facility,
    ImageRequest,
    NewRequest,
    Patient,
    Route,
    RouteKind,
    State,
    Urgency,
    Wanted,
)

AT = datetime(2026, 5, 21, 7, 20, tzinfo=UTC)
PAGES = environment(Path(__file__).parents[3] / "templates")
SITE = Site("Northgate University", Contact(site="Northgate University", phone="555 0142", hours="07:00 to 19:00", fax="555 0143", post=("Image desk", "1 North Gate"), time_zone="Europe/Berlin"))
PATIENT = Patient("northgate", "canary-id", "CANARYFAMILY, Rosalind Jane", "Marchetti", "Rosalind Jane", "1951-08-09", "Female", "canary-40771953")
CANARIES = ("CANARYFAMILY", "Marchetti", "Rosalind", "1951", "Aug", "canary-id", "canary-40771953", "canary-accession", "canary-why", "canary-title", "canary-reason")
WANTED = Wanted("canary-title", "CT", "head", "2026-05-20", "2026-05-21", accession="canary-accession")
EMAIL = Route(RouteKind.EMAIL, "images@harrow.example")
HARROW = Facility("harrow", "Harrow Vale Clinic", "Harrow", (EMAIL, Route(RouteKind.FAX, "555 0199")), "555 0198")


def asked(route: Route = EMAIL, facility: Facility | None = HARROW, urgency: Urgency = Urgency.TODAY, **more: object) -> NewRequest:
    return NewRequest(PATIENT, WANTED, route, facility.id if facility else None, urgency, "canary-why", **more)  # type: ignore[arg-type]


def request(new: NewRequest | None = None, facility: Facility | None = HARROW, state: State = State.SENT) -> ImageRequest:
    return ImageRequest("RQ-7Q2M4TKX", "t", state, 1, new or asked(), facility, "T. Amsel", "Dr S. Halloran", AT, AT, "", "canary-reason")


def mail_settings(server: Mailserver, **more: object) -> Mail:
    return Mail.model_validate({"host": server.host, "port": server.port, "security": "none", "sender": "images@northgate.example"} | more)
