"""An audit on each engine, and someone to blame."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smart_app.audit.events import Who
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditHead, AuditRecord
from smart_app.db import Base, Database
from smart_app.sealing import Keyring

TABLES = [AuditHead.__table__, AuditRecord.__table__]


class Ticking:
    """A clock that moves one second a reading."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 21, 8, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'audit.sqlite3'}")
    else:
        database = Database(request.getfixturevalue("postgres_url"))
        Base.metadata.drop_all(database.engine, tables=TABLES)
    Base.metadata.create_all(database.engine, tables=TABLES)
    yield database
    database.engine.dispose()


@pytest.fixture
def log(db: Database, keyring: Keyring) -> AuditLog:
    return AuditLog(db, keyring, Ticking())


@pytest.fixture
def who() -> Who:
    return Who("default", "https://ehr.example/fhir", "dr-halloran", "Halloran, M", "0123456789abcdef", "192.0.2.7", "PR-7Q2MK9")
