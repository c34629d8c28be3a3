"""Leases of work without a clock; work that is due at once"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("work_rows") as table:
        table.add_column(sa.Column("claims", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("beat", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("put_off_at", sa.DateTime(timezone=True), nullable=True))
        table.alter_column("due_at", existing_type=sa.DateTime(timezone=True), nullable=True)
        table.alter_column("done_at", existing_type=sa.DateTime(timezone=True), new_column_name="settled_at")
        table.drop_column("lease_until")
