"""What one launch may see: its patient, each source's answer, the studies that follow from them, the instances checked.

The database is the truth on every request: nothing here outlives `forget` or a replaced answer in another worker.
Only unsealed instance sets are kept in memory, and only under the version just read. Content is sealed at rest.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Delete, bindparam, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from smart_app.archives.types import Answer, PatientId, StudyRecord
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings import codec
from smart_app.holdings.models import HoldingAnswer, HoldingChecked, HoldingPatient, HoldingStudy
from smart_app.policy.gate import Passage
from smart_app.sealing import Keyring

TABLES = (HoldingPatient, HoldingAnswer, HoldingStudy, HoldingChecked)
KEPT_SETS = 256
TAKEN_OUT = "A study that was stored here by mistake has been taken out of this list."
EHR_PREFIX = "ehr:"
"""Sources that are a chart, not an archive: their word alone does not override the archive's."""

# Built once: these run before every frame, where composing a statement would cost more than running it.
_studies, _checked = HoldingStudy.__table__.c, HoldingChecked.__table__.c
HELD = select(_studies.source, _studies.study, _studies.sealed).where(
    _studies.launch == bindparam("launch"), or_(_studies.study == bindparam("study"), _studies.named == bindparam("named"))
)
_answers = HoldingAnswer.__table__.c
ANSWERS = select(_answers.source, _answers.sealed).where(_answers.launch == bindparam("launch")).order_by(_answers.source)
SAVED = select(_answers.source, _answers.saved_at).where(_answers.launch == bindparam("launch"))
DROP_ANSWER, DROP_STUDIES = (
    delete(table).where(table.launch == bindparam("of_launch"), table.source == bindparam("of_source")) for table in (HoldingAnswer, HoldingStudy)
)
ADD_ANSWER, ADD_STUDIES = insert(HoldingAnswer), insert(HoldingStudy)
_OF_SERIES = (_checked.launch == bindparam("launch"), _checked.series == bindparam("series"))
VERSION = select(_checked.version).where(*_OF_SERIES)
CHECKED = select(_checked.version, _checked.sealed).where(*_OF_SERIES)


PassageOf = Callable[[str, Sequence[StudyRecord]], Passage]


@dataclass(frozen=True)
class Held:
    """What the gateway may serve: this study, from this archive, for exactly these identifiers."""

    study_uid: str
    archive: str
    patient_id: PatientId
    record: StudyRecord
    patient_ids: tuple[PatientId, ...] = ()
    """All identifiers its images may carry; more than one only where just the chart names the study."""
    break_glass: bool = False
    """It may be served only as long as the launch's break-glass is open: nobody may believe this for longer than one request."""


