"""One record a kind of access, on both databases, however many ask at once; and none where the transaction fails."""

import threading

import pytest
from sqlalchemy import func, select

from smart_app.archives.registry import Archives
from smart_app.archives.types import PatientId, StudyRecord
from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog, AuditUnavailable
from smart_app.audit.models import AuditRecord
from smart_app.holdings.store import Held
from smart_app.sealing import Keyring
from smart_app.viewer.asking import Ask
from smart_app.viewer.reads import Reads
from tests.unit.viewer import world


def ask(handle=world.HANDLE):
    patient = PatientId("P-1", world.ISSUER)
    held = Held("1.2", "kestrel", patient, StudyRecord("1.2", "kestrel", "Kestrel", "kestrel", patient))
    (archive,) = Archives([world.archive("http://127.0.0.1:1/dw")], read_secret=lambda ref: "")
    context = world.context(handle)
    return Ask(context, Who.of(context, "127.0.0.1", "PR-1"), archive, held, None)


def records(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.event == "SeriesRead"))


def test_workers_that_ask_at_once_make_one_record(database):
    audit = AuditLog(database, Keyring({"k": b"k" * 32}), lambda: world.NOW)
    workers = [Reads(database, audit) for _ in range(3)]
    threads = [threading.Thread(target=workers[n % 3].note, args=(ask(), "1.2.3", "frames", 300)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records(database) == 1
    workers[0].note(ask(), "1.2.3", "metadata", 300)
    workers[0].note(ask(), "1.2.4", "frames", 300)
    workers[0].note(ask(world.OTHER_HANDLE), "1.2.3", "frames", 300)
    assert records(database) == 4
    assert audit.verify().is_intact


def test_a_record_that_fails_is_tried_again_next_time(database, monkeypatch):
    audit = AuditLog(database, Keyring({"k": b"k" * 32}), lambda: world.NOW)
    reads = Reads(database, audit)

    def full(*args):
        raise AuditUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(AuditLog, "_append", full)
        with pytest.raises(AuditUnavailable):
            reads.note(ask(), "1.2.3", "frames", 1)
    assert records(database) == 0
    reads.note(ask(), "1.2.3", "frames", 1)
    assert records(database) == 1


def test_forgetting_a_launch_keeps_its_records(database):
    audit = AuditLog(database, Keyring({"k": b"k" * 32}), lambda: world.NOW)
    reads = Reads(database, audit)
    reads.note(ask(), "1.2.3", "frames", 1)
    reads.forget(world.HANDLE)
    assert records(database) == 1
