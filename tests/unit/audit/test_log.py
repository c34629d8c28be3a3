"""The chain: written in order by many, broken by nobody unnoticed."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text, update

from smart_app.audit.events import LaunchOpened, SeriesRead, StudyOpened, Who
from smart_app.audit.log import AuditLog, AuditUnavailable
from smart_app.audit.models import AuditHead, AuditRecord
from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.sealing import Keyring

SEED = 20261121


def _fill(log: AuditLog, who: Who, count: int) -> None:
    for number in range(count):
        log.record(SeriesRead(who=who, patient=f"p{number % 3}", archive="kestrel", study="1.2.3", series=f"1.2.3.{number}", what="frames", count=number))


def test_a_record_holds_who_what_when_and_whom(log: AuditLog, who: Who, db: Database) -> None:
    record_id = log.record(StudyOpened(who=who, patient="p1", archive="kestrel", study="1.2.3"))
    with db.reading() as session:
        row = session.get_one(AuditRecord, record_id)
    assert (row.event, row.code, row.verb, row.outcome) == ("StudyOpened", "110103", "R", 0)
    assert (row.subject, row.address, row.request_id, row.launch) == ("dr-halloran", "192.0.2.7", "PR-7Q2MK9", "0123456789abcdef")
    assert row.patient == "p1"
    assert row.details == '{"archive":"kestrel","study":"1.2.3"}'
    assert row.at.microsecond == 123000
    assert log.verify().is_intact


def test_it_stands_or_falls_with_the_callers_transaction(log: AuditLog, who: Who, db: Database) -> None:
    def use_case() -> None:
        with db.transaction() as session:
            log.record(LaunchOpened(who=who, patient="p1"), session)
            raise RuntimeError("the use case failed")

    with pytest.raises(RuntimeError):
        use_case()
    assert log.verify().records == 0
    log.record(LaunchOpened(who=who, patient="p1"))
    assert log.verify() == replace(log.verify(), records=1, faults=())


def test_it_raises_when_it_cannot_write(log: AuditLog, who: Who, db: Database) -> None:
    with db.transaction() as session:
        session.execute(text("DROP TABLE audit_records"))
    with pytest.raises(AuditUnavailable):
        log.record(LaunchOpened(who=who))


def test_many_workers_make_one_chain(db: Database, keyring: Keyring, who: Who) -> None:
    logs = [AuditLog(Database(db.url), keyring, utc_now) for _ in range(4)]
    failures: list[BaseException] = []

    def work(log: AuditLog) -> None:
        try:
            _fill(log, who, 25)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdict = logs[0].verify()
    for log in logs:
        log._db.engine.dispose()
    assert (verdict.records, verdict.faults) == (100, ())


def test_chains_of_two_tenants_do_not_meet(log: AuditLog, who: Who) -> None:
    for _ in range(3):
        log.record(LaunchOpened(who=who))
        log.record(LaunchOpened(who=replace(who, tenant="other")))
    assert log.head("default").sequence == log.head("other").sequence == 3
    assert log.verify().is_intact


def test_a_key_may_rotate_but_not_vanish(db: Database, who: Who) -> None:
    old, new = b"o" * 32, b"n" * 32
    AuditLog(db, Keyring({"a": old}), utc_now).record(LaunchOpened(who=who))
    rotated = AuditLog(db, Keyring({"b": new, "a": old}), utc_now)
    rotated.record(LaunchOpened(who=who))
    assert rotated.verify().is_intact
    assert not AuditLog(db, Keyring({"b": new}), utc_now).verify().is_intact


def test_an_exported_head_finds_a_chain_rolled_back_as_a_whole(log: AuditLog, who: Who, db: Database) -> None:
    _fill(log, who, 3)
    with db.reading() as session:
        old = session.get_one(AuditHead, "default")
        before = {"sequence": old.sequence, "hash": old.hash, "key_id": old.key_id, "seal": old.seal}
    _fill(log, who, 2)
    kept = log.head("default")
    with db.transaction() as session:
        session.execute(delete(AuditRecord).where(AuditRecord.sequence > 3))
        session.execute(update(AuditHead).values(before))
    assert log.verify().is_intact, "without the exported head this cannot be told"
    assert not log.verify([kept]).is_intact


TEXT_COLUMNS = ("id", "tenant", "event", "code", "verb", "issuer", "subject", "user_name", "launch", "address", "request_id", "patient",
                "details", "previous", "key_id", "hash")  # fmt: skip


def _tamper(random_: random.Random, session, count: int) -> str:
    kind = random_.choice(["text", "text", "text", "outcome", "time", "sequence", "delete", "cut", "swap", "head", "no-head", "copy"])
    rows = session.scalars(select(AuditRecord).order_by(AuditRecord.sequence)).all()
    row = random_.choice(rows)
    if kind == "text":
        column = random_.choice(TEXT_COLUMNS)
        value = str(getattr(row, column))
        at = random_.randrange(len(value))
        setattr(row, column, value[:at] + chr((ord(value[at]) - 32 + random_.randint(1, 90)) % 94 + 33) + value[at + 1 :])
        return f"{kind} {column}"
    if kind == "outcome":
        row.outcome += random_.choice([4, 8])
    elif kind == "time":
        row.at = row.at.replace(microsecond=(row.at.microsecond + random_.randint(1, 999)) % 1_000_000)
    elif kind == "sequence":
        row.sequence += count + random_.randint(1, 1000)
    elif kind == "delete":
        session.delete(row)
    elif kind == "cut":
        session.execute(delete(AuditRecord).where(AuditRecord.sequence >= row.sequence))
    elif kind == "swap":
        other = random_.choice([r for r in rows if r is not row])
        row.details, other.details = other.details, row.details
    elif kind == "head":
        session.execute(update(AuditHead).values({random_.choice(["hash", "seal"]): random_.randbytes(32).hex()}))
    elif kind == "no-head":
        session.execute(delete(AuditHead))
    else:
        values = {c.name: getattr(row, c.name) for c in AuditRecord.__table__.columns} | {"id": random_.randbytes(16).hex(), "sequence": count + 1}
        session.add(AuditRecord(**values))
    return kind


def test_every_one_of_a_thousand_tamperings_is_found(db: Database, log: AuditLog, who: Who) -> None:
    times = 1000 if db.is_sqlite else 100
    _fill(log, who, 12)
    assert log.verify().is_intact
    random_ = random.Random(SEED)
    missed = []
    for number in range(times):
        session_cm = db.transaction()
        with session_cm as session:
            what = _tamper(random_, session, 12)
            session.flush()
            verdict = _verify_inside(log, session)
            session.rollback()
        if verdict.is_intact:
            missed.append((number, what))
    assert missed == []
    assert log.verify().is_intact


def _verify_inside(log: AuditLog, session):
    """`verify` as it would read the tampered tables, before they are rolled back."""
    from contextlib import contextmanager

    @contextmanager
    def reading():
        session.expire_all()
        yield session

    class _Open:
        is_sqlite = True

    seen = AuditLog(_Open(), log._sealer._keyring, log._clock)
    seen._db.reading = reading
    return seen.verify()
