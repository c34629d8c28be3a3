"""Two set-ups: one process's SQLite with a bell of its own; PostgreSQL with Redis, as several machines share them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from sandbox.faults import Faults
from sandbox.mailbox.smtp import Mailserver
from sandbox.partner.app import create_partner
from sandbox.serving import serve
from sandbox.writable import Shelf
from smart_app.jobs.ledger import LEASE
from tests import peers
from tests.kill import ehr, programs
from tests.kill.driver import LEASE_SECONDS, Setup
from tests.kill.nursery import Nursery
from tests.kill.story import Programs
from tests.unit.archives.scripted import scripted
from tests.unit.intake.hospital import ScriptedArchive

LEASES = {"resumed": f"lease of {LEASE_SECONDS:g} s", "resumed as it is": f"lease of {LEASE:g} s, the default"}
"""How a kill says its seconds, and in words."""


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with peers.redis() as (url, _):
        yield url


@pytest.fixture
def around() -> Iterator[tuple[Mailserver, ScriptedArchive, str, Programs, str, str]]:
    """Those whom Priors talks to: a mail server, an archive, the EHR, a partner; with their addresses."""
    archive = ScriptedArchive()
    there = Programs(Shelf(("ServiceRequest", "Task", "Communication")), Shelf(("ServiceRequest", "Task")), archive)
    partner = create_partner("Kestrel Valley", faults=Faults(), token=programs.TOKEN, shelf=there.partner)
    with Mailserver() as mail, scripted(archive) as server, serve(ehr.create(there.ehr)) as at_ehr, serve(partner) as at_partner:
        yield mail, archive, f"{server.base}/dicom-web", there, at_ehr.url, at_partner.url


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as forking:
        yield forking


@pytest.fixture
def on_sqlite(around: tuple[Mailserver, ScriptedArchive, str, Programs, str, str], nursery: Nursery) -> Setup:
    return Setup("sqlite", *around, None, None, nursery)


@pytest.fixture(params=["sqlite", "postgresql+redis"])
def setup(request: pytest.FixtureRequest, on_sqlite: Setup) -> Iterator[Setup]:
    if request.param == "sqlite":
        yield on_sqlite
        return
    server, queue = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    client = Redis.from_url(queue)
    client.flushall()
    client.close()
    yield replace(on_sqlite, name="postgresql+redis", database_url=fresh(server), queue_url=queue)


def fresh(server: str) -> str:
    """The address of an empty database there."""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS kills WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE kills"))
    admin.dispose()
    return make_url(server).set(database="kills").render_as_string(hide_password=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many kills went well in which set-up, and how long the longest was without anybody; also with the lease as it is by default."""
    resumed: dict[tuple[str, str], list[float]] = {}
    for report in terminalreporter.stats.get("passed", []):
        where = "PostgreSQL and Redis" if "[postgresql+redis" in report.nodeid else "SQLite"
        for name, seconds in getattr(report, "user_properties", ()):
            if name in LEASES and report.when == "call":
                resumed.setdefault((where, name), []).append(seconds)
    for (where, name), times in sorted(resumed.items()):
        terminalreporter.write_line(f"{where}, {LEASES[name]}: {len(times)} kills, nothing lost, nothing double; all was done again {max(times):.1f} s after the death at the latest")
