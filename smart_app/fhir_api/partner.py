"""Asks a partner hospital by FHIR Task: sends once, hears what they say of it, and tells them how it ended.

The partner owns what its Task says of its own work; we own whether it is still wanted. Nothing they say makes anything received or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from smart_app.archives.registry import Credential
from smart_app.audit.events import Who
from smart_app.audit.fhir_events import RequestWritten
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.config_partners import Partner
from smart_app.db import Database
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirMissing
from smart_app.fhir.writing import ChangedThere, FhirWriter, will_stay_so
from smart_app.fhir_api import mapping
from smart_app.fhir_api.copies import ORDER, Brought, Copies, Copy, Proven, bring
from smart_app.fhir_api.mapping import Place, Resource
from smart_app.fhir_api.reading import NO_REASON, Said, move, said
from smart_app.fhir_api.served import ASKS
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, ImageRequest, Party, RouteKind, State
from smart_app.image_requests.workflow import CLOSED, OPEN, TABLE, Act, NotAllowed
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.outbound import Outbound

FOLLOW = "follow-partner"
PATIENCE = 15 * 60
"""Seconds that a partner's server may be silent before the desk is asked to use another way."""
SYSTEM = Actor(Party.SYSTEM, name="Priors")
FINAL = frozenset({"completed", "rejected", "failed", "cancelled", "entered-in-error"})
WAITING = frozenset({State.SENT, State.OPENED, State.ACCEPTED})


@dataclass(frozen=True)
class ConfiguredPartner:
    settings: Partner
    credential: Credential = field(repr=False)

    @property
    def place(self) -> str:
        """How rows and records call it, and its lane."""
        return f"partner:{self.settings.key}"


@dataclass(frozen=True)
class Upload:
    """Where they can bring the images to."""

    address: str
    code: str = field(repr=False)


