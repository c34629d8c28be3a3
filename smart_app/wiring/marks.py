"""A person's marks: where they are kept, how they reach the archive, and their routes."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from smart_app.archives.stow import Stow
from smart_app.archives.wado import Wado
from smart_app.intake.readback import ReadBack
from smart_app.intake.receipts import withdrawn_of
from smart_app.jobs.types import Handler
from smart_app.marks import views
from smart_app.marks.filing import KIND, Filing
from smart_app.marks.store import Marks
from smart_app.outbound import Aside
from smart_app.parts import Parts
from smart_app.viewer.asking import Doorman
from smart_app.viewer.checks import Checks


def marks_of(parts: Parts) -> Marks:
    return Marks(parts.database, parts.keyring, parts.clock, days=parts.settings.marks.days)


def filing_of(parts: Parts) -> Filing:
    settings = parts.settings
    archive = next((one for one in parts.archives if one.settings.stores), None) if settings.marks.save_to_archive else None
    workspace = settings.data_dir / "marks"
    wado = Wado(Aside(parts.outbound))
    return Filing(
        parts.database, parts.keyring, parts.ledger, parts.audit, parts.clock, marks_of(parts), archive=archive, stow=Stow(parts.outbound), wado=wado,
        back=ReadBack(wado, workspace), workspace=workspace, withdrawn=withdrawn_of(parts.database, parts.keyring, parts.clock, settings.tenant),
    )  # fmt: skip


def handlers(parts: Parts) -> Mapping[str, Handler]:
    return {KIND: filing_of(parts).handle}


def add(app: Flask, parts: Parts, doorman: Doorman, checks: Checks) -> None:
    app.register_blueprint(views.make_blueprint(doorman, checks, marks_of(parts), filing_of(parts), parts.audit, parts.settings.marks))
