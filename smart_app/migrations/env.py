"""Run by Alembic inside `upgrade`, on the connection and transaction it was given. Never offline, never from a shell."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from smart_app.db import Base, UtcDateTime


def _render(kind: str, value: Any, _autogen: Any) -> str | Literal[False]:
    # Revisions must not import the product, which will have moved on when they run again.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(value, UtcDateTime) else False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render,
    compare_type=context.config.attributes["same_type"],
)
context.run_migrations()
