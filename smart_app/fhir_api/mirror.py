"""Tells other FHIR servers where a request stands: the EHR, where its configuration lets us write, and the partner that was asked.

Told is the request as it is now, never one change of it: the work of an older change finds that the newer was told, and is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from smart_app.archives.registry import Credential
from smart_app.audit.events import Who
from smart_app.audit.fhir_events import RequestWritten
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirMissing
from smart_app.fhir.writing import ChangedThere, FhirWriter, will_stay_so
from smart_app.fhir_api import mapping
from smart_app.fhir_api.copies import Copies, Copy, Proven, bring
from smart_app.fhir_api.mapping import ID, Place, Resource
from smart_app.fhir_api.partner import Partners
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import ImageRequest, State
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.outbound import Outbound

ONE_TASK = 1
"""In a chart a request is one Task, asked again or not."""
PATIENCE = 24 * 3600
DEADLINE = 20.0
OPTIONAL = ("statusReason", "output", "restriction", "reasonCode", "occurrencePeriod", "bodySite", "supportingInfo")
"""What we may have said earlier and no longer say; anything else of theirs in the resource stays."""


@dataclass(frozen=True)
class WritableEhr:
    """An EHR that takes what we write, and how its backend client proves itself."""

    key: str
    base: str
    hospital: str
    writes: Literal["task", "communication"]
    credential: Credential = field(repr=False)

    @property
    def place(self) -> str:
        """How rows and records call it, and its lane."""
        return f"ehr:{self.key}"


class Mirror:
    """Handler of `mirror`. One a process; safe for threads."""

    def __init__(
        self, ehrs: Mapping[str, WritableEhr], partners: Partners, outbound: Outbound, requests: Requests, copies: Copies, audit: AuditLog, clock: Clock,
        *, tenant: str, numbers: str, studies: Callable[[str], Sequence[str]] = lambda request: (),
    ) -> None:  # fmt: skip
        """`studies`: Study Instance UIDs of what was stored for a request."""
        self._ehrs, self._partners, self._outbound, self._requests = ehrs, partners, outbound, requests
        self._copies, self._audit, self._clock, self._tenant, self._numbers = copies, audit, clock, tenant, numbers
        self._studies = studies

    def __call__(self, job: Job) -> None:
        """:raises Later: not now. :raises NeedsAttention: it is not taken there."""
        try:
            request = self._requests.get(job.key.rpartition(".")[0])
        except NoSuchRequest:
            return
        self._partners.retell(request)
        ehr = self._ehrs.get(request.asked.patient.issuer)
        if ehr is None or request.state is State.DRAFT or not ID.fullmatch(request.asked.patient.id):
            return
        copy = self._copies.begin(ehr.place, request.id, ONE_TASK)
        if copy.told >= request.version:
            return
        self._record(request, ehr)
        writer = FhirWriter(self._outbound, ehr.place, ehr.base, Proven(ehr.credential), deadline=DEADLINE)
        try:
            (self._tasks if ehr.writes == "task" else self._note)(writer, ehr, request, copy)
        except ChangedThere:
            raise Later(2) from None
        except OutboundError as error:
            if will_stay_so(error):
                raise NeedsAttention("ehr-refused") from None
            if self._copies.silent_for(copy) >= PATIENCE:
                raise NeedsAttention("ehr-silent") from None
            raise Later(60) from None
        if self._requests.get(request.id).version != request.version:
            raise Later(1)  # it changed while we told: what we wrote may have come after what tells of that change

    def _tasks(self, writer: FhirWriter, ehr: WritableEhr, request: ImageRequest, copy: Copy) -> None:
        place = self._place(request, ehr)
        studies = self._studies(request.id) if request.state in mapping.HAS_STORED else ()

        def task_for(order: str) -> Resource:
            return mapping.task(request, replace(place, order=order), self._clock(), asking=ONE_TASK, studies=studies)

        order = mapping.order(request, place)
        brought = bring(writer, copy, order, task_for, together=False)
        self._copies.note(copy, order_id=brought.order_id, task_id=brought.task_id)
        if not brought.told:
            self._update(writer, "ServiceRequest", brought.order_id, order)
            self._update(writer, "Task", brought.task_id, task_for(f"ServiceRequest/{brought.order_id}"))
        self._copies.note(copy, told=request.version, silent_since=None)

    def _note(self, writer: FhirWriter, ehr: WritableEhr, request: ImageRequest, copy: Copy) -> None:
        """Where no Task is taken: one Communication, rewritten as the request moves."""
        wanted = mapping.communication(request, self._place(request, ehr), self._clock())
        name = f"{self._numbers}|{request.id}"
        id, is_new = copy.task_id, False
        if not id:
            found = None if copy.is_first else writer.find("Communication", name)
            made = found or writer.create(wanted, name)
            id, is_new = made.id, made.is_new
            self._copies.note(copy, task_id=id)
        if not is_new:
            self._update(writer, "Communication", id, wanted)
        self._copies.note(copy, told=request.version, silent_since=None)

    def _update(self, writer: FhirWriter, kind: str, id: str, wanted: Resource) -> None:
        """Ours over what is there, so that what the EHR has added stays."""
        try:
            there = writer.read(kind, id)
        except FhirMissing:
            raise NeedsAttention("ehr-copy-gone") from None
        kept = {name: value for name, value in there.items() if name not in OPTIONAL}
        meta = there.get("meta")
        writer.update(kind, id, kept | wanted, str(meta.get("versionId") or "") if isinstance(meta, dict) else "")

    def _place(self, request: ImageRequest, ehr: WritableEhr) -> Place:
        return Place(self._numbers, {"reference": f"Patient/{request.asked.patient.id}"}, "", mapping.owner(request), ehr.hospital)

    def _record(self, request: ImageRequest, ehr: WritableEhr) -> None:
        patient = request.asked.patient
        who = Who(self._tenant, patient.issuer, "", "Priors", "", "", request.id)
        self._audit.record(RequestWritten(who=who, patient=patient.id, request=request.id, place=ehr.place, what="Task" if ehr.writes == "task" else "Communication"))
