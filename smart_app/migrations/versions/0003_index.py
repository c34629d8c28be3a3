"""Who holds what, remembered between launches"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "index_entries",
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("asker", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient", "source", "asker", name=op.f("pk_index_entries")),
    )
    op.create_index(op.f("ix_index_entries_answered_at"), "index_entries", ["answered_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_index_entries_answered_at"), table_name="index_entries")
    op.drop_table("index_entries")
