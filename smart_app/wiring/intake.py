"""What was received: screened, judged, reviewed, stored, taken out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from launch.context import LaunchContext
from smart_app.archives.stow import Stow
from smart_app.archives.wado import Wado
from smart_app.audit.events import Outcome, Who
from smart_app.audit.intake_events import IntakeStored
from smart_app.desk.patients import Patients
from smart_app.image_requests.types import Patient
from smart_app.intake import views as intake_views
from smart_app.intake.arrival import Arrival
from smart_app.intake.awaited import EVERY as LOOK_EVERY
from smart_app.intake.awaited import KIND as AWAITED
from smart_app.intake.awaited import Awaited
from smart_app.intake.charts import Charts
from smart_app.intake.fitness import grade
from smart_app.intake.items import Items, Keeping
from smart_app.intake.readback import ReadBack
from smart_app.intake.receipts import Receipts
from smart_app.intake.received import OPEN, Received, Stage
from smart_app.intake.retention import Retention
from smart_app.intake.review import Review
from smart_app.intake.screening import Screening
from smart_app.intake.settling import Settling
from smart_app.intake.storing import Storing
from smart_app.intake.types import Finding
from smart_app.intake.undo import Undo
from smart_app.jobs.types import Handler
from smart_app.links.about import read_about
from smart_app.outbound import Aside
from smart_app.parts import Parts
from smart_app.spool.types import Upload
from smart_app.studies.received import Origin

PURGE, EVERY = "purge", 3600


@dataclass(frozen=True)
class Intake:
    items: Items
    arrival: Arrival
    storing: Storing
    review: Review
    undo: Undo
    retention: Retention

    def waiting(self) -> int:
        """How many studies wait for a person."""
        counts = self.items.counts()
        return sum(counts.get(state, 0) for state in OPEN)

    def findings(self, upload: str) -> tuple[Finding, ...] | None:
        """For the sender's page; None: nobody has looked yet."""
        if self.items.screened(upload) is None:
            return None
        return tuple(finding for item in self.items.of_upload(upload) for finding in item.content.findings)


def _whose(parts: Parts, upload: Upload) -> Patient | None:
    """The chart that a link without a request was made in."""
    link = parts.links.get(upload.link)
    whom = read_about(parts.links.about(link)).whom if link is not None else ""
    return TypeAdapter(Patient).validate_json(whom) if whom else None


def items_of(parts: Parts) -> Items:
    """What was received, as every part of the product reads it."""
    given = parts.settings.intake
    keeping = Keeping(given.stored_days, given.left_days, given.aside_days)
    return Items(parts.database, parts.keyring, parts.clock, tenant=parts.settings.tenant, keeping=keeping)


def patients_of(parts: Parts) -> Patients:
    """Patients whom the EHRs name to Priors itself."""
    return Patients(parts.outbound, {ehr.key: ehr for ehr in parts.settings.ehrs}, parts.smart.broker.backend_provider, parts.keyring, parts.clock)


def intake_of(parts: Parts) -> Intake:
    settings, db = parts.settings, parts.database
    archive = next((one for one in parts.archives if one.settings.stores), None)
    namespaces = {system: one.issuer for one in parts.archives for system in one.settings.identifier_systems}
    given = settings.intake
    items = items_of(parts)
    receipts = Receipts(db, parts.clock)
    settle = Settling(
        parts.requests, lambda session, request: items.of_scope(request, session),
        lambda session, request: items.unscreened(session, parts.spool.coming(session, request)),
    ).settle  # fmt: skip
    workspace = settings.data_dir / "storing"

    def recorded(session: Session, item: Received, counts: Mapping[Stage, int]) -> None:
        patient = item.content.patient
        who = Who(settings.tenant, patient.issuer if patient else "", "", "Priors", "", "", "")
        refused, conflicts = counts[Stage.FAILED] + counts[Stage.CHECKING] + counts[Stage.WAITING], counts[Stage.CONFLICT]
        parts.audit.record(
            IntakeStored(
                who=who, patient=patient.id if patient else None, item=item.id, archive=archive.key if archive else "", stored=counts[Stage.STORED],
                there=counts[Stage.THERE], refused=refused, conflicts=conflicts, outcome=Outcome.MINOR if refused or conflicts else Outcome.OK,
            ),
            session,
        )  # fmt: skip

    patients = patients_of(parts)
    charts = Charts(items, parts.audit, parts.clock, patients.chart, namespaces, settings.tenant, patients.may_ask, archive.key if archive else None)
    storing = Storing(
        db, items, receipts, Stow(parts.outbound), ReadBack(Wado(Aside(parts.outbound)), workspace), archive, archive.settings.identifier_systems if archive else (),
        workspace, parts.clock, settle, recorded, charts,
    )  # fmt: skip
    arrival = Arrival(
        db, items, parts.spool, Screening(parts.spool.workspace), grade, parts.requests, parts.ledger, parts.clock, namespaces,
        certain_alone=given.store_certain and archive is not None, archive=archive.key if archive else None, settle=settle, whose=lambda upload: _whose(parts, upload),
    )  # fmt: skip
    review = Review(
        db, items, receipts, parts.ledger, parts.requests, parts.audit, parts.clock, settle, namespaces, storing.number, tenant=settings.tenant,
        archive=archive.key if archive else None, charts=charts, any_ehr=given.second_person == "any-ehr",
    )  # fmt: skip
    undo = Undo(db, items, parts.audit, parts.clock, parts.requests, settle, review.verdict)
    return Intake(items, arrival, storing, review, undo, Retention(db, items, parts.spool, parts.audit, parts.clock, tenant=settings.tenant))


def handlers(parts: Parts) -> Mapping[str, Handler]:
    made = intake_of(parts)
    awaited = Awaited(parts.database, made.items, parts.audit, parts.clock, patients_of(parts).like, made.review.namespaces, parts.settings.tenant, made.review.archive)
    return {"screen": made.arrival.handle, "store": made.storing.handle, PURGE: made.retention.handle, AWAITED: awaited.handle}


def periods() -> Mapping[str, int]:
    return {PURGE: EVERY, AWAITED: LOOK_EVERY}


def origins_of(parts: Parts) -> Callable[[LaunchContext], Mapping[str, Origin]]:
    """Where the launch's patient's stored studies came from, by Study Instance UID."""
    items = items_of(parts)

    def origins(context: LaunchContext) -> Mapping[str, Origin]:
        stored = items.stored_of(context.issuer_key, context.patient_id) if context.patient_id is not None else ()
        return {one.summary.study: Origin(one.summary.institution or one.content.sender, one.arrived_at) for one in stored}

    return origins


def add(app: Flask, parts: Parts) -> None:
    made = intake_of(parts)
    archive = made.storing.archive
    app.register_blueprint(
        intake_views.make_blueprint(
            made.items, made.review, made.undo, parts.requests, parts.audit, parts.clock,
            archive=archive.name if archive else "", archive_key=archive.key if archive else None, left_days=parts.settings.intake.left_days,
        )
    )  # fmt: skip
