"""Fixtures every test may use. Servers are started once a session, databases are fresh for each test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sandbox.mailbox.smtp import Mailserver
from smart_app.db import Base, Database
from smart_app.sealing import Keyring
from tests import peers

# No test asserts a time, neither do generated ones: a busy machine is slow, not wrong.
settings.register_profile("priors", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("priors")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with peers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def orthanc_url() -> Iterator[str]:
    """An empty Orthanc shared by the session: use UIDs of your own."""
    with peers.orthanc() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables, once on each engine."""
    import smart_app.factory  # noqa: F401  so that every table is known

    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path / 'priors.sqlite3'}")
    else:
        db = Database(request.getfixturevalue("postgres_url"))
        Base.metadata.drop_all(db.engine)
    Base.metadata.create_all(db.engine)
    yield db
    db.engine.dispose()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"test": secrets.token_bytes(32)})


@pytest.fixture
def mailbox() -> Iterator[Mailserver]:
    """A mail server that keeps what it is given: `inbox`, and `scripts` to make it misbehave."""
    with Mailserver() as server:
        yield server
