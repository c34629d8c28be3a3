"""The schema's history (Alembic) and how a database is brought to it: `upgrade(db)`. Works from the wheel."""

from smart_app.migrations.schema import FOLDER, UnknownVersion, differences, is_current, upgrade, write_revision

__all__ = ["FOLDER", "UnknownVersion", "differences", "is_current", "upgrade", "write_revision"]
