"""Work that was there before rows said whose it is goes to the site that made it: none of it is left undone."""

from __future__ import annotations

from sqlalchemy import text

from smart_app import migrations
from smart_app.db import Database
from smart_app.migrations import schema
from tests.unit.migrations.test_schema import empty

__all__ = ["empty"]
WORK = "INSERT INTO work_rows (kind, key, state, attempt, claims, beat, holder, reason, created_at) VALUES ('mirror', :key, 'waiting', 0, 0, 0, '', '', '2026-05-21 09:00:00+00:00')"
OFFER = "INSERT INTO offers (id, tenant, state, sealed, link, made_at) VALUES (:id, :tenant, 'waiting', :sealed, NULL, '2026-05-21 09:00:00+00:00')"


def before(db: Database, *sites: str) -> None:
    """A database as it was, with these sites."""
    from alembic import command

    with db.engine.connect().execution_options(priors_write=True) as connection, connection.begin():
        command.upgrade(schema._config(connection), "0014")
        for site in sites:
            connection.execute(text("INSERT INTO audit_heads VALUES (:site, 1, 'h', 'k', 's')"), {"site": site})
            connection.execute(text(OFFER), {"id": f"of-{site}", "tenant": site, "sealed": b""})
            connection.execute(text(WORK), {"key": f"of-{site}.1"})
        connection.execute(text(WORK), {"key": "493021"})


def owners(db: Database) -> dict[str, str]:
    with db.engine.connect() as connection:
        return {row.key: row.tenant for row in connection.execute(text("SELECT key, tenant FROM work_rows"))}


def test_where_there_is_one_site_all_work_is_its_own(empty: Database) -> None:
    before(empty, "northgate")
    migrations.upgrade(empty)
    assert owners(empty) == {"of-northgate.1": "northgate", "493021": "northgate"}


def test_where_there_are_two_the_key_says_whose_it_is(empty: Database) -> None:
    before(empty, "northgate", "kestrel")
    migrations.upgrade(empty)
    assert owners(empty) == {"of-northgate.1": "northgate", "of-kestrel.1": "kestrel", "493021": ""}, "a period comes again by itself"
