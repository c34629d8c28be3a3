"""Every start finds or makes the same schema, on both engines; a newer database is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import smart_app.factory  # noqa: F401  so that every table is known
from smart_app import migrations
from smart_app.db import Base, Database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'priors.sqlite3'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    db = Database(url)
    _drop(db)
    yield db
    _drop(db)
    db.engine.dispose()


def _drop(db: Database) -> None:
    with db.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def test_the_models_are_what_the_migrations_make(empty: Database) -> None:
    assert not migrations.is_current(empty)
    assert migrations.upgrade(empty) == ScriptDirectory(str(migrations.FOLDER)).get_current_head()
    assert migrations.is_current(empty)
    assert migrations.differences(empty) == []


def test_a_difference_would_be_seen(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_audit_records_patient"))
    assert [difference[0] for difference in migrations.differences(empty)] == ["add_index"]


def test_a_second_start_changes_nothing(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("INSERT INTO audit_heads VALUES ('t', 1, 'h', 'k', 's')"))
    migrations.upgrade(empty)
    with empty.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_heads")).scalar() == 1


def test_workers_that_start_together(empty: Database) -> None:
    databases = [Database(empty.url) for _ in range(4)]
    outcomes: list[object] = []

    def start(db: Database) -> None:
        try:
            outcomes.append(migrations.upgrade(db))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=start, args=(db,)) for db in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for db in databases:
        db.engine.dispose()
    assert len(set(map(str, outcomes))) == 1, outcomes
    assert migrations.differences(empty) == []


def test_a_newer_database_is_refused(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrations.UnknownVersion):
        migrations.upgrade(empty)


def test_a_step_that_fails_leaves_nothing_behind(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it in one transaction: the last table cannot be made, so none is."""
    import alembic.op

    real = alembic.op.create_table

    def failing(name: str, *columns: object, **options: object) -> object:
        if name == "series_access":
            raise RuntimeError("the disk is full")
        return real(name, *columns, **options)

    monkeypatch.setattr(alembic.op, "create_table", failing)
    with pytest.raises(RuntimeError):
        migrations.upgrade(empty)
    assert inspect(empty.engine).get_table_names() == []
