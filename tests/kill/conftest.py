"""Two set-ups: one process's SQLite with a bell of its own; PostgreSQL with Redis, as several machines share them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from sandbox.mailbox.smtp import Mailserver
from tests import peers
from tests.kill.driver import Setup


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with peers.redis() as (url, _):
        yield url


@pytest.fixture
def mail() -> Iterator[Mailserver]:
    with Mailserver() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql+redis"])
def setup(request: pytest.FixtureRequest, mail: Mailserver) -> Iterator[Setup]:
    if request.param == "sqlite":
        yield Setup("sqlite", mail, None, None)
        return
    server, queue = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS kills WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE kills"))
    admin.dispose()
    client = Redis.from_url(queue)
    client.flushall()
    client.close()
    yield Setup("postgresql+redis", mail, make_url(server).set(database="kills").render_as_string(hide_password=False), queue)