class Holdings:
    """One a process; safe for threads. Methods take the launch's handle and never log it."""

    def __init__(
        self, db: Database, keyring: Keyring, clock: Clock, passage: PassageOf | None = None, *, stand: Callable[[frozenset[str]], frozenset[str]] = frozenset[str],
        withdrawn: Callable[[str | None, str], bool] = lambda archive, study: False,
    ) -> None:  # fmt: skip
        """`passage` is the policy's word on a study, from all that this launch's sources say of it; None: there is no policy.
        `stand` tells which of some decisions by people are in force now: what rests on another is not held.
        `withdrawn`: whether a study at an archive was stored there by mistake and taken out of every view.
        """
        self._db = db
        self._passage = passage
        self._stand, self._withdrawn = stand, withdrawn
        self._keyring = keyring
        self._clock = clock
        self._sets: OrderedDict[tuple[str, str], frozenset[str]] = OrderedDict()
        self._lock = threading.Lock()

    def save_patient(self, handle: str, facts: PatientFacts) -> None:
        launch = _digest(handle)
        sealed = self._seal("holding_patients", launch, codec.dump(facts))
        with self._db.transaction() as session:
            self._alone(session, launch)
            session.merge(HoldingPatient(launch=launch, sealed=sealed, saved_at=self._clock()))

    def patient(self, handle: str) -> PatientFacts | None:
        launch = _digest(handle)
        with self._db.reading() as session:
            sealed = session.scalar(select(HoldingPatient.sealed).where(HoldingPatient.launch == launch))
        return None if sealed is None else codec.patient_from(self._open("holding_patients", launch, sealed))

    def save_answer(self, handle: str, answer: Answer, session: Session | None = None) -> None:
        """Replace this source's answer for this launch, and with it what may be opened because of it.

        With `session`, it stands or falls with that (writing) transaction.
        """
        if session is None:
            with self._db.transaction() as own:
                return self._save_answer(handle, answer, own)
        return self._save_answer(handle, answer, session)

    def _save_answer(self, handle: str, answer: Answer, session: Session) -> None:
        launch = _digest(handle)
        self._alone(session, launch)
        place, key = f"{launch}:{answer.source}", {"of_launch": launch, "of_source": answer.source}
        connection = session.connection()
        sealed = self._seal("holding_answers", place, codec.dump(answer))
        connection.execute(DROP_ANSWER, key)
        connection.execute(ADD_ANSWER, {"launch": launch, "source": answer.source, "sealed": sealed, "saved_at": self._clock()})
        connection.execute(DROP_STUDIES, key)
        rows = [
            {"launch": launch, "source": answer.source, "study": study, "named": named, "sealed": self._seal("holding_studies", f"{place}:{study}", content)}
            for study, (named, content) in _named(handle, answer).items()
        ]
        if rows:
            connection.execute(ADD_STUDIES, rows)

    def answers(self, handle: str, unsealed: dict[str, tuple[bytes, Answer]] | None = None) -> tuple[Answer, ...]:
        """The latest answer of each source, by source.

        :param unsealed: what the caller has unsealed before, by source; the rows are read each time, and opened only where they changed.
        """
        launch = _digest(handle)
        known = {} if unsealed is None else unsealed
        with self._db.engine.connect() as connection:
            rows = connection.execute(ANSWERS, {"launch": launch}).all()
        found = {}
        for source, sealed in rows:
            before = known.get(source)
            if before is not None and before[0] == sealed:
                found[source] = before
            else:
                found[source] = (sealed, codec.answer_from(self._open("holding_answers", f"{launch}:{source}", sealed)))
        known.clear()
        known.update(found)
        answers = tuple(answer for _, answer in found.values())
        links = frozenset(link for answer in answers for study in answer.studies for link in study.links)
        gone = links - self._stand(links) if links else links
        return tuple(self._shown(_without(answer, gone) if gone else answer) for answer in answers)

    def _shown(self, answer: Answer) -> Answer:
        kept = tuple(study for study in answer.studies if not self._withdrawn(study.archive, study.uid))
        return answer if len(kept) == len(answer.studies) else replace(answer, studies=kept, notes=(*answer.notes, TAKEN_OUT))

    def saved(self, handle: str) -> dict[str, datetime]:
        """When each source's latest answer was kept; unseals nothing."""
        with self._db.engine.connect() as connection:
            rows = connection.execute(SAVED, {"launch": _digest(handle)}).all()
        return {row.source: row.saved_at for row in rows}

    def answer(self, handle: str, source: str) -> Answer | None:
        """The latest answer under one key."""
        launch = _digest(handle)
        with self._db.reading() as session:
            sealed = session.scalar(select(HoldingAnswer.sealed).where(HoldingAnswer.launch == launch, HoldingAnswer.source == source))
        return None if sealed is None else codec.answer_from(self._open("holding_answers", f"{launch}:{source}", sealed))

    def drop_answer(self, handle: str, source: str) -> None:
        """Forget one answer, and with it what may be opened because of it."""
        launch = _digest(handle)
        with self._db.transaction() as session:
            self._alone(session, launch)
            for table in (HoldingAnswer, HoldingStudy):
                session.execute(delete(table).where(table.launch == launch, table.source == source))

    def held(self, handle: str, archive: str, study_uid: str) -> Held | None:
        """What may be served of this study from this archive in this launch; None: it does not exist for this launch.

        The archive's own word comes first: a study that it gave to another patient is not held, whatever the chart says.
        """
        if self._withdrawn(archive, study_uid):
            return None
        launch, study = _digest(handle), _digest(handle, archive, study_uid)
        with self._db.engine.connect() as connection:
            rows = connection.execute(HELD, {"launch": launch, "study": study, "named": _digest(handle, study_uid)}).all()
        said: list[StudyRecord] = []
        found: Held | None = None
        for source, place, sealed in sorted(rows, key=lambda row: (_owner(row[0]) != archive, row[0])):
            here = place == study
            if not here and self._passage is None:
                continue  # what others say of it matters to the policy alone
            content = json.loads(self._open("holding_studies", f"{launch}:{source}:{place}", sealed))
            if content is None:
                if here and found is None:
                    return None
                continue
            record = codec.study_from(content)
            if here and record.links and self._stand(frozenset(record.links)) != frozenset(record.links):
                return None
            said.append(record)
            ids = record.claimed_ids if record.patient_id is None else (record.patient_id,)
            if here and found is None and ids and record.archive == archive and record.uid == study_uid:
                found = Held(study_uid, archive, ids[0], record, ids)
        if found is None or self._passage is None:
            return found
        passage = self._passage(handle, said)
        return None if passage is Passage.SHUT else replace(found, break_glass=passage is Passage.BROKEN_GLASS)

    def check(self, handle: str, archive: str, study: str, series: str, instances: frozenset[str]) -> None:
        """These instances' metadata named this study and this patient: their frames may pass. Adds to earlier ones."""
        launch, key = _digest(handle), _digest(handle, archive, study, series)
        with self._db.transaction() as session:
            self._alone(session, launch)
            row = session.get(HoldingChecked, (launch, key))
            known = self._instances(launch, key, row.sealed) if row is not None else frozenset[str]()
            if instances <= known:
                return
            sealed = self._seal("holding_checked", f"{launch}:{key}", json.dumps(sorted(known | instances)).encode())
            session.merge(HoldingChecked(launch=launch, series=key, version=secrets.token_hex(16), sealed=sealed))

    def checked(self, handle: str, archive: str, study: str, series: str) -> frozenset[str]:
        """Instances checked so far. The row is looked up each time; only its unsealed form is remembered."""
        launch, key = _digest(handle), _digest(handle, archive, study, series)
        with self._db.engine.connect() as connection:
            version = connection.execute(VERSION, {"launch": launch, "series": key}).scalar()
            if version is None:
                return frozenset()
            with self._lock:
                known = self._sets.get((key, version))
            if known is not None:
                return known
            row = connection.execute(CHECKED, {"launch": launch, "series": key}).first()
        if row is None:
            return frozenset()
        instances = self._instances(launch, key, row.sealed)
        with self._lock:
            self._sets[(key, row.version)] = instances
            while len(self._sets) > KEPT_SETS:
                self._sets.popitem(last=False)
        return instances

    def forget(self, handle: str) -> None:
        """The launch has ended: nothing of its patient stays."""
        launch = _digest(handle)
        with self._db.transaction() as session:
            for table in TABLES:
                session.execute(delete(table).where(table.launch == launch))

    def purge(self, before: datetime) -> int:
        """Forget launches whose patient was saved before `before`; returns how many."""
        with self._db.transaction() as session:
            launches = list(session.scalars(select(HoldingPatient.launch).where(HoldingPatient.saved_at < before)))
            launches += list(session.scalars(select(HoldingAnswer.launch).where(HoldingAnswer.saved_at < before).distinct()))
            return _purge(session, list(dict.fromkeys(launches)))

    def _alone(self, session: Session, launch: str) -> None:
        """One writer at a time for a launch: two tabs may list at once. SQLite's transactions are alone anyway."""
        if not self._db.is_sqlite:
            session.execute(select(func.pg_advisory_xact_lock(int(launch[:15], 16))))

    def _instances(self, launch: str, key: str, sealed: bytes) -> frozenset[str]:
        return frozenset(json.loads(self._open("holding_checked", f"{launch}:{key}", sealed)))

    def _seal(self, table: str, row: str, plain: bytes) -> bytes:
        return self._keyring.seal(plain, place=f"{table}.sealed:{row}")

    def _open(self, table: str, row: str, sealed: bytes) -> bytes:
        return self._keyring.open(sealed, place=f"{table}.sealed:{row}")


