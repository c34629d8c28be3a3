"""Stories of the desk: many requests at once, a link that lives longer or ends, a standing link for emergencies, an offer that is allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select

from smart_app.audit.models import AuditRecord
from smart_app.desk.bulk import Bulk, Doing, Given, Mark
from smart_app.desk.emergency import EmergencyLinks
from smart_app.desk.sender_links import SenderLinks
from smart_app.image_requests.models import RequestEventRow
from smart_app.image_requests.types import Facility
from smart_app.image_requests.workflow import Deed
from smart_app.links.models import LinkRow
from smart_app.links.types import Link
from smart_app.parts import Parts
from smart_app.portal.offers import Asked, NoSuchOffer
from smart_app.wiring.portal import offers_of
from tests.kill import sending
from tests.kill.story import STAFF, Programs, Story, ask, nothing
from tests.unit.intake.hospital import PATIENT

LAKESIDE = Facility("lakeside", "Lakeside Radiology")
DONE = (Doing.ASSIGN, Doing.NOTE, Doing.REMIND)
"""In this order, each with all three; each is the next version of a request."""
DAYS = 30


def many_at_once(parts: Parts) -> None:
    """Tick all three, and do one thing after another. Who does it again does it on the version that they had seen."""
    bulk = Bulk(parts.database, parts.requests, tenant=parts.settings.tenant)
    ids = sorted(one.id for one in parts.requests.of_patient(PATIENT.issuer, PATIENT.id))
    for version, doing in enumerate(DONE, 1):
        bulk.run(doing, [Mark(id, version) for id in ids], STAFF, Given(owner=STAFF, text="phoned, they look for it"))


def done_once_with_each(parts: Parts, programs: Programs) -> None:
    with parts.database.reading() as session:
        done = Counter((row.request, row.action) for row in session.scalars(select(RequestEventRow)))
    requests = parts.requests.of_patient(PATIENT.issuer, PATIENT.id)
    assert done == {(one.id, action): 1 for one in requests for action in ("send", *(Deed(doing.value) for doing in DONE))}
    assert {(one.owner, one.reminded) for one in requests} == {(STAFF.name, 1)}


def linked(parts: Parts) -> None:
    """All three are asked, and the first has its link."""
    ask(parts)
    with parts.database.transaction() as session:
        parts.links.issue(session, sending.Purpose.REQUEST, _first(parts))


def lengthen_and_end(parts: Parts) -> None:
    """Let the link live for a month; then end it. A person who got no answer looks first, as the page shows it."""
    links, request = SenderLinks(parts.database, parts.links, parts.requests, parts.audit), _first(parts)
    if not _lives_long(parts, _one(links, request)):
        assert links.extend(request, _one(links, request).id, DAYS, STAFF)
    if not _one(links, request).ended:
        assert links.revoke(request, _one(links, request).id, STAFF)


def lengthened_and_ended_once(parts: Parts, programs: Programs) -> None:
    request = _first(parts)
    (link,) = parts.links.of_request(request)
    assert (link.ended, _lives_long(parts, link)) == ("revoked", True)
    assert [one.action for one in parts.requests.history(request)].count("note") == 2, "each is told once in its story"
    assert _audited(parts, "LinkEnded") == 1


def stand_ready(parts: Parts) -> None:
    """A link for emergencies. Its address is on the page that makes it, and nowhere else: who did not see it makes another."""
    EmergencyLinks(parts.database, parts.links, parts.audit).make(LAKESIDE, sending.WHO)


def nobody_has_the_lost_one(parts: Parts, programs: Programs) -> None:
    with parts.database.reading() as session:
        links = session.scalars(select(LinkRow)).all()
    assert len(links) in (1, 2), "the one that was lost with its page, if it was made, and the one that was seen"
    assert {(row.opened_at, row.ended) for row in links} == {(None, "")}
    assert _audited(parts, "LinkMade") == len(links), "none without its record"


def offered(parts: Parts) -> None:
    offers_of(parts).ask(Asked(organization="Lakeside", person="M. Teller", email="teller@lakeside.example", phone="", about="CT head", initials="GO"), sending.WHO)


def allow(parts: Parts) -> None:
    """Allow what waits. A person who got no answer allows what still waits."""
    offers = offers_of(parts)
    for offer in offers.all():
        with suppress(NoSuchOffer):
            offers.allow(offer.id, sending.WHO)


def allowed_once(parts: Parts, programs: Programs) -> None:
    with parts.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LinkRow)) == 1
    assert not offers_of(parts).all(), "it waits no longer"


def _first(parts: Parts) -> str:
    return parts.requests.of_patient(PATIENT.issuer, PATIENT.id)[-1].id


def _one(links: SenderLinks, request: str) -> Link:
    (link,) = links.of(request)
    return link


def _lives_long(parts: Parts, link: Link) -> bool:
    return link.expires_at > parts.clock() + timedelta(days=DAYS - 1)


def _audited(parts: Parts, event: str) -> int:
    with parts.database.reading() as session:
        return session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.event == event)) or 0


USES: Mapping[str, Callable[[Parts], None]] = {"desk": many_at_once, "link": lengthen_and_end, "emergency": stand_ready, "allow": allow}
STORIES: Mapping[str, Story] = {
    "desk": Story(ask, "desk", many_at_once, proof=done_once_with_each),
    "link": Story(linked, "link", lengthen_and_end, proof=lengthened_and_ended_once),
    "emergency": Story(nothing, "emergency", stand_ready, frozenset(), asked=(), proof=nobody_has_the_lost_one),
    "offer": Story(offered, "allow", allow, frozenset(), survivor="work", mails=1, asked=(), proof=allowed_once),
}
