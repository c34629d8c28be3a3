"""A request as rows, and back: what is sealed, what is plain, and its events. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_app.image_requests.digests import Digests
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.models import RequestEventRow, RequestRow
from smart_app.image_requests.types import Happened, ImageRequest, NewRequest, Party, State
from smart_app.sealing import Keyring


@dataclass(frozen=True)
class Content:
    """What is sealed."""

    asked: NewRequest
    asked_by: str
    owner: str = ""
    last: str = ""
    reason: str = ""


_CONTENT, _SAID = TypeAdapter(Content), TypeAdapter(tuple[str, str])


class Rows:
    """One a process; safe for threads."""

    def __init__(self, keyring: Keyring, facilities: Facilities, *, tenant: str) -> None:
        self._keyring, self._facilities, self.tenant = keyring, facilities, tenant
        self.digests = Digests(keyring, tenant)

    def values(self, rows: Iterable[RequestRow], session: Session) -> tuple[ImageRequest, ...]:
        """Rows as values, each with its facility."""
        kept = tuple(rows)
        places = self._facilities.named(frozenset(row.facility for row in kept if row.facility), session)
        found = []
        for row in kept:
            content = self.content(row)
            found.append(
                ImageRequest(
                    id=row.id, tenant=row.tenant, state=State(row.state), version=row.version, asked=replace(content.asked, needed_by=row.needed_by),
                    facility=places.get(row.facility or ""), owner=content.owner, asked_by=content.asked_by, created_at=row.created_at,
                    updated_at=row.updated_at, last=content.last, reason=content.reason, reminded=row.reminded,
                )
            )  # fmt: skip
        return tuple(found)

    def write(self, row: RequestRow, content: Content) -> None:
        row.sealed = self._keyring.seal(to_json(content), place=f"image_requests.sealed:{row.id}")

    def content(self, row: RequestRow) -> Content:
        return _CONTENT.validate_json(self._keyring.open(row.sealed, place=f"image_requests.sealed:{row.id}"))

    def happened(self, session: Session, request: str) -> tuple[Happened, ...]:
        rows = session.scalars(select(RequestEventRow).where(RequestEventRow.request == request).order_by(RequestEventRow.sequence))
        return tuple(self._event(row) for row in rows)

    def next_sequence(self, session: Session, request: str) -> int:
        return 1 + (session.scalar(select(func.max(RequestEventRow.sequence)).where(RequestEventRow.request == request)) or 0)

    def add_event(self, session: Session, request: str, one: Happened) -> None:
        sealed = self._keyring.seal(to_json((one.name, one.note)), place=f"request_events.sealed:{request}.{one.sequence}")
        session.add(
            RequestEventRow(
                request=request, sequence=one.sequence, at=one.at, party=one.party.value, action=one.action, before=one.before.value, after=one.after.value, sealed=sealed
            )
        )

    def _event(self, row: RequestEventRow) -> Happened:
        name, note = _SAID.validate_json(self._keyring.open(row.sealed, place=f"request_events.sealed:{row.request}.{row.sequence}"))
        return Happened(row.sequence, row.at, Party(row.party), name, row.action, State(row.before), State(row.after), note)


def key_of(new: NewRequest) -> tuple[str, ...]:
    """What makes two requests the same: of whom, by which way, which images; not why or by when."""
    asked = new.wanted
    whose = (new.patient.issuer, new.patient.id, new.facility or new.hospital.casefold().strip(), new.route.kind.value)
    if asked.study_uid or asked.accession:
        return (*whose, asked.study_uid, asked.accession, asked.missing)
    return (*whose, asked.title.casefold().strip(), asked.modality, asked.region, asked.date_from, asked.date_to, asked.missing)
