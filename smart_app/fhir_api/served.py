"""Requests as a registered client may see and change them. A client sees sent requests to its own facilities; no others exist for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.fhir_api import mapping
from smart_app.fhir_api.changes import RefusedChange
from smart_app.fhir_api.mapping import ID, Place, Resource, moment
from smart_app.fhir_api.queries import Query
from smart_app.fhir_api.reading import Said, move, stands
from smart_app.fhir_api.tokens import Caller
from smart_app.image_requests.models import RequestEventRow, RequestRow
from smart_app.image_requests.service import ChangedMeanwhile, Requests
from smart_app.image_requests.types import Actor, ImageRequest, State
from smart_app.image_requests.workflow import Act, NotAllowed

ASKS = (Act.SEND.value, Act.REOPEN.value)


@dataclass(frozen=True)
class Shown:
    """A resource, and the request whose patient it speaks of (for the audit)."""

    resource: Resource
    about: ImageRequest


@dataclass(frozen=True)
class Found:
    """One page. `last`: the request it ends with, when there are more."""

    matches: tuple[Shown, ...]
    included: tuple[Shown, ...]
    total: int
    last: ImageRequest | None


class Served:
    """:param studies: Study Instance UIDs of what was stored for a request."""

    def __init__(
        self, db: Database, requests: Requests, clock: Clock, *, tenant: str, base: str, hospitals: Mapping[str, str], studies: Callable[[str], Sequence[str]]
    ) -> None:
        self._db, self._requests, self._clock = db, requests, clock
        self._tenant, self._base, self._hospitals, self._studies = tenant, base, hospitals, studies

    def read(self, kind: str, id: str, caller: Caller) -> Shown | None:
        """None: it does not exist for this caller."""
        of = {"Patient": RequestRow.subject, "Organization": RequestRow.facility}.get(kind, RequestRow.id)
        with self._db.reading() as session:
            newest = select(RequestRow).where(self._visible(caller), of == id).order_by(RequestRow.updated_at.desc()).limit(1)
            return next(iter(self._shown(kind, session.scalars(newest).all(), session)), None)

    def search(self, query: Query, caller: Caller) -> Found:
        """The longest unchanged first: what changes between two pages is met again at the end, never missed."""
        with self._db.reading() as session:
            wanted = [self._visible(caller), *_conditions(query)]
            total = session.scalar(select(func.count()).select_from(RequestRow).where(*wanted)) or 0
            if query.after is not None:
                at, id = query.after
                wanted.append(or_(RequestRow.updated_at > at, and_(RequestRow.updated_at == at, RequestRow.id > id)))
            page = select(RequestRow).where(*wanted).order_by(RequestRow.updated_at, RequestRow.id).limit(query.count + 1)
            rows = session.scalars(page).all()
            matches = self._shown(query.kind, rows[: query.count], session)
            other = "ServiceRequest" if query.kind == "Task" else "Task"
            included = self._shown(other, rows[: query.count], session) if query.include else ()
            return Found(matches, included, total, matches[-1].about if len(rows) > query.count else None)

    def change(self, id: str, heard_in: Callable[[Resource], Said], version: int, caller: Caller, actor: Actor) -> Shown | None:
        """Do what a partner says in its Task. None: it does not exist for this caller.

        :raises RefusedChange: it may not be changed so. :raises ChangedMeanwhile: `version` is not the one that is.
        """
        with self._db.transaction() as session:
            rows = session.scalars(select(RequestRow).where(self._visible(caller), RequestRow.id == id).with_for_update()).all()
            if not rows:
                return None
            (shown,) = self._shown("Task", rows, session)
            heard, state = heard_in(shown.resource), shown.about.state
            if version != shown.about.version:
                raise ChangedMeanwhile(id)
            if stands(state, heard) or heard.status == mapping.TASK_STATUS[state]:
                return shown
            self._act(session, id, state, heard, version, actor)
            session.flush()
            session.refresh(rows[0])
            (shown,) = self._shown("Task", rows, session)
            return shown

    def _act(self, session: Session, id: str, state: State, heard: Said, version: int, actor: Actor) -> None:
        act = move(state, heard)
        if act is None:
            raise RefusedChange("business-rule", f"From here the status cannot become {heard.status}: what is received, stored or complete is said by us.")
        try:
            self._requests.act(id, act, actor, reason=heard.reason if act is Act.DECLINE else "", version=version, session=session)
        except NotAllowed as error:
            if error.why == "reason":
                raise RefusedChange("required", "A Task that is rejected needs a statusReason with text.") from None
            raise RefusedChange("business-rule", f"From here the status cannot become {heard.status}.") from None

    def _shown(self, kind: str, rows: Sequence[RequestRow], session: Session) -> tuple[Shown, ...]:
        askings = self._askings(session, [row.id for row in rows])
        values = self._requests.rows.values(rows, session)
        return tuple(Shown(self._resource(kind, one, row.subject, askings.get(row.id, 1)), one) for one, row in zip(values, rows, strict=True))

    def _resource(self, kind: str, request: ImageRequest, subject: str, asking: int) -> Resource:
        place = self._place(request, subject)
        meta = {"versionId": str(request.version), "lastUpdated": moment(request.updated_at)}
        if kind == "Task":
            studies = self._studies(request.id) if request.state in mapping.HAS_STORED else ()
            found = mapping.task(request, place, self._clock(), asking=asking, studies=studies)
        elif kind == "ServiceRequest":
            found = mapping.order(request, place)
        elif kind == "Patient":
            return mapping.person(request.asked.patient, id=subject, meta={"lastUpdated": meta["lastUpdated"]})
        else:
            assert request.facility is not None
            return mapping.organization(request.facility, id=request.facility.id)
        return {"resourceType": found.pop("resourceType"), "id": request.id, "meta": meta, **found}

    def _visible(self, caller: Caller) -> ColumnElement[bool]:
        mine = [] if caller.client.all_facilities else [RequestRow.facility.in_(caller.client.facilities)]
        return and_(RequestRow.tenant == self._tenant, RequestRow.state != State.DRAFT.value, *mine)

    def _place(self, request: ImageRequest, subject: str) -> Place:
        patient = {"reference": f"Patient/{subject}"}
        asked = mapping.owner(request)
        if request.facility is None:
            asked = patient | asked
        elif ID.fullmatch(request.facility.id):
            asked = {"reference": f"Organization/{request.facility.id}"} | asked
        hospital = self._hospitals.get(request.asked.patient.issuer, "")
        return Place(numbers(self._base), patient, f"ServiceRequest/{request.id}", asked, hospital)

    @staticmethod
    def _askings(session: Session, ids: Iterable[str]) -> dict[str, int]:
        """By request, the change that sent it last."""
        events = select(RequestEventRow.request, func.max(RequestEventRow.sequence)).where(RequestEventRow.request.in_(list(ids)), RequestEventRow.action.in_(ASKS))
        return {str(request): int(sequence) for request, sequence in session.execute(events.group_by(RequestEventRow.request))}


def numbers(base: str) -> str:
    """Identifier system of our request numbers; `base` is that of our FHIR API."""
    return f"{base}/request"


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    among: dict[Any, Iterable[str] | None] = {
        RequestRow.id: query.ids, RequestRow.facility: query.facilities, RequestRow.subject: query.subjects,
        RequestRow.state: None if query.states is None else [state.value for state in query.states],
    }  # fmt: skip
    found = [column.in_(sorted(values)) for column, values in among.items() if values is not None]
    for span in query.changed:
        found += [RequestRow.updated_at >= span.since] if span.since else []
        found += [RequestRow.updated_at < span.before] if span.before else []
    return found


