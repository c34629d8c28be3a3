"""Writes a person's marks to the archive that stores, as a report in the same study: a row, its work, one sending, read back; only then "stored".

Offered only where the site allows it and the study is that archive's own. Before anything is sent the archive is asked again whose image the
marks lie on. A version of marks is written once, whoever asks and however often; what the archive has is asked before it is sent.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import secrets
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.archives.dicom_json import NotJson, parse
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.stow import Stow, Told, ToSend
from smart_app.archives.types import PatientId
from smart_app.archives.wado import Place, Wado
from smart_app.audit.events import Outcome, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.marks_events import MarksToArchive
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError, Fault, OutboundError, Side
from smart_app.intake.coercion import identity, substance
from smart_app.intake.readback import Expected, Found, ReadBack
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job, Later
from smart_app.marks.models import MarkReportRow
from smart_app.marks.report import CannotReport, Observer, Report, build
from smart_app.marks.store import Marks
from smart_app.marks.types import Kept
from smart_app.sealing import Keyring
from smart_app.viewer.asking import Ask
from smart_app.viewer.checks import Checks

KIND = "marks-report"
UNREACHABLE = 30.0
TRIES = 8
NOT_OFFERED = Fault("no-report", Side.SETUP, "Marks on this study are not written to the archive here.", "They stay saved for you only.", False, 403)
CHANGED = Fault("newer-marks", Side.PERSON, "Your marks have changed since, so nothing was written to the archive.", "Look at them, then write them again.", False, 409)
CANNOT = Fault("cannot-report", Side.PERSON, "These marks cannot be written to the archive, so nothing was.", "A mark has no measured value, or lies on an image whose size is not known: delete it, then try again.", False, 409)

OFF = "This site keeps marks for you only."
ELSEWHERE = "This study is not in this site\u2019s own archive, so marks stay with you."


@dataclass(frozen=True)
class Sealed:
    """What work needs: the object, where it goes, and who asked."""

    report: Report
    issuer: str
    who: Who
    patient: str | None
    count: int


class Filing:
    def __init__(
        self, db: Database, keyring: Keyring, ledger: Ledger, audit: AuditLog, clock: Clock, marks: Marks, *, archive: ConfiguredArchive | None, stow: Stow, wado: Wado, back: ReadBack,
        workspace: Path, withdrawn: Callable[[str | None, str], bool],
    ) -> None:  # fmt: skip
        """`archive`: the one that stores; None where the site does not allow it, or none does."""
        self._db, self._keyring, self._ledger, self._audit, self._clock, self._marks = db, keyring, ledger, audit, clock, marks
        self._archive, self._stow, self._wado, self._back, self._workspace, self._withdrawn = archive, stow, wado, back, workspace, withdrawn

    def state(self, ask: Ask, kept: Kept) -> Mapping[str, Any]:
        """What a page says: whether it is offered, and what came of the newest version that was written."""
        why = self._why_not(ask)
        with self._db.reading() as session:
            mine = select(MarkReportRow.version, MarkReportRow.state).where(MarkReportRow.marks == self._marks.name(ask.context, ask.study))
            row = session.execute(mine.order_by(MarkReportRow.version.desc()).limit(1)).first()
        return {"may": not why, "why": why, "archive": self._archive.name if self._archive else "", "state": row.state if row else "", "of": row.version if row else 0, "current": row is not None and row.version == kept.version}

    def ask(self, ask: Ask, checks: Checks, version: int) -> None:
        """Have this version of the marks written. The same again is the same. :raises AppError: not offered, changed since, or it cannot be one."""
        if self._why_not(ask):
            raise AppError(NOT_OFFERED)
        kept = self._marks.of(ask.context, ask.study)
        if kept.version != version or not kept.marks:
            raise AppError(CHANGED)
        images = {instance: _image(checks, ask, series, instance) for series, instance in dict.fromkeys(mark.place for mark in kept.marks)}
        user = ask.context.user
        observer = Observer(_person(user.name or user.subject), user.fhir_user or user.subject)
        key, uids = secrets.token_hex(16), (_uid(), _uid())
        try:
            report = build(kept.marks, {uid: image for uid, image in images.items() if image is not None}, observer, uids, self._clock())
        except CannotReport:
            raise AppError(CANNOT) from None
        if report.study != ask.study or report.patient not in {each.value for each in ask.patients}:
            raise AppError(CANNOT)
        issuer = next(each.issuer for each in ask.patients if each.value == report.patient)
        what = Sealed(report, issuer, ask.who, ask.context.patient_id, len(kept.marks))
        name = self._marks.name(ask.context, ask.study)
        with self._db.transaction() as session:
            if session.scalar(select(MarkReportRow.id).where(MarkReportRow.marks == name, MarkReportRow.version == version)) is not None:
                return
            sealed = self._keyring.seal(_dump(what), place=_place(key))
            session.add(MarkReportRow(id=key, marks=name, version=version, patient=self._marks.patients(ask.context)[0], state="waiting", sealed=sealed, asked_at=self._clock(), settled_at=None))
            self._record(session, what, "asked")
            self._ledger.add(session, KIND, key)

    def handle(self, job: Job) -> None:
        """The work. Called again after a crash: what the archive has is asked first, so that it is sent once."""
        with self._db.reading() as session:
            row = session.get(MarkReportRow, job.key)
        if row is None or row.state != "waiting":
            return  # forgotten on request, or settled by an earlier try
        what = _load(self._keyring.open(row.sealed, place=_place(row.id)))
        if self._archive is None or self._withdrawn(self._archive.key, what.report.study):
            self._settle(job.key, what, "refused")
            return
        try:
            stored = self._written(self._archive, what)
        except OutboundError:
            raise Later(UNREACHABLE) from None
        if stored is None and job.attempt < TRIES:
            raise Later(min(60.0, 2.0**job.attempt))
        self._settle(job.key, what, "stored" if stored else "refused")

    def _written(self, archive: ConfiguredArchive, what: Sealed) -> bool | None:
        """True: read back, the very object. False: it must not be sent, or the archive refused it. None: not known yet. :raises OutboundError:"""
        if not self._is_theirs(archive, what):
            return False
        self._workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._workspace, prefix="marks-", suffix=".dcm") as file:
            file.write(what.report.content)
            file.flush()
            path, report = Path(file.name), what.report
            its = identity(path)
            written = hashlib.sha256(report.content).hexdigest()
            expected = Expected(report.series, report.instance, PatientId(report.patient, what.issuer), written, substance(path), its.transfer_syntax, its.shape)
            there = self._back.look(archive, report.study, expected)
            if there is not Found.ABSENT:
                return there is Found.SAME
            told = self._stow.send(archive, report.study, [ToSend(report.instance, path)])[report.instance]
            if told.told is Told.FAILED:
                return False
            there = self._back.look(archive, report.study, expected)
        return True if there is Found.SAME else None if there is Found.ABSENT else False

    def _is_theirs(self, archive: ConfiguredArchive, what: Sealed) -> bool:
        """The image that was marked is there still, in this study and under this patient's number. :raises OutboundError:"""
        series, instance = what.report.source
        _, body = self._wado.metadata(archive, None, Place(what.report.study, series, instance))
        try:
            rows = parse(body, "")
        except NotJson:
            return False
        if not isinstance(rows, list) or len(rows) != 1:
            return False
        return (_said(rows[0], "00100020"), _said(rows[0], "0020000D"), _said(rows[0], "00080018")) == (what.report.patient, what.report.study, instance)

    def _settle(self, key: str, what: Sealed, state: str) -> None:
        with self._db.transaction() as session:
            row = session.get(MarkReportRow, key, with_for_update=True)
            if row is None or row.state != "waiting":
                return
            row.state, row.settled_at = state, self._clock()
            self._record(session, what, state)

    def _record(self, session: Session, what: Sealed, step: str) -> None:
        outcome = Outcome.MINOR if step == "refused" else Outcome.OK
        archive = self._archive.key if self._archive else ""
        event = MarksToArchive(who=what.who, patient=what.patient, study=what.report.study, archive=archive, instance=what.report.instance, step=step, count=what.count, outcome=outcome)
        self._audit.record(event, session)

    def _why_not(self, ask: Ask) -> str:
        if self._archive is None or find_spec("highdicom") is None:
            return OFF
        return ELSEWHERE if ask.archive.key != self._archive.key or ask.held.record.open_base else ""


