"""Reads a study's reports from the chart with the user's own token, and one document of them; every answer is recorded before it leaves.

Owns what becomes of a failure: what could not be read is said, and a report of another patient is withheld and recorded.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from launch.context import LaunchContext
from launch.errors import LaunchError
from launch.session import TokenProvider
from smart_app.archives.dicom_json import is_uid
from smart_app.archives.types import Answer, EvidenceRecord, ReportRecord, Said, StudyRecord
from smart_app.audit.events import AccessDenied, RowWithheld
from smart_app.audit.log import AuditLog
from smart_app.audit.reports_events import ReportRead, ReportsShown
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, OutboundError, Side, TimedOut
from smart_app.fhir.client import FhirClient, FhirMissing, FhirRefused
from smart_app.fhir.written import OtherPatient, Written, WrittenAll, content_of, one_written, written_of
from smart_app.holdings.store import Holdings
from smart_app.identity.people import said_by_chart
from smart_app.outbound import Outbound
from smart_app.policy.gate import Policy
from smart_app.reports.forms import OTHER, Form, form_of
from smart_app.reports.telling import told, unread
from smart_app.reports.types import Told
from smart_app.sealing import CannotOpen, Keyring
from smart_app.sources.chart import NO_REPORTS, NO_REPORTS_RIGHT
from smart_app.sources.chart_evidence import recorded
from smart_app.studies.evidence import Whose
from smart_app.studies.reported import Bond, bond, by_uid
from smart_app.viewer.asking import NOT_IN_LIST, Ask

SECONDS, DOCUMENT_SECONDS = 10.0, 20.0
SLOW = "The EHR did not answer about reports in time, so none are shown."
ENDED = "This session may not ask the EHR any more, so no reports are shown. Open the Images tab again from the chart."
NO_DOCUMENTS = "Outside documents could not be read, so a report that is kept as one may be missing here."
NOT_HAD = Fault("report-not-had", Side.EHR, "The EHR did not give this document.", "Try again, or open it in the chart.", True, 502)
NO_RIGHT = Fault("report-refused", Side.EHR, "The EHR did not allow this document to be read.", "The EHR team can allow it.", False, 403)
LETTERS = " letter"

OwnOf = Callable[[LaunchContext], frozenset[str]]


@dataclass(frozen=True)
class Document:
    form: Form
    content: bytes
    title: str


class Reports:
    """`own_of`: the organizations of a launch's own chart, as `likeness.plain` writes them; `local`: keys of its own archives."""

    def __init__(
        self, outbound: Outbound, tokens: Callable[[LaunchContext], TokenProvider], holdings: Holdings, policy: Policy, audit: AuditLog, keyring: Keyring, clock: Clock, *,
        own_of: OwnOf, local: frozenset[str],
    ) -> None:  # fmt: skip
        self._outbound, self._tokens, self._holdings, self._policy = outbound, tokens, holdings, policy
        self._audit, self._keyring, self._clock = audit, keyring, clock
        self._own_of, self._local = own_of, local

    def of(self, ask: Ask) -> Told:
        """What there is to read beside this study."""
        found = self._read(ask)
        if found.withheld:
            self._audit.record(RowWithheld(who=ask.who, patient=ask.context.patient_id, source=f"ehr:{ask.context.issuer_key}/reports", reason="another-patient", count=found.withheld))
        unsure = sum(not one.sure for one in found.reports)
        self._audit.record(
            ReportsShown(
                who=ask.who, patient=ask.context.patient_id, archive=ask.archive.key, study=ask.study, state=found.state, count=len(found.reports), unsure=unsure, withheld=found.withheld
            )
        )  # fmt: skip
        return found

    def document(self, ask: Ask, name: str) -> Document:
        """One document. :raises AppError: it is not this study's (404), or it could not be had."""
        where, _, at = self._opened(ask, name).partition("#")
        client, patient = self._client(ask.context), ask.context.patient_id or ""
        try:
            written = one_written(client, where, patient, is_uid=is_uid, deadline=SECONDS)
            if self._bond(ask, written) is None or int(at) >= len(written.attached) or written.status == "entered-in-error":
                raise self._refused(ask)
            attached = written.attached[int(at)]
            kind, content = content_of(client, attached, patient, deadline=DOCUMENT_SECONDS)
            form = form_of(kind, content, self._expected(ask))
        except OtherPatient:
            written, content, form = None, b"", Form("none", sentence=OTHER, other_patient=True)
        except FhirMissing:
            raise self._refused(ask) from None
        except FhirRefused:
            raise AppError(NO_RIGHT) from None
        except (OutboundError, LaunchError):
            raise AppError(NOT_HAD) from None
        if form.other_patient:
            self._audit.record(RowWithheld(who=ask.who, patient=ask.context.patient_id, source=f"ehr:{ask.context.issuer_key}/reports", reason="another-patient"))
        self._audit.record(ReportRead(who=ask.who, patient=ask.context.patient_id, archive=ask.archive.key, study=ask.study, what=form.kind))
        return Document(form, b"" if form.other_patient else content, written.title if written is not None else "")

    def _read(self, ask: Ask) -> Told:
        ctx = ask.context
        if not ctx.allows("DiagnosticReport"):
            return unread(NO_REPORTS_RIGHT)
        client, patient = self._client(ctx), ctx.patient_id or ""
        try:
            reports = written_of(client, "DiagnosticReport", patient, is_uid=is_uid, deadline=SECONDS)
        except FhirRefused:
            return unread(NO_REPORTS_RIGHT)
        except TimedOut:
            return unread(SLOW)
        except LaunchError:
            return unread(ENDED)
        except OutboundError:
            return unread(NO_REPORTS)
        documents = self._documents(ctx, client, patient)
        notes = () if documents is not None and documents.whole else (NO_DOCUMENTS,)
        records, whose = self._records(ctx), self._whose(ctx)
        bound = []
        for one in (*reports.written, *(documents.written if documents is not None else ())):
            how = _bond(one, ask.study, records, whose)
            if how is not None:
                bound.append((one, how))
        withheld = reports.withheld + (documents.withheld if documents is not None else 0)
        return told(bound, whole=reports.whole, withheld=withheld, notes=notes, name_of=lambda one, at: self._named(ask, one, at))

    def _documents(self, ctx: LaunchContext, client: FhirClient, patient: str) -> WrittenAll | None:
        if not ctx.allows("DocumentReference"):
            return None
        try:
            return written_of(client, "DocumentReference", patient, is_uid=is_uid, deadline=SECONDS)
        except (OutboundError, LaunchError):
            return None

    def _bond(self, ask: Ask, one: Written) -> Bond | None:
        return _bond(one, ask.study, self._records(ask.context), self._whose(ask.context))

    def _records(self, ctx: LaunchContext) -> dict[str, list[StudyRecord]]:
        answers: dict[str, Answer] = {answer.source: answer for answer in self._holdings.answers(ctx.handle)}
        return by_uid(self._policy.judge(ctx, answers).answers.values())

    def _whose(self, ctx: LaunchContext) -> Whose:
        return Whose(self._own_of(ctx), self._local, lambda uid: "", self._clock().astimezone().date())

    def _expected(self, ask: Ask) -> tuple[Said, ...]:
        facts = self._holdings.patient(ask.handle)
        return (said_by_chart(facts),) if facts is not None else ask.expected

    def _client(self, ctx: LaunchContext) -> FhirClient:
        return FhirClient(self._outbound, f"ehr:{ctx.issuer_key}", ctx.issuer, self._tokens(ctx))

    def _named(self, ask: Ask, one: Written, at: int) -> str:
        sealed = self._keyring.seal(f"{one.reference}#{at}".encode(), place=_place(ask))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def _opened(self, ask: Ask, name: str) -> str:
        try:
            return self._keyring.open(base64.b64decode(name + "=" * (-len(name) % 4), altchars=b"-_", validate=True), place=_place(ask)).decode()
        except (CannotOpen, ValueError):
            raise self._refused(ask) from None

    def _refused(self, ask: Ask) -> AppError:
        self._audit.record(AccessDenied(who=ask.who, patient=ask.context.patient_id, action="view-images", reason="report not of this study"))
        return AppError(NOT_IN_LIST)


def _place(ask: Ask) -> str:
    return f"report:{ask.handle}:{ask.archive.key}:{ask.study}"


def _bond(one: Written, study: str, records: dict[str, list[StudyRecord]], whose: Whose) -> Bond | None:
    # A letter that mentions a study is no report of it.
    if one.kind == "document" and (one.piece is None or one.piece.wording.endswith(LETTERS)):
        return None
    pieces: tuple[EvidenceRecord, ...] = recorded((one.piece,)) if one.piece is not None else ()
    report = ReportRecord(one.status, one.names.studies, one.names.accessions) if one.names is not None and one.kind == "report" else None
    return bond(report, pieces[0] if pieces else None, study, records, whose)
