"""Side questions to a chart: what its orders, procedures, visits and documents say of imaging. All are asked at once.

Each answers for itself, so that a right the EHR did not grant, or a search that it lacks, costs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from launch.context import LaunchContext
from launch.errors import LaunchError
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.fanout import Question
from smart_app.archives.types import Answer, EvidenceRecord, SourceState
from smart_app.clock import Clock
from smart_app.errors import OutboundError
from smart_app.fhir.client import FhirClient, FhirRefused
from smart_app.fhir.evidence import Piece, evidence_of
from smart_app.sources.base import CHART, Named
from smart_app.sources.failing import code_of, state_of_failure


@dataclass(frozen=True)
class _Kind:
    word: str
    """Its key is `<chart>/<word>`."""
    resource: str
    named: str
    """What people call it."""


KINDS = (
    _Kind("orders", "ServiceRequest", "orders"), _Kind("procedures", "Procedure", "procedures"), _Kind("visits", "Encounter", "past visits"),
    _Kind("documents", "DocumentReference", "letters and outside documents"),
)  # fmt: skip
SIDES = ("reports", *(kind.word for kind in KINDS))
"""Every side question that tells what a chart speaks of. Only when all are answered in full does it name none."""
NO_RIGHT = "The EHR did not allow Priors to read {}, so imaging that only those name is not listed. The EHR team can allow it."
NO_ANSWER = "The EHR did not answer about {}, so imaging that only those name is not listed."
IN_PART = "The EHR did not give all {}, so imaging that only those name may be missing here."


def evidence_questions(own: Named, client: FhirClient, ctx: LaunchContext, patient_id: str, clock: Clock) -> Iterable[Question]:
    for kind in KINDS:
        yield Question(f"{own.key}/{kind.word}", own.name, own.organization, _call(kind, own, client, ctx, patient_id, clock))


def _call(kind: _Kind, own: Named, client: FhirClient, ctx: LaunchContext, patient_id: str, clock: Clock) -> Callable[[float], Answer]:
    def call(seconds: float) -> Answer:
        answer = Answer(f"{own.key}/{kind.word}", own.name, own.organization, SourceState.EMPTY, asked_at=clock())
        if not ctx.allows(kind.resource):
            return replace(answer, state=SourceState.REFUSED, notes=(NO_RIGHT.format(kind.named),), fault_code="scope", answered_at=clock())
        try:
            found = evidence_of(client, kind.resource, patient_id, is_uid=is_uid, deadline=seconds)
        except (OutboundError, LaunchError) as error:
            note = (NO_RIGHT if isinstance(error, FhirRefused) else NO_ANSWER).format(kind.named)
            return replace(answer, state=state_of_failure(error), notes=(note,), fault_code=code_of(error), answered_at=clock())
        whole = found.complete and not found.withheld and not found.unreadable
        return replace(
            answer,
            state=SourceState.PARTIAL if not whole else SourceState.OK if found.pieces else SourceState.EMPTY,
            evidence=recorded(found.pieces),
            withheld=found.withheld,
            unreadable=found.unreadable,
            notes=() if whole else (IN_PART.format(kind.named),),
            fault_code=code_of(found.failure) if found.failure else None,
            answered_at=clock(),
        )

    return call


def recorded(pieces: Iterable[Piece]) -> tuple[EvidenceRecord, ...]:
    return tuple(
        EvidenceRecord(
            kind=one.kind, reference=one.reference, title=one.title, date=one.date, time=one.time, dated=one.dated, modalities=one.modalities,
            body_parts=one.body_parts, accessions=one.accessions, studies=one.studies, organization=one.organization, status=one.status, urgent=one.urgent,
            orders=one.orders, wording=one.wording, confidentiality=one.confidentiality,
        )
        for one in pieces
    )  # fmt: skip


def charts_read(sources: Iterable[Named], answers: Iterable[Answer], whole: Callable[[Answer], bool]) -> bool:
    """Whether all that could speak of imaging in every chart among `sources` was read in full."""
    read = {answer.source for answer in answers if whole(answer)}
    return all(f"{source.key}/{word}" in read for source in sources if source.key.startswith(CHART) for word in SIDES)
