"""A sender's device in the kill tests: it knows its files, asks how far each is, and sends the rest; as the portal's page does."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import select

from smart_app.audit.events import Who
from smart_app.image_requests.workflow import Act
from smart_app.links.models import LinkRow
from smart_app.links.types import Purpose
from smart_app.parts import Parts
from smart_app.portal.visit import Visit, actor_of
from smart_app.spool.frames import Frames
from smart_app.spool.types import Announced
from smart_app.wiring import portal
from tests.unit.intake.hospital import made

PIECE = 40_000
FILES = {f"IM{at}": random.Random(at).randbytes(size) for at, size in enumerate((0, 1, 39_999, 100_001))}
"""An empty one, one in one piece, one in several."""
WHO = Who("default", "", "", "sender", "192.0.2.1", "", "")


STUDY = {f"CT{number}": made("7", number, PatientID="40018334", IssuerOfPatientID="NORTHGATE", AccessionNumber="KV-1", StudyDescription="CT head") for number in (1, 2, 3)}
"""Three images of one study, certain by their identifier."""


def give_link(parts: Parts, request: str) -> None:
    """Somebody was given a link, and has shown that it is meant for them."""
    with parts.database.transaction() as session:
        parts.links.issue(session, Purpose.REQUEST, request)
    visit = _visit(parts)
    parts.requests.act(request, Act.OPEN, actor_of(visit, WHO))


def send_all(parts: Parts, files: Mapping[str, bytes] = FILES) -> None:
    """From the beginning, or from where it was left: the sender does not know what became of the last answer."""
    visit = _visit(parts)
    receiving = portal.receiving_of(parts, portal.door_of(parts))
    finished = [one for one in parts.spool.of_link(visit.link.id) if one.finished_at]
    if finished:
        return
    upload = receiving.begin(visit, WHO)
    standing = receiving.announce(visit, upload, [Announced(name, len(data)) for name, data in files.items()])
    for one, data in zip(standing, files.values(), strict=True):
        held, whole = one.held, one.is_whole
        while not whole:
            piece = data[held : held + PIECE]
            (taken,) = receiving.take(visit, upload, Frames(io.BytesIO(_body(one.number, held, piece))), WHO)
            assert taken.is_whole or taken.held > held, taken
            held, whole = taken.held, taken.is_whole
    receiving.finish(visit, upload, WHO)


def _visit(parts: Parts) -> Visit:
    door = portal.door_of(parts)
    with parts.database.reading() as session:
        id = session.scalars(select(LinkRow.id).order_by(LinkRow.issued_at)).first()
    assert id is not None
    return door.visit_by_id(id)


def _body(number: int, at: int, data: bytes) -> bytes:
    return json.dumps({"file": number, "at": at, "bytes": len(data), "sha256": sha256(data).hexdigest()}).encode() + b"\n" + data
