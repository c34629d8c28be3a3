"""Who holds what, remembered between launches; all that is said of one study found together; break-glass"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
    op.add_column("holding_studies", sa.Column("named", sa.String(length=64), nullable=False, server_default=""))
    op.create_index("ix_holding_studies_launch_named", "holding_studies", ["launch", "named"], unique=False)
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("launch", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index("ix_break_glass_launch", "break_glass", ["launch"], unique=False)
    op.create_index("ix_break_glass_tenant", "break_glass", ["tenant", "opened_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_break_glass_tenant", table_name="break_glass")
    op.drop_index("ix_break_glass_launch", table_name="break_glass")
    op.drop_table("break_glass")
    op.drop_index("ix_holding_studies_launch_named", table_name="holding_studies")
    op.drop_column("holding_studies", "named")
    op.drop_index(op.f("ix_index_entries_answered_at"), table_name="index_entries")
    op.drop_table("index_entries")