def _named(handle: str, answer: Answer) -> dict[str, tuple[str, bytes]]:
    """What follows from an answer, by the digest of its place: studies that may be opened, `null` for those this archive gave
    to another patient, and studies that are named without a place to open them from, for what is said of them. With each,
    the digest that all places of the study share.
    """
    found = {
        _digest(handle, record.archive if record.archive and (record.patient_id or record.claimed_ids) else "", record.uid): (
            _digest(handle, record.uid),
            codec.dump(record),
        )
        for record in answer.studies
    }
    for label in answer.labels:
        word = StudyRecord(label.study, answer.source, answer.organization, None, confidentiality=label.codes)
        found[_digest(handle, "", label.study)] = (_digest(handle, label.study), codec.dump(word))
    if not answer.source.startswith(EHR_PREFIX):
        found |= {_digest(handle, _owner(answer.source), uid): (_digest(handle, uid), b"null") for uid in answer.withheld_studies}
    return found


def _without(answer: Answer, gone: frozenset[str]) -> Answer:
    """The answer as if the decisions in `gone` had never been: an undone link takes its studies with it at once."""
    kept = tuple(study for study in answer.studies if not gone.intersection(study.links))
    return answer if len(kept) == len(answer.studies) else replace(answer, studies=kept, more_exist=True)


def _owner(source: str) -> str:
    """The archive or chart that an answer belongs to: `kestrel` of `kestrel/earlier`."""
    return source.partition("/")[0]


def _purge(session: Session, launches: list[str]) -> int:
    for launch in launches:
        for table in TABLES:
            statement: Delete = delete(table).where(table.launch == launch)
            session.execute(statement)
    return len(launches)


def _digest(handle: str, *parts: str) -> str:
    """Names a row without holding the handle or a UID; length-prefixed, so that parts cannot run together."""
    joined = "".join(f"{len(part)}:{part}" for part in (handle, *parts))
    return hashlib.sha256(joined.encode()).hexdigest()