class Partners:
    """One a process; safe for threads."""

    def __init__(
        self, partners: Iterable[ConfiguredPartner], outbound: Outbound, db: Database, requests: Requests, copies: Copies, ledger: Ledger, audit: AuditLog, clock: Clock,
        *, tenant: str, numbers: str, hospitals: Mapping[str, str], upload: Callable[[ImageRequest], Upload | None],
        studies: Callable[[str], Sequence[str]] = lambda request: (),
    ) -> None:  # fmt: skip
        """`numbers`: identifier system of our request numbers. `hospitals`: who asks, by EHR."""
        self._partners = {one.settings.key: one for one in partners}
        self._outbound, self._db, self._requests, self._copies = outbound, db, requests, copies
        self._ledger, self._audit, self._clock, self._tenant = ledger, audit, clock, tenant
        self._numbers, self._hospitals, self._upload, self._studies = numbers, hospitals, upload, studies

    def send(self, request: ImageRequest) -> None:
        """Ask the partner, once, however often this is called.

        :raises Later: its server does not take it now. :raises NeedsAttention: it will not.
        """
        partner = self._partners.get(request.asked.route.address)
        if partner is None:
            self._say(request, "Not sent: the directory names a FHIR partner that is not set up here. Our side: correct it, or ask another way.")
            raise NeedsAttention("no-partner")
        if request.state not in OPEN:
            return
        asking = self._asking(request.id)
        copy = self._copies.begin(partner.place, request.id, asking)
        if copy.task_id:
            return
        self._record(request, partner, "Task")
        try:
            brought = self._bring(request, partner, copy, asking)
        except OutboundError as error:
            raise self._not_taken(request, partner, copy, error) from None
        with self._db.transaction() as session:
            if not self._copies.arrived(copy, session, brought.order_id, brought.task_id):
                return
            self._requests.tell(request.id, f"{partner.settings.name} has it on its own work list, as Task {brought.task_id}.", SYSTEM, session=session)
            if partner.settings.poll_minutes:
                self._ledger.add(session, FOLLOW, f"{request.id}.{asking}")

    def follow(self, job: Job) -> None:
        """Look what the partner says of its Task. :raises Later: look again. :raises NeedsAttention: it is gone, or no longer ours."""
        id, _, asking = job.key.rpartition(".")
        request = self._requests.get(id)
        partner = self._partners.get(request.asked.route.address)
        copy = self._copies.latest(partner.place, id) if partner is not None else None
        if partner is None or copy is None or str(copy.asking) != asking or request.state in CLOSED:
            return
        again = Later(max(1.0, partner.settings.poll_minutes * 60))
        try:
            task = self._writer(partner).read("Task", copy.task_id)
        except FhirMissing:
            self._say(request, f"{partner.settings.name} no longer has our Task. Their side: phone, or ask another way.")
            raise NeedsAttention("partner-task-gone") from None
        except OutboundError:
            raise again from None
        if not _is_ours(task, f"{self._numbers}/task", job.key):
            raise NeedsAttention("partner-task-wrong")
        heard = said(task)
        if heard is not None and self._hear(request, partner, copy, heard) in CLOSED:
            return
        raise again

    def retell(self, request: ImageRequest) -> None:
        """Tell the partner what has changed on our side: it is over, or needed by another time. :raises Later: not now."""
        partner = self._partners.get(request.asked.route.address) if request.asked.route.kind is RouteKind.FHIR else None
        copy = self._copies.latest(partner.place, request.id) if partner is not None else None
        if partner is None or copy is None:
            return
        writer = self._writer(partner)
        try:
            task_id = copy.task_id or self._found(writer, copy)
            if not task_id:
                return
            there = writer.read("Task", task_id)
            studies = self._studies(request.id) if request.state is State.STORED else ()
            wanted = _retold(there, request, self._clock(), studies)
            if wanted is None:
                return
            self._record(request, partner, "Task")
            writer.update("Task", task_id, wanted, _version(there))
        except FhirMissing:
            return
        except ChangedThere:
            raise Later(2) from None
        except OutboundError as error:
            raise self._not_taken(request, partner, copy, error) from None
        self._copies.note(copy, task_id=task_id, told=request.version, silent_since=None)

    def _found(self, writer: FhirWriter, copy: Copy) -> str:
        found = writer.find("Task", f"{self._numbers}/task|{copy.request}.{copy.asking}")
        return found.id if found is not None else ""

    def _bring(self, request: ImageRequest, partner: ConfiguredPartner, copy: Copy, asking: int) -> Brought:
        person = mapping.person(request.asked.patient, id="patient")
        hospital = self._hospitals.get(request.asked.patient.issuer, "")
        place = Place(self._numbers, {"reference": "#patient"}, ORDER, mapping.owner(request), hospital, (person,))
        upload = self._upload(request)

        def task_for(order: str) -> Resource:
            task = mapping.task(request, replace(place, order=order), self._clock(), asking=asking)
            return mapping.with_upload(task, upload.address, upload.code) if upload is not None else task

        return bring(self._writer(partner), copy, mapping.order(request, place), task_for, together=partner.settings.transaction)

    def _hear(self, request: ImageRequest, partner: ConfiguredPartner, copy: Copy, heard: Said) -> State:
        """Where the request then stands."""
        act = move(request.state, heard)
        name, actor = partner.settings.name, Actor(Party.PARTNER, name=partner.settings.name)
        with self._db.transaction() as session:
            if act is not None:
                try:
                    self._requests.act(request.id, act, actor, reason=(heard.reason or NO_REASON) if act is Act.DECLINE else "", session=session)
                except NotAllowed:
                    return request.state  # it changed since we read it: the next look decides
            elif heard.status == "completed" and copy.heard != heard.status and request.state in WAITING:
                self._requests.tell(request.id, f"{name} says that it is done. Nothing has come in here yet.", SYSTEM, session=session)
            if copy.heard != heard.status:
                self._copies.note(copy, session, heard=heard.status)
        return TABLE[act].to if act is not None else request.state

    def _not_taken(self, request: ImageRequest, partner: ConfiguredPartner, copy: Copy, error: OutboundError) -> Later | NeedsAttention:
        name, silent = partner.settings.name, self._copies.silent_for(copy)
        if will_stay_so(error):
            self._say(request, f"{name}’s server does not take it ({error.fault.code}). Their side: phone, or ask another way.")
            return NeedsAttention("partner-refused")
        if silent >= PATIENCE:
            self._say(request, f"{name}’s server has not answered for {PATIENCE // 60} minutes. Their side: phone, or ask another way.")
            return NeedsAttention("partner-silent")
        self._say(request, f"{name}’s server does not answer at the moment. Priors goes on trying for {PATIENCE // 60} minutes.")
        return Later(10 if silent < 60 else 60)

    def _say(self, request: ImageRequest, words: str) -> None:
        """Once, until something else was told."""
        told = [one.note for one in self._requests.history(request.id) if one.action == "tell"]
        if told[-1:] != [words]:
            self._requests.tell(request.id, words, SYSTEM)

    def _asking(self, id: str) -> int:
        return max((one.sequence for one in self._requests.history(id) if one.action in ASKS), default=1)

    def _record(self, request: ImageRequest, partner: ConfiguredPartner, what: str) -> None:
        """Before anything of the patient leaves. :raises AuditUnavailable:"""
        patient = request.asked.patient
        who = Who(self._tenant, patient.issuer, "", "Priors", "", "", request.id)
        self._audit.record(RequestWritten(who=who, patient=patient.id, request=request.id, place=partner.place, what=what))

    def _writer(self, partner: ConfiguredPartner) -> FhirWriter:
        return FhirWriter(self._outbound, partner.place, partner.settings.fhir, Proven(partner.credential), deadline=partner.settings.deadline)


ENDS: Mapping[State, str] = {State.STORED: "completed", State.CANCELLED: "cancelled", State.EXPIRED: "cancelled", State.DECLINED: "cancelled"}


def _retold(there: Resource, request: ImageRequest, now: datetime, studies: Sequence[str]) -> Resource | None:
    """Their Task with what is ours to say in it; None when it says so already, or is over."""
    if there.get("status") in FINAL:
        return None
    wanted = dict(there)
    if request.state in ENDS:
        wanted |= {"status": ENDS[request.state], "businessStatus": mapping.business_status(request, now), "lastModified": mapping.moment(request.updated_at)}
        if request.reason and request.state in mapping.SAYS_WHY:
            wanted["statusReason"] = {"text": request.reason}
        return wanted | ({"output": mapping.output(studies)} if studies else {})
    end = mapping.moment(request.asked.needed_by) if request.asked.needed_by else None
    if request.state not in OPEN or there.get("restriction", {}).get("period", {}).get("end") == end:
        return None
    wanted.pop("restriction", None)
    return wanted | ({"restriction": {"period": {"end": end}}} if end else {})


def _is_ours(task: Resource, system: str, value: str) -> bool:
    names = task.get("identifier")
    return any(isinstance(one, dict) and (one.get("system"), one.get("value")) == (system, value) for one in (names if isinstance(names, list) else []))


def _version(resource: Resource) -> str:
    meta = resource.get("meta")
    return str(meta.get("versionId") or "") if isinstance(meta, dict) else ""