def _image(checks: Checks, ask: Ask, series: str, instance: str) -> Mapping[str, Any] | None:
    """The judged metadata of one marked image; None: it is not there, or was withheld."""
    judged = checks.metadata(ask, Place(ask.study, series, instance))
    rows = json.loads(gzip.decompress(judged.body))
    return next((row for row in rows if _said(row, "00080018") == instance), None)


def _said(row: Any, tag: str) -> str:
    values = row.get(tag, {}).get("Value") if isinstance(row, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _person(name: str) -> str:
    """A name as people write it: nobody can tell which of its words is the family's, so all are one component, said to be one by the `^`."""
    return " ".join(name.replace("^", " ").replace("=", " ").replace("\\", " ").split())[:63] + "^"


def _uid() -> str:
    return f"2.25.{uuid.uuid4().int}"


def _dump(what: Sealed) -> bytes:
    content = asdict(what)
    content["report"]["content"] = base64.b64encode(what.report.content).decode()
    return json.dumps(content).encode()


def _load(plain: bytes) -> Sealed:
    content = json.loads(plain)
    given = content.pop("report")
    report = Report(**given | {"content": base64.b64decode(given["content"]), "source": tuple(given["source"])})
    return Sealed(report, content["issuer"], Who(**content["who"]), content["patient"], content["count"])


def _place(key: str) -> str:
    return f"mark_reports.sealed:{key}"
