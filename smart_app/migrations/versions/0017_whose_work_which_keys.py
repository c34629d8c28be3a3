"""Whose work it is, which keys were used, and what a directory of organizations told"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None

OWNERS = ("image_requests", "uploads", "received_studies", "offers")
"""Tables whose ids begin the keys of work."""


def upgrade() -> None:
    op.add_column("work_rows", sa.Column("tenant", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "known_keys",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("proof", sa.String(64), nullable=False),
        sa.Column("is_lasting", sa.Boolean(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key_id", name=op.f("pk_known_keys")),
    )
    op.create_table(
        "directory_entries",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("directory", sa.String(40), nullable=False),
        sa.Column("facility", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "directory", "facility", name=op.f("pk_directory_entries")),
    )
    op.create_index("ix_received_studies_subject", "received_studies", ["tenant", "subject"])
    _give_work_to_its_owners(op.get_bind())


def _give_work_to_its_owners(connection: sa.Connection) -> None:
    """Each site that ever started has an audit chain. With one, all work is its own; with several, the key says whose it is."""
    sites = connection.execute(sa.text("SELECT tenant FROM audit_heads")).scalars().all()
    if len(sites) == 1:
        connection.execute(sa.text("UPDATE work_rows SET tenant = :site"), {"site": sites[0]})
        return
    owners: dict[str, str] = {}
    for table in OWNERS:
        owners |= {row.id: row.tenant for row in connection.execute(sa.text(f"SELECT id, tenant FROM {table}"))}  # noqa: S608  names from above
    for (key,) in connection.execute(sa.text("SELECT DISTINCT key FROM work_rows")).all():
        if (site := owners.get(key.partition(".")[0])) is not None:
            connection.execute(sa.text("UPDATE work_rows SET tenant = :site WHERE key = :key"), {"site": site, "key": key})
