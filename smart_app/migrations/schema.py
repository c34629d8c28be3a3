"""Alembic run from inside the program, on our own connection: no alembic.ini, no shell.

A database newer than this program is refused (safety.md O2). Each revision runs in one transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from smart_app.db import Base, Database, UtcDateTime

FOLDER = Path(__file__).parent


class UnknownVersion(Exception):
    """The database is at a version that this program does not know: it is newer than the program."""


def upgrade(db: Database) -> str:
    """Bring the database to this program's version and return that version. Safe to run by several starting workers.

    :raises UnknownVersion: the database is newer than this program.
    """
    script = ScriptDirectory.from_config(_config())
    with db.engine.connect().execution_options(priors_write=True) as connection, connection.begin():
        if not db.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7017265051)")
        at = MigrationContext.configure(connection).get_current_revision()
        if at is not None and at not in {revision.revision for revision in script.walk_revisions()}:
            raise UnknownVersion("the database is newer than this version of Priors")
        if at != script.get_current_head():
            command.upgrade(_config(connection), "head")
    return script.get_current_head() or ""


def is_current(db: Database) -> bool:
    """Whether the database is at this program's version."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == ScriptDirectory.from_config(_config()).get_current_head()


def differences(db: Database) -> list[Any]:
    """What the models say that the migrated database does not, and the reverse. Every model must be imported already."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _same_type, "target_metadata": Base.metadata})
        return list(compare_metadata(context, Base.metadata))


def write_revision(db: Database, message: str) -> None:
    """Developers: write the next revision from what the models add. The database must be at the head."""
    with db.engine.connect() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def _config(connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["same_type"] = _same_type
    return config


def _same_type(_context: Any, _inspected: Any, _metadata: Any, inspected_type: Any, metadata_type: Any) -> bool | None:
    """False: no difference. SQLite keeps no time zone, so our UTC type cannot be told from it there."""
    if isinstance(metadata_type, UtcDateTime):
        return "DATETIME" not in str(inspected_type).upper() and "TIMESTAMP" not in str(inspected_type).upper()
    return None
